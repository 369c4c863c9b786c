#![allow(clippy::unwrap_used)]

//! Random changes by another client, listings in random order, wishes that are carried out or not, ends of the process,
//! damaged catalogues, and a follower of the change feed: at rest the tree is the server's, the follower knows it too, and
//! a file's id is its own for life.

use super::cloud_tests::World;
use super::wishes::{Choice, Wishes, wish_for};
use super::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

const ROOT: &str = "/Jotta/Sync";
const NAMES: [&str; 6] = ["a", "B", "c æøå", "D+", "e", "f"];

struct Model {
    world: World,
    random: fastrand::Rng,
    /// What the follower knows, and where it is in the feed.
    follower: BTreeSet<ItemId>,
    anchor: String,
    /// The same for the working set: what is in view, what it follows from, and where it is in the feed.
    view: BTreeSet<ItemId>,
    view_anchor: String,
    marks: BTreeSet<(ItemId, u8)>,
    held: BTreeSet<ItemId>,
    /// Whose id is whose, by the server's uuid.
    owners: HashMap<String, ItemId>,
    /// How many files were looked at, and how many of them had lost their id.
    sights: usize,
    strangers: usize,
    /// Whether wishes come between, and which there are.
    wishing: bool,
    wishes: Wishes,
    /// Whether its catalogue was made anew.
    rebuilt: bool,
}

