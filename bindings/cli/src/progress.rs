//! Progress for a person who watches; nothing at all for everyone else.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lomme::content::TransferListener;
use std::time::Duration;

/// A bar or a counter on stderr, gone when dropped.
pub struct Shown(ProgressBar);

impl Shown {
    /// A bar of bytes.
    pub fn bytes(output: &Output) -> Self {
        Self::new(
            output,
            "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
        )
    }

    /// A counter of entries read, of unknown length.
    pub fn entries(output: &Output, what: &str) -> Self {
        let shown = Self::new(output, "{spinner} {msg}: {human_pos} items");
        shown.0.set_message(what.to_owned());
        shown.0.enable_steady_tick(Duration::from_millis(200));
        shown
    }

    fn new(output: &Output, template: &str) -> Self {
        let target = if output.is_watched() {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// How many entries there are so far.
    pub fn seen(&self, count: u64) {
        self.0.set_position(count);
    }
}

impl TransferListener for Shown {
    fn on_transfer(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
