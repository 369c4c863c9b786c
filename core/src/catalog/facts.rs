//! What is known of an item: as a listing tells it, and as a row has it.

use super::row::{FILE, Id};
use rusqlite::Row;

/// What a listing says of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub kind: u8,
    pub name: String,
    pub fold: String,
    pub size: Option<i64>,
    pub md5: Option<[u8; 16]>,
    pub modified_ms: Option<i64>,
    pub created_ms: Option<i64>,
    pub updated_ms: Option<i64>,
    pub uuid: Option<Id>,
    pub revision: Option<i64>,
    pub mime: Option<String>,
    pub shared: Option<bool>,
    pub deleted_ms: Option<i64>,
    pub origin: Option<String>,
}

/// A row as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub key: i64,
    pub parent: i64,
    pub space: u8,
    pub id: Option<Id>,
    /// The number of the newest change that the service told of.
    pub seq: i64,
    pub facts: Facts,
}

/// Of a row of `served`.
pub(super) const KNOWN: &str = "key, parent, space, id, told, kind, name, fold, size, md5, \
     modified_ms, created_ms, updated_ms, uuid, revision, mime, shared, deleted_ms, origin";

pub(super) fn known(row: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        key: row.get(0)?,
        parent: row.get(1)?,
        space: row.get(2)?,
        id: row.get(3)?,
        seq: row.get(4)?,
        facts: facts(row, 5)?,
    })
}

/// Facts from the columns that start at `at`.
pub(super) fn facts(row: &Row<'_>, at: usize) -> rusqlite::Result<Facts> {
    Ok(Facts {
        kind: row.get(at)?,
        name: row.get(at + 1)?,
        fold: row.get(at + 2)?,
        size: row.get(at + 3)?,
        md5: row.get(at + 4)?,
        modified_ms: row.get(at + 5)?,
        created_ms: row.get(at + 6)?,
        updated_ms: row.get(at + 7)?,
        uuid: row.get(at + 8)?,
        revision: row.get(at + 9)?,
        mime: row.get(at + 10)?,
        shared: row.get(at + 11)?,
        deleted_ms: row.get(at + 12)?,
        origin: row.get(at + 13)?,
    })
}

impl Facts {
    pub fn same_content(&self, other: &Self) -> bool {
        (self.md5, self.size) == (other.md5, other.size)
    }

    /// These facts, completed by what was known before and this listing does not tell.
    pub fn over(mut self, before: &Self) -> Self {
        if self.kind != FILE {
            return self;
        }
        if self.same_content(before) {
            // Known only together with the content.
            self.revision = self.revision.or(before.revision);
            self.updated_ms = self.updated_ms.or(before.updated_ms);
            self.created_ms = self.created_ms.or(before.created_ms);
            self.modified_ms = self.modified_ms.or(before.modified_ms);
        }
        self.uuid = self.uuid.or(before.uuid);
        self.shared = self.shared.or(before.shared);
        self.mime = self.mime.or_else(|| before.mime.clone());
        self
    }

    /// Whether an app could see the difference.
    pub fn looks_like(&self, other: &Self) -> bool {
        let visible = |facts: &Self| Self {
            uuid: None,
            revision: None,
            updated_ms: None,
            ..facts.clone()
        };
        visible(self) == visible(other)
    }
}
