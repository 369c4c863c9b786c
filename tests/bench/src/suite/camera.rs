//! The camera backup: a first one, one with nothing new, one after a reinstall, a video whose sender is killed, and the memory
//! that a large library takes.
//!
//! `$BENCH_PART` divides all numbers of files and the video's size, for small disks and for a look; the titles say what was run.

use super::files::text;
use super::uploads::{Load, forget, forget_blobs, has, settle};
use super::{Suite, cpu, wall};
use crate::cloud::{Run, Stage, remove};
use crate::content;
use crate::job::camera::{IN_A_FOLDER, MOUNT, place};
use crate::measure::{end, measure};
use crate::report::Benchmark;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SIDES: (&str, &str) = ("lomme", "rclone");
/// 60 MB.
const LIBRARY_AT_MOST_MIB: f64 = 57.2;
/// When the cloud's generated files are modified, in seconds: the first one of a folder; each other a second later.
const NOON: u64 = 1_748_779_200;
/// Bytes that may be sent twice when the sender is killed.
const TWICE_MIB: f64 = 16.0;
/// A video's process has this long to send its first half.
const LIMIT: Duration = Duration::from_secs(600);
const MIB: f64 = 1_048_576.0;

/// So many, or a part of it.
fn part(of: u64) -> Result<u64, String> {
    let Ok(text) = std::env::var("BENCH_PART") else {
        return Ok(of);
    };
    match text.parse::<u64>() {
        Ok(by) if by > 0 => Ok((of / by).max(1)),
        _ => Err(format!("BENCH_PART is no number: {text}")),
    }
}

/// 2,000 photos of 300 KiB to a device that is new.
pub fn first(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let (files, bytes) = (part(2_000)?, 300 << 10);
    let mut bench = Benchmark::new(format!(
        "11. First backup of {files} photos of 300 KiB to a new device; rclone: copy"
    ));
    // Nothing is removed between the rounds: it would slow down who makes files next.
    let (mut left, mut loads) = (Vec::new(), Vec::new());
    for round in 0..suite.rounds {
        let load = Load::of(stage, files, bytes, "jpg")?;
        rest(&load.source)?;
        let directory = stage.signed_in(&format!("camera-first-{round}"))?;
        let device = format!("First {round}");
        settle()?;
        let run = stage.run(job(stage, "new", &directory, &device, &load.source))?;
        all_there(stage, &run, &device, files)?;
        bench.add("lomme", run);
        let other = Load::of(stage, files, bytes, "jpg")?;
        rest(&other.source)?;
        let copy = other.rclone(stage);
        bench.add("rclone", other.send(stage, files as usize, copy)?);
        left.push(directory);
        loads.extend([load, other]);
    }
    left.iter().try_for_each(|path| remove(path))?;
    loads.iter().try_for_each(|load| forget(stage, load))?;
    bench.best_target("wall", SIDES, wall, 0.6);
    phases(&mut bench);
    bench.note(format!(
        "CPU of the best rounds, lomme ÷ rclone: {:.2}; requests for each photo: lomme {:.2}, rclone {:.2}",
        bench.least("lomme", cpu) / bench.least("rclone", cpu),
        bench.median("lomme", |run| run.requests as f64) / files as f64,
        bench.median("rclone", |run| run.requests as f64) / files as f64,
    ));
    Ok(vec![bench])
}

