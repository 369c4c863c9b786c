//! How a command fails: what `--json` says, and the exit code that a script can branch on.

use crate::names::shown;
use lomme::conditions::Waiting;
use lomme::{Error, RetryAdvice};
use std::io;

/// The exit codes, as the help shows them.
pub const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    something else (a bug in Lomme: please report it)
  2    wrong usage
  3    sign-in needed, or the sign-in was refused
  4    no such item (with --offline: not known here)
  5    the service cannot be reached
  6    the service is busy, refuses, or its answer makes no sense
  7    not allowed: the rules of a space or your own, a file that exists already, a pin that is too large, another account, no quota, a file that needs you
  8    this machine: disk full, directory unusable, store busy or damaged
  9    the content is not what the service promised, or changed meanwhile
  10   the demo found that a byte moved unasked, or that the two counts differ
  130  interrupted; what was fetched is kept
  141  whoever read the output has hung up";

/// Of clap, too.
pub const USAGE: u8 = 2;
/// 128 + SIGINT, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// A command's failure. Whoever makes one has made the names in its detail harmless.
#[derive(Debug)]
pub struct Failure {
    kind: &'static str,
    detail: String,
    retry: RetryAdvice,
    exit_code: u8,
    hint: Option<&'static str>,
}

impl Failure {
    fn new(kind: &'static str, exit_code: u8, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            retry: RetryAdvice::Never,
            exit_code,
            hint: usual_hint(kind),
        }
    }

    pub fn usage(detail: impl Into<String>) -> Self {
        Self::new("usage", USAGE, detail)
    }

    pub fn sign_in_needed() -> Self {
        Error::SignInNeeded {
            detail: "nobody is signed in here".into(),
        }
        .into()
    }

    pub fn no_such_item(detail: impl Into<String>) -> Self {
        Self::new("no_such_item", 4, detail)
    }

    pub fn not_known(detail: impl Into<String>) -> Self {
        Self {
            retry: RetryAdvice::WhenOnline,
            ..Self::new("not_known", 4, detail)
        }
    }

    pub fn exists(detail: impl Into<String>) -> Self {
        Self {
            retry: RetryAdvice::NeedsUser,
            ..Self::new("exists", 7, detail)
        }
    }

    /// Pinned content is missing, and this is why.
    pub fn waiting(waiting: Waiting) -> Self {
        let (exit_code, retry) = match waiting {
            Waiting::SignIn => return Self::sign_in_needed(),
            Waiting::NoNetwork => (5, RetryAdvice::WhenOnline),
            Waiting::FreeSpace { .. } => (8, RetryAdvice::NeedsUser),
            _ => (7, RetryAdvice::NeedsUser),
        };
        Self {
            retry,
            ..Self::new(
                "waiting",
                exit_code,
                format!("pinned content waits: {waiting}"),
            )
        }
    }

    /// The camera backup is not done, and this is why.
    pub fn backup_waits(exit_code: u8, detail: impl Into<String>) -> Self {
        let retry = match exit_code {
            5 => RetryAdvice::WhenOnline,
            _ => RetryAdvice::NeedsUser,
        };
        Self {
            retry,
            ..Self::new("waiting", exit_code, detail)
        }
    }

    /// No device to back up to was chosen.
    pub fn no_device() -> Self {
        Self {
            retry: RetryAdvice::NeedsUser,
            ..Self::new("no_device", USAGE, "no device to back up to was chosen")
        }
    }

    /// Files of the camera backup that only a person can release.
    pub fn needs_user(detail: impl Into<String>) -> Self {
        Self {
            retry: RetryAdvice::NeedsUser,
            ..Self::new("needs_user", 7, detail)
        }
    }

    pub fn machine(detail: impl Into<String>) -> Self {
        Self {
            retry: RetryAdvice::NeedsUser,
            ..Self::new("disk_failed", 8, detail)
        }
    }

    /// A question was not answered with yes, so nothing was done.
    pub fn not_confirmed() -> Self {
        Self {
            retry: RetryAdvice::NeedsUser,
            ..Self::new("not_confirmed", 7, "nothing was done")
        }
    }

    pub fn demo(detail: impl Into<String>) -> Self {
        Self::new("demo_failed", 10, detail)
    }

    /// Stdout was closed by its reader (`lomme ls | head`): not worth a word.
    fn closed_output() -> Self {
        Self::new("closed_output", 141, "")
    }

    /// Whether there is nobody to tell.
    pub fn is_silent(&self) -> bool {
        self.kind == "closed_output"
    }

    pub fn kind(&self) -> &'static str {
        self.kind
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn retry(&self) -> RetryAdvice {
        self.retry
    }

    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        self.hint
    }

    /// The same failure in other words.
    pub fn saying(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }

    /// The same failure of a listing, for which what is known here may do.
    pub fn of_listing(mut self) -> Self {
        if matches!(self.kind, "offline" | "server_busy") {
            self.hint = Some("What was listed before is readable with --offline.");
        }
        self
    }

    /// The same failure of a change, which stays queued.
    pub fn of_change(mut self) -> Self {
        self.hint = Some("The change is kept, and not lost: 'lomme outbox' shows it.");
        self
    }

    /// The same failure of a backup, which keeps what it has.
    pub fn of_backup(mut self) -> Self {
        if matches!(self.kind, "cancelled" | "offline" | "server_busy") {
            self.hint = Some("What was sent is kept; the same command goes on from there.");
        }
        self
    }

    /// The same failure of a download, which keeps what it has.
    pub fn of_download(mut self) -> Self {
        if matches!(self.kind, "cancelled" | "offline" | "server_busy") {
            self.hint = Some("What was fetched is kept; the same command goes on from there.");
        }
        self
    }
}

