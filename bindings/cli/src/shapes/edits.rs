//! The shapes of changes.

use super::{ItemShape, WaitingShape};
use crate::commands::{count, size};
use crate::failure::Failure;
use lomme::edits::{
    AccountHold, Conflict, ConflictKind, Discarded, Emptied, Hold, Link, Outcome, Park, Pending,
    PushRun, Version, Wish,
};
use serde::Serialize;

/// A change, made by any command.
#[derive(Serialize)]
pub struct ChangedShape<'a> {
    /// As it is now; `null` when it is gone.
    pub item: Option<ItemShape<'a>>,
    /// Whether the service has it.
    pub sent: bool,
    /// `done`, `renamed`, `kept_both`, `merged`, `gone` or `given_up`; `null` when it is not sent.
    pub outcome: Option<&'static str>,
    /// With `kept_both`: the id of our content.
    pub copy: Option<String>,
    /// Why it is not sent.
    pub waiting: Option<String>,
}

pub fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Renamed => "renamed",
        Outcome::KeptBoth { .. } => "kept_both",
        Outcome::MergedInto { .. } => "merged",
        Outcome::Gone => "gone",
        Outcome::GivenUp => "given_up",
    }
}

/// A row of `outbox`.
#[derive(Serialize)]
pub struct PendingShape<'a> {
    id: String,
    item: Option<ItemShape<'a>>,
    wishes: Vec<&'static str>,
    bytes: u64,
    since_ms: i64,
    hold: Option<HoldShape>,
}

impl<'a> PendingShape<'a> {
    pub fn new(pending: &'a Pending, path: String) -> Self {
        Self {
            id: pending.id.to_string(),
            item: pending.item.as_ref().map(|item| ItemShape::new(item, path)),
            wishes: pending
                .wishes
                .iter()
                .map(|wish| self::wish(*wish))
                .collect(),
            bytes: pending.bytes,
            since_ms: pending.since_ms,
            hold: pending.hold.as_ref().map(HoldShape::from),
        }
    }
}

pub fn wish(wish: Wish) -> &'static str {
    match wish {
        Wish::Create => "create",
        Wish::Content => "content",
        Wish::Place => "place",
        Wish::Copy => "copy",
        Wish::Trash => "trash",
        Wish::Restore => "restore",
        Wish::Purge => "purge",
        Wish::Link => "link",
        Wish::Unlink => "unlink",
    }
}

/// Why a change waits.
#[derive(Serialize)]
pub struct HoldShape {
    /// `conditions`, `account`, `after`, `settling`, `being_written`, `retry` or `needs_user`; of the camera backup
    /// `no_device`, `paused`, `schedule`, `to_provide` or `not_provided`, too.
    pub(super) hold: &'static str,
    /// With `conditions`.
    pub(super) waiting: Option<WaitingShape>,
    /// With `account`: `sign_in`, `full`, `locked` or `busy`; with `needs_user`: what the question is; with `retry`: the
    /// kind of the error.
    pub(super) why: Option<&'static str>,
    /// With `after`: the id of what must come first.
    after: Option<String>,
    pub(super) until_ms: Option<i64>,
}

impl HoldShape {
    pub(super) fn named(hold: &'static str) -> Self {
        Self {
            hold,
            waiting: None,
            why: None,
            after: None,
            until_ms: None,
        }
    }

    pub(super) fn of_account(account: &AccountHold) -> Self {
        let mut shape = Self::named("account");
        shape.why = Some(match account {
            AccountHold::SignIn => "sign_in",
            AccountHold::Full => "full",
            AccountHold::Locked => "locked",
            AccountHold::Busy { .. } => "busy",
        });
        if let AccountHold::Busy { until_ms } = account {
            shape.until_ms = Some(*until_ms);
        }
        shape
    }
}

impl From<&Hold> for HoldShape {
    fn from(hold: &Hold) -> Self {
        let mut shape = Self::named("");
        match hold {
            Hold::Conditions(waiting) => {
                shape.hold = "conditions";
                shape.waiting = Some(WaitingShape::from(waiting));
            }
            Hold::Account(account) => return Self::of_account(account),
            Hold::After(id) => {
                shape.hold = "after";
                shape.after = Some(id.to_string());
            }
            Hold::Settling { until_ms } => {
                shape.hold = "settling";
                shape.until_ms = Some(*until_ms);
            }
            Hold::BeingWritten => shape.hold = "being_written",
            Hold::Retry { until_ms, error } => {
                shape.hold = "retry";
                shape.until_ms = Some(*until_ms);
                shape.why = Some(Failure::from(error.clone()).kind());
            }
            Hold::NeedsUser(park) => {
                shape.hold = "needs_user";
                shape.why = Some(question(*park));
            }
        }
        shape
    }
}