/// 50,000 photos that are in the cloud already: a phone that is new claims the device, and then finds nothing new.
pub fn again(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let folders = part(50_000 / IN_A_FOLDER)?;
    let files = folders * IN_A_FOLDER;
    let (device, source) = ("Again", stage.work.join("camera-again"));
    for folder in 0..folders {
        fill(suite, device, &source, folder)?;
    }
    let copied = format!("archive:{MOUNT}");
    let mut known = Benchmark::new(format!(
        "12. {files} photos and nothing new; rclone: copy of the same"
    ));
    let mut reinstalled = Benchmark::new(format!(
        "13. Reinstalled: {files} photos here that the device has already"
    ));
    let mut left = vec![source.clone()];
    for round in 0..suite.rounds {
        let directory = stage.signed_in(&format!("camera-again-{round}"))?;
        settle()?;
        let run = stage.run(job(stage, "claim", &directory, device, &source))?;
        all_there(stage, &run, device, files)?;
        reinstalled.add("lomme", run);
        settle()?;
        let run = stage.run(job(stage, "again", &directory, device, &source))?;
        all_there(stage, &run, device, files)?;
        known.add("lomme", run);
        let mut copy = stage.rclone();
        copy.arg("copy").arg(&source).arg(&copied);
        let run = stage.run(copy)?;
        if let Some(kind) = ["allocate", "cphash", "upload"]
            .iter()
            .find(|kind| asked(&run, kind) > 0.0)
        {
            return Err(format!("rclone has found something new: {kind}"));
        }
        known.add("rclone", run);
        left.push(directory);
    }
    left.iter().try_for_each(|path| remove(path))?;
    known.target("wall, in s", known.median("lomme", wall), 2.0);
    let requests = known.median("lomme", |run| run.requests as f64);
    known.target("requests", requests, 0.0);
    known.ratio_target("wall, lomme ÷ rclone", SIDES, wall, 0.1);
    phases(&mut known);
    let sent = reinstalled.median("lomme", |run| run.received as f64);
    reinstalled.target("bytes of content sent", sent, 0.0);
    let listings = reinstalled.median("lomme", |run| asked(run, "liststream"));
    reinstalled.target("listings of all for one source", listings, 1.0);
    phases(&mut reinstalled);
    Ok(vec![known, reinstalled])
}

/// A video of 4 GiB; who sends it is killed when half of it is there.
pub fn resume(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let bytes = part(4 << 30)?;
    let mut bench = Benchmark::new(format!(
        "14. A video of {} MiB, sent by a process that is killed in the middle, and by another one",
        bytes >> 20
    ));
    for round in 0..suite.rounds {
        let source = stage.work.join("camera-resume");
        film(&source, u64::from(round), bytes).map_err(|error| error.to_string())?;
        let directory = stage.signed_in("camera-resume-home")?;
        let device = format!("Video {round}");
        settle()?;
        let mut before = 0;
        let run = stage.counted(|| {
            let killed = job(stage, "new", &directory, &device, &source);
            before = until_half(stage, killed, bytes)?;
            let other = job(stage, "again", &directory, &device, &source);
            measure(other, LIMIT)
        });
        let run = run.and_then(|run| all_there(stage, &run, &device, 1).map(|()| run));
        remove(&source)?;
        remove(&directory)?;
        forget_blobs(stage)?;
        bench.note(format!("killed after {} MiB", before >> 20));
        bench.add("lomme, the second process", run?);
    }
    let twice = bench.median("lomme, the second process", |run| {
        (run.received as f64 - bytes as f64) / MIB
    });
    bench.target("sent more than once, in MiB", twice, TWICE_MIB);
    Ok(vec![bench])
}

/// Memory while a library of 200,000 photos is offered and read, without a network.
pub fn growth(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let photos = part(200_000)?;
    let source = stage.work.join("camera-growth");
    small_ones(&source, photos).map_err(|error| error.to_string())?;
    let mut bench = Benchmark::new(format!(
        "15. Growth while a library of {photos} photos is offered in pages of 500, previewed, and read without a network"
    ));
    let mut left = vec![source.clone()];
    for round in 0..suite.rounds {
        let directory = stage.signed_in(&format!("camera-growth-{round}"))?;
        settle()?;
        let (device, count) = (format!("Library {round}"), photos.to_string());
        let rest = [device.as_str(), text(&source), &count];
        let job = stage.job("camera-growth", &directory, &rest);
        bench.add("lomme", stage.counted(|| measure(job, LIMIT))?);
        left.push(directory);
    }
    left.iter().try_for_each(|path| remove(path))?;
    let growth = bench.told("lomme", "/growth_mib");
    bench.target(
        "growth of all resident memory, in MiB",
        growth,
        LIBRARY_AT_MOST_MIB,
    );
    bench.note(format!(
        "of that, memory that no file backs: {:.1} MiB; before: {:.1} MiB",
        bench.told("lomme", "/anonymous_growth_mib"),
        bench.told("lomme", "/before_mib"),
    ));
    bench.note(format!(
        "offered in {:.2} s, preview and status in {:.2} s, read in {:.2} s",
        bench.told("lomme", "/offered_s"),
        bench.told("lomme", "/asked_s"),
        bench.told("lomme", "/ran_s"),
    ));
    Ok(vec![bench])
}

