#![allow(clippy::unwrap_used)]

use super::pocket::{Pocket, d, f, file, t, trashed};
use super::*;
use crate::remote::Entry;
use std::collections::BTreeMap;

fn names(pocket: &Pocket, search: &Search) -> Vec<String> {
    let found = pocket.catalog.search(search).unwrap();
    found.items.into_iter().map(|item| item.name).collect()
}

fn typed(pocket: &Pocket, text: &str) -> Vec<String> {
    names(pocket, &Search::new(text))
}

/// A file of Sync for each name, the first the oldest.
fn of(list: &[&str]) -> Pocket {
    let pocket = Pocket::new();
    let files = list
        .iter()
        .zip(1..)
        .map(|(name, n)| f(name, n, u64::from(n)));
    pocket.list(&["Sync"], files.collect());
    pocket
}

#[test]
fn a_name_that_is_the_text_comes_first_then_beginnings_then_words_then_the_rest() {
    let pocket = of(&[
        "report",
        "report old.txt",
        "reporter.txt",
        "my report.txt",
        "a-report.txt",
        "unreported.txt",
        "letter.txt",
    ]);
    assert_eq!(
        typed(&pocket, "Report"),
        [
            "report",
            "reporter.txt",
            "report old.txt",
            "a-report.txt",
            "my report.txt",
            "unreported.txt"
        ]
    );
    assert_eq!(
        typed(&pocket, "r"),
        [
            "reporter.txt",
            "report old.txt",
            "report",
            "a-report.txt",
            "my report.txt",
            "letter.txt",
            "unreported.txt"
        ]
    );
}

#[test]
fn all_words_must_be_in_the_name_in_any_order() {
    let pocket = of(&[
        "summer 2019 beach.jpg",
        "beach 2019.jpg",
        "beach summer.jpg",
    ]);
    assert_eq!(
        typed(&pocket, "  2019   beach "),
        ["beach 2019.jpg", "summer 2019 beach.jpg"]
    );
    assert_eq!(typed(&pocket, "beach 2020"), [""; 0]);
}

#[test]
fn accents_and_case_do_not_matter_but_nordic_letters_are_letters() {
    let pocket = of(&[
        "BLÅBÆR.txt",
        "re\u{301}sume\u{301}.pdf",
        "Ærø ö.txt",
        "Muller",
    ]);
    for text in ["blåbær", "BLÅBÆR", "bla\u{30a}b", "ÅBÆ"] {
        assert_eq!(typed(&pocket, text), ["BLÅBÆR.txt"], "{text}");
    }
    for text in ["blabaer", "blab", "arø", "aero", "o.txt"] {
        assert_eq!(typed(&pocket, text), [""; 0], "{text}");
    }
    for text in ["resume", "RÉSUMÉ", "rèsumê"] {
        assert_eq!(typed(&pocket, text), ["re\u{301}sume\u{301}.pdf"]);
    }
    assert_eq!(typed(&pocket, "ærø"), ["Ærø ö.txt"]);
    assert_eq!(typed(&pocket, "müller"), ["Muller"]);
}

#[test]
fn odd_names_are_found_by_what_a_person_sees() {
    let long = "å".repeat(251) + ".txt";
    let pocket = of(&[
        "❤\u{fe0f} love.png",
        "👨\u{200d}👩 family.jpg",
        "evil\u{202e}gpj.exe",
        &long,
        "\u{441}\u{430}\u{442}.txt",
        "10：30 what？.txt",
        "שלום.txt",
    ]);
    assert_eq!(typed(&pocket, "❤"), ["❤\u{fe0f} love.png"]);
    assert_eq!(typed(&pocket, "👩"), ["👨\u{200d}👩 family.jpg"]);
    assert_eq!(typed(&pocket, "evilgpj"), ["evil\u{202e}gpj.exe"]);
    assert_eq!(typed(&pocket, &"Å".repeat(251)), [long.as_str()]);
    assert_eq!(typed(&pocket, "שלום"), ["שלום.txt"]);
    assert_eq!(typed(&pocket, "cat"), [""; 0], "it only looks like it");
    assert_eq!(typed(&pocket, "10:30 what?"), ["10:30 what?.txt"]);
    assert_eq!(typed(&pocket, "\n"), typed(&pocket, ""));
    assert_eq!(typed(&pocket, &"x".repeat(100_000)), [""; 0]);
}

