//! The tree: spaces, items, pages and changes.

use super::into_records;

twin! {
    /// The spaces in which the service keeps files. Each is a root folder with a fixed id: `sync`, `backup`,
    /// `archive`, `trash`.
    DriveSpace = lomme::catalog::Space {
        /// Mirrored to and from every computer.
        Sync,
        /// Folders mirrored from one computer (or this phone) to the cloud, a folder for each.
        Backup,
        /// Cloud only.
        Archive,
        /// What was deleted in the last 30 days.
        Trash,
    }
}

twin! {
    /// What an item is.
    ItemKind = lomme::catalog::Kind {
        /// The root of a space.
        Root,
        /// In Backup: a computer or phone; its folders are what it backs up.
        Computer,
        /// A folder (a backed-up folder of a computer too).
        Folder,
        /// A file.
        File,
    }
}

twin! {
    /// What can be done to an item.
    ItemAction = lomme::catalog::Action {
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
}

/// What an action leads to beyond this phone. Show it before a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Consequence {
    /// Nothing changes anywhere. (Not `None`: in Swift that would be mistaken for an empty optional.)
    Nothing,
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

impl From<lomme::catalog::Consequence> for Consequence {
    fn from(consequence: lomme::catalog::Consequence) -> Self {
        use lomme::catalog::Consequence as Core;
        match consequence {
            Core::None => Self::Nothing,
            Core::CloudOnly => Self::CloudOnly,
            Core::ReachesAllComputers => Self::ReachesAllComputers,
            Core::DeletedOnAllComputers => Self::DeletedOnAllComputers,
            Core::NotCarriedBack => Self::NotCarriedBack,
            Core::MayBeLastCopy => Self::MayBeLastCopy,
            Core::Public => Self::Public,
        }
    }
}

twin! {
    /// The order of a page. Folders come first in each.
    ListOrder = lomme::catalog::Order {
        /// By name, case and normalisation folded.
        Name,
        /// Newest first.
        Newest,
        /// Largest first.
        Largest,
    }
}

/// An action that is allowed, and where it leads. An action that is not listed is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Capability {
    /// The action.
    pub action: ItemAction,
    /// Where it leads.
    pub consequence: Consequence,
}

/// Whether the content of a file is on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum LocalCopy {
    /// Not, or only in part.
    Absent,
    /// All of the newest version known.
    Whole,
    /// All of an older version: the file has changed on the service.
    Stale {
        /// Since when this is known, in milliseconds since 1970.
        since_ms: i64,
    },
}

impl From<lomme::catalog::LocalCopy> for LocalCopy {
    fn from(local: lomme::catalog::LocalCopy) -> Self {
        use lomme::catalog::LocalCopy as Core;
        match local {
            Core::Absent => Self::Absent,
            Core::Whole => Self::Whole,
            Core::Stale { since_ms } => Self::Stale { since_ms },
        }
    }
}

/// An item as the local store has it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Item {
    /// For the life of the item: it survives renames, moves and trash. Opaque ASCII, at most 200 bytes.
    pub id: String,
    /// The id of the folder it is in; a root is its own parent.
    pub parent: String,
    /// The space it is in.
    pub space: DriveSpace,
    /// What it is.
    pub kind: ItemKind,
    /// The name to show. It is data from anybody: never join it to a local path.
    pub name: String,
    /// Bytes; none for what is not a file.
    pub size: Option<u64>,
    /// Milliseconds since 1970, in whole seconds. None when the service has none (folders).
    pub modified_ms: Option<i64>,
    /// Milliseconds since 1970, told by whoever uploaded.
    pub created_ms: Option<i64>,
    /// Media type as the service guessed it from the name; none until its folder was refreshed.
    pub mime: Option<String>,
    /// In the trash: when it was deleted, in milliseconds since 1970.
    pub deleted_ms: Option<i64>,
    /// Whether a public link exists; none until its folder was refreshed.
    pub shared: Option<bool>,
    /// Changes exactly when the content does; none for what is not a file. At most 128 bytes.
    pub content_version: Option<String>,
    /// Changes with name, parent, times and capabilities. At most 128 bytes.
    pub metadata_version: String,
    /// What may be done to it, and where that leads.
    pub capabilities: Vec<Capability>,
    /// Whether its content is on the device. `Absent` for what is not a file.
    pub local: LocalCopy,
    /// Kept on the device, because it or a folder above it is pinned.
    pub pinned: bool,
    /// A favourite.
    pub favourite: bool,
}

