//! The journal's migrations.
//!
//! Numbered by `user_version`, one transaction each, and never changed once shipped: a step may
//! only add. A journal from a newer program is a typed error, because guessing at precious rows
//! would lose some.

use crate::{Error, Result};
use rusqlite::{Connection, TransactionBehavior};

/// Step `n` leads from version `n` to `n + 1`.
const STEPS: &[&str] = &[V1, V2, V3, V4];

const V1: &str = "
    CREATE TABLE setting (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE lease (
        name TEXT PRIMARY KEY,
        holder TEXT,
        generation INTEGER NOT NULL,
        expires_ms INTEGER NOT NULL,
        ttl_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE bytes (
        space TEXT NOT NULL,
        purpose TEXT NOT NULL,
        network TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        PRIMARY KEY (space, purpose, network)
    ) WITHOUT ROWID;
    CREATE TABLE identity (
        id BLOB PRIMARY KEY,
        parent BLOB NOT NULL,
        name TEXT NOT NULL,
        kind INTEGER NOT NULL,
        uuid BLOB
    ) WITHOUT ROWID;
    CREATE INDEX identity_place ON identity (parent, name);
    CREATE INDEX identity_uuid ON identity (uuid) WHERE uuid IS NOT NULL;
    CREATE TABLE generation (
        n INTEGER PRIMARY KEY,
        started_ms INTEGER NOT NULL
    );
    INSERT INTO generation VALUES (1, 0);
";

/// What people and the operating system have said of items and the operating system's unfinished report of what it
/// holds (see [`super::marks`]), and what metered networks have cost each month (`yyyymm`).
const V2: &str = "
    CREATE TABLE mark (
        id BLOB NOT NULL,
        what TEXT NOT NULL,
        since_ms INTEGER NOT NULL,
        PRIMARY KEY (id, what)
    ) WITHOUT ROWID;
    CREATE INDEX mark_what ON mark (what, since_ms);
    CREATE TABLE held (
        epoch INTEGER NOT NULL,
        id BLOB NOT NULL,
        PRIMARY KEY (epoch, id)
    ) WITHOUT ROWID;
    CREATE TABLE metered (
        month INTEGER PRIMARY KEY,
        bytes INTEGER NOT NULL
    );
";

/// The outbox and all that belongs to it (see [`super::edits`]), and files on the service that are to be deleted there.
const V3: &str = "
    CREATE TABLE edit (
        id BLOB PRIMARY KEY,
        n INTEGER NOT NULL UNIQUE,
        change INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        since_ms INTEGER NOT NULL,
        is_new INTEGER NOT NULL,
        parent BLOB,
        name TEXT,
        copy_of BLOB,
        fate TEXT,
        link INTEGER,
        file TEXT,
        size INTEGER,
        md5 BLOB,
        blake3 BLOB,
        created_ms INTEGER,
        modified_ms INTEGER,
        base_parent BLOB,
        base_name TEXT,
        base_uuid BLOB,
        base_md5 BLOB,
        base_size INTEGER,
        base_revision INTEGER,
        marker TEXT,
        sent_ms INTEGER,
        attempts INTEGER NOT NULL,
        until_ms INTEGER,
        held TEXT
    ) WITHOUT ROWID;
    CREATE INDEX edit_parent ON edit (parent);
    CREATE TABLE edit_change (
        change INTEGER PRIMARY KEY,
        id BLOB NOT NULL
    );
    CREATE TABLE sent (
        id BLOB NOT NULL,
        md5 BLOB NOT NULL,
        PRIMARY KEY (id, md5)
    ) WITHOUT ROWID;
    CREATE TABLE draft (
        file TEXT PRIMARY KEY,
        id BLOB NOT NULL,
        parent BLOB,
        name TEXT,
        base_parent BLOB,
        base_name TEXT,
        base_uuid BLOB,
        base_md5 BLOB,
        base_size INTEGER,
        base_revision INTEGER,
        session INTEGER NOT NULL,
        handed_out INTEGER NOT NULL,
        since_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE operation (
        key TEXT PRIMARY KEY,
        id BLOB NOT NULL,
        at_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE conflict (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        item BLOB NOT NULL,
        copy BLOB,
        at_ms INTEGER NOT NULL,
        name TEXT NOT NULL,
        theirs_md5 BLOB,
        theirs_size INTEGER,
        told INTEGER NOT NULL
    );
    CREATE TABLE discarded (
        file TEXT PRIMARY KEY,
        id BLOB NOT NULL,
        name TEXT NOT NULL,
        size INTEGER NOT NULL,
        at_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE temporary (
        path TEXT PRIMARY KEY,
        since_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// The camera's ledger (see [`super::camera`]).
const V4: &str = "
    CREATE TABLE camera_source (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind INTEGER NOT NULL,
        root BLOB,
        mount TEXT NOT NULL UNIQUE,
        rules TEXT NOT NULL,
        from_now INTEGER NOT NULL,
        mirror INTEGER NOT NULL,
        confirmed_ms INTEGER,
        adopted_ms INTEGER,
        cursor TEXT,
        scanned_ms INTEGER,
        complete_ms INTEGER
    );
    CREATE TABLE camera_asset (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        source INTEGER NOT NULL,
        key TEXT NOT NULL,
        offered INTEGER NOT NULL,
        about TEXT NOT NULL,
        album TEXT NOT NULL,
        fresh INTEGER NOT NULL,
        here INTEGER NOT NULL,
        skipped TEXT,
        first_seen_ms INTEGER NOT NULL,
        changed_ms INTEGER NOT NULL,
        zone_minutes INTEGER NOT NULL,
        taken TEXT,
        folder TEXT,
        stem TEXT,
        UNIQUE (source, key)
    );
    CREATE TABLE camera_resource (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        asset INTEGER NOT NULL,
        key TEXT NOT NULL,
        role INTEGER NOT NULL,
        name TEXT NOT NULL,
        size INTEGER,
        stamp INTEGER NOT NULL,
        path BLOB,
        staged TEXT,
        md5 BLOB,
        blake3 BLOB,
        entry INTEGER,
        way INTEGER NOT NULL,
        wanted INTEGER,
        attempts INTEGER NOT NULL,
        until_ms INTEGER,
        held TEXT,
        UNIQUE (asset, key)
    );
    CREATE INDEX camera_wanted ON camera_resource (way, wanted DESC) WHERE wanted IS NOT NULL;
    CREATE INDEX camera_of_entry ON camera_resource (entry) WHERE entry IS NOT NULL;
    CREATE TABLE camera_entry (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        mount TEXT NOT NULL,
        path TEXT NOT NULL,
        fold TEXT NOT NULL,
        md5 BLOB NOT NULL,
        size INTEGER NOT NULL,
        modified_ms INTEGER,
        created_ms INTEGER,
        state INTEGER NOT NULL,
        lane INTEGER NOT NULL,
        begun INTEGER NOT NULL,
        wanted INTEGER,
        uuid BLOB,
        revision INTEGER,
        verified_ms INTEGER,
        attempts INTEGER NOT NULL,
        until_ms INTEGER,
        held TEXT
    );
    CREATE INDEX camera_content ON camera_entry (mount, md5, size);
    CREATE INDEX camera_place ON camera_entry (mount, fold);
    CREATE INDEX camera_unsent ON camera_entry (lane, wanted DESC) WHERE wanted IS NOT NULL;
    CREATE INDEX camera_proven ON camera_entry (verified_ms) WHERE state >= 2;
    CREATE TABLE camera_plan (
        id TEXT PRIMARY KEY,
        entry INTEGER NOT NULL,
        slice TEXT,
        task TEXT,
        not_after_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX camera_plan_entry ON camera_plan (entry);
    CREATE TABLE camera_freed (
        n INTEGER PRIMARY KEY AUTOINCREMENT,
        source INTEGER NOT NULL,
        key TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        proof TEXT NOT NULL
    );
";

pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let known = u32::try_from(STEPS.len()).unwrap_or(u32::MAX);
    while version(connection)? != known {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process may have been faster.
        let found = version(&transaction)?;
        let step = match STEPS.get(found as usize) {
            Some(step) => step,
            None if found == known => break,
            None => return Err(Error::StoreTooNew { found, known }),
        };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", found + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

fn version(connection: &Connection) -> Result<u32> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
