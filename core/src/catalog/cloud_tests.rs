#![allow(clippy::unwrap_used)]

//! Against a local cloud, through its wire protocol.

use super::*;
use crate::account::{MemoryVault, Secret};
use crate::{Drive, DriveOptions};
use local_cloud::{Cloud, CloudOptions, Rule, Stats, Writer};
use tempfile::TempDir;

pub(super) struct World {
    pub cloud: Cloud,
    pub drive: Arc<Drive>,
    vault: Arc<MemoryVault>,
    dir: TempDir,
}

impl World {
    pub async fn new(files: &[&str]) -> Self {
        let cloud = Cloud::start(CloudOptions::default()).unwrap();
        let writer = cloud.writer();
        writer.mkdir("/Jotta/Sync").unwrap();
        writer.mkdir("/Jotta/Archive").unwrap();
        for path in files {
            writer.put(path, path.as_bytes()).unwrap();
        }
        let dir = TempDir::new().unwrap();
        let vault = Arc::new(MemoryVault::default());
        let drive = Drive::open(DriveOptions::new(dir.path(), vault.clone())).unwrap();
        let token = Secret::new(cloud.login_token().unwrap());
        drive
            .account()
            .sign_in(&token, &CancelToken::new())
            .await
            .unwrap();
        Self {
            cloud,
            drive,
            vault,
            dir,
        }
    }

    /// The next start, on the same directory; with its catalogue damaged if so wished.
    pub fn reopen(&mut self, damaged: bool) {
        let n = self.catalog().store.catalog.generation().unwrap();
        self.drive.close().unwrap();
        if damaged {
            let file = self.dir.path().join(format!("catalog-{n}.db"));
            std::fs::write(file, vec![b'x'; 9_000]).unwrap();
        }
        let options = DriveOptions::new(self.dir.path(), self.vault.clone());
        self.drive = Drive::open(options).unwrap();
    }

    pub fn writer(&self) -> Writer {
        self.cloud.writer()
    }

    pub fn catalog(&self) -> &Catalog {
        self.drive.catalog()
    }

    fn find(&self, path: &str) -> Option<Item> {
        let names: Vec<_> = path.split('/').collect();
        match self.catalog().find(&names).unwrap() {
            Lookup::Found(item) => Some(item),
            _ => None,
        }
    }

    fn id(&self, path: &str) -> ItemId {
        self.find(path)
            .unwrap_or_else(|| panic!("{path} is not there"))
            .id
    }

    pub async fn refresh(&self, path: &str) -> Result<Refreshed> {
        let id = self.id(path);
        self.catalog().refresh(&id, &CancelToken::new()).await
    }

    pub async fn index(&self, space: Space) -> Result<Refreshed> {
        self.catalog()
            .index(space, &|_| {}, &CancelToken::new())
            .await
    }

