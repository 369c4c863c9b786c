//! What went wrong, told as what the caller can do about it.
//!
//! A variant exists only if a caller can act on it differently. Details are for developers and
//! logs: they name the operation and the server's error class, never a token, a file name, a
//! host's query string or an e-mail address.

use std::time::Duration;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// When it makes sense to try the same call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAdvice {
    /// At once.
    Now,
    /// After this long.
    After(Duration),
    /// When the network is back.
    WhenOnline,
    /// When a person has done something (signed in, made space, chosen another name).
    NeedsUser,
    /// Never: the same call will fail the same way.
    Never,
}

/// An error, named by what the caller can do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody is signed in, or the sign-in has ended. Ask to sign in; local work is untouched.
    #[error("sign-in needed: {detail}")]
    SignInNeeded {
        /// For developers.
        detail: String,
    },
    /// The login token or code was refused (mistyped, used before, too old). Get a new one.
    #[error("the login was refused: {detail}")]
    LoginRefused {
        /// For developers.
        detail: String,
    },
    /// This directory holds another account's data. Sign out first, or use another directory.
    #[error("this directory belongs to another account")]
    OtherAccount,
    /// The service could not be reached or stopped answering. Wait for the network.
    #[error("the service cannot be reached: {detail}")]
    Offline {
        /// For developers.
        detail: String,
    },
    /// The service is busy or broken for now (408, 429, 5xx, or 401 for a token that it has just
    /// given: only a refused renewal ends a sign-in). Try again later.
    #[error("the service is busy (HTTP {status})")]
    ServerBusy {
        /// HTTP status.
        status: u16,
        /// How long the service asked us to wait, when it did.
        retry_after: Option<Duration>,
    },
    /// The service says that this item does not exist (any more). Proven, not guessed.
    #[error("no such item: {detail}")]
    NoSuchItem {
        /// For developers.
        detail: String,
    },
    /// An id this directory has never handed out, or a folder not listed yet: refresh its parent, then
    /// try again.
    #[error("not known on this device: {detail}")]
    NotKnown {
        /// For developers.
        detail: String,
    },
    /// The rules of the space do not allow it.
    #[error("not allowed: {detail}")]
    NotAllowed {
        /// Why, for developers.
        detail: String,
    },
    /// Something else has that name already. Look what it is, or choose another name.
    #[error("the name is taken")]
    NameTaken,
    /// The service takes no such name here (too long, or a character that it refuses). Choose another.
    #[error("the service refuses that name: {detail}")]
    NameRefused {
        /// For developers.
        detail: String,
    },
    /// The service refused because the account's space is used up. Make space, or buy some.
    #[error("the account's space is used up")]
    QuotaExceeded,
    /// The account takes no changes for now. Its owner must ask the service why.
    #[error("the account is locked for changes")]
    AccountLocked,
    /// Changes wait that the service does not have, and a sign-out would lose them. Push or discard them first.
    #[error("{items} items have changes that are not sent")]
    UnsentWork {
        /// Items.
        items: u64,
    },
    /// No space left on this device. Free some, then try again; nothing half-written was kept as whole.
    #[error("no space left on this device")]
    DiskFull,
    /// The directory cannot be read or written (permissions, a failing disk).
    #[error("the directory cannot be used: {detail}")]
    DiskFailed {
        /// For developers.
        detail: String,
    },
    /// The bytes received are not the ones the service promised (size or MD5), twice in a row.
    #[error("the content does not match what the service promised: {detail}")]
    ContentMismatch {
        /// For developers.
        detail: String,
    },
    /// The wanted version is not the newest any more.
    #[error("that version is gone")]
    VersionGone,
    /// The service lists this version of the file, but does not know its content any more.
    #[error("that version cannot be read")]
    VersionNotReadable,
    /// A folder is larger than the caller was ready to have on the device. Ask, then call again with a larger limit.
    #[error("{bytes} bytes in {files} files are more than allowed")]
    LargerThanAllowed {
        /// Bytes known to be in it.
        bytes: u64,
        /// Files known to be in it.
        files: u64,
    },
    /// A complete listing no longer shows a great part of a space (complaint no. 22). Nothing was removed here. Ask
    /// whether that is right; if so, call `accept_disappearance` and list again.
    #[error("{gone} of {of} items have disappeared")]
    ManyGone {
        /// Items that the listing did not show.
        gone: u64,
        /// Items of the space that were known.
        of: u64,
    },
    /// The service's answer breaks its protocol (not XML, cut off, absurdly large, a hostile name).
    /// Nothing was changed.
    #[error("the service's answer cannot be understood: {detail}")]
    BadAnswer {
        /// For developers.
        detail: String,
    },
    /// The service refused the request (HTTP 4xx that nothing else here describes).
    #[error("the service refused the request (HTTP {status}): {detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The service's error class.
        detail: String,
    },
    /// The change anchor is from another life of this directory. List everything again.
    #[error("the anchor has expired")]
    AnchorExpired,
    /// The page token fits no page. Start at the first page again.
    #[error("the page token has expired")]
    PageExpired,
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The drive is paused. Resume it first.
    #[error("the drive is paused")]
    Paused,
    /// The drive is closed. Open it again.
    #[error("the drive is closed")]
    Closed,
    /// Another thread or process held the store for too long. Try again.
    #[error("the store is busy")]
    StoreBusy,
    /// The directory was written by a newer Lomme. Update the app.
    #[error("the store is of version {found}, newer than {known}")]
    StoreTooNew {
        /// Version found.
        found: u32,
        /// The newest version this code knows.
        known: u32,
    },
    /// The store is damaged and could not be rebuilt.
    #[error("the store is damaged: {detail}")]
    StoreDamaged {
        /// For developers.
        detail: String,
    },
    /// The platform's vault failed.
    #[error("the vault failed: {detail}")]
    VaultFailed {
        /// For developers; scrubbed.
        detail: String,
    },
    /// An argument makes no sense. Fix the call.
    #[error("invalid argument: {detail}")]
    InvalidArgument {
        /// For developers.
        detail: String,
    },
    /// A bug in Lomme. Please report it.
    #[error("a bug in Lomme: {detail}")]
    Bug {
        /// For developers.
        detail: String,
    },
}

