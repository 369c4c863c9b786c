//! Cancellation that crosses.

/// A latched wish to stop, given to every call that may touch the network. Cancelling before the call
/// starts works; one token may be given to several calls. A result that is ready beats a cancel.
#[derive(Debug, Default, uniffi::Object)]
pub struct CancelToken(pub(crate) lomme::CancelToken);

#[uniffi::export]
impl CancelToken {
    /// A token that nobody has cancelled.
    #[uniffi::constructor]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks every call that holds this token to stop. It stays cancelled.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether `cancel` was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
