//! One life, from one number: what the two phones and the computer do, one call after the other.

use crate::check;
use crate::phone::{Phone, directory};
use crate::saved::{Holder, Saved};
use local_cloud::{Cloud, CloudOptions};
use lomme::catalog::{Item, ItemId, Kind, Space};
use lomme::clock::ManualClock;
use lomme::edits::{Hold, NewContent, Park, Pending, Resolution};
use lomme::{CancelToken, Error};
use lomme_e2e::faults;
use std::fmt::Debug;
use std::time::Duration;

/// Few names, so that everything collides: other cases and another normalisation too.
const FILES: [&str; 6] = ["a.txt", "A.TXT", "b.txt", "b", "\u{e5}.txt", "a\u{30a}.txt"];
const FOLDERS: [&str; 3] = ["d", "D", "e"];
const SPACES: [Space; 2] = [Space::Sync, Space::Archive];

pub struct World {
    pub cloud: Cloud,
    pub phones: Vec<Phone>,
    pub saved: Saved,
    pub clock: ManualClock,
    pub random: fastrand::Rng,
    /// Whether anybody deletes for ever in this life.
    pub purges: bool,
    /// Whether anybody copies in this life.
    pub copies: bool,
    /// Whether the phones send what they want.
    pub sends: bool,
    /// Whether writers begin with what a file has, which is fetched then.
    pub updates: bool,
    /// Bytes of content that may have been fetched because somebody asked for them.
    pub asked: u64,
    /// What was wrong already on the way.
    pub broken: Option<String>,
    loud: bool,
    computer_puts: u64,
    _cloud_directory: tempfile::TempDir,
}

/// What the phones do in a life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// They only wish, and give it up.
    Wishes,
    /// They send what they want.
    Whatever,
}

/// Lives the life of `seed`; the error says what was wrong in the end.
pub fn live(seed: u64, sort: Sort, loud: bool) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new(seed, sort == Sort::Whatever, loud).await;
        for _ in 0..world.random.usize(8..40) {
            world.step().await;
        }
        check::all(&mut world).await
    })
}