fn question(park: Park) -> &'static str {
    match park {
        Park::NameRefused => "name_refused",
        Park::NotAllowed => "not_allowed",
        Park::HistoryOnly => "history_only",
        Park::SourceGone => "source_gone",
        Park::PlaceTaken => "place_taken",
        Park::BytesLost => "bytes_lost",
        Park::Recovered => "recovered",
        Park::ManyFailures => "many_failures",
    }
}

/// `outbox --push`.
#[derive(Serialize)]
pub struct PushShape {
    done: u64,
    sent_bytes: u64,
    left: u64,
    hold: Option<HoldShape>,
    next_ms: Option<i64>,
    conflicts: u64,
}

impl From<&PushRun> for PushShape {
    fn from(run: &PushRun) -> Self {
        Self {
            done: run.done,
            sent_bytes: run.sent_bytes,
            left: run.left,
            hold: run.hold.as_ref().map(HoldShape::from),
            next_ms: run.next_ms,
            conflicts: run.conflicts,
        }
    }
}

/// A row of `conflicts`.
#[derive(Serialize)]
pub struct ConflictShape<'a> {
    number: u64,
    kind: &'static str,
    item: String,
    copy: Option<String>,
    name: &'a str,
    at_ms: i64,
}

impl<'a> From<&'a Conflict> for ConflictShape<'a> {
    fn from(conflict: &'a Conflict) -> Self {
        Self {
            number: conflict.number,
            kind: conflict_kind(conflict.kind),
            item: conflict.item.to_string(),
            copy: conflict.copy.as_ref().map(ToString::to_string),
            name: &conflict.name,
            at_ms: conflict.at_ms,
        }
    }
}

pub fn conflict_kind(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::BothEdited => "both_edited",
        ConflictKind::SlippedIn => "slipped_in",
        ConflictKind::HistoryOnly => "history_only",
        ConflictKind::EditedButDeleted => "edited_but_deleted",
        ConflictKind::DeletedButEdited => "deleted_but_edited",
        ConflictKind::ChangedButDeleted => "changed_but_deleted",
        ConflictKind::NameTaken => "name_taken",
        ConflictKind::FolderRestored => "folder_restored",
    }
}

/// A row of `versions`.
#[derive(Serialize)]
pub struct VersionShape<'a> {
    number: u64,
    current: bool,
    size: u64,
    modified_ms: Option<i64>,
    updated_ms: Option<i64>,
    content_version: &'a str,
}

impl<'a> From<&'a Version> for VersionShape<'a> {
    fn from(version: &'a Version) -> Self {
        Self {
            number: version.number,
            current: version.current,
            size: version.size,
            modified_ms: version.modified_ms,
            updated_ms: version.updated_ms,
            content_version: &version.content_version,
        }
    }
}

/// `versions --get`.
#[derive(Serialize)]
pub struct GotVersionShape {
    pub saved_as: String,
    pub bytes: u64,
}

/// A public link.
#[derive(Serialize)]
pub struct LinkShape<'a> {
    id: Option<String>,
    name: &'a str,
    url: &'a str,
}

impl<'a> From<&'a Link> for LinkShape<'a> {
    fn from(link: &'a Link) -> Self {
        Self {
            id: link.item.as_ref().map(ToString::to_string),
            name: &link.name,
            url: &link.url,
        }
    }
}

/// A row of `outbox --discarded`.
#[derive(Serialize)]
pub struct DiscardedShape<'a> {
    key: &'a str,
    item: String,
    name: &'a str,
    size: u64,
    at_ms: i64,
}

impl<'a> From<&'a Discarded> for DiscardedShape<'a> {
    fn from(discarded: &'a Discarded) -> Self {
        Self {
            key: &discarded.key,
            item: discarded.item.to_string(),
            name: &discarded.name,
            size: discarded.size,
            at_ms: discarded.at_ms,
        }
    }
}

/// `trash --empty`.
#[derive(Serialize)]
pub struct EmptiedShape {
    files: u64,
    folders: u64,
}

impl From<Emptied> for EmptiedShape {
    fn from(emptied: Emptied) -> Self {
        Self {
            files: emptied.files,
            folders: emptied.folders,
        }
    }
}

/// What is not sent, in `status`.
#[derive(Serialize)]
pub struct UnsentShape {
    items: u64,
    bytes: u64,
    conflicts: u64,
}

impl UnsentShape {
    /// For people.
    pub fn told(&self) -> String {
        let mut text = format!("{}, {}", count(self.items, "change"), size(self.bytes));
        if self.conflicts > 0 {
            text.push_str(&format!(
                "; {} to decide",
                count(self.conflicts, "conflict")
            ));
        }
        text
    }

    pub fn new(pending: &[Pending], conflicts: usize) -> Self {
        Self {
            items: pending.len() as u64,
            bytes: pending.iter().map(|pending| pending.bytes).sum(),
            conflicts: conflicts as u64,
        }
    }
}