#[test]
fn what_was_renamed_removed_or_trashed_is_found_as_it_is_now() {
    let pocket = of(&["one.txt", "two.txt", "three.txt"]);
    pocket.list(
        &["Sync"],
        vec![
            f("uno.txt", 1, 1),
            f("three.txt", 3, 3),
            f("four.txt", 4, 4),
        ],
    );
    assert_eq!(typed(&pocket, "one"), [""; 0]);
    assert_eq!(typed(&pocket, "uno"), ["uno.txt"]);
    assert_eq!(typed(&pocket, "two"), [""; 0]);
    assert_eq!(typed(&pocket, ".txt").len(), 3);
    pocket.list(&["Sync"], vec![f("one.txt", 1, 1)]);
    assert_eq!(typed(&pocket, "one"), ["one.txt"]);
    assert_eq!(typed(&pocket, "txt"), ["one.txt"]);
    pocket.list(
        &["Trash"],
        vec![trashed(
            file("one.txt", 1, 1),
            &["Jotta", "Sync"],
            2_000_000_000_000,
        )],
    );
    assert_eq!(
        typed(&pocket, "one"),
        [""; 0],
        "not in the trash unless asked"
    );
    let trash = Search {
        spaces: vec![Space::Trash],
        ..Search::new("one")
    };
    assert_eq!(names(&pocket, &trash), ["one.txt"]);
}

#[test]
fn a_folder_that_goes_to_the_trash_takes_what_is_in_it_out_of_the_search() {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![d("Album")]);
    pocket.list(&["Sync", "Album"], vec![f("photo.jpg", 1, 1)]);
    pocket.id(&["Sync", "Album", "photo.jpg"]);
    let folder = crate::remote::RemoteFolder {
        name: "Album".into(),
        deleted_ms: Some(1_900_000_000_000),
        trashed_from: Some(RemotePath::new(vec!["Jotta".into(), "Sync".into()])),
    };
    pocket.list(&["Trash"], vec![Entry::Folder(folder)]);
    assert_eq!(pocket.catalog.counts().unwrap(), [0, 0, 0, 2]);
    assert_eq!(typed(&pocket, "photo"), [""; 0]);
}

#[test]
fn filters_hold_together() {
    let pocket = of(&["a.jpg", "b.jpg", "c.txt", "d"]);
    pocket.list(&["Archive"], vec![f("e.jpg", 5, 5), d("jpg folder")]);
    let search = |change: &dyn Fn(&mut Search)| {
        let mut search = Search::new("");
        change(&mut search);
        let mut found = names(&pocket, &search);
        found.sort();
        found
    };
    assert_eq!(
        search(&|search| search.spaces = vec![Space::Archive]).len(),
        2
    );
    assert_eq!(
        search(&|search| search.kind = Some(Kind::Folder)),
        ["jpg folder"]
    );
    assert_eq!(
        search(&|search| (search.at_least, search.at_most) = (Some(20), Some(40))),
        ["b.jpg", "c.txt", "d"]
    );
    assert_eq!(
        search(&|search| {
            (search.modified_from_ms, search.modified_before_ms) = (Some(1_001), Some(3_000));
        }),
        ["b.jpg"]
    );
    let favourite = pocket.id(&["Sync", "c.txt"]);
    pocket.catalog.set_favourite(&favourite, true).unwrap();
    assert_eq!(search(&|search| search.favourites = true), ["c.txt"]);
    assert_eq!(
        search(&|search| (search.favourites, search.text) = (true, "jpg".into())),
        [""; 0]
    );
    let all = pocket.catalog.favourites().unwrap();
    assert_eq!(all.len(), 1);
    assert!(all[0].favourite);
    for limit in [0, 1_001] {
        let search = Search {
            limit,
            ..Search::new("")
        };
        assert!(pocket.catalog.search(&search).is_err());
    }
}

#[test]
fn a_media_type_that_the_service_has_not_told_is_taken_from_the_name() {
    let pocket = Pocket::new();
    pocket.index(vec![t("", "a.JPG", 1), t("", "b.txt", 2), t("", "c", 3)]);
    let images = Search {
        mime: Some("image/".into()),
        ..Search::new("")
    };
    assert_eq!(names(&pocket, &images), ["a.JPG"]);
    // The service calls what the test lists text.
    pocket.list(&["Sync"], vec![f("a.JPG", 1, 1), f("c", 3, 3)]);
    let text = Search {
        mime: Some("text/".into()),
        ..Search::new("")
    };
    assert_eq!(names(&pocket, &text), ["c"]);
}