impl World {
    async fn new(seed: u64, sends: bool, loud: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let switches = faults::switches(&mut random);
        let directory = directory();
        let cloud = Cloud::start(CloudOptions {
            directory: Some(directory.path().to_owned()),
            switches,
            ..CloudOptions::default()
        })
        .unwrap();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let clock = ManualClock::at(now.as_millis() as i64);
        let phones = vec![Phone::new(0, &clock), Phone::new(1, &clock)];
        let mut world = Self {
            cloud,
            phones,
            saved: Saved::default(),
            clock,
            purges: random.bool(),
            copies: random.bool(),
            updates: random.u8(..4) == 0,
            asked: 0,
            broken: None,
            random,
            sends,
            loud,
            computer_puts: 0,
            _cloud_directory: directory,
        };
        for name in ["Sync/a.txt", "Archive/b.txt", "Sync/d/a.txt"] {
            world.put(&format!("/Jotta/{name}"));
        }
        for phone in &mut world.phones {
            phone
                .sign_in(&world.cloud.login_token().unwrap())
                .await
                .unwrap();
            for space in SPACES {
                let catalog = phone.drive.catalog();
                catalog
                    .index(space, &|_| {}, &CancelToken::new())
                    .await
                    .unwrap();
            }
        }
        world
    }

    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.loud {
            println!("{}", what());
        }
    }

    pub fn break_with(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    async fn step(&mut self) {
        let one = self.random.usize(..2);
        if self.random.u8(..6) == 0 {
            let steps = self.random.u64(..40);
            self.say(|| format!("phone {one} will die after {steps} steps"));
            self.phones[one].disk.die_after(steps);
        }
        match self.random.u8(..12) {
            0 | 1 => self.computer(),
            2 => {
                let what = faults::add(&self.cloud, &mut self.random);
                self.say(|| format!("fault: {what}"));
            }
            3 if self.random.bool() => {
                let what = faults::account(&self.cloud, &mut self.random);
                self.say(|| format!("account: {what}"));
            }
            4 if self.random.bool() => {
                let ms = [-3_600_000, 1_000, 30_000, 3_600_000, 86_400_000];
                let ms = ms[self.random.usize(..ms.len())];
                self.say(|| format!("clock: {ms} ms"));
                self.clock.advance(ms);
            }
            5 | 6 => self.network(one).await,
            _ => self.change(one).await,
        }
        if self.phones[one].disk.is_dead() || self.random.u8(..30) == 0 {
            self.say(|| format!("phone {one} is killed"));
            // What the dead process had taken for a while is free again by then; the clock does not go by itself.
            self.clock.advance(120_000);
            self.phones[one].disk.die_after(0);
            self.drop_writers(one);
            let phone = &mut self.phones[one];
            phone.next_process(&mut self.random).await.unwrap();
        }
    }

    // ---- the computer ---------------------------------------------------------------------------------------------

    fn put(&mut self, path: &str) {
        let bytes = match self.random.u8(..5) {
            0 => self.saved.any(&mut self.random),
            _ => None,
        };
        let bytes = bytes.unwrap_or_else(|| self.saved.fresh(&mut self.random));
        let put = self.cloud.writer().put(path, &bytes);
        self.say(|| format!("computer puts {path} ({} bytes): {}", bytes.len(), ok(&put)));
        if put.is_ok() {
            self.computer_puts += 1;
            let holder = (self.phones.len(), self.computer_puts.to_string());
            self.saved
                .told(bytes, holder, format!("the computer's {path}"));
        }
    }

    fn path(&mut self) -> String {
        let space = SPACES[self.random.usize(..2)].name();
        let mut path = format!("/Jotta/{space}");
        if self.random.u8(..3) == 0 {
            path = format!("{path}/{}", FOLDERS[self.random.usize(..FOLDERS.len())]);
        }
        format!("{path}/{}", FILES[self.random.usize(..FILES.len())])
    }

    fn folder_path(&mut self) -> String {
        let space = SPACES[self.random.usize(..2)].name();
        format!(
            "/Jotta/{space}/{}",
            FOLDERS[self.random.usize(..FOLDERS.len())]
        )
    }

    /// The computer is about to move what is at a path.
    fn moves(&mut self, from: &str) {
        let entries = self.cloud.writer().paths("/Jotta").unwrap();
        let below = format!("{}/", from.to_lowercase());
        for entry in entries {
            let path = entry.path.to_lowercase();
            if path == from.to_lowercase() || path.starts_with(&below) {
                let version = format!("{}-{}", entry.md5, entry.size);
                self.saved.moves(self.phones.len(), &version);
            }
        }
    }

    fn computer(&mut self) {
        let (from, to) = (self.path(), self.path());
        let (folder, other) = (self.folder_path(), self.folder_path());
        let writer = self.cloud.writer();
        let (what, done) = match self.random.u8(..10) {
            0..=3 => return self.put(&from),
            4 => {
                self.moves(&from);
                (format!("moves {from} to {to}"), writer.move_(&from, &to))
            }
            5 => {
                self.moves(&folder);
                let done = writer.move_(&folder, &other);
                (format!("moves {folder} to {other}"), done)
            }
            6 => (format!("trashes {from}"), writer.trash(&from)),
            7 => (format!("trashes {folder}"), writer.trash(&folder)),
            8 if self.purges => (format!("removes {from}"), writer.remove(&from)),
            _ => (format!("makes {folder}"), writer.mkdir(&folder)),
        };
        self.say(|| format!("computer {what}: {}", ok(&done)));
    }

    // ---- a phone ----------------------------------------------------------------------------------------------------

    async fn network(&mut self, one: usize) {
        let budget = self.random.u64(..60);
        let patient = self.random.bool();
        let cancel = CancelToken::new();
        let choice = self.random.u8(if self.sends { ..7 } else { ..2 });
        let space = SPACES[self.random.usize(..2)];
        let item = self.pick(one, None);
        let drive = self.phones[one].drive.clone();
        if !patient {
            let cancel = cancel.clone();
            let disk = &self.phones[one].disk;
            disk.call_after(budget, move || cancel.cancel());
        }
        let done = match (choice, item) {
            (0, _) => text(drive.catalog().index(space, &|_| {}, &cancel).await),
            (1, _) => text(drive.poll(Duration::from_secs(60), &cancel).await),
            (2, Some(item)) => text(drive.edits().settle(&item.id, None, &cancel).await),
            (6, _) if self.purges => text(drive.edits().empty_trash(&cancel).await),
            _ => text(drive.edits().push(None, &cancel).await),
        };
        let name =
            ["index", "poll", "settle", "push", "push", "push", "empty"][usize::from(choice)];
        self.say(|| format!("phone {one}: {name}: {done}"));
        if !self.phones[one].disk.is_dead() && self.random.bool() {
            let token = self.cloud.login_token().unwrap();
            if matches!(
                self.phones[one].drive.account().state(),
                Ok(lomme::account::SignIn::Again(_))
            ) {
                let signed_in = self.phones[one].sign_in(&token).await;
                self.say(|| format!("phone {one} signs in: {}", text(signed_in)));
            }
        }
    }

    /// Something that the phone shows.
    fn pick(&mut self, one: usize, kind: Option<Kind>) -> Option<Item> {
        let space = match self.random.u8(..6) {
            0 => Space::Trash,
            n => SPACES[usize::from(n % 2)],
        };
        let mut items: Vec<Item> = self.phones[one].tree(space).ok()?.into_values().collect();
        items.retain(|item| kind.is_none_or(|kind| item.kind == kind));
        (!items.is_empty()).then(|| items.swap_remove(self.random.usize(..items.len())))
    }

    fn folder(&mut self, one: usize) -> ItemId {
        match self.random.u8(..3) {
            0 => self.pick(one, Some(Kind::Folder)).map(|folder| folder.id),
            _ => None,
        }
        .unwrap_or_else(|| SPACES[self.random.usize(..2)].root())
    }

    pub fn bytes(&mut self) -> Vec<u8> {
        match self.random.u8(..6) {
            0 => self.saved.any(&mut self.random),
            _ => None,
        }
        .unwrap_or_else(|| self.saved.fresh(&mut self.random))
    }

    /// The phone's call that saves these bytes as `item` has returned well; `over` is what the item showed before.
    pub fn told(
        &mut self,
        one: usize,
        item: &Item,
        over: Option<&Item>,
        bytes: Vec<u8>,
        how: &str,
    ) {
        // A newer save of one's own, before the older one was sent, is the one that counts.
        if let Some((before, holder)) = self
            .unsent(one, over)
            .filter(|(before, _)| before != &bytes)
        {
            self.saved.excuse(&before, &holder);
        }
        let how = format!("phone {one}: {how} of {}", item.id);
        let holder = (one, item.id.to_string());
        let before = over.and_then(|item| item.content_version.as_deref());
        self.saved.over(&bytes, before);
        self.saved.told(bytes, holder, how);
    }

    /// The phone's call that was to save these bytes has failed. Only where the process died with it may they be saved.
    pub fn failed(&mut self, one: usize, over: Option<&Item>, bytes: Vec<u8>) {
        if !self.phones[one].disk.is_dead() {
            return;
        }
        self.saved.tried(&bytes);
        if let Some((before, holder)) = self.unsent(one, over) {
            self.saved.perhaps_excuse(&before, holder, bytes);
        }
    }

    /// The content that an item shows, if it was saved here and the service does not have it. Whoever saved it may have
    /// saved it as another item: what met another writer's goes on as a copy.
    fn unsent(&mut self, one: usize, item: Option<&Item>) -> Option<(Vec<u8>, Holder)> {
        let item = item?;
        let bytes = self.saved.of_version(item.content_version.as_ref()?)?;
        self.saved.shown(one, &bytes);
        let unsent = self.cloud.writer().holds(&bytes).unwrap().kept == 0;
        let holder = self.saved.holder(&bytes, (one, item.id.to_string()))?;
        unsent.then_some((bytes, holder))
    }

    async fn change(&mut self, one: usize) {
        let edits = self.phones[one].drive.edits().clone();
        let name = match self.random.u8(..2) {
            0 => FILES[self.random.usize(..FILES.len())],
            _ => FOLDERS[self.random.usize(..FOLDERS.len())],
        };
        let parent = self.folder(one);
        let choice = match self.sends {
            true => self.random.u8(..24),
            false => self.random.u8(8..19),
        };
        let item = self.pick(one, matches!(choice, 3..=7).then_some(Kind::File));
        if let Some(item) = &item {
            self.phones[one].wished.insert(item.id.clone());
        }
        let (what, done) = match (choice, item) {
            (0..=2, _) => {
                let bytes = self.bytes();
                let path = self.phones[one].file_of(&bytes);
                let done = edits.create_file(&parent, name, NewContent::of(&path), None);
                match &done {
                    Ok(item) => self.told(one, item, None, bytes, "a new file"),
                    Err(_) => self.failed(one, None, bytes),
                }
                ("create", text(done))
            }
            (3..=5, Some(item)) => {
                let bytes = self.bytes();
                let path = self.phones[one].file_of(&bytes);
                let base = self
                    .random
                    .bool()
                    .then(|| item.content_version.clone())
                    .flatten();
                let content = NewContent::of(&path);
                let done = edits.replace_content(&item.id, base.as_deref(), content, None);
                match &done {
                    Ok(now) => self.told(one, now, Some(&item), bytes, "a replacement"),
                    Err(_) => self.failed(one, Some(&item), bytes),
                }
                ("replace", text(done))
            }
            (6 | 7, Some(item)) => ("write", self.write(one, Some(&item), (&parent, name)).await),
            (8, _) => (
                "mkdir",
                self.made(one, edits.create_folder(&parent, name, None)),
            ),
            (9 | 10, Some(item)) => (
                "rename",
                text(edits.move_to(&item.id, &item.parent, Some(name), None)),
            ),
            (11 | 12, Some(item)) => {
                self.phone_moves(one, &item);
                ("move", text(edits.move_to(&item.id, &parent, None, None)))
            }
            (13, Some(item)) if self.copies => (
                "copy",
                self.made(one, edits.copy(&item.id, &parent, Some(name), None)),
            ),
            (14, Some(item)) => ("trash", text(edits.trash(&item.id, None, true, None))),
            (15, Some(item)) => ("restore", text(edits.restore(&item.id, None))),
            (16, Some(item)) if self.purges => ("purge", text(edits.purge(&item.id, None))),
            (17, Some(item)) => (
                "link",
                text(edits.set_link(&item.id, self.random.bool(), None)),
            ),
            (18, Some(item)) => ("discard", text(edits.discard(&item.id))),
            (19, _) => ("resolve", self.resolve(one)),
            (20, _) => ("write new", self.write(one, None, (&parent, name)).await),
            (21 | 22, _) => ("end a writer", self.end_any(one)),
            (23, _) => ("publish", self.publish(one)),
            _ => return,
        };
        self.say(|| format!("phone {one}: {what} {name:?} in {parent}: {done}"));
    }

    /// The phone is about to move an item.
    fn phone_moves(&mut self, one: usize, item: &Item) {
        let mut versions: Vec<_> = item.content_version.iter().cloned().collect();
        let tree = self.phones[one].tree(item.space).unwrap_or_default();
        let is_it = |(_, shown): &(&String, &Item)| shown.id == item.id;
        if let Some((path, _)) = tree.iter().find(is_it) {
            let below = format!("{path}/");
            let inside = tree.iter().filter(|(path, _)| path.starts_with(&below));
            versions.extend(inside.filter_map(|(_, item)| item.content_version.clone()));
        }
        for version in versions {
            self.saved.moves(one, &version);
        }
    }

    fn made(&mut self, one: usize, done: lomme::Result<Item>) -> String {
        if let Ok(item) = &done {
            self.phones[one].wished.insert(item.id.clone());
        }
        text(done.map(|item| item.id))
    }

    /// What a dead writer has left is published.
    fn publish(&mut self, one: usize) -> String {
        let edits = self.phones[one].drive.edits().clone();
        let left = |pending: &Pending| pending.hold == Some(Hold::NeedsUser(Park::Recovered));
        match edits.outbox() {
            Ok(outbox) => match outbox.into_iter().find(left) {
                Some(pending) => text(edits.retry(Some(&pending.id))),
                None => "nothing was left".into(),
            },
            Err(error) => error.to_string(),
        }
    }

    fn resolve(&mut self, one: usize) -> String {
        let edits = self.phones[one].drive.edits().clone();
        let resolutions = [
            Resolution::KeepMine,
            Resolution::KeepTheirs,
            Resolution::KeepBoth,
        ];
        match edits.conflicts(true) {
            Ok(conflicts) => match conflicts.first() {
                Some(conflict) => {
                    text(edits.resolve(conflict.number, resolutions[self.random.usize(..3)]))
                }
                None => "no conflict".into(),
            },
            Err(error) => error.to_string(),
        }
    }
}

fn ok<T, E: std::fmt::Display>(done: &Result<T, E>) -> String {
    match done {
        Ok(_) => "done".into(),
        Err(error) => error.to_string(),
    }
}

pub fn text<T: Debug>(done: Result<T, Error>) -> String {
    match done {
        Ok(done) => format!("{done:?}"),
        Err(error) => format!("failed: {error}"),
    }
}
