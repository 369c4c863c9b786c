//! The JSON that programs read. Fields are added, never renamed or removed; an unknown value is
//! `null`. Times are milliseconds since the epoch, sizes are bytes. README.md lists the shapes.

mod camera;
mod content;
mod edits;
mod proofs;

use crate::failure::Failure;
pub use camera::*;
pub use content::*;
pub use edits::*;
use lomme::RetryAdvice;
use lomme::account::{AccountInfo, SignIn};
use lomme::catalog::{Action, Consequence, Item, Kind, LocalCopy, Refreshed, Space};
use lomme::content::{LedgerRow, Network, Purpose};
pub use proofs::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// `{"error":{…}}`, on stderr.
#[derive(Serialize)]
pub struct FailureShape<'a> {
    error: ErrorShape<'a>,
}

#[derive(Serialize)]
struct ErrorShape<'a> {
    kind: &'a str,
    detail: &'a str,
    /// `now`, `after`, `when_online`, `needs_user` or `never`.
    retry: &'static str,
    /// With `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
}

impl<'a> From<&'a Failure> for FailureShape<'a> {
    fn from(failure: &'a Failure) -> Self {
        let (retry, retry_after_s) = match failure.retry() {
            RetryAdvice::Now => ("now", None),
            RetryAdvice::After(wait) => ("after", Some(wait.as_secs())),
            RetryAdvice::WhenOnline => ("when_online", None),
            RetryAdvice::NeedsUser => ("needs_user", None),
            RetryAdvice::Never => ("never", None),
        };
        Self {
            error: ErrorShape {
                kind: failure.kind(),
                detail: failure.detail(),
                retry,
                retry_after_s,
            },
        }
    }
}

/// An item, wherever there is one.
#[derive(Serialize)]
pub struct ItemShape<'a> {
    /// `id:ID` is accepted wherever a path is.
    id: &'a str,
    /// From the space down, joined by `/`.
    path: String,
    name: &'a str,
    space: &'static str,
    /// `space`, `computer`, `folder` or `file`.
    kind: &'static str,
    size: Option<u64>,
    modified_ms: Option<i64>,
    created_ms: Option<i64>,
    deleted_ms: Option<i64>,
    mime: Option<&'a str>,
    shared: Option<bool>,
    content_version: Option<&'a str>,
    metadata_version: &'a str,
    /// `absent`, `whole` or `stale`.
    local: &'static str,
    stale_since_ms: Option<i64>,
    pinned: bool,
    favourite: bool,
    /// What may be done, and where it leads.
    capabilities: BTreeMap<&'static str, &'static str>,
}

impl<'a> ItemShape<'a> {
    pub fn new(item: &'a Item, path: String) -> Self {
        Self {
            id: item.id.as_str(),
            path,
            name: &item.name,
            space: item.space.name(),
            kind: match item.kind {
                Kind::Root => "space",
                Kind::Computer => "computer",
                Kind::Folder => "folder",
                Kind::File => "file",
            },
            size: item.size,
            modified_ms: item.modified_ms,
            created_ms: item.created_ms,
            deleted_ms: item.deleted_ms,
            mime: item.mime.as_deref(),
            shared: item.shared,
            content_version: item.content_version.as_deref(),
            metadata_version: &item.metadata_version,
            local: local(item.local),
            stale_since_ms: stale_since(item.local),
            pinned: item.pinned,
            favourite: item.favourite,
            capabilities: item
                .capabilities
                .iter()
                .map(|c| (action(c.action), consequence(c.consequence)))
                .collect(),
        }
    }
}

pub fn local(copy: LocalCopy) -> &'static str {
    match copy {
        LocalCopy::Absent => "absent",
        LocalCopy::Whole => "whole",
        LocalCopy::Stale { .. } => "stale",
    }
}

fn stale_since(copy: LocalCopy) -> Option<i64> {
    match copy {
        LocalCopy::Stale { since_ms } => Some(since_ms),
        LocalCopy::Absent | LocalCopy::Whole => None,
    }
}

pub fn action(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Edit => "edit",
        Action::Add => "add",
        Action::Move => "move",
        Action::Trash => "trash",
        Action::Restore => "restore",
        Action::Purge => "purge",
        Action::Link => "link",
        Action::Versions => "versions",
    }
}

