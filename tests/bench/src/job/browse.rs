//! What a screen asks the local store for: pages of a large folder, and searches as a person types.

use crate::content::Spread;
use lomme::Drive;
use lomme::catalog::{Lookup, Order, Search};
use serde_json::{Value, json};
use std::time::Instant;

/// Typed letter by letter: what many, some, one and no names hold, words in the middle, several words.
const TYPED: [&str; 14] = [
    "file 00012.jpg",
    "file 09999",
    "00017",
    "folder 04321",
    "part 012",
    "older 0123",
    "jpg",
    "docx",
    "99.txt",
    "file txt",
    "folder 00 4",
    "nothing like it",
    "FILE 00003",
    "ﬁle 5",
];

/// `folder` is a path to the folder of 10,000. The directory was indexed before.
pub fn run(drive: &Drive, folder: &str) -> Value {
    let names: Vec<&str> = folder.split('/').collect();
    let Lookup::Found(folder) = drive.catalog().find(&names).unwrap() else {
        panic!("the folder is not indexed")
    };
    let mut pages = Vec::new();
    let mut rows = 0;
    for _ in 0..8 {
        for order in [Order::Name, Order::Newest, Order::Largest] {
            let mut next = None;
            loop {
                let (page, time) = timed(|| {
                    drive
                        .catalog()
                        .children(&folder.id, order, next.as_deref(), 200)
                        .unwrap()
                });
                pages.push(time);
                rows += page.items.len();
                next = page.next;
                if next.is_none() {
                    break;
                }
            }
        }
    }
    assert_eq!(rows, 8 * 3 * 10_000);

    let mut typed = Vec::new();
    let mut slowest = (0.0, String::new());
    let mut hits = 0;
    for _ in 0..10 {
        for text in TYPED {
            for (end, letter) in text.char_indices() {
                let text = &text[..end + letter.len_utf8()];
                let search = Search::new(text);
                let (found, time) = timed(|| drive.catalog().search(&search).unwrap());
                hits += found.items.len();
                if time > slowest.0 {
                    slowest = (time, text.to_owned());
                }
                typed.push(time);
            }
        }
    }
    assert!(hits > 0);
    json!({"page": Spread::of(pages), "search": Spread::of(typed), "slowest_search": slowest.1})
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64() * 1000.0)
}
