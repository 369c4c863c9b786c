//! Parts of a file of 4 GiB: random reads, a video, and the wait for the first byte when the service is 20 ms away.

use super::{Suite, serve};
use crate::cloud::{Run, remove};
use crate::content;
use crate::report::Benchmark;

const SIZE: u64 = 4 << 30;
const LATENCY_MS: u64 = 20;
/// Two round trips, and what the machine itself needs.
const FIRST_BYTE_MS: f64 = 2.0 * LATENCY_MS as f64 + 5.0;

pub fn run(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    suite.fill("/Jotta/Archive/big", 1, SIZE)?;
    let mut random = compare(
        suite,
        "4a. 1,000 random reads of 64 KiB in a file of 4 GiB",
        "random",
        1_000,
        0,
    )?;
    let fetched = random.median("lomme", over_asked);
    random.target("fetched ÷ asked", fetched, 2.0);
    compared(&mut random);
    let mut far = compare(
        suite,
        "4b. 50 random reads of 64 KiB, every request 20 ms later",
        "random",
        50,
        LATENCY_MS,
    )?;
    first_byte(&mut far);
    let mut video = compare(
        suite,
        "4c. A video of 4 GiB: header, index at the end, 20 jumps with 4 MiB each",
        "video",
        0,
        0,
    )?;
    compared(&mut video);
    let mut far_video = compare(
        suite,
        "4d. The same video, every request 20 ms later",
        "video",
        0,
        LATENCY_MS,
    )?;
    first_byte(&mut far_video);
    Ok(vec![random, far, video, far_video])
}

fn compare(
    suite: &Suite,
    title: &str,
    pattern: &str,
    count: u64,
    latency: u64,
) -> Result<Benchmark, String> {
    let stage = &suite.stage;
    let mut bench = Benchmark::new(title);
    for round in 0..suite.rounds {
        let seed = u64::from(round);
        let directory = stage.signed_in("reads")?;
        stage.latency(latency)?;
        let (count_text, seed_text) = (count.to_string(), seed.to_string());
        let rest = [
            pattern,
            "Archive/big/file 00000.txt",
            &count_text,
            &seed_text,
        ];
        let run = stage.run(stage.job("read", &directory, &rest));
        remove(&directory)?;
        bench.add("lomme", run?);
        let pieces = match pattern {
            "video" => content::video(SIZE, seed),
            _ => content::random(SIZE, count, seed),
        };
        let run = serve::read(stage, "archive:big", "file 00000.txt", &pieces)?;
        bench.add("rclone serve http --vfs-cache-mode full", run);
        stage.latency(0)?;
    }
    Ok(bench)
}

fn over_asked(run: &Run) -> f64 {
    let asked = run.says["asked"].as_u64().unwrap_or(0);
    run.content_mib * f64::from(1 << 20) / asked as f64
}

fn first_byte(bench: &mut Benchmark) {
    let told = bench.told("lomme", "/first_byte/p95");
    bench.target("95 of 100 first reads, in ms", told, FIRST_BYTE_MS);
    compared(bench);
}

fn compared(bench: &mut Benchmark) {
    let sides: Vec<_> = bench.sides.iter().map(|side| side.name.clone()).collect();
    for side in sides {
        let note = format!(
            "{side}: fetched {:.2} × what was asked; first read after a jump: median {:.1} ms, 95 % {:.1} ms, 99 % {:.1} ms",
            bench.median(&side, over_asked),
            bench.told(&side, "/first_byte/p50"),
            bench.told(&side, "/first_byte/p95"),
            bench.told(&side, "/first_byte/p99"),
        );
        bench.note(note);
    }
}
