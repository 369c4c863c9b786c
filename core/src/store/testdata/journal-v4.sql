-- A journal as version 4 wrote it. Never edit: it stands for files on people's phones.
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
INSERT INTO edit VALUES (X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 1, 7, 3, 900000, 0, X'0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b', 'Årsrapport.txt', NULL, NULL, NULL,
    '0a-01', 12, X'0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', NULL, 100000, 200000, X'0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d', 'a.txt', X'0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e', X'0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', 11, 4, NULL, NULL, 2, 950000, NULL);
INSERT INTO edit_change VALUES (7, X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a');
INSERT INTO sent VALUES (X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', X'0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c');
INSERT INTO draft VALUES ('0a-02', X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', NULL, NULL, X'0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d', 'a.txt', X'0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e', X'0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f', 11, 4, 1, 1, 960000);
INSERT INTO operation VALUES ('template 1', X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 900000);
INSERT INTO conflict VALUES (3, 'kind', X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', X'10101010101010101010101010101010', 970000, 'a.txt', NULL, NULL, 0);
INSERT INTO discarded VALUES ('0a-03', X'0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a', 'a.txt', 5, 980000);
INSERT INTO temporary VALUES ('.lomme-1', 990000);
INSERT INTO setting VALUES ('edits', '7');
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
INSERT INTO camera_source VALUES (1, 'Camera', 0, NULL, 'Camera', '{}', 0, 0, NULL, 850000, 'generation 7', 900000, 900000);
INSERT INTO camera_asset VALUES (1, 1, '42', 77, '{}', 'Camera', 1, 1, NULL, 800000, 800000, 60,
    '{"utc_ms":700000,"offset_minutes":60,"source":"Exif"}', '2026/08', 'IMG_1');
INSERT INTO camera_entry VALUES (1, 'Camera', '2026/08/IMG_1.JPG', '2026/08/img_1.jpg', X'0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', 5,
    700000, 700000, 3, 0, 1, NULL, X'0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d', 1, 950000, 0, NULL, NULL);
INSERT INTO camera_resource VALUES (1, 1, 'photo', 0, 'IMG_1.JPG', 5, 3, NULL, NULL, X'0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c',
    X'0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e', 1, 0, NULL, 0, NULL, NULL);
INSERT INTO camera_plan VALUES ('a plan', 1, NULL, 'task', 960000);
INSERT INTO camera_freed VALUES (1, 1, '41', 940000, '[]');
PRAGMA user_version = 4;
