//! One life, from one number: what the phone, its owner and the system do, one call after the other.

use crate::check;
use crate::roll::{ALBUMS, Roll};
use local_cloud::{Cloud, CloudOptions, Rule};
use lomme::account::MemoryVault;
use lomme::camera::{
    AfterUpload, AssetRules, Budget, Camera, DeviceKind, ExportFailure, NewSource, ProofFile,
    ScanKind, SourceId, Trust, UploadPlan,
};
use lomme::clock::{Clock, ManualClock, SystemClock};
use lomme::{CancelToken, Drive, DriveOptions};
use lomme_e2e::{MortalDisk, faults, system};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;
use tempfile::TempDir;

pub const DEVICE: &str = "Phone";
pub const MOUNT: &str = "Camera";

pub struct World {
    pub cloud: Cloud,
    pub roll: Roll,
    pub clock: ManualClock,
    pub random: fastrand::Rng,
    pub disk: MortalDisk,
    pub options: DriveOptions,
    pub drive: Arc<Drive>,
    pub source: SourceId,
    pub rules: AssetRules,
    /// What a person has deleted in the cloud.
    pub deleted: BTreeSet<Vec<u8>>,
    /// What was in the cloud at any look: nothing of it may go by itself.
    pub seen: BTreeSet<Vec<u8>>,
    /// What the system was handed and has not ended.
    plans: Vec<UploadPlan>,
    pub outer: TempDir,
    drives: u64,
    loud: bool,
    _cloud_directory: TempDir,
}

/// Lives the life of `seed`; the error says what was wrong in the end.
pub fn live(seed: u64, loud: bool) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut world = World::new(seed, loud).await;
        for _ in 0..world.random.usize(10..50) {
            world.step().await?;
        }
        check::all(&mut world).await
    })
}

impl World {
    async fn new(seed: u64, loud: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let directory = tempfile::tempdir().unwrap();
        let cloud = Cloud::start(CloudOptions {
            directory: Some(directory.path().to_owned()),
            switches: faults::switches(&mut random),
            ..CloudOptions::default()
        })
        .unwrap();
        let outer = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(SystemClock.now_ms() + 3_600_000);
        let disk = MortalDisk::default();
        let mut options = DriveOptions::new(
            outer.path().join("drive 0"),
            Arc::new(MemoryVault::default()),
        );
        options.clock = Arc::new(clock.clone());
        options.disk = Arc::new(disk.clone());
        let drive = Drive::open(options.clone()).unwrap();
        let roll = Roll::new(&outer.path().join("roll"));
        let mut world = Self {
            cloud,
            roll,
            clock,
            random,
            disk,
            options,
            drive,
            source: 0,
            rules: AssetRules::default(),
            deleted: BTreeSet::new(),
            seen: BTreeSet::new(),
            plans: Vec::new(),
            outer,
            drives: 0,
            loud,
            _cloud_directory: directory,
        };
        world.sign_in().await;
        let cancel = CancelToken::new();
        let made = world
            .camera()
            .create_device(DEVICE, DeviceKind::Android, &cancel)
            .await;
        made.unwrap();
        world.add_source();
        for _ in 0..world.random.usize(1..6) {
            world.roll.add(&mut world.random);
        }
        world
    }

    pub fn camera(&self) -> &Camera {
        self.drive.camera()
    }

    pub async fn sign_in(&self) {
        let token = lomme::account::Secret::new(self.cloud.login_token().unwrap());
        let _ = self
            .drive
            .account()
            .sign_in(&token, &CancelToken::new())
            .await;
    }

    fn add_source(&mut self) {
        let new = NewSource {
            name: MOUNT.into(),
            folder: None,
            mount: None,
            rules: self.rules.clone(),
            from_now: false,
        };
        if let Ok(source) = self.camera().add_source(&new) {
            self.source = source;
        } else if let Ok(sources) = self.camera().sources() {
            self.source = sources.first().map_or(0, |source| source.id);
        }
    }

    pub fn say(&self, what: impl FnOnce() -> String) {
        if self.loud {
            eprintln!("{}", what());
        }
    }

