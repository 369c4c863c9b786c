//! Camera backup of a phone to the local cloud.
#![allow(clippy::unwrap_used)]

mod basics;
mod handover;
mod identity;
mod more;
mod transfers;

use local_cloud::{Cloud, CloudOptions, Switches, Writer};
use lomme::camera::{
    Asset, AssetKind, AssetRules, AssetState, Batch, Budget, Camera, DeviceKind, NewSource, Next,
    Resource, Role, ScanKind, ScanResult, SourceId, Trust,
};
use lomme::clock::{Clock, ManualClock, SystemClock};
use lomme::{CancelToken, Drive};
use lomme_e2e::Pocket;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DEVICE: &str = "Pixel";

/// A phone that is signed in and has a device to back up to, and the cloud.
struct Phone {
    cloud: Cloud,
    pocket: Pocket,
    clock: ManualClock,
}

impl Phone {
    async fn new() -> Self {
        Self::with(Switches::default()).await
    }

    async fn with(switches: Switches) -> Self {
        let cloud = Cloud::start(CloudOptions::default()).unwrap();
        cloud.set_switches(switches).unwrap();
        let phone = Self::of(cloud).await;
        let cancel = CancelToken::new();
        let made = phone
            .camera()
            .create_device(DEVICE, DeviceKind::Android, &cancel);
        made.await.unwrap();
        phone
    }

    /// A phone without a device yet, of an account that is there.
    async fn of(cloud: Cloud) -> Self {
        // Everything here was written long ago.
        let clock = ManualClock::at(SystemClock.now_ms() + 3_600_000);
        let pocket = Pocket::with(|options| options.clock = Arc::new(clock.clone())).unwrap();
        let token = cloud.login_token().unwrap();
        pocket.sign_in(&token).await.unwrap();
        std::fs::create_dir(pocket.outer.path().join("roll")).unwrap();
        Self {
            cloud,
            pocket,
            clock,
        }
    }

    fn drive(&self) -> &Drive {
        &self.pocket.drive
    }

    fn camera(&self) -> &Camera {
        self.drive().camera()
    }

    fn writer(&self) -> Writer {
        self.cloud.writer()
    }

    /// Where the phone's photos are.
    fn roll(&self) -> PathBuf {
        self.pocket.outer.path().join("roll")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.roll().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn library(&self, rules: AssetRules) -> SourceId {
        self.camera()
            .add_source(&source("Camera", None, rules))
            .unwrap()
    }

    fn folder(&self) -> SourceId {
        let roll = self.roll();
        self.camera()
            .add_source(&source("Folder", Some(&roll), AssetRules::default()))
            .unwrap()
    }

    async fn scan_folder(&self, source: SourceId) -> ScanResult {
        self.camera()
            .scan_folder(source, &CancelToken::new())
            .await
            .unwrap()
    }

    /// A full scan that shows these.
    fn scan(&self, source: SourceId, assets: &[Asset]) -> ScanResult {
        self.scan_as(source, assets, Trust::Complete)
    }

    fn scan_as(&self, source: SourceId, assets: &[Asset], trust: Trust) -> ScanResult {
        let camera = self.camera();
        let scan = camera.begin_scan(source, ScanKind::Full).unwrap();
        for page in assets.chunks(500) {
            camera.add_assets(scan.id, page).unwrap();
        }
        camera.commit_scan(scan.id, Some("cursor"), trust).unwrap()
    }

    /// A photo of the library that the core can read.
    fn photo(&self, key: &str, name: &str, content: impl AsRef<[u8]>) -> Asset {
        let path = self.write(&format!("{key}/{name}"), content);
        asset(key, vec![resource("", Role::Photo, name, Some(&path))])
    }

    async fn batch(&self) -> Batch {
        let cancel = CancelToken::new();
        self.camera()
            .run_batch(&Budget::default(), None, &cancel)
            .await
            .unwrap()
    }

    /// Runs until nothing is left.
    async fn back_up(&self) -> Batch {
        let batch = self.batch().await;
        assert_eq!((batch.remaining, batch.next), (0, Next::Idle), "{batch:?}");
        batch
    }

    /// The living files below a mount point of the device, with their contents.
    fn there(&self, mount: &str) -> BTreeMap<String, String> {
        let prefix = format!("/{DEVICE}/{mount}/");
        let all = self.writer().paths(&prefix).unwrap();
        all.into_iter()
            .filter(|entry| entry.deleted.is_none() && entry.is_file && !entry.md5.is_empty())
            .map(|entry| {
                let content = self.writer().read(&entry.path).unwrap();
                let path = entry.path.trim_start_matches(&prefix);
                (
                    path.to_owned(),
                    String::from_utf8_lossy(&content).into_owned(),
                )
            })
            .collect()
    }

    fn state(&self, source: SourceId, key: &str) -> AssetState {
        self.camera().why(source, key).unwrap().state
    }
}

fn source(name: &str, folder: Option<&Path>, rules: AssetRules) -> NewSource {
    NewSource {
        name: name.into(),
        folder: folder.map(Path::to_owned),
        mount: None,
        rules,
        from_now: false,
    }
}

/// 2026-08-09 10:11:12 UTC.
const TAKEN: i64 = 1_786_270_272_000;

fn asset(key: &str, resources: Vec<Resource>) -> Asset {
    Asset {
        key: key.into(),
        resources,
        album: "Camera".into(),
        kinds: vec![AssetKind::Photo],
        taken_ms: Some(TAKEN),
        added_ms: None,
        modified_ms: Some(TAKEN),
        pending: false,
        favourite: false,
        hidden: false,
    }
}

fn resource(key: &str, role: Role, name: &str, path: Option<&Path>) -> Resource {
    Resource {
        key: key.into(),
        role,
        name: name.into(),
        size: path.map(|path| std::fs::metadata(path).unwrap().len()),
        stamp: 1,
        path: path.map(Path::to_owned),
    }
}

fn files<const N: usize>(all: [(&str, &str); N]) -> BTreeMap<String, String> {
    all.into_iter()
        .map(|(path, content)| (path.to_owned(), content.to_owned()))
        .collect()
}
