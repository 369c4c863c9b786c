//! The benchmarks: fills the cloud, lets both sides run in turn, and prints the tables.

mod browse;
mod camera;
mod drain;
mod files;
mod growth;
mod index;
mod reads;
mod serve;
mod uploads;

use crate::cloud::{Run, Stage};
use crate::hash::Md5;
use crate::report::{Benchmark, median};
use serde_json::json;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// What a benchmark gets.
pub struct Suite {
    pub stage: Stage,
    pub rounds: u32,
}

type Bench = fn(&Suite) -> Result<Vec<Benchmark>, String>;

const ALL: [(&str, Bench); 14] = [
    ("index", index::run),
    ("one", files::one),
    ("many", files::many),
    ("reads", reads::run),
    ("browse", browse::run),
    ("growth", growth::run),
    ("send-one", uploads::one),
    ("send-many", uploads::many),
    ("send-growth", uploads::growth),
    ("drain", drain::run),
    ("camera-first", camera::first),
    ("camera-again", camera::again),
    ("camera-resume", camera::resume),
    ("camera-growth", camera::growth),
];

/// `rest` are names of benchmarks and `--rounds N`.
pub fn run(rclone: &str, work: &str, out: &str, rest: &[&str]) -> ExitCode {
    let mut suite = Suite {
        stage: Stage {
            rclone: rclone.into(),
            work: work.into(),
        },
        rounds: 5,
    };
    let mut chosen = Vec::new();
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let bench = ALL.iter().find(|(name, _)| name == word);
        let rounds = || words.clone().next().and_then(|n| n.parse().ok());
        match (*word, bench) {
            (_, Some(bench)) => chosen.push(bench),
            ("--rounds", None) if rounds().is_some_and(|rounds| rounds > 0) => {
                suite.rounds = rounds().unwrap_or(5);
                words.next();
            }
            _ => {
                let names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
                eprintln!(
                    "usage: run [NAME...] [--rounds N]; names: {}",
                    names.join(", ")
                );
                return ExitCode::from(2);
            }
        }
    }
    if chosen.is_empty() {
        chosen.extend(&ALL);
    }
    let (start, before) = (Instant::now(), load());
    let (mut done, mut text) = (Vec::new(), String::new());
    for (name, bench) in chosen {
        eprintln!("-- {name}");
        let benchmarks = bench(&suite).unwrap_or_else(|why| {
            vec![Benchmark {
                title: (*name).to_owned(),
                failed: Some(why),
                ..Benchmark::default()
            }]
        });
        for benchmark in benchmarks {
            let table = benchmark.table();
            println!("{table}");
            text.push_str(&table);
            text.push('\n');
            done.push(benchmark);
        }
    }
    let closing = format!(
        "{} rounds each, {} processors (load average before: {before}, after: {}), {:.0} s in all; one core's MD5: {:.0} MiB/s\n",
        suite.rounds,
        std::thread::available_parallelism().map_or(0, usize::from),
        load(),
        start.elapsed().as_secs_f64(),
        md5_mib_per_second(),
    );
    println!("{closing}");
    text.push_str(&closing);
    if let Err(why) = keep(Path::new(out), &text, &done) {
        eprintln!("{why}");
        return ExitCode::FAILURE;
    }
    let all_ran = done.iter().all(|one| one.failed.is_none());
    ExitCode::from(u8::from(!all_ran))
}

fn keep(out: &Path, text: &str, done: &[Benchmark]) -> Result<(), String> {
    let numbers = serde_json::to_string_pretty(done).map_err(|error| error.to_string())?;
    fs::write(out.join("results.md"), text)
        .and_then(|()| fs::write(out.join("results.json"), numbers))
        .map_err(|error| format!("{}: {error}", out.display()))
}

impl Suite {
    /// Fills a folder with generated files of `bytes` bytes (and up to 9 more).
    pub fn fill(&self, path: &str, files: u64, bytes: u64) -> Result<(), String> {
        let parameters = json!({"path": path, "files": files, "bytes": bytes});
        self.stage.control("folder", &parameters).map(drop)
    }
}

/// The figures that targets are about.
pub fn wall(run: &Run) -> f64 {
    run.took.wall_s
}

/// Processor seconds.
pub fn cpu(run: &Run) -> f64 {
    run.took.cpu_s
}

/// MiB resident at the most.
pub fn peak(run: &Run) -> f64 {
    run.took.peak_mib
}

/// How fast one core hashes, which bounds every whole download: the service has no other hash. Told by the time that the
/// thread has had a processor, so a busy machine does not change it much.
pub fn md5_mib_per_second() -> f64 {
    let data = vec![7_u8; 1 << 20];
    let rates = (0..8).map(|_| {
        let start = thread_cpu_s();
        let mut md5 = Md5::new();
        (0..64).for_each(|_| md5.update(&data));
        std::hint::black_box(md5.finalize());
        64.0 / (thread_cpu_s() - start)
    });
    median(rates.collect())
}

/// Seconds for which this thread has had a processor.
fn thread_cpu_s() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told
        .split_whitespace()
        .next()
        .and_then(|ns| ns.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

/// How many threads wanted a processor, in the last 1, 5 and 15 minutes: a table of a busy machine shows it.
fn load() -> String {
    let told = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let told: Vec<_> = told.split_whitespace().take(3).collect();
    told.join(" ")
}