    pub async fn step(&mut self) -> Result<(), String> {
        let told = match self.random.u8(..32) {
            0..=4 => {
                self.roll.add(&mut self.random);
                "a new photo".into()
            }
            5 | 6 => format!("edit {:?}", self.roll.edit(&mut self.random)),
            7 => match self.roll.any(&mut self.random) {
                Some(at) => format!("deleted here: {}", self.roll.remove(at).id),
                None => "nothing to delete".into(),
            },
            8 => {
                self.roll.renumber();
                "the card was out and is in".into()
            }
            9..=13 => text(self.scan()),
            14..=19 => {
                let time_ms = (self.random.u8(..3) == 0).then(|| self.random.u64(..50));
                let budget = Budget {
                    time_ms,
                    bytes: None,
                };
                let run = self
                    .camera()
                    .run_batch(&budget, None, &CancelToken::new())
                    .await;
                format!("run: {run:?}")
            }
            20 | 21 => self.provide(),
            22 => self.hand_over().await,
            23 => self.system().await,
            24 => {
                let what = faults::add(&self.cloud, &mut self.random);
                format!("fault: {what}")
            }
            25 => match self.random.u8(..3) {
                0 => {
                    self.cloud
                        .trouble()
                        .add(Rule::on("get").wrong_hash().once());
                    "the service lies about a hash".into()
                }
                _ => format!(
                    "account: {}",
                    faults::account(&self.cloud, &mut self.random)
                ),
            },
            26 => {
                let steps = self.random.u64(..40);
                self.disk.die_after(steps);
                format!("will die after {steps} steps")
            }
            27 => {
                let ms = [-3_600_000, 1_000, 60_000, 86_400_000][self.random.usize(..4)];
                self.clock.advance(ms);
                format!("clock: {ms}")
            }
            28 => self.delete_in_the_cloud(),
            29 => self.other_rules(),
            30 => match self.random.u8(..3) {
                0 => self.reinstall().await,
                1 => text(self.camera().adopt(&CancelToken::new()).await),
                _ => text(self.camera().audit(5, &CancelToken::new()).await),
            },
            _ => {
                self.sign_in().await;
                text(self.camera().retry(None))
            }
        };
        self.say(|| told);
        if self.disk.is_dead() {
            self.next_process();
        }
        self.look()
    }

    /// Remembers what the cloud has; nothing that a person has not deleted may go.
    pub fn look(&mut self) -> Result<(), String> {
        let now = self.there();
        let lost = self.seen.iter().find(|bytes| {
            !self.deleted.contains(*bytes) && !now.iter().any(|(_, there)| there == *bytes)
        });
        if let Some(lost) = lost {
            let text = String::from_utf8_lossy(&lost[..lost.len().min(20)]).into_owned();
            return Err(format!("{text:?} was in the cloud, and is not any more"));
        }
        self.seen.extend(now.into_iter().map(|(_, bytes)| bytes));
        Ok(())
    }

    /// The living files of the device.
    pub fn there(&self) -> Vec<(String, Vec<u8>)> {
        let writer = self.cloud.writer();
        let all = writer.paths(&format!("/{DEVICE}")).unwrap();
        all.into_iter()
            .filter(|entry| entry.is_file && entry.deleted.is_none() && !entry.md5.is_empty())
            .map(|entry| {
                let bytes = writer.read(&entry.path).unwrap();
                (entry.path, bytes)
            })
            .collect()
    }

    /// A scan as the platform makes them: of all, of a part because access was narrowed, or one that a kill ends.
    fn scan(&mut self) -> lomme::Result<String> {
        let mut assets = self.roll.assets();
        let mut trust = Trust::Complete;
        if self.random.u8(..4) == 0 {
            trust = Trust::Partial;
            assets.retain(|_| self.random.bool());
        }
        let scan = self.camera().begin_scan(self.source, ScanKind::Full)?;
        for page in assets.chunks(3) {
            self.camera().add_assets(scan.id, page)?;
            if self.random.u8(..20) == 0 {
                return Ok("scan left in the middle".into());
            }
        }
        let result = self.camera().commit_scan(scan.id, Some("cursor"), trust)?;
        Ok(format!("scan {trust:?}: {result:?}"))
    }

    /// A complete scan.
    pub fn scan_all(&self) -> lomme::Result<()> {
        let scan = self.camera().begin_scan(self.source, ScanKind::Full)?;
        for page in self.roll.assets().chunks(100) {
            self.camera().add_assets(scan.id, page)?;
        }
        self.camera()
            .commit_scan(scan.id, None, Trust::Complete)
            .map(drop)
    }

    /// What was asked for is given, or cannot be.
    pub fn provide(&mut self) -> String {
        let requests = match self.camera().export_requests(5) {
            Ok(requests) => requests,
            Err(error) => return format!("no requests: {error}"),
        };
        let mut told = Vec::new();
        for request in requests {
            let photo = self
                .roll
                .photos
                .iter()
                .find(|photo| photo.id.to_string() == request.asset);
            let role: u8 = request.resource.parse().unwrap();
            let path = photo
                .map(|photo| self.roll.path(photo, role))
                .filter(|path| path.exists());
            let Some(path) = path else {
                told.push(text(
                    self.camera().export_failed(request.id, ExportFailure::Gone),
                ));
                continue;
            };
            if self.random.u8(..6) == 0 {
                let why = [ExportFailure::NotLocal, ExportFailure::Changed][self.random.usize(..2)];
                told.push(text(self.camera().export_failed(request.id, why)));
                continue;
            }
            let given = self.outer.path().join("given");
            std::fs::copy(&path, &given).unwrap();
            let take = self.random.bool();
            told.push(text(self.camera().provide(request.id, &given, take)));
        }
        format!("provide: {told:?}")
    }

