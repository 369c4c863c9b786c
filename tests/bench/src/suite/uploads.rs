//! Uploads of whole files: one large one, and many small ones; and what a process of the extension profile grows by.
//!
//! Each run sends bytes that the cloud has never seen, and finds no write of an earlier one still on its way to the disk.

use super::files::text;
use super::growth::AT_MOST_MIB;
use super::{Suite, cpu, md5_mib_per_second, wall};
use crate::cloud::{Run, Stage, remove};
use crate::content;
use crate::report::{Benchmark, median};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

const LATENCY_MS: u64 = 20;
const SIDES: (&str, &str) = ("lomme", "rclone");

/// Files to send, and a folder in Archive that is there and empty.
pub struct Load {
    pub source: PathBuf,
    pub folder: String,
}

impl Load {
    pub fn new(stage: &Stage, files: u64, bytes: u64) -> Result<Self, String> {
        Self::of(stage, files, bytes, "bin")
    }

    /// Files whose names end so.
    pub fn of(stage: &Stage, files: u64, bytes: u64, ending: &str) -> Result<Self, String> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let source = stage.work.join(format!("source-{number}"));
        remove(&source)?;
        let made = std::fs::create_dir_all(&source).and_then(|()| {
            (0..files).try_for_each(|file| {
                let path = source.join(format!("file {file:05}.{ending}"));
                content::make(&path, (number << 32) | file, bytes)
            })
        });
        made.map_err(|error| error.to_string())?;
        let folder = format!("sent-{number}");
        let path = format!("/Jotta/Archive/{folder}");
        stage.control("mkdir", &json!({ "path": path }))?;
        Ok(Self { source, folder })
    }

    /// Runs one side, and looks at what the cloud has then.
    pub fn send(&self, stage: &Stage, files: usize, command: Command) -> Result<Run, String> {
        settle()?;
        let run = stage.run(command)?;
        has(stage, &format!("archive:{}", self.folder), files)?;
        Ok(run)
    }

    fn lomme(&self, stage: &Stage, how: &str, directory: &Path) -> Command {
        let folder = format!("Archive/{}", self.folder);
        let rest = [how, text(&self.source), &folder];
        stage.job("upload", directory, &rest)
    }

    pub fn rclone(&self, stage: &Stage) -> Command {
        let mut command = stage.rclone();
        command.arg("copy").arg(&self.source);
        command.arg(format!("archive:{}", self.folder));
        command
    }
}

/// The cloud must have so many files at `place`.
pub fn has(stage: &Stage, place: &str, files: usize) -> Result<(), String> {
    let mut look = stage.rclone();
    look.args(["size", "--json", place]);
    let told = stage.run(look)?.says;
    match told["count"] == files {
        true => Ok(()),
        false => Err(format!("the cloud has {told}")),
    }
}

/// Nothing that was written before is still to be brought to the disk.
pub fn settle() -> Result<(), String> {
    let done = Command::new("sync").status();
    done.map(drop).map_err(|error| format!("sync: {error}"))
}

/// A file of 1 GiB.
pub fn one(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let mut bench = Benchmark::new("7. One new file of 1 GiB to the service; rclone: copy");
    let mut rates = Vec::new();
    for _ in 0..suite.rounds {
        rates.push(md5_mib_per_second());
        for (side, how) in [("lomme", "borrow"), ("lomme, file given away", "take")] {
            let load = Load::new(stage, 1, 1 << 30)?;
            let directory = stage.signed_in("send-one")?;
            let run = load.send(stage, 1, load.lomme(stage, how, &directory));
            remove(&directory)?;
            forget(stage, &load)?;
            bench.add(side, run?);
        }
        let load = Load::new(stage, 1, 1 << 30)?;
        let run = load.send(stage, 1, load.rclone(stage));
        forget(stage, &load)?;
        bench.add("rclone", run?);
    }
    bench.best_target("wall", SIDES, wall, 0.95);
    bench.best_target("CPU", SIDES, cpu, 1.1);
    let given = ("lomme, file given away", "rclone");
    bench.best_target("wall", given, wall, 0.95);
    phases(&mut bench, "lomme");
    phases(&mut bench, given.0);
    bench.note(format!(
        "one core's MD5 of 1 GiB takes {:.2} s",
        1024.0 / median(rates)
    ));
    Ok(vec![bench])
}

