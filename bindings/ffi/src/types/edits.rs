//! Changes: what is wanted, what waits, and what became of it.

use super::{Item, WaitReason, into_records};
use crate::LommeError;
use std::path::Path;

/// A file's content, to be stored.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FileContent {
    /// The path of the bytes: a plain file, which nobody writes to meanwhile.
    pub path: String,
    /// Whether that file is the drive's from now on: then it is renamed away where it is on the drive's volume, else copied
    /// and removed. If not, it stays the caller's: it is cloned, or copied where the volume cannot clone.
    #[uniffi(default = false)]
    pub take: bool,
    /// When the content was modified, in milliseconds since 1970; now if absent.
    #[uniffi(default = None)]
    pub modified_ms: Option<i64>,
    /// When the file was created, in milliseconds since 1970; for new content of a file that exists, absent keeps what
    /// it has.
    #[uniffi(default = None)]
    pub created_ms: Option<i64>,
}

impl FileContent {
    pub(crate) fn for_core(&self) -> lomme::edits::NewContent<'_> {
        lomme::edits::NewContent {
            path: Path::new(&self.path),
            ownership: if self.take {
                lomme::edits::Ownership::Take
            } else {
                lomme::edits::Ownership::Borrow
            },
            modified_ms: self.modified_ms,
            created_ms: self.created_ms,
        }
    }
}

twin! {
    /// How a writer begins.
    WriteMode = lomme::edits::WriteMode {
        /// With no bytes: all of the content will be written.
        Truncate,
        /// With the content that the file has now, which is fetched if it is not on the device.
        Update,
    }
}

/// What became of a change, once the service has it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum EditOutcome {
    /// The service has what was wanted.
    Done,
    /// It has it under another name, because something else had the name.
    Renamed,
    /// Another writer was first: theirs stays the item, ours is the copy beside it.
    KeptBoth {
        /// The id of our content.
        copy: String,
    },
    /// What was made here turned out to be what the service has already; this id goes on, the other is gone.
    MergedInto {
        /// The id of the item that there is.
        item: String,
    },
    /// The item is gone: by this change, or before it came to it.
    Gone,
    /// Another writer changed it first, and the change was given up; the conflict tells why.
    GivenUp,
}

impl From<lomme::edits::Outcome> for EditOutcome {
    fn from(outcome: lomme::edits::Outcome) -> Self {
        use lomme::edits::Outcome as Core;
        match outcome {
            Core::Done => Self::Done,
            Core::Renamed => Self::Renamed,
            Core::KeptBoth { copy } => Self::KeptBoth {
                copy: copy.to_string(),
            },
            Core::MergedInto { item } => Self::MergedInto {
                item: item.to_string(),
            },
            Core::Gone => Self::Gone,
            Core::GivenUp => Self::GivenUp,
        }
    }
}

/// A change that the service has.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SettledEdit {
    /// The item as it is now; none only with `Gone`.
    pub item: Option<Item>,
    /// What became of the change.
    pub outcome: EditOutcome,
}

impl From<lomme::edits::Settled> for SettledEdit {
    fn from(settled: lomme::edits::Settled) -> Self {
        Self {
            item: settled.item.map(Item::from),
            outcome: settled.outcome.into(),
        }
    }
}

twin! {
    /// Something that is wanted of an item.
    EditWish = lomme::edits::Wish {
        /// It is new.
        Create,
        /// New content.
        Content,
        /// Another name or folder.
        Place,
        /// A copy made by the service.
        Copy,
        /// To the trash.
        Trash,
        /// Out of the trash.
        Restore,
        /// Deleted for ever.
        Purge,
        /// A public link.
        Link,
        /// No public link.
        Unlink,
    }
}

/// A change that waits or is being sent.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PendingEdit {
    /// The id of the item.
    pub id: String,
    /// The item as it looks here; none when it is wanted gone.
    pub item: Option<Item>,
    /// What is wanted, in the order in which it is done.
    pub wishes: Vec<EditWish>,
    /// Bytes to send.
    pub bytes: u64,
    /// When the oldest of the wishes was made, in milliseconds since 1970.
    pub since_ms: i64,
    /// The one reason why it waits; none when it is next or under way.
    pub hold: Option<EditHold>,
}

impl From<lomme::edits::Pending> for PendingEdit {
    fn from(pending: lomme::edits::Pending) -> Self {
        Self {
            id: pending.id.to_string(),
            item: pending.item.map(Item::from),
            wishes: into_records(pending.wishes),
            bytes: pending.bytes,
            since_ms: pending.since_ms,
            hold: pending.hold.map(EditHold::from),
        }
    }
}

