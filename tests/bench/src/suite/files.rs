//! Whole files: one large one, and many small ones; without latency and with it.

use super::{Suite, cpu, md5_mib_per_second, wall};
use crate::cloud::{Stage, remove};
use crate::report::{Benchmark, median};
use std::path::Path;
use std::process::Command;

const LATENCY_MS: u64 = 20;

/// A file of 1 GiB.
pub fn one(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    suite.fill("/Jotta/Archive/one", 1, 1 << 30)?;
    let mut all = Vec::new();
    for latency in [0, LATENCY_MS] {
        stage.latency(latency)?;
        let mut bench = Benchmark::new(format!("2. One file of 1 GiB{}", with(latency)));
        let mut rates = Vec::new();
        for _ in 0..suite.rounds {
            rates.push(md5_mib_per_second());
            let dest = stage.work.join("lomme.bin");
            let directory = stage.signed_in("one")?;
            let path = "Archive/one/file 00000.txt";
            let job = stage.job("fetch", &directory, &[path, text(&dest)]);
            bench.add("lomme", stage.run(job)?);
            let right = same_size(&dest, 1 << 30);
            remove(&dest)?;
            remove(&directory)?;
            right?;
            let dest = stage.work.join("rclone.files");
            bench.add("rclone", stage.run(copy(stage, "archive:one", &dest))?);
            let right = same_size(&dest.join("file 00000.txt"), 1 << 30);
            remove(&dest)?;
            right?;
        }
        stage.latency(0)?;
        let sides = ("lomme", "rclone");
        if latency == 0 {
            bench.ratio_target("wall, lomme ÷ rclone", sides, wall, 0.9);
            bench.ratio_target("CPU, lomme ÷ rclone", sides, cpu, 1.1);
        } else {
            bench.ratio_target("wall, lomme ÷ rclone", sides, wall, 0.8);
        }
        let hashing = 1024.0 / median(rates);
        bench.note(format!(
            "one core's MD5 of 1 GiB takes {hashing:.2} s: {:.0} % of lomme's wall, {:.0} % of rclone's; {:.0} % of lomme's CPU, {:.0} % of rclone's",
            100.0 * hashing / bench.median("lomme", wall),
            100.0 * hashing / bench.median("rclone", wall),
            100.0 * hashing / bench.median("lomme", cpu),
            100.0 * hashing / bench.median("rclone", cpu),
        ));
        all.push(bench);
    }
    Ok(all)
}

/// 2,000 files of 50 KiB, pinned as a folder.
pub fn many(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    suite.fill("/Jotta/Archive/many", 2_000, 50 << 10)?;
    let mut all = Vec::new();
    let mut left = Vec::new();
    for latency in [0, LATENCY_MS] {
        stage.latency(latency)?;
        let mut bench = Benchmark::new(format!(
            "3. 2,000 files of 50 KiB{}; lomme: a pinned folder, rclone: copy",
            with(latency)
        ));
        // Nothing is removed between the runs: ext4 passes over what was deleted in the last seconds, one inode after the
        // other, and making new files would be slower by that, for both.
        for round in 0..suite.rounds {
            let directory = stage.signed_in(&format!("many-{latency}-{round}"))?;
            let job = stage.job("pin", &directory, &["Archive/many", "2000"]);
            bench.add("lomme", stage.run(job)?);
            let dest = stage.work.join(format!("rclone-{latency}-{round}"));
            bench.add("rclone", stage.run(copy(stage, "archive:many", &dest))?);
            let files = std::fs::read_dir(&dest).map_or(0, Iterator::count);
            left.extend([directory, dest]);
            if files != 2_000 {
                return Err(format!("rclone brought {files} files"));
            }
        }
        stage.latency(0)?;
        bench.note(
            "rclone begins at most one request in 10 ms here (its own rule for this service, which no option changes), so 20 s are its least; compare the CPU",
        );
        let at_most = if latency == 0 { 0.6 } else { 0.5 };
        bench.ratio_target("wall, lomme ÷ rclone", ("lomme", "rclone"), wall, at_most);
        all.push(bench);
    }
    for path in left {
        remove(&path)?;
    }
    Ok(all)
}

fn with(latency: u64) -> String {
    match latency {
        0 => String::new(),
        ms => format!(", every request {ms} ms later"),
    }
}

fn copy(stage: &Stage, from: &str, to: &Path) -> Command {
    let mut command = stage.rclone();
    command.args(["copy", from]).arg(to);
    command
}

fn same_size(path: &Path, size: u64) -> Result<(), String> {
    let is = std::fs::metadata(path).map_or(0, |data| data.len());
    if is == size {
        Ok(())
    } else {
        Err(format!("{} has {is} bytes", path.display()))
    }
}

/// A path of ours as text.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
