//! What becomes of a change when the service has moved on meanwhile: pure functions over small enums.
//!
//! The outcome of every pair is written in `CONFLICTS.md`, for people; a test reads that file and walks each cell of
//! its tables, so that what is written and what is done cannot differ.
//!
//! - Nobody's content is lost: two contents are both kept, and an edit is stronger than a delete, whoever made which.
//! - A place, a link and a delete are no content: the later one of two counts, and only a loss is told.
//! - Two names that differ by case or normalisation alone are one name.

use super::{ConflictKind, Park};

/// What is wanted of an item that the service has, or had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ours {
    Content,
    Place,
    Link,
    Trash,
    Restore,
    Purge,
}

/// What the service has of that item now, against what the person saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Theirs {
    /// The same.
    Same,
    /// It is elsewhere, with the same content.
    Moved,
    /// The content that we want.
    Equal,
    /// Another content; it may have moved, too.
    Edited,
    /// In the trash.
    Trashed,
    /// Nowhere.
    Gone,
}

/// What is to get a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comer {
    NewFile,
    NewFolder,
    /// By a move or a rename.
    MovedFile,
    MovedFolder,
    CopiedFile,
    CopiedFolder,
    RestoredFile,
    RestoredFolder,
}

/// What has that name now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum There {
    /// Nothing that lives.
    Nothing,
    /// The item itself, in another spelling.
    Itself,
    /// Another file, of the same content.
    Equal,
    /// Another file.
    File,
    /// Another folder.
    Folder,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// As wanted, where the item is now.
    Do,
    /// Nothing: the service has it so.
    Done,
    /// Theirs stays the item; ours becomes a file of its own beside it (`BothEdited`).
    KeepBoth,
    /// The bytes are stored where the item was, under the same id (`EditedButDeleted`).
    StoreAgain,
    /// Under a conflict name (`NameTaken`).
    OtherName,
    /// What is there is the item.
    Merge,
    /// Nothing, and the person is told.
    GiveUp(ConflictKind),
    /// A person decides.
    Wait(Park),
}

/// Of an item that others may have changed.
pub(super) fn of_item(ours: Ours, theirs: Theirs) -> Plan {
    use Theirs::{Edited, Equal, Gone, Moved, Same, Trashed};
    match (ours, theirs) {
        (Ours::Content, Same | Moved) => Plan::Do,
        (Ours::Content, Equal) => Plan::Done,
        (Ours::Content, Edited) => Plan::KeepBoth,
        (Ours::Content, Trashed | Gone) => Plan::StoreAgain,

        (Ours::Place | Ours::Link, Same | Moved | Equal | Edited) => Plan::Do,
        (Ours::Place | Ours::Link, Trashed | Gone) => Plan::GiveUp(ConflictKind::ChangedButDeleted),

        // Content that is wanted here and is there was ours: deleting it is what the person said last.
        (Ours::Trash, Same | Moved | Equal) => Plan::Do,
        (Ours::Trash, Edited) => Plan::GiveUp(ConflictKind::DeletedButEdited),
        (Ours::Trash, Trashed | Gone) => Plan::Done,

        (Ours::Restore, Trashed) => Plan::Do,
        (Ours::Restore, Same | Moved | Equal | Edited) => Plan::Done,
        (Ours::Restore, Gone) => Plan::Wait(Park::SourceGone),

        (Ours::Purge, Trashed) => Plan::Do,
        (Ours::Purge, Same | Moved | Equal | Edited) => Plan::Wait(Park::PlaceTaken),
        (Ours::Purge, Gone) => Plan::Done,
    }
}

/// Of a name that others may have taken.
pub(super) fn of_name(comer: Comer, there: There) -> Plan {
    match (comer, there) {
        (_, There::Nothing | There::Itself) => Plan::Do,
        (Comer::NewFile | Comer::RestoredFile, There::Equal) => Plan::Merge,
        // A tree is put into the one that is there, bit by bit, each bit by these rules.
        (Comer::NewFolder | Comer::CopiedFolder | Comer::RestoredFolder, There::Folder) => {
            Plan::Merge
        }
        (_, There::Equal | There::File | There::Folder) => Plan::OtherName,
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
