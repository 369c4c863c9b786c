//! 100,000 files in 5,000 folders: stored and searchable, against a list of names that is only printed.

use super::{Suite, peak, wall};
use crate::cloud::remove;
use crate::report::Benchmark;
use serde_json::json;

/// The last file that the plan makes: its folder, its name, its size.
const LAST: [&str; 3] = ["folder 04999", "file 00019.txt", "3804"];
const FILES: usize = 100_000;

pub fn run(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    stage.control("seed", &json!({"plan": "scale:100000:5000"}))?;
    let mut bench = Benchmark::new(
        "1. Index 100,000 files in 5,000 folders; rclone: lsf -R --fast-list, which prints them",
    );
    for _ in 0..suite.rounds {
        let directory = stage.signed_in("index")?;
        for side in ["lomme", "lomme again"] {
            let job = stage.job("index", &directory, &["Sync", LAST[0], LAST[1], LAST[2]]);
            let run = stage.run(job)?;
            if run.says["files"] != FILES {
                return Err(format!("lomme saw {}", run.says));
            }
            bench.add(side, run);
        }
        remove(&directory)?;
        let mut command = stage.rclone();
        command.args(["lsf", "-R", "--fast-list", "sync:"]);
        let run = stage.run(command)?;
        let names = run.took.printed.lines();
        let seen = names.filter(|name| !name.ends_with('/')).count();
        if seen != FILES {
            return Err(format!("rclone saw {seen} files"));
        }
        bench.add("rclone", run);
    }
    let sides = ("lomme", "rclone");
    bench.ratio_target("wall, lomme ÷ rclone", sides, wall, 1.0);
    bench.ratio_target("peak memory, lomme ÷ rclone", sides, peak, 0.5);
    let sides = ("lomme again", "lomme");
    bench.ratio_target("wall with nothing changed, again ÷ first", sides, wall, 0.5);
    Ok(vec![bench])
}
