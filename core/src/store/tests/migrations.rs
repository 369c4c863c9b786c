//! A journal of every shipped version opens with all its rows, and one of a newer program is left alone.

use super::*;

#[test]
fn a_journal_of_the_first_version_keeps_its_rows() {
    let dir = TempDir::new().unwrap();
    let old = Connection::open(dir.path().join("journal.db")).unwrap();
    old.execute_batch(include_str!("../testdata/journal-v1.sql"))
        .unwrap();
    drop(old);
    let store = open(&dir);
    assert_eq!(store.setting("user").unwrap().as_deref(), Some("anna"));
    assert_eq!(bytes(&store), 42);
    assert_eq!(store.identity(&[1; 16]).unwrap().unwrap().name, "Blåbær");
    let lease = store.acquire_lease("token", "new", Duration::from_secs(9));
    assert_eq!(lease.unwrap().unwrap().generation, 8);
}

#[test]
fn a_journal_of_the_second_version_keeps_pins_and_what_metered_networks_have_cost() {
    let dir = TempDir::new().unwrap();
    let old = Connection::open(dir.path().join("journal.db")).unwrap();
    old.execute_batch(include_str!("../testdata/journal-v2.sql"))
        .unwrap();
    drop(old);
    let store = open(&dir);
    assert_eq!(store.marked(Mark::Pinned).unwrap(), [([1; 16], 900_000)]);
    assert_eq!(store.mark(&[1; 16], Mark::Opened).unwrap(), Some(950_000));
    assert_eq!(store.mark(&[1; 16], Mark::Favourite).unwrap(), None);
    assert_eq!(bytes(&store), 42);
    let metered: i64 = store
        .journal
        .read(|db| {
            Ok(db.query_row(
                "SELECT bytes FROM metered WHERE month = 202611",
                [],
                |row| row.get(0),
            )?)
        })
        .unwrap();
    assert_eq!(metered, 42);
}

#[test]
fn a_journal_of_version_4_keeps_its_camera_ledger() {
    let dir = TempDir::new().unwrap();
    let old = Connection::open(dir.path().join("journal.db")).unwrap();
    old.execute_batch(include_str!("../testdata/journal-v4.sql"))
        .unwrap();
    drop(old);
    let store = open(&dir);
    store
        .camera_read(|ledger| {
            let source = ledger.source(1)?.unwrap();
            assert_eq!(
                (source.name.as_str(), source.cursor.as_deref()),
                ("Camera", Some("generation 7"))
            );
            let asset = ledger.asset_of_key(1, "42")?.unwrap();
            assert_eq!(
                (asset.folder.as_deref(), asset.stem.as_deref()),
                (Some("2026/08"), Some("IMG_1"))
            );
            let resource = ledger.resources_of(asset.n)?.remove(0);
            let entry = ledger.entry(resource.entry.unwrap())?.unwrap();
            assert_eq!(
                (resource.md5, resource.size),
                (Some(entry.md5), Some(entry.size))
            );
            assert_eq!(
                (entry.state, entry.begun, entry.revision),
                (VERIFIED, true, Some(1))
            );
            assert_eq!(ledger.plans()?[0].task.as_deref(), Some("task"));
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_new_journal_equals_the_shipped_snapshot_migrated() {
    let schema = |connection: &Connection| -> Vec<String> {
        connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap()
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .map(|sql| {
                sql.unwrap()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    };
    let mut new = Connection::open_in_memory().unwrap();
    journal::migrate(&mut new).unwrap();
    for snapshot in [
        include_str!("../testdata/journal-v1.sql"),
        include_str!("../testdata/journal-v2.sql"),
        include_str!("../testdata/journal-v3.sql"),
        include_str!("../testdata/journal-v4.sql"),
    ] {
        let mut old = Connection::open_in_memory().unwrap();
        old.execute_batch(snapshot).unwrap();
        journal::migrate(&mut old).unwrap();
        assert_eq!(schema(&old), schema(&new));
    }
}

#[test]
fn a_journal_from_a_newer_program_is_refused_and_untouched() {
    let dir = TempDir::new().unwrap();
    open(&dir).set_setting("user", Some("anna")).unwrap();
    let path = dir.path().join("journal.db");
    let db = Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let refused = Store::open(
        dir.path(),
        false,
        Arc::new(ManualClock::at(0)),
        Arc::new(RealDisk),
    )
    .err();
    assert_eq!(
        refused,
        Some(Error::StoreTooNew {
            found: 99,
            known: 4
        })
    );
    let db = Connection::open(&path).unwrap();
    let user: String = db
        .query_row("SELECT value FROM setting", [], |row| row.get(0))
        .unwrap();
    assert_eq!(user, "anna");
}
