//! Speed and memory, side by side with rclone.
//!
//! `lomme-bench suite …` runs the benchmarks and prints the tables; `run` beside this crate says how it gets there.
//! `lomme-bench job …` is Lomme's side of one of them: a process of its own, which uses the library as an app does.
//! Both sides are children of the suite, measured in the same way, one after the other in turn.
#![allow(clippy::unwrap_used, reason = "a job that fails fails its benchmark")]
#![allow(
    clippy::print_stdout,
    reason = "standard output is the program's interface"
)]

mod cloud;
mod content;
/// The core's own MD5: what it does by itself is the limit of what it can do in a download.
#[path = "../../../core/src/md5.rs"]
#[allow(dead_code, reason = "the core has more use for it")]
mod hash;
mod job;
mod measure;
mod report;
mod suite;
mod vault;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["suite", rclone, work, out, rest @ ..] => suite::run(rclone, work, out, rest),
        ["job", name, directory, ca, rest @ ..] => {
            println!("{}", job::run(name, directory, ca, rest));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: lomme-bench suite … | job … (see tests/bench/run)");
            ExitCode::from(2)
        }
    }
}
