//! What an app sees of the tree.
//!
//! An [`ItemId`] is minted here, lives as long as the item, and is the only id that an app or
//! the operating system ever gets: it survives renames, moves and trash. It is opaque ASCII, at
//! most 200 bytes, and holds no name, path or version.

use std::fmt;

/// The id of an item, for the life of the item.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(String);

impl ItemId {
    /// Takes an id that an earlier call handed out. Any string is accepted; one that was never
    /// handed out is simply not known.
    pub fn from_string(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as a string, to store or to hand to the operating system.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The spaces in which the service keeps files. Each is a root folder with a fixed id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// Mirrored to and from every computer.
    Sync,
    /// Folders mirrored from one computer (or this phone) to the cloud; a folder for each.
    Backup,
    /// Cloud only.
    Archive,
    /// What was deleted in the last 30 days.
    Trash,
}

impl Space {
    /// All four, in the order in which an app should show them.
    pub const ALL: [Self; 4] = [Self::Sync, Self::Backup, Self::Archive, Self::Trash];

    /// The fixed id of the space's root: `sync`, `backup`, `archive` or `trash`.
    pub fn root(self) -> ItemId {
        ItemId(self.name().to_ascii_lowercase())
    }

    /// `Sync`, `Backup`, `Archive` or `Trash`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "Sync",
            Self::Backup => "Backup",
            Self::Archive => "Archive",
            Self::Trash => "Trash",
        }
    }
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The root of a space.
    Root,
    /// In Backup: a computer or phone; its folders are what it backs up.
    Computer,
    /// A folder (a backed-up folder of a computer too).
    Folder,
    /// A file.
    File,
}

/// What can be done to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Download or open.
    Read,
    /// Put new content into a file.
    Edit,
    /// Make a file or folder in it.
    Add,
    /// Rename or move.
    Move,
    /// Move to the trash.
    Trash,
    /// Take back out of the trash.
    Restore,
    /// Delete for ever.
    Purge,
    /// Make a public link.
    Link,
    /// See the kept versions.
    Versions,
}

/// What an action leads to beyond this phone. Show it before a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consequence {
    /// Nothing changes anywhere.
    None,
    /// The change stays in the cloud.
    CloudOnly,
    /// Reaches every computer, and anyone a folder is shared with.
    ReachesAllComputers,
    /// Disappears from every computer and for anyone it is shared with; 30 days in the trash.
    DeletedOnAllComputers,
    /// Is not carried back to the computer, whose next backup may replace it.
    NotCarriedBack,
    /// May remove the last copy there is.
    MayBeLastCopy,
    /// Anyone who has the link can read it.
    Public,
}

/// An action that is allowed, and where it leads. An action that is not listed is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The action.
    pub action: Action,
    /// Where it leads.
    pub consequence: Consequence,
}

/// An item as the local store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// For the life of the item.
    pub id: ItemId,
    /// The folder it is in; a root is its own parent.
    pub parent: ItemId,
    /// The space it is in.
    pub space: Space,
    /// What it is.
    pub kind: Kind,
    /// The name to show: the server's, with rclone's look-alike characters turned back. It is
    /// data from anybody: never join it to a local path.
    pub name: String,
    /// Bytes; `None` for what is not a file.
    pub size: Option<u64>,
    /// Milliseconds since the epoch, whole seconds on the wire. `None` when the server has none (folders).
    pub modified_ms: Option<i64>,
    /// Milliseconds since the epoch, told by whoever uploaded.
    pub created_ms: Option<i64>,
    /// Media type as the server guessed it from the name; `None` until its folder was refreshed.
    pub mime: Option<String>,
    /// In the trash: when it was deleted, in milliseconds since the epoch.
    pub deleted_ms: Option<i64>,
    /// Whether a public link exists; `None` until its folder was refreshed.
    pub shared: Option<bool>,
    /// Changes exactly when the content does; `None` for what is not a file. At most 128 bytes.
    pub content_version: Option<String>,
    /// Changes with name, parent, times and capabilities. At most 128 bytes.
    pub metadata_version: String,
    /// What may be done to it.
    pub capabilities: &'static [Capability],
    /// Whether its content is on the device. `Absent` for what is not a file.
    pub local: LocalCopy,
    /// Kept on the device, because it or a folder above it is pinned.
    pub pinned: bool,
    /// A favourite.
    pub favourite: bool,
    /// Something of it is changed here that the service does not have yet.
    pub pending: bool,
}