    async fn hand_over(&mut self) -> String {
        let plans = self.camera().plan_uploads(3, &CancelToken::new()).await;
        match plans {
            Ok(plans) => {
                let told = format!("planned: {plans:?}");
                for plan in &plans {
                    let _ = self.camera().note_upload(&plan.id, "task");
                }
                self.plans.extend(plans);
                told
            }
            Err(error) => format!("not planned: {error}"),
        }
    }

    /// The system runs one of its tasks, or loses some.
    async fn system(&mut self) -> String {
        if self.plans.is_empty() || self.random.u8(..4) == 0 {
            let lost = self.random.usize(..=self.plans.len());
            self.plans.truncate(lost);
            let live: Vec<String> = self.plans.iter().map(|plan| plan.id.clone()).collect();
            return text(self.camera().reconcile_uploads(&live));
        }
        let at = self.random.usize(..self.plans.len());
        let plan = match self.random.u8(..4) {
            0 => self.plans[at].clone(),
            _ => self.plans.swap_remove(at),
        };
        let end = system::run(&plan).await;
        let after: lomme::Result<AfterUpload> = self.camera().settle_upload(&plan.id, end);
        format!("system: {end:?}, {after:?}")
    }

    fn delete_in_the_cloud(&mut self) -> String {
        let there = self.there();
        if there.is_empty() {
            return "nothing there to delete".into();
        }
        let (path, bytes) = there[self.random.usize(..there.len())].clone();
        let writer = self.cloud.writer();
        let done = match self.random.bool() {
            true => writer.trash(&path),
            false => writer.remove(&path),
        };
        self.deleted.insert(bytes);
        format!("a person deletes {path}: {done:?}")
    }

    fn other_rules(&mut self) -> String {
        let rules = AssetRules {
            without_albums: match self.random.u8(..3) {
                0 => vec![ALBUMS[self.random.usize(..ALBUMS.len())].into()],
                _ => Vec::new(),
            },
            with_hidden: self.random.bool(),
            ..AssetRules::default()
        };
        let done = self.camera().set_source_rules(self.source, &rules);
        // A kill may have left the new ones, judged in part: the last that was asked for counts, and is set again.
        self.rules = rules;
        format!("rules: {done:?}")
    }

    /// All that the phone knew is gone; the person says which device is theirs.
    async fn reinstall(&mut self) -> String {
        let drive = self.drive.clone();
        let _ = tokio::task::spawn_blocking(move || drive.close()).await;
        self.drives += 1;
        self.disk = MortalDisk::default();
        self.options.directory = self.outer.path().join(format!("drive {}", self.drives));
        self.options.disk = Arc::new(self.disk.clone());
        self.options.vault = Arc::new(MemoryVault::default());
        self.drive = Drive::open(self.options.clone()).unwrap();
        self.plans.clear();
        self.sign_in().await;
        self.add_source();
        text(
            self.camera()
                .claim_device(DEVICE, &CancelToken::new())
                .await,
        )
    }

    pub fn next_process(&mut self) {
        // What a dead process has leased is free again only then.
        self.clock.advance(120_000);
        let next = self.disk.again();
        let drive = self.drive.clone();
        // Not on this thread: what ends only now, ends on it.
        std::thread::spawn(move || drive.close())
            .join()
            .unwrap()
            .ok();
        self.disk = next;
        self.options.disk = Arc::new(self.disk.clone());
        self.drive = Drive::open(self.options.clone()).unwrap();
        self.say(|| "the next process".into());
    }

    /// Files for a proof, as the platform would give them.
    pub fn proof_files(&self, id: u64) -> Vec<ProofFile> {
        let photo = self
            .roll
            .photos
            .iter()
            .find(|photo| photo.id == id)
            .unwrap();
        let files = photo.files.keys().map(|role| ProofFile {
            resource: role.to_string(),
            path: self.roll.path(photo, *role),
        });
        files.collect()
    }
}

fn text<T: Debug>(done: lomme::Result<T>) -> String {
    match done {
        Ok(done) => format!("{done:?}"),
        Err(error) => format!("failed: {error}"),
    }
}
