//! Killed at any moment of a download, an eviction or a refresh, a pocket never shows wrong bytes, never loses what is
//! pinned, leaves no lock, and has not fetched a byte of Sync.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions, Writer};
use lomme::account::{MemoryVault, Secret};
use lomme::catalog::{Item, ItemId, Kind, LocalCopy, Lookup, Order, Space};
use lomme::content::{CacheLimits, Purpose, Reader};
use lomme::{CancelToken, Drive, DriveOptions, Error};
use lomme_e2e::{powercut, walk};
use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Kills of each kind. `LOMME_KILLS=1000` for more.
fn rounds() -> u64 {
    let told = std::env::var("LOMME_KILLS").ok();
    told.and_then(|told| told.parse().ok()).unwrap_or(200)
}

struct Stage {
    cloud: Cloud,
    outer: tempfile::TempDir,
    /// All contents that a file has had, by its path.
    contents: HashMap<String, Vec<Vec<u8>>>,
    /// How often a churn has said that it did a thing.
    done: HashMap<String, u64>,
    chance: fastrand::Rng,
}

impl Stage {
    async fn new(seed: u64) -> Self {
        let stage = Self {
            cloud: Cloud::start(CloudOptions::default()).unwrap(),
            outer: tempfile::tempdir().unwrap(),
            contents: HashMap::new(),
            done: HashMap::new(),
            chance: fastrand::Rng::with_seed(seed),
        };
        std::fs::create_dir(stage.out()).unwrap();
        let mut stage = stage;
        for n in 0..4 {
            stage.put(&format!("Archive/Films/film {n}.mp4"), (2 + 3 * n) << 20);
        }
        for n in 0..30 {
            stage.put(&format!("Archive/Small/blåbær {n}.jpg"), 10_000 * n);
        }
        for n in 0..8 {
            stage.put(&format!("Archive/Keep/kept {n}.pdf"), 1 + 60_000 * n);
        }
        for n in 0..20 {
            stage.put(&format!("Sync/Papers/paper {n}.txt"), 100);
        }
        let drive = stage.open_signed_in().await;
        for space in [Space::Sync, Space::Archive] {
            drive
                .catalog()
                .index(space, &|_| {}, &never())
                .await
                .unwrap();
        }
        drive
            .content()
            .pin(&find(&drive, "Archive/Keep").id, u64::MAX)
            .unwrap();
        drive.content().keep_pins(None, &never()).await.unwrap();
        drive.close().unwrap();
        stage
    }

    fn dir(&self) -> PathBuf {
        self.outer.path().join("drive")
    }

    fn out(&self) -> PathBuf {
        self.outer.path().join("out")
    }

    fn log(&self) -> PathBuf {
        self.outer.path().join("log")
    }

    fn writer(&self) -> Writer {
        self.cloud.writer()
    }

    /// Another client writes a file; a new version if there is one.
    fn put(&mut self, path: &str, size: u64) {
        let content: Vec<u8> = (0..size.div_ceil(8))
            .flat_map(|_| self.chance.u64(..).to_le_bytes())
            .take(size as usize)
            .collect();
        self.writer()
            .put(&format!("/Jotta/{path}"), &content)
            .unwrap();
        self.contents
            .entry(path.to_owned())
            .or_default()
            .push(content);
    }

    async fn open_signed_in(&self) -> Arc<Drive> {
        let drive = self.open();
        let secret = Secret::new(self.cloud.login_token().unwrap());
        drive.account().sign_in(&secret, &never()).await.unwrap();
        drive
    }

    /// Without tokens: whatever it reads is on the device.
    fn open(&self) -> Arc<Drive> {
        Drive::open(DriveOptions::new(
            self.dir(),
            Arc::new(MemoryVault::default()),
        ))
        .unwrap()
    }

    fn churn(&mut self, power: bool) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_churn"));
        command
            .arg(self.dir())
            .arg(self.out())
            .arg(self.chance.u32(..).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if power {
            command.arg(self.log());
        }
        let mut churn = command.spawn().unwrap();
        let token = self.cloud.login_token().unwrap();
        let mut stdin = churn.stdin.take().unwrap();
        stdin.write_all(token.as_bytes()).unwrap();
        churn
    }

