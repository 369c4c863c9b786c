//! The catalogue's schema.
//!
//! Nothing here is precious, so there are no migrations: a file of another version is left behind
//! and the next generation begun.
//!
//! `item` has what a read needs and nothing that a read would have to merge. Its keys are small
//! integers of this file alone. `id` is there only once it has left the core (see the journal),
//! which is why a first index of 100,000 files writes no random index. `gone` has the tombstones
//! of ids that left; an item that never left needs none.
//!
//! `flags` repeats the journal's marks for those who read (`meta.marks` is how many changes of marks it has seen),
//! `local` says whether the content is on the phone (0 no, 1 whole, 2 an older version of it, `stale_ms` since when),
//! and `ws` whether the item is in the working set (1), has left it (2) or never was in it (0). `slot` is the index of
//! the content files, which can be made anew from their directory.
//!
//! `seq` is the number of an item's newest change of any kind. `told_seq` is there only if that was a change of our
//! own (a mark, a copy here): then it is the number of the newest change that the service told of, which alone says
//! whether a listing is out of date.
//!
//! `edit` says what of a row the outbox wants (see the catalogue's `overlay`): then the columns are what is wanted, the
//! service's side is in `theirs`, and `meta.edits` is how many changes of the outbox are applied. `served` is the tree as
//! the service has it: whatever is compared with the service reads it.
//!
//! `pack` and `name_pack` are the index of names; see the catalogue's `names`.

use crate::{Error, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};

/// Raise it with every change below.
const VERSION: i64 = 5;