fn usual_hint(kind: &str) -> Option<&'static str> {
    match kind {
        "sign_in_needed" => Some("Run 'lomme login'."),
        "login_refused" => Some("A login token works once. Make a new one and try again."),
        "other_account" => Some("Run 'lomme logout' first, or use another --dir."),
        "not_known" => Some("Try again without --offline."),
        "larger_than_allowed" => Some("Allow it with --up-to."),
        "many_gone" => Some(
            "Nothing was removed here. If that is right, say 'lomme index SPACE --accept-gone'.",
        ),
        "no_device" => Some(
            "Make one with 'lomme camera device create NAME', or go on with one: 'device claim NAME'.",
        ),
        "needs_user" => Some("'lomme camera status' tells more; 'lomme camera retry' tries again."),
        "not_confirmed" => Some("Say --yes to do it without being asked."),
        "exists" => Some("Name another destination, or use --force to replace it."),
        _ => None,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (kind, exit_code) = match error {
            Error::InvalidArgument { .. } => ("invalid_argument", USAGE),
            Error::SignInNeeded { .. } => ("sign_in_needed", 3),
            Error::LoginRefused { .. } => ("login_refused", 3),
            Error::NoSuchItem { .. } => ("no_such_item", 4),
            Error::NotKnown { .. } => ("not_known", 4),
            Error::Offline { .. } => ("offline", 5),
            Error::ServerBusy { .. } => ("server_busy", 6),
            Error::BadAnswer { .. } => ("bad_answer", 6),
            Error::Refused { .. } => ("refused", 6),
            Error::ManyGone { .. } => ("many_gone", 6),
            Error::NotAllowed { .. } => ("not_allowed", 7),
            Error::LargerThanAllowed { .. } => ("larger_than_allowed", 7),
            Error::OtherAccount => ("other_account", 7),
            Error::NameTaken => ("name_taken", 7),
            Error::NameRefused { .. } => ("name_refused", 7),
            Error::QuotaExceeded => ("quota_exceeded", 7),
            Error::AccountLocked => ("account_locked", 7),
            Error::UnsentWork { .. } => ("unsent_work", 7),
            Error::DiskFull => ("disk_full", 8),
            Error::DiskFailed { .. } => ("disk_failed", 8),
            Error::StoreBusy => ("store_busy", 8),
            Error::StoreTooNew { .. } => ("store_too_new", 8),
            Error::StoreDamaged { .. } => ("store_damaged", 8),
            Error::VaultFailed { .. } => ("vault_failed", 8),
            Error::ContentMismatch { .. } => ("content_mismatch", 9),
            Error::VersionGone => ("version_gone", 9),
            Error::VersionNotReadable => ("version_not_readable", 9),
            Error::PageExpired => ("page_expired", 9),
            Error::AnchorExpired => ("anchor_expired", 9),
            Error::Cancelled => ("cancelled", INTERRUPTED),
            Error::Paused => ("paused", 1),
            Error::Closed => ("closed", 1),
            Error::Bug { .. } => ("bug", 1),
            _ => ("other", 1),
        };
        Self {
            kind,
            detail: shown(&error.to_string()),
            retry: error.retry(),
            exit_code,
            hint: usual_hint(kind),
        }
    }
}

