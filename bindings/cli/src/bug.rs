//! A panic is a failure like any other: told once, in the form that was asked for, with an exit code.

use crate::failure::Failure;
use lomme::Error;
use std::panic::{self, UnwindSafe};
use std::sync::{Mutex, PoisonError};

/// Runs `work`. Where it panicked is told; the panic's text is not, because it may hold anything.
pub fn caught<T>(work: impl FnOnce() -> Result<T, Failure> + UnwindSafe) -> Result<T, Failure> {
    static PLACE: Mutex<Option<String>> = Mutex::new(None);
    let place = || PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    panic::set_hook(Box::new(move |panic| {
        *place() = panic.location().map(ToString::to_string);
    }));
    panic::catch_unwind(work).unwrap_or_else(|_| {
        let at = place().take().unwrap_or_else(|| "an unknown place".into());
        let detail = format!("a panic at {at}");
        Err(Error::Bug { detail }.into())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_its_place_and_not_its_text() {
        let failure = caught(|| -> Result<(), Failure> { panic!("secret.txt") }).unwrap_err();
        assert_eq!((failure.kind(), failure.exit_code()), ("bug", 1));
        assert!(failure.detail().contains("bug.rs"), "{}", failure.detail());
        assert!(!failure.detail().contains("secret"), "{}", failure.detail());
        let _ = panic::take_hook();
    }
}