    fn kill_after_a_while(&mut self, mut churn: Child, most_ms: u64) {
        let mut lines = BufReader::new(churn.stdout.take().unwrap()).lines();
        let ready = lines.next().map(|line| line.unwrap());
        assert_eq!(ready.as_deref(), Some("ready"), "it has ended by itself");
        std::thread::sleep(Duration::from_millis(self.chance.u64(..most_ms)));
        assert_eq!(churn.try_wait().unwrap(), None, "it has ended by itself");
        churn.kill().unwrap();
        churn.wait().unwrap();
        for line in lines {
            *self.done.entry(line.unwrap()).or_default() += 1;
        }
    }

    /// Something changes on the service now and then.
    fn other_writer(&mut self) {
        match self.chance.u8(..6) {
            0 => {
                let n = self.chance.u64(..3);
                let size = self.chance.u64(1..(4 << 20));
                self.put(&format!("Archive/Films/film {n}.mp4"), size);
            }
            1 => {
                let n = self.chance.u64(..30);
                let size = self.chance.u64(..200_000);
                self.put(&format!("Archive/Small/blåbær {n}.jpg"), size);
            }
            2 => {
                let n = self.chance.u64(..20);
                self.put(&format!("Sync/Papers/paper {n}.txt"), 200);
            }
            _ => {}
        }
    }

    /// What must be so after any kill. `power`: what was not synced may be missing, but nothing may be wrong.
    fn check(&self, power: bool) {
        let drive = self.open();
        self.only_our_files(&drive);
        for folder in ["Archive/Films", "Archive/Small", "Archive/Keep"] {
            for item in files(&drive, folder) {
                let path = format!("{folder}/{}", item.name);
                if folder == "Archive/Keep" {
                    assert_eq!(item.local, LocalCopy::Whole, "{path} is pinned");
                }
                if item.local == LocalCopy::Whole {
                    self.reads_right(&drive, &item, &path, power);
                }
            }
        }
        self.fetched_right(&drive);
        drive.close().unwrap();
        assert_eq!(self.cloud.counts().content_of("Sync"), 0);
    }

    fn reads_right(&self, drive: &Drive, item: &Item, path: &str, power: bool) {
        let reader = drive
            .content()
            .open_reader(&item.id, None, Purpose::Open)
            .unwrap();
        match read_all(&reader) {
            Ok(bytes) => assert!(self.was(path, &bytes), "{path} has other bytes"),
            Err(Error::SignInNeeded { .. }) if power => {}
            Err(error) => panic!("{path} is whole and cannot be read: {error:?}"),
        }
    }

    fn was(&self, path: &str, bytes: &[u8]) -> bool {
        self.contents[path].iter().any(|content| content == bytes)
    }

