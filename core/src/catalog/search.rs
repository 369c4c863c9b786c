//! Search as a person types, what is recent, and favourites: local reads over the index of names.
//!
//! Every name is looked at, and the best are kept in a heap as large as what is asked for, so memory does not grow with
//! the tree. What was found is then held against the rows. If too much of it was dead, the heap grows and it starts over.

use super::flags::PinnedFolders;
use super::names::{ENTRY, Entry, SECONDS_MAX, SIZE_MAX, entries, guess, is_alive, search_fold};
use super::read::{Meta, key_of, row_of};
use super::row::{FILE, Seen, space_code};
use super::{Catalog, Found, Item, Kind, Search, Space};
use crate::store::Mark;
use crate::{Error, Result};
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter, memrchr};
use rusqlite::{Connection, Row};
use std::collections::{BinaryHeap, HashMap, HashSet};

/// Found beyond what is asked for, because some may be dead.
const SPARE: usize = 32;

/// How well a name fits; the least is the best.
const EXACT: u8 = 0;
const STARTS: u8 = 1;
const WORD_STARTS: u8 = 2;
const ANYWHERE: u8 = 3;

/// A name that was found. In order of rank: how well it fits, the newest first, then the newest key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    fit: u8,
    age: u32,
    /// Newer items have larger keys.
    key: std::cmp::Reverse<i64>,
    pack: i64,
}

/// The best of what was offered.
struct Best {
    room: usize,
    heap: BinaryHeap<Hit>,
    /// Whether something was left out.
    full: bool,
}

impl Best {
    fn new(room: usize) -> Self {
        Self {
            room,
            heap: BinaryHeap::new(),
            full: false,
        }
    }

    /// The worst fit that is still of interest at an age, or `None`.
    fn wanted(&mut self, age: u32) -> Option<u8> {
        if self.heap.len() < self.room {
            return Some(ANYWHERE);
        }
        self.full = true;
        let worst = self.heap.peek()?;
        if age <= worst.age {
            Some(worst.fit)
        } else {
            worst.fit.checked_sub(1)
        }
    }

    fn offer(&mut self, hit: Hit) {
        if self.heap.len() >= self.room {
            self.full = true;
            if self.heap.peek().is_none_or(|worst| hit >= *worst) {
                return;
            }
            self.heap.pop();
        }
        self.heap.push(hit);
    }
}

/// What an entry must be.
struct Filter<'a> {
    spaces: [bool; 4],
    kind: Option<u8>,
    sizes: Option<(u64, u64)>,
    times: Option<(i64, i64)>,
    favourites: Option<HashSet<i64>>,
    mime: Option<&'a str>,
}

impl<'a> Filter<'a> {
    fn new(db: &Connection, search: &'a Search) -> Result<Self> {
        let favourites = if search.favourites {
            let keys = db
                .prepare_cached("SELECT key FROM item WHERE flags <> 0 AND flags & ?1")?
                .query_map([Mark::Favourite.flag()], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Some(keys)
        } else {
            None
        };
        let (from, before) = (search.modified_from_ms, search.modified_before_ms);
        let (least, most) = (search.at_least, search.at_most);
        Ok(Self {
            spaces: spaces(search),
            kind: search.kind.map(|kind| match kind {
                Kind::Root => 0,
                Kind::Computer => 1,
                Kind::Folder => 2,
                Kind::File => FILE,
            }),
            sizes: (least.is_some() || most.is_some())
                .then_some((least.unwrap_or(0), most.unwrap_or(u64::MAX))),
            times: (from.is_some() || before.is_some())
                .then_some((from.unwrap_or(i64::MIN), before.unwrap_or(i64::MAX))),
            favourites,
            mime: search.mime.as_deref(),
        })
    }

    /// Whether an entry may be wanted. What it does not tell exactly, the row does.
    fn takes(&self, entry: &Entry) -> bool {
        let file = entry.kind == FILE;
        let (size, ms) = (entry.size, i64::from(entry.modified) * 1_000);
        self.spaces[usize::from(entry.space & 3)]
            && self.kind.is_none_or(|kind| kind == entry.kind)
            && self.sizes.is_none_or(|(least, most)| {
                file && ((size >= least && size <= most) || size == SIZE_MAX)
            })
            && self.times.is_none_or(|(from, before)| {
                file && ((ms >= from && ms < before) || matches!(entry.modified, 0 | SECONDS_MAX))
            })
            && (self.mime.is_none() || file)
            && self
                .favourites
                .as_ref()
                .is_none_or(|keys| keys.contains(&entry.key))
    }

    /// Whether a name may be of the media type.
    fn takes_name(&self, entry: &Entry, name: &[u8]) -> bool {
        self.mime.is_none_or(|mime| {
            guess(entry.kind, name).is_none_or(|guessed| guessed.starts_with(mime))
        })
    }

    /// Whether the item as it is now is wanted.
    fn takes_item(&self, item: &Item) -> bool {
        self.mime.is_none_or(|mime| {
            let folded = search_fold(&item.name);
            let own = item.mime.as_deref();
            own.or_else(|| guess(FILE, folded.as_bytes()))
                .is_some_and(|own| own.starts_with(mime))
        }) && self
            .sizes
            .is_none_or(|(least, most)| item.size.is_some_and(|size| size >= least && size <= most))
            && self.times.is_none_or(|(from, before)| {
                item.modified_ms.is_some_and(|ms| ms >= from && ms < before)
            })
    }
}

fn spaces(search: &Search) -> [bool; 4] {
    if search.spaces.is_empty() {
        return [true, true, true, false];
    }
    let mut wanted = [false; 4];
    for space in &search.spaces {
        if let Some(wanted) = wanted.get_mut(usize::from(space_code(*space))) {
            *wanted = true;
        }
    }
    wanted
}

/// What was typed.
struct Text {
    whole: String,
    /// The longest first: it is the rarest.
    words: Vec<Finder<'static>>,
}

impl Text {
    fn new(typed: &str) -> Self {
        let folded = search_fold(typed);
        let mut words: Vec<&str> = folded.split_whitespace().collect();
        let whole = words.join(" ");
        words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Self {
            words: words
                .iter()
                .map(|word| Finder::new(word.as_bytes()).into_owned())
                .collect(),
            whole,
        }
    }