impl From<lomme::catalog::Item> for Item {
    fn from(item: lomme::catalog::Item) -> Self {
        let capabilities = item.capabilities.iter();
        Self {
            id: item.id.to_string(),
            parent: item.parent.to_string(),
            space: item.space.into(),
            kind: item.kind.into(),
            name: item.name,
            size: item.size,
            modified_ms: item.modified_ms,
            created_ms: item.created_ms,
            mime: item.mime,
            deleted_ms: item.deleted_ms,
            shared: item.shared,
            content_version: item.content_version,
            metadata_version: item.metadata_version,
            capabilities: capabilities
                .map(|capability| Capability {
                    action: capability.action.into(),
                    consequence: capability.consequence.into(),
                })
                .collect(),
            local: item.local.into(),
            pinned: item.pinned,
            favourite: item.favourite,
        }
    }
}

/// What is known of an id. "Gone" is a positive statement: only the service's answer makes it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
#[allow(
    clippy::large_enum_variant,
    reason = "a lookup is read and dropped at once"
)]
pub enum ItemLookup {
    /// Here it is.
    Found {
        /// The item.
        item: Item,
    },
    /// The service has said that it is gone.
    Gone,
    /// Never seen by this directory: not a proof of anything.
    Unknown,
}

impl From<lomme::catalog::Lookup> for ItemLookup {
    fn from(lookup: lomme::catalog::Lookup) -> Self {
        use lomme::catalog::Lookup;
        match lookup {
            Lookup::Found(item) => Self::Found { item: item.into() },
            Lookup::Gone => Self::Gone,
            Lookup::Unknown => Self::Unknown,
        }
    }
}

/// A page of a folder.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ItemPage {
    /// The rows.
    pub items: Vec<Item>,
    /// Give it to the next call; none at the end. At most 500 bytes.
    pub next: Option<String>,
    /// When all children were as the rows show them, in milliseconds since 1970. None if the folder was never
    /// listed: then the rows, if any, are not all of it.
    pub listed_ms: Option<i64>,
}

impl From<lomme::catalog::Page> for ItemPage {
    fn from(page: lomme::catalog::Page) -> Self {
        use lomme::catalog::Freshness;
        Self {
            items: into_records(page.items),
            next: page.next,
            listed_ms: match page.freshness {
                Freshness::Never => None,
                Freshness::ListedAt(ms) => Some(ms),
            },
        }
    }
}

/// A page of the change feed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ChangePage {
    /// New or changed since the anchor, as they are now.
    pub updated: Vec<Item>,
    /// Ids proven gone since the anchor.
    pub deleted: Vec<String>,
    /// Where to go on. At most 500 bytes.
    pub anchor: String,
    /// Whether there is more right now.
    pub more: bool,
}

impl From<lomme::catalog::Changes> for ChangePage {
    fn from(changes: lomme::catalog::Changes) -> Self {
        Self {
            updated: into_records(changes.updated),
            deleted: changes.deleted.iter().map(ToString::to_string).collect(),
            anchor: changes.anchor,
            more: changes.more,
        }
    }
}

/// What a refresh or an index found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RefreshOutcome {
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

impl From<lomme::catalog::Refreshed> for RefreshOutcome {
    fn from(refreshed: lomme::catalog::Refreshed) -> Self {
        Self {
            folders: refreshed.folders,
            files: refreshed.files,
            added: refreshed.added,
            changed: refreshed.changed,
            moved: refreshed.moved,
            deleted: refreshed.deleted,
        }
    }
}