#[test]
fn a_search_says_whether_there_is_more_and_what_is_not_known_yet() {
    let pocket = of(&["a1", "a2", "a3"]);
    let two = Search {
        limit: 2,
        ..Search::new("a")
    };
    let found = pocket.catalog.search(&two).unwrap();
    assert_eq!((found.items.len(), found.more), (2, true));
    // The roots of Backup and Archive.
    assert_eq!(found.unlisted_folders, 2);
    pocket.list(&["Sync"], vec![d("new"), f("a1", 1, 1)]);
    let sync = Search {
        spaces: vec![Space::Sync],
        ..two
    };
    let found = pocket.catalog.search(&sync).unwrap();
    assert_eq!((found.items.len(), found.more), (1, false));
    assert_eq!(found.unlisted_folders, 1);
    pocket.list(&["Sync", "new"], vec![]);
    assert_eq!(pocket.catalog.search(&sync).unwrap().unlisted_folders, 0);
}

fn packs(pocket: &Pocket) -> (i64, i64, i64) {
    let sql = "SELECT (SELECT count(*) FROM name_pack),
        (SELECT ifnull(sum(length(entries)) / 16, 0) FROM name_pack), (SELECT packed FROM meta)";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let store = pocket.store();
    store
        .catalog
        .read(|db| Ok(db.query_row(sql, [], read)?))
        .unwrap()
}

#[test]
fn the_index_of_names_stays_small_and_right_however_often_names_change() {
    let pocket = Pocket::new();
    let mut random = fastrand::Rng::with_seed(3);
    let mut now: BTreeMap<u64, String> = BTreeMap::new();
    for round in 0..60 {
        for _ in 0..150 {
            let n = random.u64(1..1_200);
            if random.u8(..4) == 0 {
                now.remove(&n);
            } else {
                now.insert(
                    n,
                    format!("{} {n}", ["Æble", "pære", "åk"][random.usize(..3)]),
                );
            }
        }
        let uuid = |n: u64| {
            let mut entry = file(&now[&n], 0, n);
            let mut uuid = [9; 16];
            uuid[..8].copy_from_slice(&n.to_be_bytes());
            entry.uuid = Some(uuid);
            Entry::File(entry)
        };
        pocket.list(&["Sync"], now.keys().map(|n| uuid(*n)).collect());
        for word in ["æble", "PÆRE", "k 1"] {
            let search = Search {
                limit: 1_000,
                ..Search::new(word)
            };
            let mut found = names(&pocket, &search);
            found.sort();
            let folded = word.to_lowercase();
            let mut right: Vec<_> = now
                .values()
                .filter(|name| {
                    name.to_lowercase().contains(&folded)
                        || word == "k 1" && name.contains('k') && name.contains('1')
                })
                .cloned()
                .collect();
            right.sort();
            assert_eq!(found, right, "round {round}: {word}");
        }
        let (_, entries, packed) = packs(&pocket);
        assert_eq!(entries, packed);
        assert!(entries <= 2 * i64::try_from(now.len()).unwrap() + 3_000);
    }
    pocket.catalog.accept_disappearance(Space::Sync).unwrap();
    pocket.list(&["Sync"], vec![]);
    pocket.list(&["Sync"], vec![f("last", 1, 1)]);
    for n in 1..30 {
        pocket.list(&["Sync"], vec![f(&format!("last {n}"), 1, 1)]);
    }
    assert_eq!(typed(&pocket, ""), ["last 29"]);
    let (count, entries, packed) = packs(&pocket);
    assert_eq!(entries, packed);
    assert!(count <= 4, "{count} packs of {entries} entries");
}

#[test]
fn recents_are_what_was_modified_anywhere_and_what_was_opened_here() {
    let pocket = of(&["oldest", "old", "new"]);
    pocket.list(&["Archive"], vec![f("newest", 9, 9)]);
    pocket.list(
        &["Trash"],
        vec![trashed(file("gone", 10, 50), &["Jotta"], 1)],
    );
    let recents = |limit| -> Vec<_> {
        let items = pocket.catalog.recents(limit).unwrap();
        items.into_iter().map(|item| item.name).collect()
    };
    assert_eq!(recents(10), ["newest", "new", "old", "oldest"]);
    assert_eq!(recents(2), ["newest", "new"]);
    let oldest = pocket.id(&["Sync", "oldest"]);
    pocket
        .catalog
        .set_mark(&oldest, Mark::Opened, true)
        .unwrap();
    assert_eq!(recents(2), ["oldest", "newest"]);
    assert!(pocket.catalog.recents(0).is_err());
}

#[test]
fn a_sign_out_leaves_no_name_behind() {
    let pocket = of(&["secret.txt"]);
    pocket.catalog.clear().unwrap();
    assert_eq!(typed(&pocket, ""), [""; 0]);
    assert_eq!(packs(&pocket).0, 0);
}