const SCHEMA: &str = "
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        instance BLOB NOT NULL,
        seq INTEGER NOT NULL,
        next_key INTEGER NOT NULL,
        marks INTEGER NOT NULL,
        packed INTEGER NOT NULL,
        edits INTEGER NOT NULL
    );
    INSERT INTO meta VALUES (1, randomblob(16), 0, 5, 0, 0, 0);
    CREATE TABLE gap (before INTEGER PRIMARY KEY, after INTEGER NOT NULL);
    CREATE TABLE tally (space INTEGER PRIMARY KEY, items INTEGER NOT NULL);
    INSERT INTO tally VALUES (0, 0), (1, 0), (2, 0), (3, 0);

    CREATE TABLE item (
        key INTEGER PRIMARY KEY,
        parent INTEGER NOT NULL,
        space INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        fold TEXT NOT NULL,
        seq INTEGER NOT NULL,
        size INTEGER,
        md5 BLOB,
        modified_ms INTEGER,
        created_ms INTEGER,
        updated_ms INTEGER,
        id BLOB,
        uuid BLOB,
        revision INTEGER,
        mime TEXT,
        shared INTEGER,
        listed_ms INTEGER,
        indexed_ms INTEGER,
        deleted_ms INTEGER,
        origin TEXT,
        flags INTEGER NOT NULL DEFAULT 0,
        local INTEGER NOT NULL DEFAULT 0,
        stale_ms INTEGER,
        ws INTEGER NOT NULL DEFAULT 0,
        told_seq INTEGER,
        pack INTEGER,
        edit INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX item_name ON item (parent, (kind = 3), fold, key);
    CREATE INDEX item_newest
        ON item (parent, (kind = 3), ifnull(-modified_ms, 9223372036854775807), key)
        WHERE kind = 3;
    CREATE INDEX item_largest
        ON item (parent, (kind = 3), ifnull(-size, 9223372036854775807), key)
        WHERE kind = 3;
    CREATE UNIQUE INDEX item_id ON item (id) WHERE id IS NOT NULL;
    CREATE INDEX item_uuid ON item (uuid) WHERE uuid IS NOT NULL;
    CREATE INDEX item_seq ON item (seq);
    CREATE INDEX item_ws ON item (key) WHERE ws = 1;
    CREATE INDEX item_ws_seq ON item (seq) WHERE ws <> 0;
    CREATE INDEX item_flags ON item (key) WHERE flags <> 0;
    CREATE INDEX item_local ON item (key) WHERE local <> 0;
    CREATE INDEX item_edit ON item (key) WHERE edit <> 0;
    CREATE INDEX item_unlisted ON item (space) WHERE kind < 3 AND listed_ms IS NULL;
    CREATE TABLE name_pack (
        n INTEGER PRIMARY KEY,
        entries BLOB NOT NULL,
        names BLOB NOT NULL
    );

    CREATE TABLE theirs (
        key INTEGER PRIMARY KEY,
        parent INTEGER NOT NULL,
        space INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        fold TEXT NOT NULL,
        size INTEGER,
        md5 BLOB,
        modified_ms INTEGER,
        created_ms INTEGER,
        updated_ms INTEGER,
        uuid BLOB,
        revision INTEGER,
        mime TEXT,
        shared INTEGER,
        deleted_ms INTEGER,
        origin TEXT
    );
    CREATE INDEX theirs_place ON theirs (parent, (kind = 3), fold);
    CREATE INDEX theirs_uuid ON theirs (uuid) WHERE uuid IS NOT NULL;
    CREATE VIEW served AS
        SELECT key, parent, space, id, ifnull(told_seq, seq) AS told, kind, name, fold, size, md5,
            modified_ms, created_ms, updated_ms, uuid, revision, mime, shared, deleted_ms, origin
        FROM item WHERE edit = 0
        UNION ALL
        SELECT t.key, t.parent, t.space, i.id, ifnull(i.told_seq, i.seq), t.kind, t.name, t.fold, t.size, t.md5,
            t.modified_ms, t.created_ms, t.updated_ms, t.uuid, t.revision, t.mime, t.shared, t.deleted_ms, t.origin
        FROM theirs t JOIN item i ON i.key = t.key;

    CREATE TABLE slot (
        id BLOB NOT NULL,
        version TEXT NOT NULL,
        space INTEGER NOT NULL,
        size INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        whole INTEGER NOT NULL,
        used_ms INTEGER NOT NULL,
        PRIMARY KEY (id, version)
    ) WITHOUT ROWID;
    CREATE INDEX slot_used ON slot (used_ms);

    CREATE TABLE gone (
        id BLOB PRIMARY KEY,
        seq INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        parent BLOB,
        name TEXT NOT NULL,
        uuid BLOB,
        md5 BLOB,
        size INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX gone_seq ON gone (seq);
    CREATE INDEX gone_uuid ON gone (uuid) WHERE uuid IS NOT NULL;
    CREATE INDEX gone_place ON gone (parent, name);

    CREATE TABLE run (run INTEGER PRIMARY KEY AUTOINCREMENT, touched_ms INTEGER NOT NULL);
    CREATE TABLE stage (
        run INTEGER NOT NULL,
        n INTEGER NOT NULL,
        key INTEGER NOT NULL,
        parent INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        fold TEXT NOT NULL,
        size INTEGER,
        md5 BLOB,
        modified_ms INTEGER,
        created_ms INTEGER,
        updated_ms INTEGER,
        uuid BLOB,
        revision INTEGER,
        mime TEXT,
        shared INTEGER,
        deleted_ms INTEGER,
        origin TEXT,
        PRIMARY KEY (run, n)
    ) WITHOUT ROWID;
    CREATE INDEX stage_folder ON stage (run, parent, name) WHERE kind < 3;
    CREATE INDEX stage_key ON stage (run, key) WHERE kind < 3;
";

const ROOTS: &str = "
    INSERT INTO item (key, parent, space, kind, name, fold, seq, id) VALUES
        (1, 1, 0, 0, 'Sync', 'sync', 0, x'00000000000000000000000000000001'),
        (2, 2, 1, 0, 'Backup', 'backup', 0, x'00000000000000000000000000000002'),
        (3, 3, 2, 0, 'Archive', 'archive', 0, x'00000000000000000000000000000003'),
        (4, 4, 3, 0, 'Trash', 'trash', 0, x'00000000000000000000000000000004');
";

/// Makes the schema in an empty file. `StoreDamaged` for a file of another version.
pub(super) fn prepare(connection: &mut Connection) -> Result<()> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match version(&transaction)? {
        VERSION => Ok(()),
        0 => {
            transaction.execute_batch(SCHEMA)?;
            transaction.execute_batch(ROOTS)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            Ok(transaction.commit()?)
        }
        other => Err(Error::StoreDamaged {
            detail: format!("catalogue schema {other}"),
        }),
    }
}

/// More changes than can be in the part of the log that a power cut takes back.
const GAP: i64 = 1 << 24;

/// Leaves a gap in the numbers of changes, at each start. A power cut may take the last commits back, with
/// numbers that an app has in an anchor already: such an anchor lies in the gap, and has expired.
pub(super) fn leave_gap(db: &Transaction<'_>) -> Result<()> {
    db.execute("INSERT INTO gap SELECT seq, seq + ?1 FROM meta", [GAP])?;
    db.execute("UPDATE meta SET seq = seq + ?1", [GAP])?;
    Ok(())
}

impl super::Store {
    /// Empties the catalogue and begins another life of it: every anchor and page token has expired.
    pub fn wipe_catalog(&self) -> Result<()> {
        self.catalog.write_durably(|db| {
            db.execute_batch(
                "PRAGMA secure_delete = ON;
                 DELETE FROM item; DELETE FROM gone; DELETE FROM stage; DELETE FROM run;
                 DELETE FROM gap; DELETE FROM slot; DELETE FROM name_pack; DELETE FROM theirs;
                 UPDATE tally SET items = 0;
                 UPDATE meta SET instance = randomblob(16), seq = 0, marks = 0, packed = 0, edits = 0;",
            )?;
            Ok(db.execute_batch(ROOTS)?)
        })
    }
}

fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