/// The one reason why a change waits, and with it what would release it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum EditHold {
    /// The network, the sign-in, the battery or the person's rules.
    Conditions {
        /// Which.
        reason: WaitReason,
    },
    /// The whole account waits: no sign-in, no space, locked, or a service that is busy until a time.
    AccountWide {
        /// Why.
        reason: AccountHold,
    },
    /// Another item's change must come first.
    After {
        /// The id of that item.
        item: String,
    },
    /// Saves follow each other: the next upload is at this time, or when the writer closes.
    Settling {
        /// Milliseconds since 1970.
        until_ms: i64,
    },
    /// Somebody is writing to it.
    BeingWritten,
    /// It failed, and is tried again at this time.
    TriedAgain {
        /// Milliseconds since 1970.
        until_ms: i64,
        /// How it failed.
        error: LommeError,
    },
    /// A person must decide: `retryEdits` it, change it or `discardEdit` it.
    NeedsDecision {
        /// About what.
        question: EditQuestion,
    },
}

impl From<lomme::edits::Hold> for EditHold {
    fn from(hold: lomme::edits::Hold) -> Self {
        use lomme::edits::Hold as Core;
        match hold {
            Core::Conditions(waiting) => Self::Conditions {
                reason: waiting.into(),
            },
            Core::Account(hold) => Self::AccountWide {
                reason: hold.into(),
            },
            Core::After(id) => Self::After {
                item: id.to_string(),
            },
            Core::Settling { until_ms } => Self::Settling { until_ms },
            Core::BeingWritten => Self::BeingWritten,
            Core::Retry { until_ms, error } => Self::TriedAgain {
                until_ms,
                error: error.into(),
            },
            Core::NeedsUser(park) => Self::NeedsDecision {
                question: park.into(),
            },
        }
    }
}

/// Why the whole account waits. Its items stay intact.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum AccountHold {
    /// Nobody is signed in, or the sign-in has ended.
    SignIn,
    /// The account's space is used up; what adds no bytes goes on.
    Full,
    /// The service accepts no changes from this account.
    Locked,
    /// The service is busy or out of reach until this time.
    Busy {
        /// Milliseconds since 1970.
        until_ms: i64,
    },
}

impl From<lomme::edits::AccountHold> for AccountHold {
    fn from(hold: lomme::edits::AccountHold) -> Self {
        use lomme::edits::AccountHold as Core;
        match hold {
            Core::SignIn => Self::SignIn,
            Core::Full => Self::Full,
            Core::Locked => Self::Locked,
            Core::Busy { until_ms } => Self::Busy { until_ms },
        }
    }
}

twin! {
    /// Why a change needs a person.
    EditQuestion = lomme::edits::Park {
        /// The service refuses the name: choose another.
        NameRefused,
        /// The rules of the space or the service do not allow it.
        NotAllowed,
        /// Another writer's content is in the history of the file only. It is uploaded to again when the conflict was
        /// resolved.
        HistoryOnly,
        /// What was to be copied, moved or restored is gone.
        SourceGone,
        /// Something else is where it is to be restored to, or to be purged from.
        PlaceTaken,
        /// The staged bytes are missing or damaged on this device.
        BytesLost,
        /// The process ended while somebody was writing. The bytes are whole up to there: publish them by `retryEdits`, or
        /// discard them.
        Recovered,
        /// It failed again and again.
        ManyFailures,
    }
}

/// Two writers met.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EditConflict {
    /// Its number, for `resolveConflict`.
    pub number: u64,
    /// What happened.
    pub kind: ConflictKind,
    /// The id of the item that both have changed.
    pub item: String,
    /// The id of the other content, if both were kept.
    pub copy: Option<String>,
    /// The name of the copy, else of the item.
    pub name: String,
    /// When it was found, in milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it was in an earlier answer of `conflicts` with `report`.
    pub told: bool,
}

impl From<lomme::edits::Conflict> for EditConflict {
    fn from(conflict: lomme::edits::Conflict) -> Self {
        Self {
            number: conflict.number,
            kind: conflict.kind.into(),
            item: conflict.item.to_string(),
            copy: conflict.copy.map(|id| id.to_string()),
            name: conflict.name,
            at_ms: conflict.at_ms,
            told: conflict.told,
        }
    }
}

