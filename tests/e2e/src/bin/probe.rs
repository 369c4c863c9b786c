//! A pocket in a process of its own, so that its memory can be measured and it can be killed.
//!
//! `probe index DIR` and `probe get DIR PATH DEST` read a login token from standard input.
#![allow(clippy::unwrap_used, reason = "a failed probe fails its test")]

use lomme::account::{MemoryVault, Secret};
use lomme::catalog::{Lookup, Space};
use lomme::content::Purpose;
use lomme::{CancelToken, Drive, DriveOptions, Profile};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut token = String::new();
    std::io::stdin().read_to_string(&mut token).unwrap();
    let mut options = DriveOptions::new(&arguments[1], Arc::new(MemoryVault::default()));
    options.profile = Profile::Extension;
    let drive = Drive::open(options).unwrap();
    let cancel = CancelToken::new();
    lomme::runtime().block_on(async {
        drive
            .account()
            .sign_in(&Secret::new(token.trim()), &cancel)
            .await
            .unwrap();
        let before = resident_peak();
        match arguments[0].as_str() {
            "index" => {
                let found = drive
                    .catalog()
                    .index(Space::Sync, &|_| {}, &cancel)
                    .await
                    .unwrap();
                println!("files {}", found.files);
            }
            "get" => {
                let names: Vec<&str> = arguments[2].split('/').collect();
                drive
                    .catalog()
                    .index(Space::Sync, &|_| {}, &cancel)
                    .await
                    .unwrap();
                let Lookup::Found(item) = drive.catalog().find(&names).unwrap() else {
                    panic!("no such item")
                };
                println!("ready");
                let got = drive
                    .content()
                    .fetch_to_file(
                        &item.id,
                        None,
                        Path::new(&arguments[3]),
                        Purpose::Open,
                        None,
                        &cancel,
                    )
                    .await
                    .unwrap();
                println!("fetched {}", got.fetched);
            }
            other => panic!("unknown command {other}"),
        }
        println!("peak {before} {}", resident_peak());
    });
}

/// The most memory this process has had resident, in KiB; 0 where the system does not tell.
fn resident_peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}
