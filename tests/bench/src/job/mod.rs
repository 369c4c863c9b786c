//! Lomme's side: each job opens a directory that is signed in, does one thing as an app would, and says what it saw.

mod browse;
pub mod camera;
pub mod drain;
mod growth;
mod read;
mod upload;

use lomme::account::Secret;
use lomme::catalog::{Item, Lookup, Search, Space};
use lomme::conditions::Situation;
use lomme::content::{Network, Purpose};
use lomme::{CancelToken, Drive, DriveOptions, Endpoints, Profile};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

use crate::vault::FileVault;

/// Runs a job on `directory` against the cloud that `ca` vouches for.
pub fn run(name: &str, directory: &str, ca: &str, rest: &[&str]) -> Value {
    let profile = match name {
        "growth" | "send-growth" => Profile::Extension,
        _ => Profile::App,
    };
    let drive = open(directory, ca, profile);
    match (name, rest) {
        ("sign-in", [token]) => sign_in(&drive, token),
        ("index", [space]) => index(&drive, space),
        ("index", [space, folder, last, size]) => {
            let found = index(&drive, space);
            search(&drive, folder, last, size.parse().unwrap());
            found
        }
        ("fetch", [path, dest]) => fetch(&drive, path, dest),
        ("pin", [path, files]) => pin(&drive, path, files.parse().unwrap()),
        ("read", [pattern, path, count, seed]) => {
            let (count, seed) = (count.parse().unwrap(), seed.parse().unwrap());
            read::run(&drive, pattern, path, count, seed)
        }
        ("browse", [folder]) => browse::run(&drive, folder),
        ("growth", [dest, paths @ ..]) => growth::run(&drive, Path::new(dest), paths),
        ("upload", [how, source, folder]) => upload::run(&drive, how, Path::new(source), folder),
        ("send-growth", [source, folder]) => growth::sending(&drive, Path::new(source), folder),
        ("queue", [source, folder]) => drain::queue(&drive, Path::new(source), folder),
        ("drain", []) => drain::send(&drive),
        ("camera", [how, device, source]) => {
            camera::back_up(&drive, how, device, Path::new(source))
        }
        ("camera-growth", [device, source, photos]) => {
            camera::library(&drive, device, Path::new(source), photos.parse().unwrap())
        }
        _ => panic!("no job {name} with {} parameters", rest.len()),
    }
}

fn open(directory: &str, ca: &str, profile: Profile) -> Arc<Drive> {
    let vault = FileVault(Path::new(directory).join("vault"));
    let mut options = DriveOptions::new(Path::new(directory).join("drive"), Arc::new(vault));
    std::fs::create_dir_all(directory).unwrap();
    options.profile = profile;
    options.endpoints = Some(Endpoints {
        extra_roots_pem: Some(std::fs::read_to_string(ca).unwrap()),
        ..Endpoints::default()
    });
    let drive = Drive::open(options).unwrap();
    drive.set_situation(situation(Network::Unmetered)).unwrap();
    drive
}

/// A phone on its charger.
fn situation(network: Network) -> Situation {
    Situation {
        network,
        charging: Some(true),
        battery_percent: Some(100),
        ..Situation::default()
    }
}

fn sign_in(drive: &Drive, token: &str) -> Value {
    let signing = drive.account();
    let token = Secret::new(token);
    lomme::runtime()
        .block_on(signing.sign_in(&token, &CancelToken::new()))
        .unwrap();
    drive.close().unwrap();
    Value::Null
}

/// A whole space.
fn index(drive: &Drive, space: &str) -> Value {
    let space = *Space::ALL.iter().find(|one| one.name() == space).unwrap();
    let indexing = drive.catalog();
    let found = lomme::runtime()
        .block_on(indexing.index(space, &|_| {}, &CancelToken::new()))
        .unwrap();
    json!({"files": found.files, "folders": found.folders})
}

/// A search must find the file `last`. Its name is that of many, so its folder and its size tell it.
fn search(drive: &Drive, folder: &str, last: &str, size: u64) {
    let mut search = Search::new(last);
    (search.at_least, search.at_most) = (Some(size), Some(size));
    let hits = drive.catalog().search(&search).unwrap();
    let is_it = |item: &Item| {
        let path = drive.catalog().path_of(&item.id).unwrap();
        item.name == last && path.iter().any(|above| above.name == folder)
    };
    assert!(hits.items.iter().any(is_it), "the last file is not found");
}

/// Looks a path up as an app that was never here: asks for one folder after the other.
pub fn look_up(drive: &Drive, path: &str) -> Item {
    let names: Vec<&str> = path.split('/').collect();
    let mut item = None;
    for depth in 1..=names.len() {
        let Lookup::Found(found) = drive.catalog().find(&names[..depth]).unwrap() else {
            panic!("no {path}")
        };
        if depth < names.len() {
            lomme::runtime()
                .block_on(drive.catalog().refresh(&found.id, &CancelToken::new()))
                .unwrap();
        }
        item = Some(found);
    }
    item.unwrap()
}

fn fetch(drive: &Drive, path: &str, dest: &str) -> Value {
    let item = look_up(drive, path);
    let fetched = lomme::runtime()
        .block_on(drive.content().fetch_to_file(
            &item.id,
            None,
            Path::new(dest),
            Purpose::Open,
            None,
            &CancelToken::new(),
        ))
        .unwrap();
    assert_eq!(Some(fetched.bytes), item.size);
    json!({"fetched": fetched.fetched})
}

fn pin(drive: &Drive, path: &str, files: u64) -> Value {
    let item = look_up(drive, path);
    drive.content().pin(&item.id, u64::MAX).unwrap();
    let run = lomme::runtime()
        .block_on(drive.content().keep_pins(None, &CancelToken::new()))
        .unwrap();
    assert_eq!((run.files, run.missing_files), (files, 0), "{run:?}");
    json!({"fetched": run.fetched})
}
