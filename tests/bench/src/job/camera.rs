//! Backs up a folder of photos as an app would, and offers a large library where there is no network.

use super::{growth::growth_of, situation};
use lomme::camera::{
    Asset, AssetKind, AssetRules, Batch, Budget, DeviceKind, NewSource, Next, Resource, Role,
    ScanKind, SourceId, Trust,
};
use lomme::content::Network;
use lomme::{CancelToken, Drive};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Most assets that may be offered at once.
const PAGE: u64 = 500;
/// Photos in one folder.
pub const IN_A_FOLDER: u64 = 1_000;

/// Scans the folder `source` and runs until nothing is left, after it went to a `new` device, claimed one that is there (`claim`),
/// or was there before (`again`).
pub fn back_up(drive: &Drive, how: &str, device: &str, source: &Path) -> Value {
    let (camera, cancel) = (drive.camera(), CancelToken::new());
    let run = lomme::runtime();
    let start = Instant::now();
    let mut adopted = 0;
    let folder = match how {
        "again" => camera.sources().unwrap()[0].id,
        "claim" => {
            let folder = add(drive, Some(source));
            let claimed = run.block_on(camera.claim_device(device, &cancel)).unwrap();
            adopted = claimed.adopted;
            folder
        }
        _ => {
            make_device(drive, device);
            add(drive, Some(source))
        }
    };
    let begun_s = start.elapsed().as_secs_f64();
    let found = run.block_on(camera.scan_folder(folder, &cancel)).unwrap();
    let scanned_s = start.elapsed().as_secs_f64() - begun_s;
    let (mut done, mut read) = (0, 0);
    loop {
        let batch = slice(drive);
        done += batch.done;
        read += batch.read;
        match batch.next {
            Next::Idle => break,
            Next::Now => {}
            Next::After { ms } => std::thread::sleep(Duration::from_millis(ms)),
            _ => panic!("{batch:?}"),
        }
    }
    let status = camera.status().unwrap();
    json!({
        "begun_s": begun_s,
        "scanned_s": scanned_s,
        "ran_s": start.elapsed().as_secs_f64() - begun_s - scanned_s,
        "adopted": adopted,
        "seen": found.seen,
        "done": done,
        "read": read,
        "there": status.verified.items + status.listed.items,
    })
}

/// Offers `photos` photos of `source` in pages, asks what would be backed up and how it stands, and runs once without a network:
/// all are read and get their place. The device is there before the count begins, and with that the connection is up.
pub fn library(drive: &Drive, device: &str, source: &Path, photos: u64) -> Value {
    let camera = drive.camera();
    make_device(drive, device);
    let library = add(drive, None);
    drive.set_situation(situation(Network::Offline)).unwrap();
    let mut times = Vec::new();
    let mut told = growth_of(0, || {
        let start = Instant::now();
        let scan = camera.begin_scan(library, ScanKind::Full).unwrap();
        for first in (0..photos).step_by(PAGE as usize) {
            let page = first..photos.min(first + PAGE);
            let page: Vec<_> = page.map(|number| photo(source, number)).collect();
            camera.add_assets(scan.id, &page).unwrap();
        }
        let found = camera
            .commit_scan(scan.id, Some("cursor"), Trust::Complete)
            .unwrap();
        assert_eq!(found.added, photos);
        times.push(start.elapsed().as_secs_f64());
        let preview = camera.preview(library, &AssetRules::default()).unwrap();
        assert_eq!(preview.items, photos);
        assert_eq!(camera.status().unwrap().to_read.items, photos);
        times.push(start.elapsed().as_secs_f64());
        let batch = slice(drive);
        assert_eq!((batch.read, batch.remaining), (photos, photos), "{batch:?}");
        assert_eq!(batch.next, Next::WhenOnline, "{batch:?}");
        assert_eq!(camera.status().unwrap().to_send.items, photos);
        times.push(start.elapsed().as_secs_f64());
    });
    told["offered_s"] = json!(times[0]);
    told["asked_s"] = json!(times[1] - times[0]);
    told["ran_s"] = json!(times[2] - times[1]);
    told
}

fn make_device(drive: &Drive, device: &str) {
    let (camera, cancel) = (drive.camera(), CancelToken::new());
    let made = camera.create_device(device, DeviceKind::Android, &cancel);
    lomme::runtime().block_on(made).unwrap();
}

fn add(drive: &Drive, folder: Option<&Path>) -> SourceId {
    let source = NewSource {
        name: MOUNT.into(),
        folder: folder.map(Path::to_owned),
        mount: None,
        rules: AssetRules::default(),
        from_now: false,
    };
    drive.camera().add_source(&source).unwrap()
}

/// The source, and the mount point in the cloud.
pub const MOUNT: &str = "Photos";

fn slice(drive: &Drive) -> Batch {
    let (budget, cancel) = (Budget::default(), CancelToken::new());
    let slice = drive.camera().run_batch(&budget, None, &cancel);
    lomme::runtime().block_on(slice).unwrap()
}

/// Where a photo of the library is, below its source.
pub fn place(number: u64) -> PathBuf {
    let folder = format!("folder {:03}", number / IN_A_FOLDER);
    Path::new(&folder).join(format!("IMG_{number:06}.JPG"))
}

fn photo(source: &Path, number: u64) -> Asset {
    // 1 June 2015, and one every ten minutes since.
    let taken = 1_433_116_800_000 + number as i64 * 600_000;
    let path = source.join(place(number));
    Asset {
        key: format!("content://media/external/images/media/{number}"),
        resources: vec![Resource {
            key: String::new(),
            role: Role::Photo,
            name: format!("IMG_{number:06}.JPG"),
            size: Some(path.metadata().unwrap().len()),
            stamp: 1,
            path: Some(path),
        }],
        album: format!("Album {}", number % 40),
        kinds: vec![AssetKind::Photo],
        taken_ms: Some(taken),
        added_ms: Some(taken),
        modified_ms: Some(taken),
        pending: false,
        favourite: false,
        hidden: false,
    }
}
