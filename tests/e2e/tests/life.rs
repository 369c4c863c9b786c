//! Pauses, kills and power cuts.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::{Cloud, CloudOptions, Rule};
use lomme::catalog::Space;
use lomme::content::Purpose;
use lomme::{CancelToken, Drive, Error};
use lomme_e2e::{ForgetfulDisk, Pocket, blocks_here};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const FILM: u64 = 24 << 20;

fn cloud_with_a_film() -> Cloud {
    let cloud = Cloud::start(CloudOptions::default()).unwrap();
    cloud
        .writer()
        .put_generated("/Jotta/Sync/film.mp4", 7, FILM, 1_700_000_000_000)
        .unwrap();
    cloud
}

fn is_the_film(cloud: &Cloud, path: &Path) -> bool {
    std::fs::read(path).unwrap() == cloud.writer().read("/Jotta/Sync/film.mp4").unwrap()
}

/// Open files of this process below `dir`.
fn open_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let dir = dir.canonicalize().unwrap();
    std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok())
        .filter(|path| path.starts_with(&dir))
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_in_mid_download_leaves_no_open_file_and_a_resume_goes_on() {
    let cloud = cloud_with_a_film();
    let pocket = Arc::new(
        Pocket::signed_in(&cloud.login_token().unwrap())
            .await
            .unwrap(),
    );
    pocket.index(Space::Sync).await.unwrap();
    let id = pocket.item("Sync/film.mp4").unwrap().id;
    let dest = pocket.outer.path().join("film");
    cloud
        .trouble()
        .add(Rule::on("bin").bytes_per_second(4 << 20));
    let (running, film, to) = (pocket.clone(), id.clone(), dest.clone());
    let download = tokio::spawn(async move {
        running
            .drive
            .content()
            .fetch_to_file(&film, None, &to, Purpose::Open, None, &CancelToken::new())
            .await
    });
    let slots = pocket.slots();
    wait_until(|| blocks_here(&slots) > 16).await;
    assert!(!open_below(pocket.outer.path()).is_empty());

    let (drive, asked) = (pocket.drive.clone(), Instant::now());
    tokio::task::spawn_blocking(move || drive.pause(Duration::from_secs(5)))
        .await
        .unwrap()
        .unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5));
    assert_eq!(
        open_below(pocket.outer.path()),
        Vec::<std::path::PathBuf>::new()
    );
    assert_eq!(download.await.unwrap(), Err(Error::Paused));
    assert_eq!(pocket.drive.catalog().roots(), Err(Error::Paused));
    assert!(!dest.exists());

    cloud.trouble().clear();
    pocket.drive.resume().unwrap();
    let got = pocket
        .drive
        .content()
        .fetch_to_file(&id, None, &dest, Purpose::Open, None, &CancelToken::new())
        .await
        .unwrap();
    assert!(got.fetched < FILM, "the bytes before the pause were kept");
    assert!(is_the_film(&cloud, &dest));
}

