//! How much a process of the extension profile grows while it downloads.

use super::Suite;
use super::files::text;
use crate::cloud::remove;
use crate::report::Benchmark;

pub const AT_MOST_MIB: f64 = 12.0;

pub fn run(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    suite.fill("/Jotta/Archive/big", 1, 4 << 30)?;
    suite.fill("/Jotta/Archive/eight", 8, 512 << 20)?;
    let big = vec!["Archive/big/file 00000.txt".to_owned()];
    let eight: Vec<_> = (0..8)
        .map(|file| format!("Archive/eight/file {file:05}.txt"))
        .collect();
    Ok(vec![
        grow(
            suite,
            "6a. Growth while a file of 4 GiB comes, extension profile",
            &big,
        )?,
        grow(
            suite,
            "6b. Growth while 8 files of 512 MiB come at once, extension profile",
            &eight,
        )?,
    ])
}

fn grow(suite: &Suite, title: &str, paths: &[String]) -> Result<Benchmark, String> {
    let stage = &suite.stage;
    let mut bench = Benchmark::new(title);
    for _ in 0..suite.rounds {
        let directory = stage.signed_in("growth")?;
        let dest = stage.work.join("grown");
        remove(&dest)?;
        std::fs::create_dir_all(&dest).map_err(|error| error.to_string())?;
        let mut rest = vec![text(&dest)];
        rest.extend(paths.iter().map(String::as_str));
        let run = stage.run(stage.job("growth", &directory, &rest));
        remove(&directory)?;
        remove(&dest)?;
        bench.add("lomme", run?);
    }
    let growth = bench.told("lomme", "/growth_mib");
    bench.target("growth of all resident memory, in MiB", growth, AT_MOST_MIB);
    bench.note(format!(
        "of that, memory that no file backs: {:.1} MiB; before: {:.1} MiB",
        bench.told("lomme", "/anonymous_growth_mib"),
        bench.told("lomme", "/before_mib"),
    ));
    Ok(bench)
}