impl Model {
    async fn new(seed: u64) -> Self {
        let world = World::new(&["/Jotta/Sync/a/a/a", "/Jotta/Sync/e/e", "/Jotta/Sync/f"]).await;
        let anchor = world.catalog().current_anchor().unwrap();
        Self {
            world,
            random: fastrand::Rng::with_seed(seed),
            follower: BTreeSet::new(),
            view: BTreeSet::new(),
            view_anchor: anchor.clone(),
            marks: BTreeSet::new(),
            held: BTreeSet::new(),
            anchor,
            owners: HashMap::new(),
            sights: 0,
            strangers: 0,
            wishing: false,
            wishes: Wishes::default(),
            rebuilt: false,
        }
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.random.usize(..NAMES.len())]
    }

    fn new_path(&mut self) -> String {
        let mut path = ROOT.to_owned();
        for _ in 0..self.random.usize(1..4) {
            path = format!("{path}/{}", self.name());
        }
        path
    }

    fn some_path(&mut self) -> Option<String> {
        let all = self.world.writer().paths(ROOT).unwrap();
        let live: Vec<_> = all
            .into_iter()
            .filter(|entry| entry.deleted.is_none() && entry.path.len() > ROOT.len() + 1)
            .collect();
        (!live.is_empty()).then(|| live[self.random.usize(..live.len())].path.clone())
    }

    /// One change by the other client. What the server refuses is no change.
    fn change(&mut self) {
        let writer = self.world.writer();
        let to = self.new_path();
        let Some(from) = self.some_path() else {
            let _ = writer.put(&to, b"again");
            return;
        };
        let inside = to.to_lowercase().starts_with(&from.to_lowercase());
        let kind = self.random.u8(..10);
        let done = match kind {
            0..3 => {
                let content = self.random.u8(..).to_string();
                writer.put(&to, content.as_bytes()).map(drop)
            }
            3 => writer.mkdir(&to),
            4..7 if !inside => writer.move_(&from, &to),
            7 => {
                let name = self.name();
                writer.rename(&from, name)
            }
            8 => writer.trash(&from),
            _ => writer.remove(&from),
        };
        eprintln!("change {kind}: {from} to {to}: {}", done.is_ok());
    }

    /// One call of ours.
    async fn look(&mut self) {
        match self.random.u8(..9) {
            0 => {
                eprintln!("index");
                self.world.index(Space::Sync).await.unwrap();
            }
            1 => {
                eprintln!("trash");
                self.world.refresh("Trash").await.unwrap();
            }
            2 => {
                let limit = self.random.u32(1..8);
                self.follow(limit);
            }
            3 => self.mark(),
            4 => {
                let ids: BTreeSet<_> = self
                    .local()
                    .into_values()
                    .filter(|_| self.random.u8(..4) == 0)
                    .map(|item| item.id)
                    .collect();
                self.hold(ids);
            }
            5 => {
                let limit = self.random.u32(1..8);
                self.follow_view(limit);
            }
            _ => {
                let all: Vec<_> = self.local().into_values().collect();
                if !all.is_empty() {
                    let item = &all[self.random.usize(..all.len())];
                    eprintln!("refresh {} {:?} {}", item.name, item.kind, item.id);
                    let cancel = CancelToken::new();
                    self.world
                        .catalog()
                        .refresh(&item.id, &cancel)
                        .await
                        .unwrap();
                }
            }
        }
    }

    /// Something is wanted of an item, of a new one, or of one not any more.
    fn wish(&mut self) {
        let local: Vec<_> = self.local().into_values().collect();
        let catalog = self.world.catalog();
        let folders: Vec<_> = local
            .iter()
            .filter(|item| item.kind == Kind::Folder)
            .map(|item| item.id.clone())
            .chain([Space::Sync.root()])
            .collect();
        let trash = catalog
            .children(&Space::Trash.root(), Order::Name, None, 1_000)
            .unwrap();
        let from = Choice {
            local: &local,
            folders: &folders,
            trash: &trash.items,
        };
        wish_for(catalog, &mut self.wishes, from, &mut self.random);
    }

    /// The process ends, in mid-wish or not, and starts again; its catalogue may be damaged by then.
    fn restart(&mut self) {
        if self.random.bool() {
            self.wishes.cut = true;
            self.wish();
            self.wishes.cut = false;
        }
        let damaged = self.random.bool();
        eprintln!("restart {damaged}");
        self.world.reopen(damaged);
        if !damaged {
            return;
        }
        self.rebuilt = true;
        // Whoever follows begins anew, with what is there.
        let catalog = self.world.catalog();
        let expired = catalog.changes(&self.anchor, 10);
        assert!(matches!(expired, Err(Error::AnchorExpired)), "{expired:?}");
        self.anchor = catalog.current_anchor().unwrap();
        self.view_anchor.clone_from(&self.anchor);
        self.follower = self.local().into_values().map(|item| item.id).collect();
        self.view = self.in_view();
    }

    /// The service does something that is wanted.
    async fn carry_out(&mut self) {
        let (writer, random) = (self.world.writer(), &mut self.random);
        let catalog = self.world.catalog();
        self.wishes.carry_out(catalog, &writer, random).await;
    }

    fn in_view(&self) -> BTreeSet<ItemId> {
        let mut page = None;
        let mut pages = BTreeSet::new();
        loop {
            let catalog = self.world.catalog();
            let next = catalog.working_set(page.as_deref(), 7).unwrap();
            pages.extend(next.items.into_iter().map(|item| item.id));
            page = next.next;
            if page.is_none() {
                return pages;
            }
        }
    }

    /// Says something of an item, or takes it back.
    fn mark(&mut self) {
        let all: Vec<_> = self.local().into_values().collect();
        if all.is_empty() {
            return;
        }
        let item = &all[self.random.usize(..all.len())];
        let code = self.random.u8(..3);
        let mark = [Mark::Pinned, Mark::Favourite, Mark::Opened][usize::from(code)];
        let on = self.random.u8(..3) > 0;
        eprintln!("mark {} {mark:?} {on}", item.id);
        self.world.catalog().set_mark(&item.id, mark, on).unwrap();
        let said = (item.id.clone(), code);
        if on {
            self.marks.insert(said);
        } else {
            self.marks.remove(&said);
        }
    }

    /// The operating system reports what it holds; some reports end early.
    fn hold(&mut self, ids: BTreeSet<ItemId>) {
        let catalog = self.world.catalog();
        let epoch = catalog.begin_held().unwrap();
        let all: Vec<_> = ids.iter().cloned().collect();
        for part in all.chunks(3) {
            catalog.add_held(epoch, part).unwrap();
        }
        if self.random.u8(..4) > 0 {
            eprintln!("held {ids:?}");
            catalog.commit_held(epoch).unwrap();
            self.held = ids;
        }
    }

    /// One page of the working set's feed; whether there is more.
    fn follow_view(&mut self, limit: u32) -> bool {
        let page = self
            .world
            .catalog()
            .working_set_changes(&self.view_anchor, limit)
            .unwrap();
        for item in page.updated {
            self.view.insert(item.id);
        }
        for id in page.deleted {
            self.view.remove(&id);
        }
        self.view_anchor = page.anchor;
        page.more
    }

    /// The working set is what follows from marks and held folders, and whoever followed its feed has it.
    fn check_view(&mut self, local: &BTreeMap<String, Item>) {
        let catalog = self.world.catalog();
        // What has moved away leaves with the next report.
        let held: Vec<_> = self
            .held
            .iter()
            .filter(|id| matches!(catalog.item(id).unwrap(), Lookup::Found(_)))
            .cloned()
            .collect();
        let epoch = catalog.begin_held().unwrap();
        for part in held.chunks(500) {
            catalog.add_held(epoch, part).unwrap();
        }
        catalog.commit_held(epoch).unwrap();
        self.held = held.into_iter().collect();
        while self.follow_view(20) {}
        let right: BTreeSet<_> = local
            .values()
            .filter(|item| {
                self.held.contains(&item.id)
                    || self.held.contains(&item.parent)
                    || self.marks.iter().any(|(id, _)| *id == item.id)
            })
            .map(|item| item.id.clone())
            .collect();
        let catalog = self.world.catalog();
        let in_sync = |id: &&ItemId| match catalog.item(id).unwrap() {
            Lookup::Found(item) => item.space == Space::Sync && item.kind != Kind::Root,
            gone => panic!("{id} is in view and {gone:?}"),
        };
        let view: BTreeSet<_> = self.view.iter().filter(in_sync).cloned().collect();
        assert_eq!(view, right);
        assert_eq!(self.in_view(), self.view);
    }

    /// One page of the feed; whether there is more.
    fn follow(&mut self, limit: u32) -> bool {
        let page = self.world.catalog().changes(&self.anchor, limit).unwrap();
        for item in page.updated {
            self.follower.insert(item.id);
        }
        for id in page.deleted {
            self.follower.remove(&id);
        }
        self.anchor = page.anchor;
        page.more
    }

    /// Every item of Sync by path.
    fn local(&self) -> BTreeMap<String, Item> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(ROOT.to_owned(), Space::Sync.root())];
        while let Some((path, id)) = folders.pop() {
            let page = self
                .world
                .catalog()
                .children(&id, Order::Name, None, 1_000)
                .unwrap();
            for item in page.items {
                let path = format!("{path}/{}", item.name);
                if item.kind == Kind::Folder {
                    folders.push((path.clone(), item.id.clone()));
                }
                found.insert(path, item);
            }
        }
        found
    }

    /// Looks at everything, then compares.
    async fn rest(&mut self) {
        eprintln!("rest");
        self.wishes.drop_all(self.world.catalog());
        self.world.index(Space::Sync).await.unwrap();
        let folders: Vec<_> = self
            .local()
            .into_values()
            .filter(|item| item.kind == Kind::Folder)
            .map(|item| item.id)
            .collect();
        self.world.refresh("Sync").await.unwrap();
        for id in folders {
            let cancel = CancelToken::new();
            self.world.catalog().refresh(&id, &cancel).await.unwrap();
        }
        let local = self.local();
        let server: BTreeMap<_, _> = self
            .world
            .writer()
            .paths(ROOT)
            .unwrap()
            .into_iter()
            .filter(|entry| entry.deleted.is_none() && entry.path != ROOT)
            .map(|entry| (entry.path.clone(), entry))
            .collect();
        assert_eq!(
            local.keys().collect::<Vec<_>>(),
            server.keys().collect::<Vec<_>>()
        );
        let mut ids = BTreeSet::new();
        for (path, item) in &local {
            assert!(ids.insert(item.id.clone()), "{path} shares its id");
            let entry = &server[path];
            if !entry.is_file {
                continue;
            }
            assert_eq!(item.size, Some(entry.size), "{path}");
            let version = item.content_version.as_deref().unwrap();
            assert!(version.starts_with(&entry.md5), "{path}");
            eprintln!("{path} is {} with {}", item.id, entry.uuid);
            let before = self.owners.insert(entry.uuid.clone(), item.id.clone());
            if let Some(before) = before.filter(|before| *before != item.id) {
                // Only what was told as gone in between may come back as another; so may what was seen in the trash, which
                // a liststream cannot tell from a new file.
                let before = self.world.catalog().item(&before).unwrap();
                let gone = match &before {
                    Lookup::Gone => true,
                    Lookup::Found(item) => item.space == Space::Trash,
                    // A new catalogue has met it only after it had moved, in a listing without uuids.
                    Lookup::Unknown => self.rebuilt,
                };
                assert!(gone, "{before:?}");
                self.strangers += 1;
            }
            self.sights += 1;
        }
        let owned: BTreeSet<_> = self.owners.values().collect();
        assert_eq!(owned.len(), self.owners.len(), "an id has two owners");
        while self.follow(50) {}
        self.check_view(&local);
        let counted = self.world.catalog().counts().unwrap()[0];
        assert_eq!(counted, local.len() as u64);
        let unseen: Vec<_> = ids.difference(&self.follower).collect();
        assert!(unseen.is_empty(), "the feed never told of {unseen:?}");
        for id in self.follower.difference(&ids) {
            let Lookup::Found(item) = self.world.catalog().item(id).unwrap() else {
                panic!("the feed never told that {id} is gone");
            };
            assert_ne!(item.space, Space::Sync);
        }
    }
}

