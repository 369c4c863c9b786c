-- A journal as version 2 wrote it. Never edit: it stands for files on people's phones.
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
INSERT INTO generation VALUES (1, 0);
INSERT INTO setting VALUES ('user', 'anna');
INSERT INTO lease VALUES ('pins', 'old', 7, 5000, 10000);
INSERT INTO bytes VALUES ('sync', 'pin', 'metered', 42);
INSERT INTO identity VALUES (X'01010101010101010101010101010101',
    X'02020202020202020202020202020202', 'Blåbær', 3, NULL);
INSERT INTO mark VALUES (X'01010101010101010101010101010101', 'pinned', 900000);
INSERT INTO mark VALUES (X'01010101010101010101010101010101', 'opened', 950000);
INSERT INTO metered VALUES (202611, 42);
PRAGMA user_version = 2;
