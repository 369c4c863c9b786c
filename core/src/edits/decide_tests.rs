#![allow(clippy::unwrap_used)]

//! The tables of `CONFLICTS.md` are the truth that `decide` is held against.

use super::*;
use std::collections::BTreeMap;

/// The cells of the table whose first heading is this, by row and column.
fn table(first: &str) -> BTreeMap<(String, String), String> {
    let text = include_str!("CONFLICTS.md");
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with(&format!("| {first} |")));
    let heads = cells(lines.next().unwrap());
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| {
            let row = cells(line);
            assert_eq!(row.len(), heads.len(), "{line}");
            let name = row[0].clone();
            heads
                .iter()
                .skip(1)
                .cloned()
                .zip(row.into_iter().skip(1))
                .map(move |(head, cell)| ((name.clone(), head), cell))
        })
        .collect()
}

fn words(plan: Plan) -> String {
    match plan {
        Plan::Do => "do".into(),
        Plan::Done => "done".into(),
        Plan::KeepBoth => "keep both".into(),
        Plan::StoreAgain => "store again".into(),
        Plan::OtherName => "other name".into(),
        Plan::Merge => "merge".into(),
        Plan::GiveUp(kind) => format!("give up: {kind:?}"),
        Plan::Wait(park) => format!("wait: {park:?}"),
    }
}

/// `NewFile` as `new file`.
fn spaced(variant: &impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for c in format!("{variant:?}").chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[test]
fn every_cell_of_the_table_of_items_is_what_is_done() {
    let ours = [
        Ours::Content,
        Ours::Place,
        Ours::Link,
        Ours::Trash,
        Ours::Restore,
        Ours::Purge,
    ];
    let theirs = [
        Theirs::Same,
        Theirs::Moved,
        Theirs::Equal,
        Theirs::Edited,
        Theirs::Trashed,
        Theirs::Gone,
    ];
    let written = table("wanted here");
    assert_eq!(written.len(), ours.len() * theirs.len());
    for ours in ours {
        for theirs in theirs {
            let done = words(of_item(ours, theirs));
            let cell = (spaced(&ours), spaced(&theirs));
            assert_eq!(written.get(&cell), Some(&done), "{cell:?}");
        }
    }
}

#[test]
fn every_cell_of_the_table_of_names_is_what_is_done() {
    let comers = [
        Comer::NewFile,
        Comer::NewFolder,
        Comer::MovedFile,
        Comer::MovedFolder,
        Comer::CopiedFile,
        Comer::CopiedFolder,
        Comer::RestoredFile,
        Comer::RestoredFolder,
    ];
    let theres = [
        There::Nothing,
        There::Itself,
        There::Equal,
        There::File,
        There::Folder,
    ];
    let written = table("is to get it");
    assert_eq!(written.len(), comers.len() * theres.len());
    for comer in comers {
        for there in theres {
            let done = words(of_name(comer, there));
            let cell = (spaced(&comer), spaced(&there));
            assert_eq!(written.get(&cell), Some(&done), "{cell:?}");
        }
    }
}

#[test]
fn no_content_is_ever_replaced_by_another_that_the_person_has_not_seen() {
    for theirs in [Theirs::Edited, Theirs::Equal, Theirs::Trashed, Theirs::Gone] {
        assert_ne!(of_item(Ours::Content, theirs), Plan::Do, "{theirs:?}");
    }
    assert_ne!(of_item(Ours::Trash, Theirs::Edited), Plan::Do);
}
