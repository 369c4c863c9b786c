//! A day without a network: a thousand changes are queued, and sent by another process.

use super::look_up;
use super::upload::{files, push, store};
use lomme::catalog::{Item, ItemId, Lookup};
use lomme::edits::NewContent;
use lomme::{CancelToken, Drive};
use serde_json::{Value, json};
use std::path::Path;

/// What is queued. `new_in_folders` files go evenly to the new folders, the rest of `new` into the folder `there`.
#[derive(Clone, Copy)]
pub struct Mix {
    pub folders: usize,
    pub new_in_folders: usize,
    pub new: usize,
    pub renames: usize,
    /// So many of those are renamed again.
    pub renamed_again: usize,
    pub moves: usize,
    pub edits: usize,
    pub trashes: usize,
    /// Edited, then trashed.
    pub edited_and_trashed: usize,
    /// Moved, then moved back.
    pub moved_back: usize,
}

pub const MIX: Mix = Mix {
    folders: 50,
    new_in_folders: 200,
    new: 300,
    renames: 150,
    renamed_again: 50,
    moves: 150,
    edits: 100,
    trashes: 100,
    edited_and_trashed: 25,
    moved_back: 25,
};

impl Mix {
    /// Files that are there before.
    pub fn before(&self) -> usize {
        let Self {
            renames,
            moves,
            edits,
            trashes,
            edited_and_trashed,
            moved_back,
            ..
        } = *self;
        renames + moves + edits + trashes + edited_and_trashed + moved_back
    }

    /// Contents that are stored.
    pub fn contents(&self) -> usize {
        self.new + self.edits + self.edited_and_trashed
    }

    /// Calls.
    pub fn calls(&self) -> usize {
        let once = self.folders + self.new + self.renames + self.renamed_again;
        let more = self.moves + self.edits + self.trashes;
        once + more + 2 * (self.edited_and_trashed + self.moved_back)
    }
}

/// Queues [`MIX`] below `folder`, which has `here` with the files and `there`; contents are those of `source`.
pub fn queue(drive: &Drive, source: &Path, folder: &str) -> Value {
    let top = look_up(drive, folder);
    let here = look_up(drive, &format!("{folder}/here"));
    let there = look_up(drive, &format!("{folder}/there"));
    for folder in [&here, &there] {
        lomme::runtime()
            .block_on(drive.catalog().refresh(&folder.id, &CancelToken::new()))
            .unwrap();
    }
    let contents = files(source);
    let mut contents = contents.iter();
    let mut number = 0;
    let mut next = || {
        let name = format!("file {number:05}.txt");
        number += 1;
        let path: Vec<&str> = folder.split('/').chain(["here", &name]).collect();
        let Lookup::Found(file) = drive.catalog().find(&path).unwrap() else {
            panic!("no {name}")
        };
        file
    };
    let edits = drive.edits();
    let folders: Vec<Item> = (0..MIX.folders)
        .map(|n| {
            let name = format!("new {n:02}");
            edits.create_folder(&top.id, &name, None).unwrap()
        })
        .collect();
    for n in 0..MIX.new {
        let into = match n < MIX.new_in_folders {
            true => &folders[n % folders.len()],
            false => &there,
        };
        store(drive, &into.id, contents.next().unwrap(), "borrow");
    }
    let rename = |file: &ItemId, name: &str| {
        let moved = edits.move_to(file, &here.id, Some(name), None);
        moved.map(drop).unwrap();
    };
    let edit = |file: &ItemId, path: &Path| {
        let replaced = edits.replace_content(file, None, NewContent::of(path), None);
        replaced.map(drop).unwrap();
    };
    for n in 0..MIX.renames {
        let file = next();
        rename(&file.id, &format!("renamed {n:03}.txt"));
        if n < MIX.renamed_again {
            rename(&file.id, &format!("renamed again {n:03}.txt"));
        }
    }
    for _ in 0..MIX.moves {
        edits.move_to(&next().id, &there.id, None, None).unwrap();
    }
    for _ in 0..MIX.edits {
        edit(&next().id, contents.next().unwrap());
    }
    for _ in 0..MIX.trashes {
        edits.trash(&next().id, None, false, None).unwrap();
    }
    for _ in 0..MIX.edited_and_trashed {
        let file = next();
        edit(&file.id, contents.next().unwrap());
        edits.trash(&file.id, None, false, None).unwrap();
    }
    for _ in 0..MIX.moved_back {
        let file = next();
        edits.move_to(&file.id, &there.id, None, None).unwrap();
        edits.move_to(&file.id, &here.id, None, None).unwrap();
    }
    let waiting = edits.outbox().unwrap().len();
    drive.close().unwrap();
    json!({"waiting": waiting})
}

/// Sends all that waits.
pub fn send(drive: &Drive) -> Value {
    let run = push(drive);
    assert_eq!(run.left, 0, "{run:?}");
    assert!(drive.edits().conflicts(false).unwrap().is_empty());
    json!({"done": run.done})
}
