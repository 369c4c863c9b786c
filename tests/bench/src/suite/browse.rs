//! What a screen waits for: pages of a folder of 10,000, and searches over 100,000 names. Nothing of rclone's is like it.

use super::Suite;
use crate::cloud::remove;
use crate::report::Benchmark;
use serde_json::json;

pub fn run(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    stage.control("seed", &json!({"plan": "scale:90000:5000"}))?;
    suite.fill("/Jotta/Sync/wide", 10_000, 64)?;
    let directory = stage.signed_in("browse")?;
    stage.run(stage.job("index", &directory, &["Sync"]))?;
    let mut bench = Benchmark::new(
        "5. A page of 200 in a folder of 10,000, and a search over 100,000 names as it is typed",
    );
    for _ in 0..suite.rounds {
        let job = stage.job("browse", &directory, &["Sync/wide"]);
        bench.add("lomme", stage.run(job)?);
    }
    remove(&directory)?;
    for (what, at_most) in [("page", 1.0), ("search", 10.0)] {
        let p99 = bench.told("lomme", &format!("/{what}/p99"));
        bench.target(format!("{what}, 99 of 100, in ms"), p99, at_most);
        bench.note(format!(
            "{what}: {:.0} calls a run, median {:.2} ms, 95 % {:.2} ms, longest {:.2} ms",
            bench.told("lomme", &format!("/{what}/calls")),
            bench.told("lomme", &format!("/{what}/p50")),
            bench.told("lomme", &format!("/{what}/p95")),
            bench.told("lomme", &format!("/{what}/max")),
        ));
    }
    Ok(vec![bench])
}