/// Of our own reading and writing outside the core: the terminal, and destinations of downloads.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::closed_output();
        }
        Self::machine(shown(&error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "a table that can't be read fails its test"
    )]
    use super::*;

    /// The rows of the help.
    fn codes() -> Vec<(u8, &'static str)> {
        EXIT_CODES
            .lines()
            .skip(1)
            .map(|line| line.trim().split_once(' ').unwrap())
            .map(|(code, meaning)| (code.parse().unwrap(), meaning.trim()))
            .collect()
    }

    #[test]
    fn the_readme_tells_the_exit_codes_that_the_help_tells() {
        let readme = include_str!("../../../README.md").replace('`', "");
        let section = readme.split("### Exit codes").nth(1).unwrap();
        let section = section.split("\n#").next().unwrap();
        let rows: Vec<(u8, &str)> = section
            .lines()
            .filter_map(|line| {
                line.strip_prefix("| ")?
                    .strip_suffix(" |")?
                    .split_once(" | ")
            })
            .filter_map(|(code, meaning)| Some((code.parse().ok()?, meaning)))
            .collect();
        assert_eq!(rows, codes());
    }

    #[test]
    fn failures_end_with_the_code_that_the_help_gives_them() {
        let other = |detail: &str| Error::Bug {
            detail: detail.into(),
        };
        let large = Error::LargerThanAllowed { bytes: 2, files: 1 };
        let many = Error::ManyGone { gone: 9, of: 10 };
        for (failure, code, meaning) in [
            (other("?").into(), 1, "bug in Lomme"),
            (Failure::usage("?"), 2, "wrong usage"),
            (Failure::sign_in_needed(), 3, "sign-in needed"),
            (Failure::no_such_item("?"), 4, "no such item"),
            (Failure::not_known("?"), 4, "not known here"),
            (Failure::exists("?"), 7, "a file that exists already"),
            (Error::OtherAccount.into(), 7, "another account"),
            (Error::NameTaken.into(), 7, "a file that exists already"),
            (Error::QuotaExceeded.into(), 7, "no quota"),
            (Error::AccountLocked.into(), 7, "not allowed"),
            (Failure::waiting(Waiting::Metered), 7, "or your own"),
            (Failure::waiting(Waiting::NoNetwork), 5, "cannot be reached"),
            (
                Failure::waiting(Waiting::FreeSpace { missing: 1 }),
                8,
                "this machine",
            ),
            (large.into(), 7, "a pin that is too large"),
            (many.into(), 6, "makes no sense"),
            (Failure::backup_waits(7, "?"), 7, "or your own"),
            (Failure::no_device(), 2, "wrong usage"),
            (Failure::needs_user("?"), 7, "a file that needs you"),
            (Failure::machine("?"), 8, "this machine"),
            (Error::DiskFull.into(), 8, "disk full"),
            (Error::VersionGone.into(), 9, "changed meanwhile"),
            (Failure::not_confirmed(), 7, "not allowed"),
            (Failure::demo("?"), 10, "the demo found"),
            (Error::Cancelled.into(), 130, "interrupted"),
            (Failure::closed_output(), 141, "hung up"),
        ] {
            assert_eq!(failure.exit_code(), code, "{failure:?}");
            let told = codes().into_iter().find(|row| row.0 == code).unwrap();
            assert!(told.1.contains(meaning), "{failure:?}: {}", told.1);
        }
    }
}
