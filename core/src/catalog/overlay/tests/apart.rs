//! What is shown in one space while the service has it in another, or nowhere.

use super::*;
use crate::catalog::cloud_tests::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_to_go_to_the_trash_is_asked_for_where_the_service_has_it() {
    let world = World::new(&["/Jotta/Sync/A/In/a"]).await;
    world.index(Space::Sync).await.unwrap();
    let catalog = world.catalog();
    let Lookup::Found(inside) = catalog.find(&["Sync", "A", "In"]).unwrap() else {
        panic!("not there");
    };
    let edits = world.drive.edits();
    edits.trash(&inside.parent, None, true, None).unwrap();
    world
        .writer()
        .put("/Jotta/Sync/A/In/fresh", b"new")
        .unwrap();
    let cancel = CancelToken::new();
    catalog.refresh(&inside.id, &cancel).await.unwrap();
    let names = || {
        let page = catalog.children(&inside.id, Order::Name, None, 9).unwrap();
        let items = page.items.into_iter();
        items
            .map(|item| (item.name, item.space))
            .collect::<Vec<_>>()
    };
    let both = |space| vec![("a".to_owned(), space), ("fresh".to_owned(), space)];
    assert_eq!(names(), both(Space::Trash));
    edits.discard(&inside.parent).unwrap();
    assert_eq!(names(), both(Space::Sync));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_here_is_asked_of_nobody() {
    let world = World::new(&["/Jotta/Sync/a"]).await;
    let edits = world.drive.edits();
    let folder = edits.create_folder(&Space::Sync.root(), "N", None).unwrap();
    let before = world.cloud.counts().requests_of("list");
    let cancel = CancelToken::new();
    let told = world.catalog().refresh(&folder.id, &cancel).await.unwrap();
    assert_eq!(told, Refreshed::default());
    assert_eq!(world.cloud.counts().requests_of("list"), before);
}

#[test]
fn what_is_wanted_in_a_folder_that_is_to_go_to_the_trash_is_where_the_service_has_it() {
    let pocket = pocket();
    let [folder, a] = [&["Sync", "A"][..], &["Sync", "A", "a"]].map(|names| pocket.id(names));
    want(&pocket, &folder, |row| row.fate = Some(Fate::Trash));
    want(&pocket, &a, |row| row.content = content(5));
    let theirs = pocket.catalog.theirs(&bytes(&a)).unwrap().unwrap();
    assert_eq!(theirs.path.segments(), ["Jotta", "Sync", "A", "a"]);
    assert_eq!(served(&pocket), 6);
    want_nothing(&pocket, &a);
    assert_eq!(served(&pocket), 6);
}

fn served(pocket: &Pocket) -> u64 {
    let sync = crate::catalog::space_code(Space::Sync);
    let store = pocket.store();
    store
        .catalog
        .read(|db| super::super::served_items(db, sync))
        .unwrap()
}

#[test]
fn what_the_service_has_is_counted_where_it_has_it_whatever_is_wanted() {
    let pocket = pocket();
    let old = trashed(file("t", 9, 4), &["Jotta", "Sync", "B"], 5_000);
    pocket.list(&["Trash"], vec![old]);
    assert_eq!(served(&pocket), 6);
    let [folder, b, inside] =
        [&["Sync", "A"][..], &["Sync", "B"], &["Sync", "A", "In"]].map(|names| pocket.id(names));
    new(&pocket, &b, "N", 2);
    let restored = pocket.id(&["Trash", "t"]);
    want(&pocket, &restored, |row| row.fate = Some(Fate::Restore));
    want(&pocket, &inside, |row| row.place = place(&b, "In"));
    want(&pocket, &folder, |row| row.fate = Some(Fate::Trash));
    assert_eq!(served(&pocket), 6);
}

#[test]
fn what_is_only_here_does_not_make_a_disappearance_look_small() {
    let pocket = Pocket::new();
    let all: Vec<_> = (0..60)
        .map(|n| f(&format!("{n}"), n, u64::from(n) + 1))
        .collect();
    pocket.list(&["Sync"], all.clone());
    let sync = Space::Sync.root();
    for n in 0..560 {
        new(&pocket, &sync, &format!("new {n}"), 3);
    }
    let mut run = pocket.begin(pocket.scope(&["Sync"]));
    run.list(Vec::new()).unwrap();
    let Err(Error::ManyGone { gone, of }) = pocket.merge(run) else {
        panic!("nobody asked");
    };
    assert_eq!((gone, of), (60, 60));
    // What is wanted of them does not make it look smaller either: the service has lost them.
    for n in 0..20 {
        let id = pocket.id(&["Sync", &format!("{n}")]);
        want(&pocket, &id, |row| row.content = content(5));
    }
    let mut run = pocket.begin(pocket.scope(&["Sync"]));
    run.list(Vec::new()).unwrap();
    assert!(matches!(
        pocket.merge(run),
        Err(Error::ManyGone { gone: 60, of: 60 })
    ));
}

#[test]
fn what_nobody_sees_is_not_counted() {
    let pocket = pocket();
    let old = trashed(file("t", 9, 4), &["Jotta", "Sync"], 5_000);
    let folder = trashed_folder("F", &["Jotta", "Sync"], 5_000);
    pocket.list(&["Trash"], vec![old, folder]);
    let [file, folder] = [&["Trash", "t"][..], &["Trash", "F"]].map(|names| pocket.id(names));
    let scope = pocket.scope(&["Trash", "F"]);
    let mut run = pocket.begin(scope);
    run.list(vec![trashed(
        self::file("in it", 8, 4),
        &["Jotta", "Sync", "F"],
        5_000,
    )])
    .unwrap();
    pocket.merge(run).unwrap();
    assert_eq!(pocket.catalog.counts().unwrap()[3], 3);
    want(&pocket, &file, |row| row.fate = Some(Fate::Purge));
    assert_eq!(pocket.catalog.counts().unwrap()[3], 2);
    want(&pocket, &folder, |row| row.fate = Some(Fate::Purge));
    assert_eq!(pocket.catalog.counts().unwrap()[3], 0);
    want_nothing(&pocket, &folder);
    assert_eq!(pocket.catalog.counts().unwrap()[3], 2);
}