#[test]
fn pauses_and_resumes_that_race_leave_the_drive_as_the_last_one_said() {
    let pocket = Pocket::new().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    pocket.drive.pause(Duration::from_secs(5)).unwrap();
                    pocket.drive.resume().unwrap();
                }
            });
        }
    });
    pocket.drive.resume().unwrap();
    assert_eq!(pocket.drive.catalog().roots().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_ends_what_runs_so_that_nothing_of_the_old_account_comes_in_after_it() {
    let cloud = cloud_with_a_film();
    let pocket = Arc::new(
        Pocket::signed_in(&cloud.login_token().unwrap())
            .await
            .unwrap(),
    );
    cloud.reset_counts();
    cloud
        .trouble()
        .add(Rule::on("liststream").delay(Duration::from_secs(60)));
    let running = pocket.clone();
    let index = tokio::spawn(async move { running.index(Space::Sync).await });
    wait_until(|| cloud.counts().requests.contains_key("liststream")).await;
    let drive = pocket.drive.clone();
    tokio::task::spawn_blocking(move || drive.sign_out())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(index.await.unwrap(), Err(Error::Paused));
    assert_eq!(pocket.drive.status().unwrap().items, [0; 4]);
    assert!(pocket.item("Sync/film.mp4").is_err());
    cloud.trouble().clear();
    pocket.sign_in(&cloud.login_token().unwrap()).await.unwrap();
    pocket.index(Space::Sync).await.unwrap();
    assert_eq!(pocket.item("Sync/film.mp4").unwrap().size, Some(FILM));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_drive_says_so_and_another_opens_the_same_directory() {
    let cloud = cloud_with_a_film();
    let mut pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let id = pocket.item("Sync/film.mp4").unwrap().id;
    pocket.drive.close().unwrap();
    pocket.drive.close().unwrap();
    assert_eq!(pocket.drive.resume(), Err(Error::Closed));
    assert!(pocket.drive.catalog().roots().is_err());
    pocket.reopen().unwrap();
    assert_eq!(pocket.item("Sync/film.mp4").unwrap().id, id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_drives_on_one_directory_see_each_others_work() {
    let cloud = cloud_with_a_film();
    let pocket = Pocket::signed_in(&cloud.login_token().unwrap())
        .await
        .unwrap();
    let second = Drive::open(pocket.options.clone()).unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let item = pocket.item("Sync/film.mp4").unwrap();
    assert_eq!(
        second.catalog().item(&item.id).unwrap(),
        lomme::catalog::Lookup::Found(item.clone())
    );
    let (one, two) = (
        pocket.outer.path().join("one"),
        pocket.outer.path().join("two"),
    );
    let cancel = CancelToken::new();
    let (first, other) = tokio::join!(
        pocket
            .drive
            .content()
            .fetch_to_file(&item.id, None, &one, Purpose::Open, None, &cancel),
        second
            .content()
            .fetch_to_file(&item.id, None, &two, Purpose::Open, None, &cancel),
    );
    first.unwrap();
    other.unwrap();
    assert!(is_the_film(&cloud, &one) && is_the_film(&cloud, &two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_download_is_continued_by_another_process() {
    let cloud = cloud_with_a_film();
    let outer = tempfile::tempdir().unwrap();
    let (dir, dest) = (outer.path().join("drive"), outer.path().join("film"));
    cloud
        .trouble()
        .add(Rule::on("bin").bytes_per_second(6 << 20));
    let mut first = probe_get(&cloud, &dir, &dest);
    wait_until(|| blocks_here(&dir.join("slots")) > 64).await;
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!dest.exists());
    cloud.trouble().clear();
    let second = probe_get(&cloud, &dir, &dest).wait_with_output().unwrap();
    assert!(second.status.success());
    let told = String::from_utf8(second.stdout).unwrap();
    let fetched: u64 = told
        .lines()
        .find_map(|line| line.strip_prefix("fetched "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(fetched <= FILM - (4 << 20), "fetched {fetched} of {FILM}");
    assert!(is_the_film(&cloud, &dest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_in_mid_download_costs_bytes_but_never_truth() {
    let cloud = cloud_with_a_film();
    let disk = ForgetfulDisk::default();
    let mut pocket = Pocket::with(|options| options.disk = Arc::new(disk.clone())).unwrap();
    pocket.sign_in(&cloud.login_token().unwrap()).await.unwrap();
    pocket.index(Space::Sync).await.unwrap();
    let id = pocket.item("Sync/film.mp4").unwrap().id;
    let dest = pocket.outer.path().join("film");
    cloud
        .trouble()
        .add(Rule::on("bin").bytes_per_second(6 << 20));
    let (cancel, drive) = (CancelToken::new(), pocket.drive.clone());
    let (stop, film, to) = (cancel.clone(), id.clone(), dest.clone());
    let download = tokio::spawn(async move {
        drive
            .content()
            .fetch_to_file(&film, None, &to, Purpose::Open, None, &stop)
            .await
    });
    let slots = pocket.slots();
    wait_until(|| blocks_here(&slots) > 32).await;
    cancel.cancel();
    assert_eq!(download.await.unwrap(), Err(Error::Cancelled));
    disk.forget();
    assert!(blocks_here(&slots) > 0, "claims outlive their bytes");
    cloud.trouble().clear();
    pocket.reopen().unwrap();
    let got = pocket
        .drive
        .content()
        .fetch_to_file(&id, None, &dest, Purpose::Open, None, &CancelToken::new())
        .await
        .unwrap();
    assert!(got.fetched < FILM, "what was not lost is not fetched again");
    disk.forget();
    assert!(
        is_the_film(&cloud, &dest),
        "a file that got its name is whole, also after the power goes again"
    );
}

fn probe_get(cloud: &Cloud, dir: &Path, dest: &Path) -> Child {
    let mut probe = Command::new(env!("CARGO_BIN_EXE_probe"))
        .args([
            "get".as_ref(),
            dir.as_os_str(),
            "Sync/film.mp4".as_ref(),
            dest.as_os_str(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    probe
        .stdin
        .take()
        .unwrap()
        .write_all(cloud.login_token().unwrap().as_bytes())
        .unwrap();
    probe
}

async fn wait_until(mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain");
}