async fn run(seed: u64, wishing: bool) -> (usize, usize) {
    let mut model = Model::new(seed).await;
    model.wishing = wishing;
    for _ in 0..4 {
        for _ in 0..8 {
            if model.wishing && model.random.u8(..3) == 0 {
                match model.random.u8(..8) {
                    0 => model.restart(),
                    1 | 2 => model.carry_out().await,
                    _ => model.wish(),
                }
            } else if model.random.bool() {
                model.change();
            } else {
                model.look().await;
            }
            model.wishes.check(model.world.catalog());
            if model.wishing {
                model.local();
            }
        }
        model.rest().await;
    }
    (model.sights, model.strangers)
}

/// Lives these lives, or those of `LOMME_SEEDS=from..to`, and tells which broke. Sights, and strangers among them.
async fn live(seeds: impl Iterator<Item = u64>, wishing: bool) -> (usize, usize) {
    let wanted = std::env::var("LOMME_SEEDS").ok().map(|range| {
        let (from, to) = range.split_once("..").unwrap();
        from.parse::<u64>().unwrap()..to.parse().unwrap()
    });
    let seeds: Vec<u64> = match wanted {
        Some(range) => range.collect(),
        None => seeds.collect(),
    };
    let (mut sights, mut strangers, mut broke) = (0, 0, Vec::new());
    for seed in seeds {
        eprintln!("seed {seed}");
        match tokio::spawn(run(seed, wishing)).await {
            Ok((seen, lost)) => {
                sights += seen;
                strangers += lost;
            }
            Err(_) => broke.push(seed),
        }
    }
    assert!(broke.is_empty(), "these lives broke: {broke:?}");
    (sights, strangers)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tree_becomes_the_servers_and_ids_stay_whatever_happens() {
    let (sights, strangers) = live(0..24, false).await;
    // Moved, given new content and indexed before it was listed: no fact tells that it is the same.
    assert!(strangers * 50 < sights, "{strangers} of {sights}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wanted_is_shown_and_when_nothing_is_the_tree_is_the_servers() {
    // 103: an item was asked for by its id before anything else, and its wish was not shown.
    let (sights, strangers) = live(100..140, true).await;
    assert!(strangers * 10 < sights, "{strangers} of {sights}");
}