    /// How well a name that holds all words fits; `None` if worse than `worst`.
    fn fit(&self, name: &[u8], worst: u8) -> Option<u8> {
        let whole = self.whole.as_bytes();
        let fit = if name.starts_with(whole) {
            if name.len() == whole.len() {
                EXACT
            } else {
                STARTS
            }
        } else if worst < WORD_STARTS {
            return None;
        } else if self.words.iter().all(|word| starts_a_word(name, word)) {
            WORD_STARTS
        } else {
            ANYWHERE
        };
        (fit <= worst).then_some(fit)
    }
}

/// Whether a word of the name starts with `word`.
fn starts_a_word(name: &[u8], word: &Finder<'_>) -> bool {
    word.find_iter(name).any(|at| {
        let before = &name[..at];
        match before.last() {
            None => true,
            Some(byte) if byte.is_ascii() => !byte.is_ascii_alphanumeric(),
            Some(_) => {
                let start = before.iter().rposition(|byte| byte & 0xC0 != 0x80);
                let last = start.and_then(|start| std::str::from_utf8(&before[start..]).ok());
                last.and_then(|last| last.chars().next())
                    .is_some_and(|c| !c.is_alphanumeric())
            }
        }
    })
}

/// Looks at every name.
fn scan(db: &Connection, text: &Text, filter: &Filter<'_>, best: &mut Best) -> Result<()> {
    let Some((first, others)) = text.words.split_first() else {
        return scan_all(db, filter, best);
    };
    let mut packs = db.prepare_cached("SELECT n, entries, names FROM name_pack")?;
    let mut rows = packs.query([])?;
    while let Some(row) = rows.next()? {
        let pack = row.get(0)?;
        let (entries, _) = blob(row, 1)?.as_chunks::<ENTRY>();
        let names = blob(row, 2)?;
        // Where the name begins whose number is `index`, and where to look on.
        let (mut index, mut counted, mut from) = (0, 1, 0);
        while let Some(found) = names.get(from..).and_then(|rest| first.find(rest)) {
            let at = from + found;
            let start = memrchr(b'\n', &names[..at]).map_or(0, |end| end + 1);
            let end = at + memchr(b'\n', &names[at..]).unwrap_or(names.len() - at);
            index += memchr_iter(b'\n', &names[counted..start]).count();
            (counted, from) = (start, end);
            let Some(entry) = entries.get(index).map(Entry::read) else {
                break;
            };
            let name = &names[start..end];
            if !filter.takes(&entry)
                || !others.iter().all(|word| word.find(name).is_some())
                || !filter.takes_name(&entry, name)
            {
                continue;
            }
            let age = u32::MAX - entry.modified;
            let fit = best.wanted(age).and_then(|worst| text.fit(name, worst));
            if let Some(fit) = fit {
                best.offer(hit(fit, &entry, pack));
            }
        }
    }
    Ok(())
}

fn scan_all(db: &Connection, filter: &Filter<'_>, best: &mut Best) -> Result<()> {
    let columns = if filter.mime.is_some() {
        "SELECT n, entries, names FROM name_pack"
    } else {
        "SELECT n, entries FROM name_pack"
    };
    let mut packs = db.prepare_cached(columns)?;
    let mut rows = packs.query([])?;
    while let Some(row) = rows.next()? {
        let pack = row.get(0)?;
        let mut names = match filter.mime {
            Some(_) => blob(row, 2)?,
            None => &[],
        };
        names = names.get(1..).unwrap_or_default();
        for entry in entries(blob(row, 1)?) {
            let end = memchr(b'\n', names).unwrap_or(names.len());
            let name = &names[..end];
            names = names.get(end + 1..).unwrap_or_default();
            if filter.takes(&entry) && (filter.mime.is_none() || filter.takes_name(&entry, name)) {
                best.offer(hit(ANYWHERE, &entry, pack));
            }
        }
    }
    Ok(())
}

fn blob<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    let value = row.get_ref(column)?;
    value.as_blob().map_err(|_| Error::StoreDamaged {
        detail: "a pack of names".into(),
    })
}