    fn names(&self, path: &str) -> Vec<String> {
        let page = self
            .catalog()
            .children(&self.id(path), Order::Name, None, 1_000)
            .unwrap();
        page.items.into_iter().map(|item| item.name).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_space_can_be_walked_from_its_root() {
    let world = World::new(&[
        "/Jotta/Sync/docs/a.txt",
        "/Jotta/Archive/old.zip",
        "/laptop/Pictures/2020/p.jpg",
        "/desktop/Music/m.mp3",
    ])
    .await;
    for space in ["Sync", "Backup", "Archive", "Trash"] {
        world.refresh(space).await.unwrap();
    }
    assert_eq!(world.names("Sync"), ["docs"]);
    assert_eq!(world.names("Archive"), ["old.zip"]);
    assert_eq!(world.names("Backup"), ["desktop", "laptop"]);
    assert_eq!(world.names("Trash"), [] as [&str; 0]);
    assert_eq!(world.find("Backup/laptop").unwrap().kind, Kind::Computer);
    world.refresh("Backup/laptop").await.unwrap();
    world.refresh("Backup/laptop/Pictures").await.unwrap();
    world.refresh("Backup/laptop/Pictures/2020").await.unwrap();
    let photo = world.find("Backup/laptop/Pictures/2020/p.jpg").unwrap();
    assert_eq!(photo.space, Space::Backup);
    assert!(photo.mime.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn indexing_every_space_fetches_no_content() {
    let world = World::new(&[
        "/Jotta/Sync/docs/a.txt",
        "/Jotta/Sync/docs/deep/er/b.txt",
        "/Jotta/Archive/old.zip",
        "/laptop/Pictures/2020/p.jpg",
        "/laptop/Documents/d.txt",
    ])
    .await;
    world.writer().mkdir("/Jotta/Sync/empty").unwrap();
    world.writer().put("/Jotta/Sync/gone", b"gone").unwrap();
    world.writer().trash("/Jotta/Sync/gone").unwrap();
    for space in Space::ALL {
        world.index(space).await.unwrap();
    }
    assert!(world.find("Sync/docs/deep/er/b.txt").is_some());
    assert!(world.find("Sync/empty").is_some());
    assert!(world.find("Sync/gone").is_none());
    assert!(world.find("Trash/gone").is_some());
    assert!(world.find("Backup/laptop/Documents/d.txt").is_some());
    assert_eq!(world.catalog().counts().unwrap(), [6, 6, 1, 1]);
    let served: u64 = world.cloud.counts().content_bytes.values().sum();
    assert_eq!(served, 0);
    assert_eq!(world.drive.status().unwrap().ledger, []);
    let anchor = world.catalog().current_anchor().unwrap();
    for space in Space::ALL {
        let again = world.index(space).await.unwrap();
        assert_eq!((again.added, again.changed, again.deleted), (0, 0, 0));
    }
    assert_eq!(world.catalog().current_anchor().unwrap(), anchor);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_that_fails_changes_nothing() {
    let world = World::new(&["/Jotta/Sync/a", "/Jotta/Sync/b/c"]).await;
    world.index(Space::Sync).await.unwrap();
    world.refresh("Sync").await.unwrap();
    let (a, c) = (world.id("Sync/a"), world.id("Sync/b/c"));
    let anchor = world.catalog().current_anchor().unwrap();
    world.writer().remove("/Jotta/Sync/a").unwrap();
    world.writer().put("/Jotta/Sync/new", b"new").unwrap();
    let spoilt = [
        Rule::on_all().status(401),
        Rule::on_all().status(500),
        Rule::on_all().cut_after(40),
        Rule::on_all().cut_after(300),
        Rule::on_all().garbage(100_000),
        Rule::on_all().rename("new", "../evil"),
    ];
    for rule in spoilt {
        world.cloud.trouble().clear();
        world.cloud.trouble().add(rule.clone().path("/Jotta"));
        let refreshed = world.refresh("Sync").await;
        assert!(refreshed.is_err(), "{rule:?}");
        let indexed = world.index(Space::Sync).await;
        assert!(indexed.is_err(), "{rule:?}");
    }
    for stats in [Stats::Cut, Stats::LeftOut, Stats::Wrong] {
        world.cloud.trouble().clear();
        world
            .cloud
            .trouble()
            .add(Rule::on("liststream").stats(stats));
        let indexed = world.index(Space::Sync).await;
        assert!(
            matches!(indexed, Err(Error::BadAnswer { .. })),
            "{indexed:?}"
        );
    }
    world.cloud.trouble().clear();
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let root = Space::Sync.root();
    assert_eq!(
        world.catalog().refresh(&root, &cancelled).await,
        Err(Error::Cancelled)
    );
    assert_eq!(world.catalog().current_anchor().unwrap(), anchor);
    for id in [&a, &c] {
        let Lookup::Found(_) = world.catalog().item(id).unwrap() else {
            panic!("absence was taken for deletion");
        };
    }
    world.refresh("Sync").await.unwrap();
    assert_eq!(world.catalog().item(&a).unwrap(), Lookup::Gone);
    assert_eq!(world.names("Sync"), ["b", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_gone_is_proven_gone() {
    let world = World::new(&["/Jotta/Sync/1/a/x", "/Jotta/Sync/2/b/y", "/Jotta/Sync/3/f"]).await;
    world.index(Space::Sync).await.unwrap();
    let (a, b, f) = (
        world.id("Sync/1/a"),
        world.id("Sync/2/b"),
        world.id("Sync/3/f"),
    );
    world.writer().trash("/Jotta/Sync/1/a").unwrap();
    world.writer().remove("/Jotta/Sync/2/b").unwrap();
    world.writer().trash("/Jotta/Sync/3/f").unwrap();
    for id in [&a, &b, &f] {
        let cancel = CancelToken::new();
        world.catalog().refresh(id, &cancel).await.unwrap();
        assert_eq!(world.catalog().item(id).unwrap(), Lookup::Gone);
    }
    for folder in ["Sync/1", "Sync/2", "Sync/3"] {
        assert_eq!(world.names(folder), [] as [&str; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_at_its_known_place_is_looked_for_before_it_is_gone() {
    let world = World::new(&[
        "/Jotta/Sync/Trips/a.jpg",
        "/Jotta/Sync/Trips/2020/b.jpg",
        "/Jotta/Sync/other.txt",
    ])
    .await;
    for folder in ["Sync", "Sync/Trips", "Sync/Trips/2020"] {
        world.refresh(folder).await.unwrap();
    }
    let at =
        |top: &str| ["", "/a.jpg", "/2020", "/2020/b.jpg"].map(|end| format!("Sync/{top}{end}"));
    let mut ids = at("Trips").map(|path| world.id(&path));
    let mut before = "Trips";
    // Whichever is asked for, from the top to the bottom.
    for (asked, now) in ["Travel", "Voyages", "Tours", "Ways"]
        .into_iter()
        .enumerate()
    {
        world
            .writer()
            .rename(&format!("/Jotta/Sync/{before}"), now)
            .unwrap();
        let cancel = CancelToken::new();
        world.catalog().refresh(&ids[asked], &cancel).await.unwrap();
        assert_eq!(at(now).map(|path| world.id(&path)), ids);
        before = now;
    }
    // Moved within its folder, and something else has its name now.
    let writer = world.writer();
    writer.rename("/Jotta/Sync/Ways/a.jpg", "b.jpg").unwrap();
    writer.put("/Jotta/Sync/Ways/a.jpg", b"another").unwrap();
    let cancel = CancelToken::new();
    world.catalog().refresh(&ids[1], &cancel).await.unwrap();
    assert_eq!(world.id("Sync/Ways/b.jpg"), ids[1]);
    assert_ne!(world.id("Sync/Ways/a.jpg"), ids[1]);
    // A folder with a file's name, and the folder above is gone as well.
    ids[1] = world.id("Sync/Ways/2020/b.jpg");
    writer.remove("/Jotta/Sync/Ways").unwrap();
    writer.mkdir("/Jotta/Sync/Ways/2020/b.jpg").unwrap();
    world.catalog().refresh(&ids[1], &cancel).await.unwrap();
    assert_eq!(world.catalog().item(&ids[1]).unwrap(), Lookup::Gone);
    assert_eq!(
        world.find("Sync/Ways/2020/b.jpg").unwrap().kind,
        Kind::Folder
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_folder_shows_is_not_gone_because_of_a_404() {
    let world = World::new(&["/Jotta/Sync/a/b.txt"]).await;
    world.index(Space::Sync).await.unwrap();
    let ids = ["Sync/a", "Sync/a/b.txt"].map(|path| world.id(path));
    for (path, id) in ["/Sync/a", "/Sync/a/b.txt"].iter().zip(&ids) {
        world.cloud.trouble().clear();
        world
            .cloud
            .trouble()
            .add(Rule::on_all().path(path).status(404));
        let cancel = CancelToken::new();
        let refreshed = world.catalog().refresh(id, &cancel).await;
        assert!(matches!(refreshed, Err(Error::BadAnswer { .. })));
        for id in &ids {
            let known = world.catalog().item(id).unwrap();
            assert!(matches!(known, Lookup::Found(_)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_moved_between_two_indexes_keeps_its_id() {
    let world = World::new(&["/Jotta/Sync/a/x.txt", "/Jotta/Sync/b/y.txt"]).await;
    world.index(Space::Sync).await.unwrap();
    world.refresh("Sync/a").await.unwrap();
    let x = world.id("Sync/a/x.txt");
    world
        .writer()
        .move_("/Jotta/Sync/a/x.txt", "/Jotta/Sync/b/moved.txt")
        .unwrap();
    let done = world.index(Space::Sync).await.unwrap();
    assert_eq!(world.id("Sync/b/moved.txt"), x);
    assert_eq!((done.moved, done.added), (1, 0));
}

/// Lives 719, 1620 and 1790 of the edits' model: the new one took the row of the renamed one, whose own entry then had none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_spelled_like_the_old_name_of_a_renamed_file_hides_neither() {
    for by_tree in [true, false] {
        let world = World::new(&["/Jotta/Sync/A.TXT", "/Jotta/Sync/z"]).await;
        world.index(Space::Sync).await.unwrap();
        if by_tree {
            world.refresh("Sync").await.unwrap();
        }
        let renamed = world.id("Sync/A.TXT");
        world
            .writer()
            .move_("/Jotta/Sync/A.TXT", "/Jotta/Sync/e")
            .unwrap();
        world.writer().put("/Jotta/Sync/a.txt", b"another").unwrap();
        if by_tree {
            world.index(Space::Sync).await.unwrap();
        } else {
            world.refresh("Sync").await.unwrap();
        }
        assert_eq!(world.names("Sync"), ["a.txt", "e", "z"]);
        assert_eq!(world.id("Sync/e"), renamed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_replaces_a_file_is_another_item() {
    let world = World::new(&["/Jotta/Sync/a/x.txt", "/Jotta/Sync/b/y.txt"]).await;
    world.index(Space::Sync).await.unwrap();
    world.refresh("Sync/a").await.unwrap();
    let x = world.id("Sync/a/x.txt");
    let content = world.writer().read("/Jotta/Sync/a/x.txt").unwrap();
    world.writer().put("/Jotta/Sync/b/x.txt", &content).unwrap();
    world.writer().remove("/Jotta/Sync/a/x.txt").unwrap();
    world.index(Space::Sync).await.unwrap();
    assert_ne!(world.id("Sync/b/x.txt"), x);
    assert_eq!(world.catalog().item(&x).unwrap(), Lookup::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_folder_keeps_its_id_and_those_inside() {
    let world = World::new(&[
        "/Jotta/Sync/old/deep/x.txt",
        "/Jotta/Sync/old/deep/y.txt",
        "/Jotta/Sync/other/z.txt",
    ])
    .await;
    world.index(Space::Sync).await.unwrap();
    let paths = ["old", "old/deep", "old/deep/x.txt", "old/deep/y.txt"];
    let ids = paths.map(|path| world.id(&format!("Sync/{path}")));
    world.writer().rename("/Jotta/Sync/old", "new").unwrap();
    world.index(Space::Sync).await.unwrap();
    for (path, id) in paths.iter().zip(&ids) {
        assert_eq!(
            world.id(&format!("Sync/{}", path.replace("old", "new"))),
            *id
        );
    }
    assert!(world.find("Sync/old").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_folder_found_by_a_refresh_keeps_its_id() {
    let world = World::new(&["/Jotta/Sync/old/x.txt", "/Jotta/Sync/old/y.txt"]).await;
    world.refresh("Sync").await.unwrap();
    world.refresh("Sync/old").await.unwrap();
    let (old, x) = (world.id("Sync/old"), world.id("Sync/old/x.txt"));
    world.writer().rename("/Jotta/Sync/old", "new").unwrap();
    world.writer().put("/Jotta/Sync/fresh/z.txt", b"z").unwrap();
    world.refresh("Sync").await.unwrap();
    assert_eq!(world.id("Sync/new"), old);
    assert_eq!(world.id("Sync/new/x.txt"), x);
    assert_eq!(world.names("Sync"), ["fresh", "new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_folder_of_folders_found_by_a_refresh_keeps_its_id() {
    let world = World::new(&[
        "/Jotta/Sync/old/2019/x.txt",
        "/Jotta/Sync/old/2020/y.txt",
        "/Jotta/Sync/bad/2020/z.txt",
    ])
    .await;
    for folder in ["Sync", "Sync/old", "Sync/old/2019", "Sync/bad"] {
        world.refresh(folder).await.unwrap();
    }
    let ids = ["old", "old/2019", "old/2019/x.txt"].map(|path| world.id(&format!("Sync/{path}")));
    let bad = world.id("Sync/bad");
    world.writer().rename("/Jotta/Sync/old", "new").unwrap();
    world.writer().remove("/Jotta/Sync/bad").unwrap();
    world.refresh("Sync").await.unwrap();
    let now = ["new", "new/2019", "new/2019/x.txt"].map(|path| world.id(&format!("Sync/{path}")));
    assert_eq!(now, ids);
    assert_eq!(world.catalog().item(&bad).unwrap(), Lookup::Gone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_went_to_the_trash_and_back_keeps_its_id() {
    let world = World::new(&["/Jotta/Sync/a.txt", "/laptop/Docs/a.txt"]).await;
    world.refresh("Sync").await.unwrap();
    let a = world.id("Sync/a.txt");
    world.writer().trash("/Jotta/Sync/a.txt").unwrap();
    world.writer().trash("/laptop/Docs/a.txt").unwrap();
    world.refresh("Trash").await.unwrap();
    assert_eq!(world.names("Trash"), ["a.txt", "a.txt"]);
    let Lookup::Found(item) = world.catalog().item(&a).unwrap() else {
        panic!("the id is lost");
    };
    assert_eq!(item.space, Space::Trash);
    assert!(item.deleted_ms.is_some());
    let refreshed = world.catalog().refresh(&a, &CancelToken::new()).await;
    assert_eq!(refreshed.unwrap().deleted, 0);
    world.refresh("Sync").await.unwrap();
    let Lookup::Found(item) = world.catalog().item(&a).unwrap() else {
        panic!("the id is lost");
    };
    assert_eq!(item.space, Space::Trash);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trashed_folder_can_be_looked_into() {
    let world = World::new(&["/Jotta/Sync/a/x.txt"]).await;
    world.refresh("Sync").await.unwrap();
    world.writer().trash("/Jotta/Sync/a").unwrap();
    world.refresh("Trash").await.unwrap();
    world.refresh("Trash/a").await.unwrap();
    assert_eq!(world.names("Trash/a"), ["x.txt"]);
    // Something new has its place: then the service shows only that.
    world.writer().put("/Jotta/Sync/a/new.txt", b"new").unwrap();
    let hidden = world.refresh("Trash/a").await;
    assert!(matches!(hidden, Err(Error::NotAllowed { .. })));
    assert_eq!(world.names("Trash/a"), ["x.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_can_be_refreshed_by_itself() {
    let world = World::new(&["/Jotta/Sync/a.txt"]).await;
    world.index(Space::Sync).await.unwrap();
    let before = world.find("Sync/a.txt").unwrap();
    world
        .writer()
        .put("/Jotta/Sync/a.txt", b"longer than before")
        .unwrap();
    let done = world.refresh("Sync/a.txt").await.unwrap();
    assert_eq!((done.files, done.changed), (1, 1));
    let after = world.find("Sync/a.txt").unwrap();
    assert_eq!(after.id, before.id);
    assert_eq!(after.size, Some(18));
    assert_ne!(after.content_version, before.content_version);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_in_mid_index_ends_it_and_leaves_no_trace() {
    let world = World::new(&["/Jotta/Sync/a", "/Jotta/Sync/b"]).await;
    world
        .cloud
        .trouble()
        .add(Rule::on("liststream").bytes_per_second(10));
    let drive = world.drive.clone();
    let indexing = tokio::spawn(async move {
        drive
            .catalog()
            .index(Space::Sync, &|_| {}, &CancelToken::new())
            .await
    });
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let drive = world.drive.clone();
    tokio::task::spawn_blocking(move || drive.pause(std::time::Duration::from_secs(5)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(indexing.await.unwrap(), Err(Error::Paused));
    world.cloud.trouble().clear();
    world.drive.resume().unwrap();
    assert_eq!(world.catalog().counts().unwrap(), [0; 4]);
    world.index(Space::Sync).await.unwrap();
    assert_eq!(world.names("Sync"), ["a", "b"]);
}
