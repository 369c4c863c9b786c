//! A kill at every step, in one process: after the step nothing is committed and nothing is sent.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions};
use lomme::catalog::Space;
use lomme::{CancelToken, Drive};
use lomme_e2e::{MortalDisk, Pocket};
use std::sync::Arc;

#[tokio::test]
async fn once_the_disk_is_dead_nothing_is_committed_and_nothing_is_sent() {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    cloud.writer().put("/Jotta/Sync/a.txt", b"a").unwrap();
    let disk = MortalDisk::default();
    let mut pocket = Pocket::with(|options| options.disk = Arc::new(disk.clone())).unwrap();
    pocket.sign_in(&cloud.login_token().unwrap()).await.unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let id = pocket.item("Sync/a.txt").unwrap().id;

    disk.die_after(0);
    cloud.reset_counts();
    assert!(pocket.drive.catalog().set_favourite(&id, true).is_err());
    let root = Space::Sync.root();
    let asked = pocket
        .drive
        .catalog()
        .refresh(&root, &CancelToken::new())
        .await;
    assert!(asked.is_err());
    assert_eq!(cloud.counts().requests.values().sum::<u64>(), 0);

    pocket.options.disk = Arc::new(disk.again());
    let _ = pocket.drive.close();
    pocket.drive = Drive::open(pocket.options.clone()).unwrap();
    assert_eq!(pocket.drive.catalog().favourites().unwrap(), []);
    pocket.drive.catalog().set_favourite(&id, true).unwrap();
    pocket.index(Space::Sync).await.unwrap();
}