pub fn consequence(consequence: Consequence) -> &'static str {
    match consequence {
        Consequence::None => "none",
        Consequence::CloudOnly => "cloud_only",
        Consequence::ReachesAllComputers => "reaches_all_computers",
        Consequence::DeletedOnAllComputers => "deleted_on_all_computers",
        Consequence::NotCarriedBack => "not_carried_back",
        Consequence::MayBeLastCopy => "may_be_last_copy",
        Consequence::Public => "public",
    }
}

/// What follows the items of `ls`.
#[derive(Serialize)]
pub struct ListedShape {
    /// When the service last told all of this folder; `null` for the list of spaces.
    pub listed_ms: Option<i64>,
}

/// What follows the items of `tree`.
#[derive(Serialize)]
pub struct TreeShape {
    pub folders: u64,
    pub files: u64,
    pub bytes: u64,
}

/// What `index` found in a space.
#[derive(Serialize)]
pub struct RefreshedShape {
    space: &'static str,
    folders: u64,
    files: u64,
    added: u64,
    changed: u64,
    moved: u64,
    deleted: u64,
}

impl RefreshedShape {
    pub fn new(space: Space, found: Refreshed) -> Self {
        Self {
            space: space.name(),
            folders: found.folders,
            files: found.files,
            added: found.added,
            changed: found.changed,
            moved: found.moved,
            deleted: found.deleted,
        }
    }
}

/// A finished `get`.
#[derive(Serialize)]
pub struct GotShape<'a> {
    /// Where the file is now.
    pub saved_as: String,
    pub bytes: u64,
    /// How many of them came over the network this time.
    pub fetched: u64,
    /// The first and the last byte, of a `--range`.
    pub range: Option<[u64; 2]>,
    pub item: ItemShape<'a>,
}

/// `login` and part of `status`.
#[derive(Serialize)]
pub struct AccountShape {
    /// `out`, `in` or `again`.
    sign_in: &'static str,
    service: Option<String>,
    username: Option<String>,
    email: Option<String>,
    name: Option<String>,
    used: Option<u64>,
    /// `null` when nobody is signed in, and when unlimited.
    capacity: Option<u64>,
    write_locked: Option<bool>,
    checked_ms: Option<i64>,
}

impl AccountShape {
    pub fn new(sign_in: &SignIn) -> Self {
        let (state, info) = match sign_in {
            SignIn::Out => ("out", None),
            SignIn::In(info) => ("in", Some(info)),
            SignIn::Again(info) => ("again", Some(info)),
        };
        let of = |field: fn(&AccountInfo) -> Option<String>| info.and_then(field);
        Self {
            sign_in: state,
            service: of(|info| Some(info.service.clone())),
            username: of(|info| Some(info.username.clone())),
            email: of(|info| info.email.clone()),
            name: of(|info| info.name.clone()),
            used: info.map(|info| info.used),
            capacity: info.and_then(|info| info.capacity),
            write_locked: info.map(|info| info.write_locked),
            checked_ms: info.map(|info| info.checked_ms),
        }
    }
}

/// `status`.
#[derive(Serialize)]
pub struct StatusShape {
    pub directory: String,
    pub account: AccountShape,
    /// Items known here, by space.
    pub items: BTreeMap<&'static str, u64>,
    pub ledger: Vec<LedgerShape>,
    pub situation: SituationShape,
    pub rules: RulesShape,
    /// Why pinned content that is missing does not come.
    pub waiting: Option<WaitingShape>,
    pub usage: UsageShape,
    /// Changes that the service does not have yet, and conflicts that nobody has decided.
    pub unsent: UnsentShape,
}

/// A row of the byte ledger.
#[derive(Serialize)]
pub struct LedgerShape {
    space: &'static str,
    purpose: &'static str,
    network: &'static str,
    bytes: u64,
}

impl From<&LedgerRow> for LedgerShape {
    fn from(row: &LedgerRow) -> Self {
        Self {
            space: row.space.name(),
            purpose: purpose(row.purpose),
            network: network(row.network),
            bytes: row.bytes,
        }
    }
}

pub fn network(network: Network) -> &'static str {
    match network {
        Network::Unknown => "unknown",
        Network::Unmetered => "unmetered",
        Network::Metered => "metered",
        Network::Offline => "offline",
    }
}

pub fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Open => "open",
        Purpose::Stream => "stream",
        Purpose::Pin => "pin",
        Purpose::Thumbnail => "thumbnail",
        Purpose::Edit => "edit",
        Purpose::Camera => "camera",
    }
}
