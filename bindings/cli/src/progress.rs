//! Progress for a person who watches; nothing at all for everyone else.

use crate::output::Output;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lomme::content::TransferListener;
use std::time::Duration;

const BYTES: &str = "{bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}";

/// A bar or a counter on stderr, gone when dropped.
pub struct Shown(ProgressBar);

impl Shown {
    /// A bar of bytes.
    pub fn bytes(output: &Output) -> Self {
        Self::new(output, BYTES)
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
        Self::on(target, template)
    }

    fn on(target: ProgressDrawTarget, template: &str) -> Self {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    /// A terminal that remembers what was drawn.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write_str("<cleared>")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_transfer_is_drawn_with_what_is_done_of_all_and_goes_when_it_ends() {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let shown = Shown::on(target, BYTES);
        shown.on_transfer(1_000_000, 4_000_000);
        shown.0.tick();
        let drawn = screen.0.lock().unwrap().clone();
        assert!(drawn.contains("1.00 MB/4.00 MB"), "{drawn}");
        drop(shown);
        let drawn = screen.0.lock().unwrap().clone();
        assert!(drawn.ends_with("<cleared>"), "{drawn}");
    }

    #[test]
    fn nothing_is_drawn_for_programs_and_for_the_quiet() {
        for (json, quiet) in [(true, false), (false, true)] {
            let output = Output::new(json, quiet);
            assert!(Shown::bytes(&output).0.is_hidden());
            assert!(Shown::entries(&output, "reading").0.is_hidden());
        }
    }
}
