#![allow(clippy::unwrap_used)]

//! Random wishes for the model test, put into the outbox as the queue does it.

use super::*;
use crate::store::{Base, EditRow, Fate, WantedContent, WantedPlace};
use std::collections::BTreeMap;

/// What is wanted, by item.
#[derive(Default)]
pub(super) struct Wishes(BTreeMap<ItemId, EditRow>);

impl Wishes {
    fn put(&mut self, catalog: &Catalog, row: EditRow) {
        let id = id_text(row.id);
        catalog.store.outbox(|outbox| outbox.put(&row)).unwrap();
        catalog.settle_edits(&[row.id]).unwrap();
        if row.wants_nothing() {
            self.0.remove(&id);
        } else {
            self.0.insert(id, row);
        }
    }

    /// Nothing is wanted any more.
    pub fn drop_all(&mut self, catalog: &Catalog) {
        for (_, row) in std::mem::take(&mut self.0) {
            self.put(catalog, EditRow::of(row.id, row.kind, row.since_ms));
        }
    }

    /// Every wish shows.
    pub fn check(&self, catalog: &Catalog) {
        for (id, row) in &self.0 {
            let Lookup::Found(item) = catalog.item(id).unwrap() else {
                panic!("{id} is wanted and not there: {row:?}");
            };
            assert!(item.pending, "{row:?}");
            if let Some(content) = &row.content {
                let version = content_version(content.md5, content.size);
                assert_eq!(item.content_version, Some(version), "{row:?}");
            }
            match (row.fate, &row.place) {
                (Some(_), _) => {
                    let there = catalog.theirs(&row.id).unwrap().is_some();
                    assert!(!there || item.space == Space::Trash, "{row:?}");
                }
                (None, Some(place)) => {
                    assert_eq!(
                        (&item.name, &item.parent),
                        (&place.name, &id_text(place.parent))
                    );
                }
                (None, None) => {}
            }
        }
    }
}

pub(super) fn wish_for(
    catalog: &Catalog,
    wishes: &mut Wishes,
    local: &[Item],
    folders: &[ItemId],
    random: &mut fastrand::Rng,
) {
    let place = |random: &mut fastrand::Rng| WantedPlace {
        parent: id_bytes(&folders[random.usize(..folders.len())]).unwrap(),
        name: format!("wanted {}", random.u16(..)),
    };
    let content = |random: &mut fastrand::Rng| WantedContent {
        file: "00-00".into(),
        size: u64::from(random.u16(..)),
        md5: [random.u8(..); 16],
        blake3: None,
        created_ms: None,
        modified_ms: Some(random.i64(0..1_000_000)),
    };
    let kind = random.u8(..8);
    if kind < 2 || local.is_empty() {
        let id = crate::store::new_id().unwrap();
        let mut row = EditRow {
            is_new: true,
            place: Some(place(random)),
            ..EditRow::of(id, 2 + kind % 2, 1)
        };
        row.content = Some(content(random)).filter(|_| row.kind == 3);
        eprintln!("wish new {:?}", row.place);
        return wishes.put(catalog, row);
    }
    if kind == 2 {
        let Some(id) = random.choice(wishes.0.keys().cloned().collect::<Vec<_>>()) else {
            return;
        };
        let row = &wishes.0[&id];
        eprintln!("no wish {id}");
        let none = EditRow::of(row.id, row.kind, row.since_ms);
        return wishes.put(catalog, none);
    }
    let item = &local[random.usize(..local.len())];
    let id = id_bytes(&item.id).unwrap();
    let base = catalog.theirs(&id).unwrap().map(|theirs| Base {
        parent: theirs.parent,
        name: theirs.name,
        uuid: theirs.uuid,
        md5: theirs.md5,
        size: theirs.size,
        revision: theirs.revision,
    });
    let file = item.kind == Kind::File;
    let mut row = catalog.store.edit(&id).unwrap().unwrap_or(EditRow {
        base,
        ..EditRow::of(id, if file { 3 } else { 2 }, 1)
    });
    match kind {
        3 | 4 if file => row.content = Some(content(random)),
        5 if !row.is_new => row.fate = Some(Fate::Trash),
        _ => {
            let place = place(random);
            let parent = id_text(place.parent);
            if catalog.is_descendant(&item.id, &parent).unwrap() {
                return;
            }
            row.place = Some(place);
            row.fate = None;
        }
    }
    eprintln!("wish {} {:?} {:?}", item.id, row.place, row.fate);
    wishes.put(catalog, row);
}