fn hit(fit: u8, entry: &Entry, pack: i64) -> Hit {
    Hit {
        fit,
        age: u32::MAX - entry.modified,
        key: std::cmp::Reverse(entry.key),
        pack,
    }
}

/// The best rows, at most `limit`.
fn best_rows(db: &Connection, search: &Search, limit: usize) -> Result<Vec<Seen>> {
    let text = Text::new(&search.text);
    let filter = Filter::new(db, search)?;
    let life = Meta::read(db)?.life();
    let mut pinned = PinnedFolders::default();
    let mut room = limit + SPARE;
    loop {
        let mut best = Best::new(room);
        scan(db, &text, &filter, &mut best)?;
        let full = best.full;
        let mut rows = Vec::new();
        for hit in best.heap.into_sorted_vec() {
            if rows.len() == limit {
                break;
            }
            if !is_alive(db, hit.key.0, hit.pack)? {
                continue;
            }
            let row = row_of(db, &life, hit.key.0, &mut pinned)?;
            rows.extend(row.filter(|row| filter.takes_item(&row.item)));
        }
        if rows.len() == limit || !full {
            return Ok(rows);
        }
        room *= 8;
    }
}

fn check_limit(limit: u32) -> Result<usize> {
    if (1..=1_000).contains(&limit) {
        Ok(limit as usize)
    } else {
        Err(Error::invalid("limit is not 1 to 1,000"))
    }
}

impl Catalog {
    pub(super) fn find_by_name(&self, search: &Search) -> Result<Found> {
        let limit = check_limit(search.limit)?;
        self.settle_marks_once()?;
        let (mut rows, unlisted_folders) = self.store.catalog.read(|db| {
            let rows = best_rows(db, search, limit + 1)?;
            let mut unlisted = 0;
            for (space, wanted) in spaces(search).into_iter().enumerate() {
                if wanted {
                    unlisted += unlisted_in(db, space)?;
                }
            }
            Ok((rows, unlisted))
        })?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Found {
            items: self.with_ids(rows)?,
            more,
            unlisted_folders,
        })
    }

    pub(super) fn newest(&self, limit: u32) -> Result<Vec<Item>> {
        let wanted = check_limit(limit)?;
        self.settle_marks_once()?;
        let opened = self.store.newest_marked(Mark::Opened, limit)?;
        let rows = self.store.catalog.read(|db| {
            let search = Search {
                kind: Some(Kind::File),
                ..Search::new("")
            };
            let life = Meta::read(db)?.life();
            let mut pinned = PinnedFolders::default();
            let mut rows = best_rows(db, &search, wanted)?;
            let mut times: HashMap<i64, i64> = HashMap::new();
            for (id, since_ms) in opened {
                let Some(key) = key_of(db, &id)? else {
                    continue;
                };
                if !rows.iter().any(|row| row.key == key) {
                    let row = row_of(db, &life, key, &mut pinned)?;
                    rows.extend(row.filter(|row| {
                        row.item.kind == Kind::File && row.item.space != Space::Trash
                    }));
                }
                times.insert(key, since_ms);
            }
            let time = |row: &Seen| {
                let opened = times.get(&row.key).copied();
                std::cmp::Reverse((row.item.modified_ms.max(opened), row.key))
            };
            rows.sort_by_cached_key(time);
            rows.truncate(wanted);
            Ok(rows)
        })?;
        self.with_ids(rows)
    }

    pub(super) fn all_favourites(&self) -> Result<Vec<Item>> {
        self.settle_marks()?;
        let favourites = self.store.marked(Mark::Favourite)?;
        let keys = self.store.catalog.read(|db| {
            let mut keys = Vec::with_capacity(favourites.len());
            for (id, _) in favourites {
                keys.extend(key_of(db, &id)?);
            }
            Ok(keys)
        })?;
        self.items(&keys)
    }
}

fn unlisted_in(db: &Connection, space: usize) -> Result<u64> {
    let count: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM item INDEXED BY item_unlisted
             WHERE space = ?1 AND kind < 3 AND listed_ms IS NULL",
        )?
        .query_row([i64::try_from(space).unwrap_or(0)], |row| row.get(0))?;
    Ok(count.max(0).unsigned_abs())
}
