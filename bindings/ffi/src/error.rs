//! The one error that crosses.

use std::time::Duration;

/// When it makes sense to try the same call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RetryAdvice {
    /// At once.
    Now,
    /// After this long.
    After {
        /// Milliseconds.
        delay_ms: u64,
    },
    /// When the network is back.
    WhenOnline,
    /// When a person has done something (signed in, made space, chosen another name).
    NeedsUser,
    /// Never: the same call will fail the same way.
    Never,
}

impl From<lomme::RetryAdvice> for RetryAdvice {
    fn from(advice: lomme::RetryAdvice) -> Self {
        match advice {
            lomme::RetryAdvice::Now => Self::Now,
            lomme::RetryAdvice::After(delay) => Self::After {
                delay_ms: millis(delay),
            },
            lomme::RetryAdvice::WhenOnline => Self::WhenOnline,
            lomme::RetryAdvice::NeedsUser => Self::NeedsUser,
            lomme::RetryAdvice::Never => Self::Never,
        }
    }
}

/// What went wrong, named by what the caller can do about it. `detail` is for developers and logs: it
/// holds no token, file name or e-mail address, and is not worded for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum LommeError {
    /// Nobody is signed in, or the sign-in has ended. Ask to sign in; local work is untouched.
    #[error("{detail}")]
    SignInNeeded {
        /// For developers.
        detail: String,
    },
    /// The login token or code was refused (mistyped, used before, too old). Get a new one.
    #[error("{detail}")]
    LoginRefused {
        /// For developers.
        detail: String,
    },
    /// This directory holds another account's data. Sign out first, or use another directory.
    #[error("{detail}")]
    OtherAccount {
        /// For developers.
        detail: String,
    },
    /// The service could not be reached or stopped answering. Wait for the network.
    #[error("{detail}")]
    Offline {
        /// For developers.
        detail: String,
    },
    /// The service is busy or broken for now (HTTP 408, 429, 5xx, or 401 for a token that it has just
    /// given: only a refused renewal ends a sign-in). Try again later.
    #[error("{detail}")]
    ServerBusy {
        /// HTTP status.
        status: u16,
        /// How long the service asked us to wait, in milliseconds, when it did.
        retry_after_ms: Option<u64>,
        /// For developers.
        detail: String,
    },
    /// The service says that this item does not exist (any more). Proven, not guessed.
    #[error("{detail}")]
    NoSuchItem {
        /// For developers.
        detail: String,
    },
    /// An id this directory has never handed out, or a folder not listed yet: refresh its parent, then try
    /// again. Not a proof that anything is gone.
    #[error("{detail}")]
    NotKnown {
        /// For developers.
        detail: String,
    },
    /// The rules of the space do not allow it.
    #[error("{detail}")]
    NotAllowed {
        /// Why, for developers.
        detail: String,
    },
    /// Something else has that name already. Look what it is, or choose another name.
    #[error("{detail}")]
    NameTaken {
        /// For developers.
        detail: String,
    },
    /// The service takes no such name here (too long, or a character that it refuses). Choose another.
    #[error("{detail}")]
    NameRefused {
        /// For developers.
        detail: String,
    },
    /// The service refused because the account's space is used up. Make space, or buy some.
    #[error("{detail}")]
    QuotaExceeded {
        /// For developers.
        detail: String,
    },
    /// The account takes no changes for now. Its owner must ask the service why.
    #[error("{detail}")]
    AccountLocked {
        /// For developers.
        detail: String,
    },
    /// Changes wait that the service does not have, and a sign-out would lose them. Push or discard them first.
    #[error("{detail}")]
    UnsentWork {
        /// Items.
        items: u64,
        /// For developers.
        detail: String,
    },
    /// No space left on this device. Free some, then try again; nothing half-written was kept as whole.
    #[error("{detail}")]
    DiskFull {
        /// For developers.
        detail: String,
    },
    /// The directory cannot be read or written (permissions, a failing disk).
    #[error("{detail}")]
    DiskFailed {
        /// For developers.
        detail: String,
    },
    /// The bytes received are not the ones the service promised (size or MD5), twice in a row.
    #[error("{detail}")]
    ContentMismatch {
        /// For developers.
        detail: String,
    },
    /// The wanted version is not the newest any more.
    #[error("{detail}")]
    VersionGone {
        /// For developers.
        detail: String,
    },
    /// The service lists this version of the file, but does not know its content any more.
    #[error("{detail}")]
    VersionNotReadable {
        /// For developers.
        detail: String,
    },
    /// A folder is larger than the caller was ready to have on the device. Ask, then call again with a larger limit.
    #[error("{detail}")]
    LargerThanAllowed {
        /// Bytes known to be in it.
        bytes: u64,
        /// Files known to be in it.
        files: u64,
        /// For developers.
        detail: String,
    },
    /// A complete listing no longer shows a great part of a space. Nothing was removed here. Ask whether that is right;
    /// if so, call `acceptDisappearance` and list again.
    #[error("{detail}")]
    ManyGone {
        /// Items that the listing did not show.
        gone: u64,
        /// Items of the space that were known.
        known: u64,
        /// For developers.
        detail: String,
    },
    /// The service's answer breaks its protocol. Nothing was changed.
    #[error("{detail}")]
    BadAnswer {
        /// For developers.
        detail: String,
    },
    /// The service refused the request (HTTP 4xx that nothing else here describes).
    #[error("{detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The service's error class, for developers.
        detail: String,
    },
    /// The change anchor is from another life of this directory. List everything again.
    #[error("{detail}")]
    AnchorExpired {
        /// For developers.
        detail: String,
    },
    /// The page token fits no page. Start at the first page again.
    #[error("{detail}")]
    PageExpired {
        /// For developers.
        detail: String,
    },
    /// The caller cancelled.
    #[error("{detail}")]
    Cancelled {
        /// For developers.
        detail: String,
    },
    /// The drive is paused. Resume it first.
    #[error("{detail}")]
    Paused {
        /// For developers.
        detail: String,
    },
    /// The drive is closed. Open it again.
    #[error("{detail}")]
    Closed {
        /// For developers.
        detail: String,
    },
    /// Another thread or process held the store for too long. Try again.
    #[error("{detail}")]
    StoreBusy {
        /// For developers.
        detail: String,
    },
    /// The directory was written by a newer Lomme. Update the app.
    #[error("{detail}")]
    StoreTooNew {
        /// Version found.
        found: u32,
        /// The newest version this code knows.
        known: u32,
        /// For developers.
        detail: String,
    },
    /// The store is damaged and could not be rebuilt.
    #[error("{detail}")]
    StoreDamaged {
        /// For developers.
        detail: String,
    },
    /// The platform's vault failed. Nothing of its own error text is in here.
    #[error("{detail}")]
    VaultFailed {
        /// For developers.
        detail: String,
    },
    /// An argument makes no sense. Fix the call.
    #[error("{detail}")]
    InvalidArgument {
        /// For developers.
        detail: String,
    },
    /// A bug in Lomme. Please report it.
    #[error("{detail}")]
    Bug {
        /// For developers.
        detail: String,
    },
}