    /// Whatever has got its name is whole.
    fn fetched_right(&self, drive: &Drive) {
        for path in walk(&self.out()).into_keys() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            // What a copy was going to be renamed from.
            if !name.starts_with('.') {
                let id = ItemId::from_string(name.split('.').next_back().unwrap());
                let chain = drive.catalog().path_of(&id).unwrap();
                let names: Vec<_> = chain.iter().map(|item| item.name.as_str()).collect();
                let bytes = std::fs::read(&path).unwrap();
                assert!(
                    self.was(&names.join("/"), &bytes),
                    "a file that was handed out"
                );
            }
            std::fs::remove_file(path).unwrap();
        }
    }

    /// Nothing is left behind that nobody will look after.
    fn only_our_files(&self, drive: &Drive) {
        let known: HashSet<_> = ["Archive/Films", "Archive/Small", "Archive/Keep"]
            .into_iter()
            .flat_map(|folder| files(drive, folder))
            .map(|item| item.id.to_string())
            .collect();
        for path in walk(&self.dir()).into_keys() {
            let inside = path.strip_prefix(self.dir()).unwrap().to_str().unwrap();
            let ours = match inside.split_once('/') {
                None => {
                    inside.starts_with("journal.db")
                        || inside.starts_with("catalog-")
                        || inside == "pins.lock"
                }
                Some(("slots", name)) => {
                    let id = name.split('-').next().unwrap();
                    (name.ends_with(".data") || name.ends_with(".map")) && known.contains(id)
                }
                Some((folder, _)) => folder == "thumbs",
            };
            assert!(ours, "{inside} was left behind");
        }
    }

    /// From any state on, all is as it should be again; and no lock is left.
    async fn recovers(&mut self) {
        let drive = self.open_signed_in().await;
        drive
            .catalog()
            .index(Space::Archive, &|_| {}, &never())
            .await
            .unwrap();
        let content = drive.content();
        let limits = CacheLimits {
            budget_bytes: 1 << 30,
            free_floor_bytes: 0,
        };
        content.set_limits(limits).unwrap();
        for pin in content.pins().unwrap() {
            if pin.item.kind == Kind::File {
                content.unpin(&pin.item.id, false).unwrap();
            }
        }
        let run = content.keep_pins(None, &never()).await.unwrap();
        assert_eq!((run.missing_files, run.failed.len()), (0, 0), "{run:?}");
        for folder in ["Archive/Films", "Archive/Small"] {
            let files = files(&drive, folder);
            let item = &files[self.chance.usize(..files.len())];
            let dest = self.out().join("one");
            content
                .fetch_to_file(&item.id, None, &dest, Purpose::Open, None, &never())
                .await
                .unwrap();
            let path = format!("{folder}/{}", item.name);
            let newest = self.contents[&path].last().unwrap();
            assert!(std::fs::read(&dest).unwrap() == *newest, "{path}");
            std::fs::remove_file(dest).unwrap();
        }
        let evicted = content.evict(&Space::Archive.root()).unwrap();
        assert_eq!(evicted.kept, 8, "only what is pinned stays");
        let sync = content.ledger().unwrap();
        assert!(sync.iter().all(|row| row.space != Space::Sync), "{sync:?}");
        drive.close().unwrap();
    }
}

fn never() -> CancelToken {
    CancelToken::new()
}

fn find(drive: &Drive, path: &str) -> Item {
    let names: Vec<_> = path.split('/').collect();
    match drive.catalog().find(&names).unwrap() {
        Lookup::Found(item) => item,
        other => panic!("{path}: {other:?}"),
    }
}

fn files(drive: &Drive, folder: &str) -> Vec<Item> {
    let folder = find(drive, folder).id;
    let page = drive
        .catalog()
        .children(&folder, Order::Name, None, 1_000)
        .unwrap();
    page.items
}

fn read_all(reader: &Reader) -> lomme::Result<Vec<u8>> {
    let mut all = Vec::new();
    while (all.len() as u64) < reader.size() {
        let read = reader.read_at(all.len() as u64, 131_072)?;
        assert!(!read.is_empty(), "nothing before the end");
        all.extend(read);
    }
    Ok(all)
}

async fn survives(seed: u64, rounds: u64, power: bool, processes: usize) {
    let mut stage = Stage::new(seed).await;
    for round in 0..rounds {
        stage.other_writer();
        let churns: Vec<_> = (0..processes).map(|_| stage.churn(power)).collect();
        for churn in churns {
            stage.kill_after_a_while(churn, 150);
        }
        if power {
            powercut::cut(&stage.log(), &mut stage.chance).unwrap();
        }
        stage.check(power);
        if round % 10 == 9 {
            stage.recovers().await;
        }
    }
    println!("{:?}", stage.done);
    for thing in [
        "fetched",
        "read",
        "evicted",
        "limited",
        "refreshed",
        "indexed",
        "polled",
        "pinned",
        "unpinned",
    ] {
        let times = stage.done.get(thing).copied().unwrap_or(0);
        assert!(times > rounds / 20, "{thing} {times} times only");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_show_no_wrong_byte_and_lose_no_pin() {
    survives(3, rounds(), false, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_power_cuts_show_no_wrong_byte() {
    survives(5, rounds(), true, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_directory_survive_the_kill_of_both() {
    survives(7, rounds() / 5, false, 2).await;
}
