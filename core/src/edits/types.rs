//! What an app tells the outbox, and what the outbox tells it.

use crate::Error;
use crate::catalog::{Item, ItemId};
use crate::conditions::Waiting;
use crate::sending::AccountHold;
use std::path::Path;

/// Who owns a file that is given to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Ownership {
    /// It stays the caller's: it is cloned, or copied where the volume cannot clone.
    #[default]
    Borrow,
    /// It is ours from now on: it is renamed away where it is on our volume, else copied and removed.
    Take,
}

/// A file's content, to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewContent<'a> {
    /// Where the bytes are: a plain file, which nobody writes to meanwhile.
    pub path: &'a Path,
    /// Whose that file is.
    pub ownership: Ownership,
    /// When the content was modified, in milliseconds since the epoch; now if absent.
    pub modified_ms: Option<i64>,
    /// When the file was created; for new content of a file that exists, absent keeps what it has.
    pub created_ms: Option<i64>,
}

impl<'a> NewContent<'a> {
    /// The content of a file that stays the caller's, modified now.
    pub fn of(path: &'a Path) -> Self {
        Self {
            path,
            ownership: Ownership::Borrow,
            modified_ms: None,
            created_ms: None,
        }
    }
}

/// How a writer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteMode {
    /// With no bytes: all of the content will be written.
    Truncate,
    /// With the content that the file has now, which is fetched if it is not on the device.
    Update,
}

/// What became of a change, once the service has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service has what was wanted.
    Done,
    /// It has it under another name, because something else had the name.
    Renamed,
    /// Another writer was first: theirs stays the item, ours is the copy beside it.
    KeptBoth {
        /// Our content.
        copy: ItemId,
    },
    /// What was made here turned out to be what the service has already; this id goes on, the other is gone.
    MergedInto {
        /// The item that there is.
        item: ItemId,
    },
    /// The item is gone: by this change, or before it came to it.
    Gone,
    /// Another writer changed it first, and the change was given up (see the conflict that tells why).
    GivenUp,
}

/// A change that the service has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The item as it is now; `None` only with [`Outcome::Gone`].
    pub item: Option<Item>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Something that is wanted of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wish {
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

/// A change that waits or is being sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The item.
    pub id: ItemId,
    /// As it looks here; `None` when it is wanted gone.
    pub item: Option<Item>,
    /// What is wanted, in the order in which it is done.
    pub wishes: Vec<Wish>,
    /// Bytes to send.
    pub bytes: u64,
    /// When the oldest of the wishes was made, in milliseconds since the epoch.
    pub since_ms: i64,
    /// The one reason why it waits; `None` when it is next or under way.
    pub hold: Option<Hold>,
}

/// The one reason why a change waits, and with it what would release it.
#[derive(Clone, Debug, PartialEq)]
pub enum Hold {
    /// The network, the sign-in, the battery or the person's rules.
    Conditions(Waiting),
    /// The whole account: no sign-in, no space, locked, or a service that is busy until a time.
    Account(AccountHold),
    /// Another item's change must come first.
    After(ItemId),
    /// Saves follow each other: the next upload is at this time, in milliseconds since the epoch, or when the writer closes.
    Settling {
        /// When it will be sent.
        until_ms: i64,
    },
    /// Somebody is writing to it.
    BeingWritten,
    /// It failed, and is tried again at this time, in milliseconds since the epoch.
    Retry {
        /// When.
        until_ms: i64,
        /// How it failed.
        error: Error,
    },
    /// A person must decide: [`retry`](crate::edits::Edits::retry) it, change it or [`discard`](crate::edits::Edits::discard) it.
    NeedsUser(Park),
}

/// Why a change needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Park {
    /// The service refuses the name: choose another.
    NameRefused,
    /// The rules of the space or the service do not allow it.
    NotAllowed,
    /// Another writer's content is in the history of the file only. It is uploaded to again when the conflict was resolved.
    HistoryOnly,
    /// What was to be copied, moved or restored is gone.
    SourceGone,
    /// Something else is where it is to be restored to, or to be purged from.
    PlaceTaken,
    /// The staged bytes are missing or damaged on this device.
    BytesLost,
    /// The process ended while somebody was writing. The bytes are whole up to there: publish them by `retry`, or discard them.
    Recovered,
    /// It failed again and again.
    ManyFailures,
}

/// Two writers met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Its number, for [`resolve`](crate::edits::Edits::resolve).
    pub number: u64,
    /// What happened.
    pub kind: ConflictKind,
    /// The item that both have changed.
    pub item: ItemId,
    /// Where the other content is now, if both were kept.
    pub copy: Option<ItemId>,
    /// The name of the copy, else of the item.
    pub name: String,
    /// When it was found, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Whether it was in an earlier answer of [`conflicts`](crate::edits::Edits::conflicts) with `report`.
    pub told: bool,
}

/// What happened between two writers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum ConflictKind {
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

/// What a person decides about a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Our content becomes the item's, the copy goes to the trash.
    KeepMine,
    /// Their content is the item's, our copy goes to the trash.
    KeepTheirs,
    /// Both stay as they are.
    KeepBoth,
}

/// What a run of the outbox did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PushRun {
    /// Items whose changes the service has now.
    pub done: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Items that still wait.
    pub left: u64,
    /// Why, if one reason holds all of them back.
    pub hold: Option<Hold>,
    /// When to come back, in milliseconds since the epoch, if time alone releases some of them.
    pub next_ms: Option<i64>,
    /// Conflicts found in this run.
    pub conflicts: u64,
}

/// Bytes that were given up here and never sent; kept until they are forgotten by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// For [`export_discarded`](crate::edits::Edits::export_discarded) and [`forget_discarded`](crate::edits::Edits::forget_discarded).
    pub key: String,
    /// The item that it was for.
    pub item: ItemId,
    /// The name that it had.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// When it was discarded, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// A kept version of a file. The service keeps five, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// For the calls that take a version; at most 128 bytes.
    pub token: String,
    /// The service's number.
    pub number: u64,
    /// Whether it is the newest.
    pub current: bool,
    /// Bytes.
    pub size: u64,
    /// When it was modified, in milliseconds since the epoch, as its writer told.
    pub modified_ms: Option<i64>,
    /// When the service took it, in milliseconds since the epoch.
    pub updated_ms: Option<i64>,
    /// The content version, as in [`Item::content_version`].
    pub content_version: String,
}

/// A public link. Anyone who has it can read what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The item, if it is known here.
    pub item: Option<ItemId>,
    /// Its name.
    pub name: String,
    /// The page to give to people.
    pub url: String,
}

/// What emptying the trash removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// Files.
    pub files: u64,
    /// Folders.
    pub folders: u64,
}
