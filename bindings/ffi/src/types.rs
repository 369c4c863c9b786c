//! The records and enums that cross, each the twin of a core type.

use crate::LommeError;
use crate::call::guarded;
use crate::foreign::VaultBridge;
use std::sync::Arc;

/// Turns a list of core values into records.
pub(crate) fn into_records<C, R: From<C>>(values: Vec<C>) -> Vec<R> {
    values.into_iter().map(R::from).collect()
}

/// An enum with the same variants as a core enum, and the conversions between them.
macro_rules! twin {
    ($(#[$doc:meta])* $name:ident = $core:ty { $($(#[$variant_doc:meta])* $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, uniffi::Enum)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl From<$core> for $name {
            fn from(value: $core) -> Self {
                match value { $(<$core>::$variant => Self::$variant,)* }
            }
        }

        impl From<$name> for $core {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant,)* }
            }
        }
    };
}

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

twin! {
    /// Why content is fetched. There is no purpose for browsing, indexing or searching.
    FetchPurpose = lomme::content::Purpose {
        /// A person opened or saved the file.
        Open,
        /// A player or reader asks for parts.
        Stream,
        /// Kept for offline use by a person's wish.
        Pin,
        /// A thumbnail.
        Thumbnail,
        /// The base of an edit.
        Edit,
        /// Proof for the camera backup.
        Camera,
    }
}

twin! {
    /// The kind of network, as the platform tells it.
    NetworkKind = lomme::content::Network {
        /// The platform has not told.
        Unknown,
        /// Free to use.
        Unmetered,
        /// Costs money.
        Metered,
        /// There is none.
        Offline,
    }
}

twin! {
    /// In which kind of process the drive lives; sets how much memory it may use.
    DriveProfile = lomme::Profile {
        /// An app.
        App,
        /// An extension with a small memory limit: smaller caches and buffers.
        Extension,
    }
}

/// The hosts of a service, when they are not those of the sign-in: for tests and local clouds.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CloudEndpoints {
    /// Root of the file API (JFS), with a slash at the end.
    pub jfs: String,
    /// Root of the JSON API, with a slash at the end.
    pub api: String,
    /// Root of the web site (public links), with a slash at the end.
    pub www: String,
    /// PEM certificates to trust beside the built-in public roots: for a local cloud over TLS, or a company's
    /// own authority. Never stored.
    #[uniffi(default = None)]
    pub extra_roots_pem: Option<String>,
}

/// The hosts of a service that has everything at one origin, such as a local cloud at
/// `http://127.0.0.1:8080`.
#[uniffi::export]
pub fn cloud_endpoints_at(origin: String) -> Result<CloudEndpoints, LommeError> {
    guarded(|| {
        let hosts = lomme::Endpoints::at(&origin);
        Ok(CloudEndpoints {
            jfs: hosts.jfs,
            api: hosts.api,
            www: hosts.www,
            extra_roots_pem: hosts.extra_roots_pem,
        })
    })
}

/// How to open a drive.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DriveOptions {
    /// Path of a directory of the drive's own, made if missing. Two processes may open the same one.
    pub directory: String,
    /// The kind of process; an app if left out.
    #[uniffi(default = None)]
    pub profile: Option<DriveProfile>,
    /// The service's hosts; those of the sign-in if left out.
    #[uniffi(default = None)]
    pub endpoints: Option<CloudEndpoints>,
}

impl DriveOptions {
    pub(crate) fn for_core(self, vault: Arc<VaultBridge>) -> lomme::DriveOptions {
        let mut options = lomme::DriveOptions::new(self.directory, vault);
        if let Some(profile) = self.profile {
            options.profile = profile.into();
        }
        options.endpoints = self.endpoints.map(|hosts| lomme::Endpoints {
            jfs: hosts.jfs,
            api: hosts.api,
            www: hosts.www,
            extra_roots_pem: hosts.extra_roots_pem,
        });
        options
    }
}

/// A service that shares Jottacloud's protocol.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CloudService {
    /// The name to show, and to give to `signInByBrowser`.
    pub name: String,
    /// The host of its sign-in server.
    pub domain: String,
    /// Its realm there.
    pub realm: String,
}