fn job(stage: &Stage, how: &str, directory: &Path, device: &str, source: &Path) -> Command {
    stage.job("camera", directory, &[how, device, text(source)])
}

/// Both the job and the cloud must say that all files are there.
fn all_there(stage: &Stage, run: &Run, device: &str, files: u64) -> Result<(), String> {
    if run.says["there"] != files {
        return Err(format!("the job says {}", run.says));
    }
    let mount = format!("archive,device=\"{device}\",mountpoint={MOUNT}:");
    has(stage, &mount, files as usize)
}

fn asked(run: &Run, kind: &str) -> f64 {
    run.kinds.get(kind).copied().unwrap_or(0) as f64
}

fn phases(bench: &mut Benchmark) {
    let told = |what: &str| bench.told("lomme", what);
    let note = format!(
        "lomme: {:.2} s for the device and the source, {:.2} s for the scan, {:.2} s for the run",
        told("/begun_s"),
        told("/scanned_s"),
        told("/ran_s"),
    );
    bench.note(note);
}

/// The files of a directory were written an hour ago: what was written a moment ago may still change, and is left to rest.
fn rest(source: &Path) -> Result<(), String> {
    let before = SystemTime::now() - Duration::from_secs(3_600);
    let entries = std::fs::read_dir(source).map_err(|error| error.to_string())?;
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        modified(&entry.path(), before).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn modified(path: &Path, at: SystemTime) -> std::io::Result<()> {
    std::fs::File::options()
        .write(true)
        .open(path)?
        .set_modified(at)
}

/// Makes a folder on the device, the same in Archive for rclone, and the same here: content, times and all.
fn fill(suite: &Suite, device: &str, source: &Path, folder: u64) -> Result<(), String> {
    let name = format!("folder {folder:03}");
    // Other sizes in each folder are other contents.
    let bytes = 1_000 + folder * 10;
    for above in [
        format!("/{device}/{MOUNT}"),
        format!("/Jotta/Archive/{MOUNT}"),
    ] {
        suite.fill(&format!("{above}/{name}"), IN_A_FOLDER, bytes)?;
    }
    let here = source.join(name);
    let made = std::fs::create_dir_all(&here).and_then(|()| {
        (0..IN_A_FOLDER).try_for_each(|file| {
            let path = here.join(format!("file {file:05}.txt"));
            content::make(&path, file, bytes + file % 10)?;
            modified(&path, UNIX_EPOCH + Duration::from_secs(NOON + file))
        })
    });
    made.map_err(|error| error.to_string())
}

/// A file that takes no room but its first MiB, which no other seed has.
fn film(source: &Path, seed: u64, bytes: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(source)?;
    let path: PathBuf = source.join("film.mp4");
    content::make(&path, (1 << 48) | seed, 1 << 20)?;
    let file = std::fs::File::options().write(true).open(&path)?;
    file.set_len(bytes)?;
    file.set_modified(SystemTime::now() - Duration::from_secs(3_600))
}

/// Files that are all different, in folders.
fn small_ones(source: &Path, photos: u64) -> std::io::Result<()> {
    let before = SystemTime::now() - Duration::from_secs(3_600);
    for number in 0..photos {
        let path = source.join(place(number));
        if number % IN_A_FOLDER == 0 {
            std::fs::create_dir_all(path.parent().unwrap_or(source))?;
        }
        content::make(&path, (1 << 49) | number, 64)?;
        modified(&path, before)?;
    }
    Ok(())
}

/// Runs a job until the cloud has half of what it sends, and kills it; how many bytes the cloud had.
fn until_half(stage: &Stage, mut job: Command, bytes: u64) -> Result<u64, String> {
    let start = std::time::Instant::now();
    job.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = job.spawn().map_err(|error| error.to_string())?;
    loop {
        let counts = stage.control("counts", &json!({}));
        let received = counts.map(|counts| counts["received_bytes"].as_u64().unwrap_or(0));
        let over = child.try_wait().map_err(|error| error.to_string())?;
        match received {
            Ok(_) if over.is_some() => return Err("the sender ended before it was killed".into()),
            Ok(received) if received < bytes / 2 => {
                if start.elapsed() > LIMIT {
                    end(&mut child);
                    return Err(format!("half was not sent in {LIMIT:?}"));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            received => {
                end(&mut child);
                return received;
            }
        }
    }
}
