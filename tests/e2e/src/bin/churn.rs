//! A pocket that does everything at once until it is killed.
//!
//! `churn DIR OUT SEED [LOG]` reads a login token from standard input, does what its seed says in DIR, puts what it fetches
//! into OUT, and never touches content of Sync. With LOG it writes down what is not synced. It prints the name of each thing
//! that it has done.
#![allow(clippy::unwrap_used, reason = "a failed churn fails its test")]

use lomme::account::{MemoryVault, Secret};
use lomme::catalog::{ItemId, Kind, LocalCopy, Lookup, Order, Search, Space};
use lomme::content::{CacheLimits, Hint, Purpose};
use lomme::{CancelToken, Drive, DriveOptions, Error, Profile};
use lomme_e2e::powercut::LoggingDisk;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const TASKS: u64 = 4;

struct Churn {
    drive: Arc<Drive>,
    out: PathBuf,
    cancel: CancelToken,
}

fn main() {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        told(panic);
        std::process::abort();
    }));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut token = String::new();
    std::io::stdin().read_to_string(&mut token).unwrap();
    let mut options = DriveOptions::new(&arguments[0], Arc::new(MemoryVault::default()));
    options.profile = Profile::Extension;
    if let Some(log) = arguments.get(3) {
        options.disk = Arc::new(LoggingDisk::new(Path::new(log)).unwrap());
    }
    let seed: u64 = arguments[2].parse().unwrap();
    let churn = Arc::new(Churn {
        drive: Drive::open(options).unwrap(),
        out: PathBuf::from(&arguments[1]),
        cancel: CancelToken::new(),
    });
    lomme::runtime().block_on(async {
        let secret = Secret::new(token.trim());
        let signed_in = churn.drive.account().sign_in(&secret, &churn.cancel).await;
        signed_in.unwrap();
        println!("ready");
        std::io::stdout().flush().unwrap();
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                let churn = churn.clone();
                let chance = fastrand::Rng::with_seed(seed * TASKS + n);
                tokio::spawn(async move { churn.run(chance).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

impl Churn {
    async fn run(&self, mut chance: fastrand::Rng) {
        for n in 0_u64.. {
            let done = self.step(&mut chance, n).await;
            match done {
                Ok(name) => {
                    println!("{name}");
                }
                // Another task has taken it away or holds it, or a fetch met an eviction.
                Err(
                    Error::NotKnown { .. }
                    | Error::NoSuchItem { .. }
                    | Error::NotAllowed { .. }
                    | Error::StoreBusy
                    | Error::VersionGone
                    | Error::Cancelled,
                ) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    async fn step(&self, chance: &mut fastrand::Rng, n: u64) -> lomme::Result<&'static str> {
        let (catalog, content) = (self.drive.catalog(), self.drive.content());
        Ok(match chance.u8(..12) {
            0..=2 => {
                let file = self.file(chance)?;
                let name = format!("{}-{}-{n}", std::process::id(), chance.u32(..));
                let dest = self.out.join(format!("{name}.{file}"));
                let fetch =
                    content.fetch_to_file(&file, None, &dest, Purpose::Open, None, &self.cancel);
                fetch.await?;
                "fetched"
            }
            3..=5 => {
                let reader = content.open_reader(&self.file(chance)?, None, Purpose::Stream)?;
                let mut chance = chance.fork();
                let read = move || {
                    reader.hint(if chance.bool() {
                        Hint::Random
                    } else {
                        Hint::Unknown
                    });
                    let mut at = chance.u64(..reader.size().max(1));
                    for _ in 0..chance.u8(1..8) {
                        let read = reader.read_at(at, 65_536)?;
                        at = if read.is_empty() {
                            0
                        } else {
                            at + read.len() as u64
                        };
                    }
                    Ok::<_, Error>(())
                };
                tokio::task::spawn_blocking(read).await.unwrap()?;
                "read"
            }
            6 => {
                content.evict(&self.file(chance)?)?;
                "evicted"
            }
            7 => {
                let budget_bytes = chance.u64(..(12 << 20));
                let limits = CacheLimits {
                    budget_bytes,
                    free_floor_bytes: 0,
                };
                content.set_limits(limits)?;
                "limited"
            }
            8 => {
                let folder = self.folder(chance)?;
                catalog.refresh(&folder, &self.cancel).await?;
                "refreshed"
            }
            9 => {
                let space = Space::ALL[chance.usize(..Space::ALL.len())];
                catalog.index(space, &|_| {}, &self.cancel).await?;
                "indexed"
            }
            10 => {
                catalog.search(&Search::new(["fil", "e", "å", "keep"][chance.usize(..4)]))?;
                let budget = Duration::from_millis(20);
                self.drive.poll(budget, &self.cancel).await?;
                "polled"
            }
            _ => {
                let file = self.file(chance)?;
                if chance.bool() {
                    content.pin(&file, u64::MAX)?;
                    content.keep_pins(None, &self.cancel).await?;
                    "pinned"
                } else {
                    content.unpin(&file, chance.bool())?;
                    "unpinned"
                }
            }
        })
    }

    fn folder(&self, chance: &mut fastrand::Rng) -> lomme::Result<ItemId> {
        let names = [
            ["Sync", "Papers"],
            ["Archive", "Films"],
            ["Archive", "Small"],
        ];
        self.found(&names[chance.usize(..3)])
    }

    /// A file of Archive, but for the folder that stays pinned.
    fn file(&self, chance: &mut fastrand::Rng) -> lomme::Result<ItemId> {
        let folder = self.found(&["Archive", ["Films", "Small"][chance.usize(..2)]])?;
        let page = self
            .drive
            .catalog()
            .children(&folder, Order::Name, None, 1_000)?;
        let files: Vec<_> = page
            .items
            .into_iter()
            .filter(|item| item.kind == Kind::File)
            // What is here as a whole is as likely to be taken again as what is not.
            .filter(|item| item.local != LocalCopy::Whole || chance.bool())
            .collect();
        if files.is_empty() {
            return Err(Error::StoreBusy);
        }
        Ok(files[chance.usize(..files.len())].id.clone())
    }

    fn found(&self, names: &[&str]) -> lomme::Result<ItemId> {
        match self.drive.catalog().find(names)? {
            Lookup::Found(item) => Ok(item.id),
            _ => Err(Error::StoreBusy),
        }
    }
}
