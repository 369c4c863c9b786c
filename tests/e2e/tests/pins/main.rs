//! What is pinned comes, stays and follows the rules; what is not pinned makes room.
#![allow(clippy::unwrap_used, missing_docs)]

mod keeping;
mod room;

use local_cloud::{BulkFile, Cloud, CloudOptions};
use lomme::catalog::{Item, LocalCopy};
use lomme::clock::ManualClock;
use lomme::conditions::Situation;
use lomme::content::{CacheLimits, Network, PinRun, Purpose};
use lomme::{CancelToken, Drive};
use lomme_e2e::{Pocket, TightDisk};
use std::sync::Arc;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const NOV_2026: i64 = 1_795_600_000_000;

fn cloud() -> Cloud {
    Cloud::start(CloudOptions::default()).unwrap()
}

fn put(cloud: &Cloud, path: &str, seed: u64, size: u64) {
    let file = BulkFile {
        path: format!("/Jotta/{path}"),
        seed,
        size,
        created: 1_700_000_000_000,
        modified: 1_700_000_000_000 + seed as i64 * 1000,
    };
    cloud.writer().put_many([file]).unwrap();
}

/// `Sync/Trip` with three files, one of them in a folder below, and `Sync/Other` beside it.
fn trip() -> Cloud {
    let cloud = cloud();
    put(&cloud, "Sync/Trip/ticket.pdf", 1, 300 * KIB);
    put(&cloud, "Sync/Trip/map.png", 2, 3 * MIB);
    put(&cloud, "Sync/Trip/Hotel/voucher.txt", 3, 700);
    put(&cloud, "Sync/Other/film.mp4", 4, 2 * MIB);
    cloud
}

const TRIP_BYTES: u64 = 300 * KIB + 3 * MIB + 700;

struct Phone {
    pocket: Pocket,
    clock: ManualClock,
    disk: TightDisk,
}

impl Phone {
    async fn at(cloud: &Cloud) -> Self {
        let (clock, disk) = (ManualClock::at(NOV_2026), TightDisk::new(1 << 40));
        let (told, tight) = (clock.clone(), disk.clone());
        let pocket = Pocket::with(|options| {
            options.clock = Arc::new(told);
            options.disk = Arc::new(tight);
        })
        .unwrap();
        pocket.sign_in(&cloud.login_token().unwrap()).await.unwrap();
        let phone = Self {
            pocket,
            clock,
            disk,
        };
        phone.refresh("Sync").await;
        phone
    }

    async fn refresh(&self, path: &str) {
        let id = self.item(path).id;
        self.drive()
            .catalog()
            .refresh(&id, &CancelToken::new())
            .await
            .unwrap();
    }

    fn drive(&self) -> &Arc<Drive> {
        &self.pocket.drive
    }

    fn item(&self, path: &str) -> Item {
        self.pocket.item(path).unwrap()
    }

    fn local(&self, path: &str) -> LocalCopy {
        self.item(path).local
    }

    fn pin(&self, path: &str) {
        let id = self.item(path).id;
        self.drive().content().pin(&id, u64::MAX).unwrap();
    }

    async fn keep(&self) -> PinRun {
        self.drive()
            .content()
            .keep_pins(None, &CancelToken::new())
            .await
            .unwrap()
    }

    async fn fetch(&self, path: &str) -> lomme::Result<Vec<u8>> {
        let dest = self.pocket.outer.path().join("out");
        self.drive()
            .content()
            .fetch_to_file(
                &self.item(path).id,
                None,
                &dest,
                Purpose::Open,
                None,
                &CancelToken::new(),
            )
            .await?;
        Ok(std::fs::read(dest).unwrap())
    }

    /// Reads a file through a reader, from where it is on the device.
    async fn read(&self, path: &str) -> lomme::Result<Vec<u8>> {
        let id = self.item(path).id;
        let drive = self.drive().clone();
        tokio::task::spawn_blocking(move || {
            let reader = drive.content().open_reader(&id, None, Purpose::Open)?;
            let mut all = Vec::new();
            while (all.len() as u64) < reader.size() {
                all.extend(reader.read_at(all.len() as u64, 131_072)?);
            }
            Ok(all)
        })
        .await
        .unwrap()
    }

    fn limit(&self, budget_bytes: u64, free_floor_bytes: u64) {
        self.drive()
            .content()
            .set_limits(CacheLimits {
                budget_bytes,
                free_floor_bytes,
            })
            .unwrap();
    }

    /// Bytes in the ledger, by purpose.
    fn ledger(&self, purpose: Purpose) -> u64 {
        let rows = self.drive().content().ledger().unwrap();
        rows.iter()
            .filter(|row| row.purpose == purpose)
            .map(|row| row.bytes)
            .sum()
    }

    fn be(&self, network: Network) {
        let situation = Situation {
            network,
            ..Situation::default()
        };
        self.drive().set_situation(situation).unwrap();
    }
}