/// All services that are known.
#[uniffi::export]
pub fn cloud_services() -> Result<Vec<CloudService>, LommeError> {
    guarded(|| {
        let services = lomme::account::services().iter();
        Ok(services
            .map(|service| CloudService {
                name: service.name.into(),
                domain: service.domain.into(),
                realm: service.realm.into(),
            })
            .collect())
    })
}

/// The signed-in account, as last told by the service.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AccountInfo {
    /// The service's internal user name; opaque.
    pub username: String,
    /// E-mail address, when the service tells it.
    pub email: Option<String>,
    /// The person's name, when the service tells it.
    pub name: Option<String>,
    /// The brand signed in to, or the host for one that is not known.
    pub service: String,
    /// Bytes in use.
    pub used: u64,
    /// Bytes in all; none is unlimited.
    pub capacity: Option<u64>,
    /// The service takes no changes for now.
    pub write_locked: bool,
    /// When the service said so, in milliseconds since 1970.
    pub checked_ms: i64,
}

impl From<lomme::account::AccountInfo> for AccountInfo {
    fn from(info: lomme::account::AccountInfo) -> Self {
        Self {
            username: info.username,
            email: info.email,
            name: info.name,
            service: info.service,
            used: info.used,
            capacity: info.capacity,
            write_locked: info.write_locked,
            checked_ms: info.checked_ms,
        }
    }
}

/// Whether somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SignInState {
    /// Nobody.
    SignedOut,
    /// Signed in.
    SignedIn {
        /// The account.
        account: AccountInfo,
    },
    /// The sign-in has ended (revoked, or a lost token): ask to sign in again. Local work is untouched.
    SignInAgain {
        /// The account it was.
        account: AccountInfo,
    },
}

impl From<lomme::account::SignIn> for SignInState {
    fn from(state: lomme::account::SignIn) -> Self {
        use lomme::account::SignIn;
        match state {
            SignIn::Out => Self::SignedOut,
            SignIn::In(account) => Self::SignedIn {
                account: account.into(),
            },
            SignIn::Again(account) => Self::SignInAgain {
                account: account.into(),
            },
        }
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

/// A finished download.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DownloadedFile {
    /// The item as of these bytes.
    pub item: Item,
    /// The length of the file, equal to the item's size.
    pub bytes: u64,
    /// How many of them came over the network in this call; fewer after a resume.
    pub fetched: u64,
}

impl From<lomme::content::Fetched> for DownloadedFile {
    fn from(downloaded: lomme::content::Fetched) -> Self {
        Self {
            item: downloaded.item.into(),
            bytes: downloaded.bytes,
            fetched: downloaded.fetched,
        }
    }
}

/// A row of the byte ledger: content bytes received, headers and listings left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct LedgerRow {
    /// The space of the file.
    pub space: DriveSpace,
    /// What the bytes were for.
    pub purpose: FetchPurpose,
    /// Over which kind of network.
    pub network: NetworkKind,
    /// Bytes of content received.
    pub bytes: u64,
}

impl From<lomme::content::LedgerRow> for LedgerRow {
    fn from(row: lomme::content::LedgerRow) -> Self {
        Self {
            space: row.space.into(),
            purpose: row.purpose.into(),
            network: row.network.into(),
            bytes: row.bytes,
        }
    }
}

/// How many items of a space are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SpaceCount {
    /// The space.
    pub space: DriveSpace,
    /// Items known.
    pub items: u64,
}

/// One snapshot that a screen can draw.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DriveStatus {
    /// Whether somebody is signed in, and how full the account is.
    pub sign_in: SignInState,
    /// Items known in each of the four spaces.
    pub spaces: Vec<SpaceCount>,
    /// Content bytes received.
    pub ledger: Vec<LedgerRow>,
    /// The kind of network last told.
    pub network: NetworkKind,
}

impl From<lomme::Status> for DriveStatus {
    fn from(status: lomme::Status) -> Self {
        let spaces = lomme::catalog::Space::ALL.into_iter().zip(status.items);
        Self {
            sign_in: status.sign_in.into(),
            spaces: spaces
                .map(|(space, items)| SpaceCount {
                    space: space.into(),
                    items,
                })
                .collect(),
            ledger: into_records(status.ledger),
            network: status.situation.network.into(),
        }
    }
}