/// Whether the content of a file is on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LocalCopy {
    /// Not, or only in part.
    #[default]
    Absent,
    /// All of the newest version known.
    Whole,
    /// All of an older version: the file has changed on the service.
    Stale {
        /// Since when this is known, in milliseconds since the epoch.
        since_ms: i64,
    },
}

/// What to search for. A local read over what is indexed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Words that the name must all contain, anywhere in it; case and accents do not matter, but å, ä, ö, æ and ø are
    /// letters of their own. Empty: any name.
    pub text: String,
    /// Only these spaces; empty means Sync, Backup and Archive.
    pub spaces: Vec<Space>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only media types that start so, as in `image/`.
    pub mime: Option<String>,
    /// Files of at least so many bytes.
    pub at_least: Option<u64>,
    /// Files of at most so many bytes.
    pub at_most: Option<u64>,
    /// Files modified at or after this, in milliseconds since the epoch.
    pub modified_from_ms: Option<i64>,
    /// Files modified before this.
    pub modified_before_ms: Option<i64>,
    /// Only favourites.
    pub favourites: bool,
    /// 1 to 1,000 items.
    pub limit: u32,
}

impl Search {
    /// A search for `text` in all spaces but the trash, for at most 100 items.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            spaces: Vec::new(),
            kind: None,
            mime: None,
            at_least: None,
            at_most: None,
            modified_from_ms: None,
            modified_before_ms: None,
            favourites: false,
            limit: 100,
        }
    }
}

/// What a search found: names that are the text first, then those that start with it, then those with a word that
/// starts with it, then the rest; the newest first in each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The items.
    pub items: Vec<Item>,
    /// Whether there are more than `limit`.
    pub more: bool,
    /// Folders in the spaces searched whose content is not known here yet, so that the answer may lack something.
    pub unlisted_folders: u64,
}

/// How much is in a folder, as far as known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Weight {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Folders in it whose content is not known here yet.
    pub unlisted_folders: u64,
}

/// What is known of an id. "Gone" is a positive statement: only a server's answer makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "a lookup is read and dropped at once"
)]
pub enum Lookup {
    /// Here it is.
    Found(Item),
    /// The service has said that it is gone.
    Gone,
    /// Never seen by this directory: not a proof of anything.
    Unknown,
}

/// How fresh a folder's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Never listed: the rows, if any, are not all of it.
    Never,
    /// All children as they were at this time, in milliseconds since the epoch.
    ListedAt(i64),
}

/// The order of a page. Folders come first in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// By name, case and normalisation folded.
    #[default]
    Name,
    /// Newest first.
    Newest,
    /// Largest first.
    Largest,
}

/// A page of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows.
    pub items: Vec<Item>,
    /// Give it to the next call; `None` at the end. At most 500 bytes.
    pub next: Option<String>,
    /// How fresh the folder is.
    pub freshness: Freshness,
}

/// A page of the change feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// New or changed since the anchor, as they are now.
    pub updated: Vec<Item>,
    /// Proven gone since the anchor.
    pub deleted: Vec<ItemId>,
    /// Where to go on. At most 500 bytes.
    pub anchor: String,
    /// Whether there is more right now.
    pub more: bool,
}

/// What a refresh or an index found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Refreshed {
    /// Folders in the listing (the listed one included for an index).
    pub folders: u64,
    /// Files in the listing.
    pub files: u64,
    /// Items that are new here.
    pub added: u64,
    /// Items that changed.
    pub changed: u64,
    /// Items that moved, their ids kept.
    pub moved: u64,
    /// Items proven gone.
    pub deleted: u64,
}