impl Error {
    /// When trying again makes sense.
    pub fn retry(&self) -> RetryAdvice {
        use RetryAdvice::{After, NeedsUser, Never, Now, WhenOnline};
        match self {
            Self::SignInNeeded { .. }
            | Self::LoginRefused { .. }
            | Self::OtherAccount
            | Self::NameTaken
            | Self::NameRefused { .. }
            | Self::QuotaExceeded
            | Self::AccountLocked
            | Self::UnsentWork { .. }
            | Self::LargerThanAllowed { .. }
            | Self::ManyGone { .. }
            | Self::DiskFull
            | Self::DiskFailed { .. } => NeedsUser,
            Self::Offline { .. } => WhenOnline,
            Self::ServerBusy { retry_after, .. } => {
                After(retry_after.unwrap_or(Duration::from_secs(30)))
            }
            Self::ContentMismatch { .. } | Self::BadAnswer { .. } => After(Duration::from_secs(60)),
            // Not at once: what must come first (a refresh, a resume) takes its time.
            Self::StoreBusy | Self::VaultFailed { .. } | Self::NotKnown { .. } | Self::Paused => {
                After(Duration::from_secs(1))
            }
            Self::VersionGone => Now,
            Self::NoSuchItem { .. }
            | Self::NotAllowed { .. }
            | Self::Refused { .. }
            | Self::VersionNotReadable
            | Self::AnchorExpired
            | Self::PageExpired
            | Self::Cancelled
            | Self::Closed
            | Self::StoreTooNew { .. }
            | Self::StoreDamaged { .. }
            | Self::InvalidArgument { .. }
            | Self::Bug { .. } => Never,
        }
    }

    pub(crate) fn offline(detail: impl Into<String>) -> Self {
        Self::Offline {
            detail: detail.into(),
        }
    }

    pub(crate) fn bad_answer(detail: impl Into<String>) -> Self {
        Self::BadAnswer {
            detail: detail.into(),
        }
    }

    pub(crate) fn bug(detail: impl Into<String>) -> Self {
        Self::Bug {
            detail: detail.into(),
        }
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::InvalidArgument {
            detail: detail.into(),
        }
    }
}

impl From<std::io::Error> for Error {
    /// The path is left out: it may hold a file name.
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::DiskFull,
            kind => Self::DiskFailed {
                detail: kind.to_string(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_obeys_the_advice_never_spins_on_what_another_call_must_mend() {
        let detail = String::new();
        for error in [Error::Paused, Error::NotKnown { detail }, Error::StoreBusy] {
            let advice = error.retry();
            assert!(
                matches!(advice, RetryAdvice::After(wait) if wait >= Duration::from_millis(500)),
                "{error:?}: {advice:?}"
            );
        }
    }
}
