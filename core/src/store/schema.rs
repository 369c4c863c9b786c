//! The catalogue's schema.
//!
//! Nothing here is precious, so there are no migrations: a file of another version is left behind
//! and the next generation begun.
//!
//! `item` has what a read needs and nothing that a read would have to merge. Its keys are small
//! integers of this file alone. `id` is there only once it has left the core (see the journal),
//! which is why a first index of 100,000 files writes no random index. `gone` has the tombstones
//! of ids that left; an item that never left needs none.

use crate::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};

/// Raise it with every change below.
const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        instance BLOB NOT NULL,
        seq INTEGER NOT NULL
    );
    INSERT INTO meta VALUES (1, randomblob(16), 0);

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
        deleted_ms INTEGER,
        origin TEXT
    );
    CREATE INDEX item_name ON item (parent, (kind = 3), fold, key);
    CREATE UNIQUE INDEX item_id ON item (id) WHERE id IS NOT NULL;
    CREATE INDEX item_uuid ON item (uuid) WHERE uuid IS NOT NULL;
    CREATE INDEX item_seq ON item (seq);

    CREATE TABLE gone (
        id BLOB PRIMARY KEY,
        seq INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        parent BLOB,
        name TEXT NOT NULL,
        uuid BLOB
    ) WITHOUT ROWID;
    CREATE INDEX gone_seq ON gone (seq);
    CREATE INDEX gone_uuid ON gone (uuid) WHERE uuid IS NOT NULL;

    INSERT INTO item (key, parent, space, kind, name, fold, seq) VALUES
        (1, 1, 0, 0, 'Sync', 'sync', 0),
        (2, 2, 1, 0, 'Backup', 'backup', 0),
        (3, 3, 2, 0, 'Archive', 'archive', 0),
        (4, 4, 3, 0, 'Trash', 'trash', 0);
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
            transaction.pragma_update(None, "user_version", VERSION)?;
            Ok(transaction.commit()?)
        }
        other => Err(Error::StoreDamaged {
            detail: format!("catalogue schema {other}"),
        }),
    }
}

fn version(connection: &Connection) -> Result<i64> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