/// 2,000 files of 50 KiB.
pub fn many(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let (files, bytes) = (2_000, 50 << 10);
    // Nothing is removed between the runs, as for downloads of many files: it would slow down who makes files next.
    let (mut all, mut left, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    for latency in [0, LATENCY_MS] {
        let with = match latency {
            0 => String::new(),
            ms => format!(", every request {ms} ms later"),
        };
        let mut bench = Benchmark::new(format!(
            "8. 2,000 new files of 50 KiB to the service{with}; rclone: copy"
        ));
        for round in 0..suite.rounds {
            let load = Load::new(stage, files, bytes)?;
            let directory = stage.signed_in(&format!("send-many-{latency}-{round}"))?;
            stage.latency(latency)?;
            let job = load.lomme(stage, "borrow", &directory);
            bench.add("lomme", load.send(stage, files as usize, job)?);
            let other = Load::new(stage, files, bytes)?;
            let copy = other.rclone(stage);
            bench.add("rclone", other.send(stage, files as usize, copy)?);
            stage.latency(0)?;
            left.push(directory);
            loads.extend([load, other]);
        }
        let at_most = if latency == 0 { 0.6 } else { 0.5 };
        bench.best_target("wall", SIDES, wall, at_most);
        phases(&mut bench, "lomme");
        bench.note(format!(
            "requests for each file: lomme {:.2}, rclone {:.2}",
            bench.median("lomme", |run| run.requests as f64) / files as f64,
            bench.median("rclone", |run| run.requests as f64) / files as f64,
        ));
        all.push(bench);
    }
    left.iter().try_for_each(|path| remove(path))?;
    loads.iter().try_for_each(|load| forget(stage, load))?;
    Ok(all)
}

/// Memory while a file of 1 GiB goes.
pub fn growth(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let mut bench =
        Benchmark::new("9. Growth while a new file of 1 GiB is stored and sent, extension profile");
    for _ in 0..suite.rounds {
        let load = Load::new(stage, 1, 1 << 30)?;
        let directory = stage.signed_in("send-growth")?;
        let folder = format!("Archive/{}", load.folder);
        let job = stage.job("send-growth", &directory, &[text(&load.source), &folder]);
        let run = load.send(stage, 1, job);
        remove(&directory)?;
        forget(stage, &load)?;
        bench.add("lomme", run?);
    }
    let growth = bench.told("lomme", "/growth_mib");
    bench.target("growth of all resident memory, in MiB", growth, AT_MOST_MIB);
    bench.note(format!(
        "of that, memory that no file backs: {:.1} MiB; before: {:.1} MiB",
        bench.told("lomme", "/anonymous_growth_mib"),
        bench.told("lomme", "/before_mib"),
    ));
    Ok(vec![bench])
}

fn phases(bench: &mut Benchmark, side: &str) {
    let (staged, pushed) = (bench.told(side, "/staged_s"), bench.told(side, "/pushed_s"));
    bench.note(format!(
        "{side}: {staged:.2} s until all was durable here, {pushed:.2} s until the service had it"
    ));
}

/// Makes room: what was sent is read by nobody any more, and the cloud forgets no content by itself.
pub fn forget(stage: &Stage, load: &Load) -> Result<(), String> {
    remove(&load.source)?;
    forget_blobs(stage)
}

/// What the cloud was sent is not read any more.
pub fn forget_blobs(stage: &Stage) -> Result<(), String> {
    let blobs = stage.work.join("cloud/blobs");
    let shelves = std::fs::read_dir(&blobs).map_err(|error| error.to_string())?;
    for shelf in shelves
        .flatten()
        .filter(|shelf| shelf.file_name() != "partial")
    {
        remove(&shelf.path())?;
    }
    Ok(())
}