twin! {
    /// What happened between two writers.
    ConflictKind = lomme::edits::ConflictKind {
        /// Both changed the content. Theirs is the item, ours the copy.
        BothEdited,
        /// Another content came in between our check and our upload. Ours is the item, theirs the copy.
        SlippedIn,
        /// The same, but the service does not know that content any more: it is in the item's versions only.
        HistoryOnly,
        /// They deleted what we changed: our content was stored again.
        EditedButDeleted,
        /// They changed what we deleted: it stays.
        DeletedButEdited,
        /// They deleted what we renamed, moved, copied or linked: it is gone.
        ChangedButDeleted,
        /// Something else had the name: ours got another.
        NameTaken,
        /// They deleted the folder that our change is in: it was made again for it.
        FolderRestored,
    }
}

twin! {
    /// What a person decides about a conflict.
    ConflictResolution = lomme::edits::Resolution {
        /// Our content becomes the item's, the copy goes to the trash.
        KeepMine,
        /// Their content is the item's, our copy goes to the trash.
        KeepTheirs,
        /// Both stay as they are.
        KeepBoth,
    }
}

/// What a run of the outbox did.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PushRun {
    /// Items whose changes the service has now.
    pub done: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Items that still wait.
    pub left: u64,
    /// Why, if one reason holds all of them back.
    pub hold: Option<EditHold>,
    /// When to come back, in milliseconds since 1970, if time alone releases some of them.
    pub next_ms: Option<i64>,
    /// Conflicts found in this run.
    pub conflicts: u64,
}

impl From<lomme::edits::PushRun> for PushRun {
    fn from(run: lomme::edits::PushRun) -> Self {
        Self {
            done: run.done,
            sent_bytes: run.sent_bytes,
            left: run.left,
            hold: run.hold.map(EditHold::from),
            next_ms: run.next_ms,
            conflicts: run.conflicts,
        }
    }
}

/// Bytes that were given up here and never sent; kept until they are forgotten by name.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DiscardedEdit {
    /// For `exportDiscarded` and `forgetDiscarded`.
    pub key: String,
    /// The id of the item that it was for.
    pub item: String,
    /// The name that it had.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was discarded, in milliseconds since 1970.
    pub at_ms: i64,
}

impl From<lomme::edits::Discarded> for DiscardedEdit {
    fn from(discarded: lomme::edits::Discarded) -> Self {
        Self {
            key: discarded.key,
            item: discarded.item.to_string(),
            name: discarded.name,
            size: discarded.size,
            at_ms: discarded.at_ms,
        }
    }
}

/// A kept version of a file. The service keeps five, the newest first.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FileVersion {
    /// For the calls that take a version; at most 128 bytes.
    pub token: String,
    /// The service's number.
    pub number: u64,
    /// Whether it is the newest.
    pub current: bool,
    /// Bytes.
    pub size: u64,
    /// When it was modified, in milliseconds since 1970, as its writer told.
    pub modified_ms: Option<i64>,
    /// When the service took it, in milliseconds since 1970.
    pub updated_ms: Option<i64>,
    /// The content version, as in `Item`.
    pub content_version: String,
}

impl From<lomme::edits::Version> for FileVersion {
    fn from(version: lomme::edits::Version) -> Self {
        Self {
            token: version.token,
            number: version.number,
            current: version.current,
            size: version.size,
            modified_ms: version.modified_ms,
            updated_ms: version.updated_ms,
            content_version: version.content_version,
        }
    }
}

/// A public link. Anyone who has it can read what it leads to.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PublicLink {
    /// The id of the item, if it is known here.
    pub item: Option<String>,
    /// Its name.
    pub name: String,
    /// The page to give to people.
    pub url: String,
}

impl From<lomme::edits::Link> for PublicLink {
    fn from(link: lomme::edits::Link) -> Self {
        Self {
            item: link.item.map(|id| id.to_string()),
            name: link.name,
            url: link.url,
        }
    }
}

/// What emptying the trash removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct EmptiedTrash {
    /// Files.
    pub files: u64,
    /// Folders.
    pub folders: u64,
}

impl From<lomme::edits::Emptied> for EmptiedTrash {
    fn from(emptied: lomme::edits::Emptied) -> Self {
        Self {
            files: emptied.files,
            folders: emptied.folders,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seen by an app, a hold must not lose what would release it.
    #[test]
    fn a_hold_crosses_with_its_time_and_its_error() {
        let core = lomme::edits::Hold::Retry {
            until_ms: 7,
            error: lomme::Error::QuotaExceeded,
        };
        let EditHold::TriedAgain { until_ms, error } = core.into() else {
            panic!("another hold");
        };
        assert_eq!(until_ms, 7);
        assert!(matches!(error, LommeError::QuotaExceeded { .. }));
    }
}