#[uniffi::export]
impl LommeError {
    /// When it makes sense to try the same call again.
    pub fn retry_advice(&self) -> RetryAdvice {
        lomme::Error::from(self.clone()).retry().into()
    }
}

impl LommeError {
    /// A panic. Its text stays on this side: it may quote anything.
    pub(crate) fn panicked() -> Self {
        Self::Bug {
            detail: "panicked".into(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl From<lomme::Error> for LommeError {
    fn from(error: lomme::Error) -> Self {
        use lomme::Error as E;
        // Where the core has nothing to add, its own sentence is the detail.
        let said = error.to_string();
        match error {
            E::SignInNeeded { detail } => Self::SignInNeeded { detail },
            E::LoginRefused { detail } => Self::LoginRefused { detail },
            E::OtherAccount => Self::OtherAccount { detail: said },
            E::Offline { detail } => Self::Offline { detail },
            E::ServerBusy {
                status,
                retry_after,
            } => Self::ServerBusy {
                status,
                retry_after_ms: retry_after.map(millis),
                detail: said,
            },
            E::NoSuchItem { detail } => Self::NoSuchItem { detail },
            E::NotKnown { detail } => Self::NotKnown { detail },
            E::NotAllowed { detail } => Self::NotAllowed { detail },
            E::NameTaken => Self::NameTaken { detail: said },
            E::NameRefused { detail } => Self::NameRefused { detail },
            E::QuotaExceeded => Self::QuotaExceeded { detail: said },
            E::AccountLocked => Self::AccountLocked { detail: said },
            E::UnsentWork { items } => Self::UnsentWork {
                items,
                detail: said,
            },
            E::DiskFull => Self::DiskFull { detail: said },
            E::DiskFailed { detail } => Self::DiskFailed { detail },
            E::ContentMismatch { detail } => Self::ContentMismatch { detail },
            E::VersionGone => Self::VersionGone { detail: said },
            E::VersionNotReadable => Self::VersionNotReadable { detail: said },
            E::LargerThanAllowed { bytes, files } => Self::LargerThanAllowed {
                bytes,
                files,
                detail: said,
            },
            E::ManyGone { gone, of } => Self::ManyGone {
                gone,
                known: of,
                detail: said,
            },
            E::BadAnswer { detail } => Self::BadAnswer { detail },
            E::Refused { status, detail } => Self::Refused { status, detail },
            E::AnchorExpired => Self::AnchorExpired { detail: said },
            E::PageExpired => Self::PageExpired { detail: said },
            E::Cancelled => Self::Cancelled { detail: said },
            E::Paused => Self::Paused { detail: said },
            E::Closed => Self::Closed { detail: said },
            E::StoreBusy => Self::StoreBusy { detail: said },
            E::StoreTooNew { found, known } => Self::StoreTooNew {
                found,
                known,
                detail: said,
            },
            E::StoreDamaged { detail } => Self::StoreDamaged { detail },
            E::VaultFailed { detail } => Self::VaultFailed { detail },
            E::InvalidArgument { detail } => Self::InvalidArgument { detail },
            E::Bug { detail } => Self::Bug { detail },
            _ => Self::Bug { detail: said },
        }
    }
}

impl From<LommeError> for lomme::Error {
    /// Only to ask the core for its advice: the rules live there alone.
    fn from(error: LommeError) -> Self {
        use LommeError as E;
        match error {
            E::SignInNeeded { detail } => Self::SignInNeeded { detail },
            E::LoginRefused { detail } => Self::LoginRefused { detail },
            E::OtherAccount { .. } => Self::OtherAccount,
            E::Offline { detail } => Self::Offline { detail },
            E::ServerBusy {
                status,
                retry_after_ms,
                ..
            } => Self::ServerBusy {
                status,
                retry_after: retry_after_ms.map(Duration::from_millis),
            },
            E::NoSuchItem { detail } => Self::NoSuchItem { detail },
            E::NotKnown { detail } => Self::NotKnown { detail },
            E::NotAllowed { detail } => Self::NotAllowed { detail },
            E::NameTaken { .. } => Self::NameTaken,
            E::NameRefused { detail } => Self::NameRefused { detail },
            E::QuotaExceeded { .. } => Self::QuotaExceeded,
            E::AccountLocked { .. } => Self::AccountLocked,
            E::UnsentWork { items, .. } => Self::UnsentWork { items },
            E::DiskFull { .. } => Self::DiskFull,
            E::DiskFailed { detail } => Self::DiskFailed { detail },
            E::ContentMismatch { detail } => Self::ContentMismatch { detail },
            E::VersionGone { .. } => Self::VersionGone,
            E::VersionNotReadable { .. } => Self::VersionNotReadable,
            E::LargerThanAllowed { bytes, files, .. } => Self::LargerThanAllowed { bytes, files },
            E::ManyGone { gone, known, .. } => Self::ManyGone { gone, of: known },
            E::BadAnswer { detail } => Self::BadAnswer { detail },
            E::Refused { status, detail } => Self::Refused { status, detail },
            E::AnchorExpired { .. } => Self::AnchorExpired,
            E::PageExpired { .. } => Self::PageExpired,
            E::Cancelled { .. } => Self::Cancelled,
            E::Paused { .. } => Self::Paused,
            E::Closed { .. } => Self::Closed,
            E::StoreBusy { .. } => Self::StoreBusy,
            E::StoreTooNew { found, known, .. } => Self::StoreTooNew { found, known },
            E::StoreDamaged { detail } => Self::StoreDamaged { detail },
            E::VaultFailed { detail } => Self::VaultFailed { detail },
            E::InvalidArgument { detail } => Self::InvalidArgument { detail },
            E::Bug { detail } => Self::Bug { detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_is_the_core_s_after_crossing_both_ways() {
        let wait = Duration::from_millis(1_500);
        let detail = || "x".to_owned();
        for error in [
            lomme::Error::SignInNeeded { detail: detail() },
            lomme::Error::Offline { detail: detail() },
            lomme::Error::ServerBusy {
                status: 429,
                retry_after: Some(wait),
            },
            lomme::Error::StoreTooNew { found: 9, known: 1 },
            lomme::Error::LargerThanAllowed { bytes: 7, files: 2 },
            lomme::Error::ManyGone { gone: 3, of: 4 },
            lomme::Error::NameTaken,
            lomme::Error::NameRefused { detail: detail() },
            lomme::Error::AccountLocked,
            lomme::Error::UnsentWork { items: 2 },
            lomme::Error::VersionNotReadable,
            lomme::Error::Paused,
            lomme::Error::Cancelled,
        ] {
            let crossed = LommeError::from(error.clone());
            assert_eq!(crossed.retry_advice(), error.retry().into());
            assert_eq!(lomme::Error::from(crossed), error);
        }
    }
}
