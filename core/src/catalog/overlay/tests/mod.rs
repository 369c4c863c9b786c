#![allow(clippy::unwrap_used)]

//! What is wanted, on top of what the service has.

mod apart;
mod shown;
mod turns_up;

use crate::catalog::Answered;
use crate::catalog::pocket::{Pocket, d, f, file, t, td, trashed, trashed_folder};
use crate::catalog::*;
use crate::remote::{Entry, TreeEntry};
use crate::store::{Base, EditRow, Fate, WantedContent, WantedPlace};

fn bytes(id: &ItemId) -> Id {
    id_bytes(id).unwrap()
}

/// `Sync/A/{a,b}`, `Sync/A/In/c`, `Sync/B`, all listed.
fn pocket() -> Pocket {
    let pocket = Pocket::new();
    pocket.list(&["Sync"], vec![d("A"), d("B")]);
    pocket.list(&["Sync", "A"], vec![f("a", 1, 1), f("b", 2, 2), d("In")]);
    pocket.list(&["Sync", "A", "In"], vec![f("c", 3, 3)]);
    pocket.list(&["Sync", "B"], vec![]);
    pocket
}

/// Changes what is wanted of an item, as the queue does.
fn want(pocket: &Pocket, id: &ItemId, change: impl FnOnce(&mut EditRow)) {
    let store = pocket.store();
    let of = bytes(id);
    let item = match pocket.catalog.item(id).unwrap() {
        Lookup::Found(item) => Some(item),
        _ => None,
    };
    let kind = if item.is_some_and(|item| item.kind == Kind::Folder) {
        2
    } else {
        3
    };
    let base = pocket.catalog.theirs(&of).unwrap().map(|theirs| Base {
        parent: theirs.parent,
        name: theirs.name,
        uuid: theirs.uuid,
        md5: theirs.md5,
        size: theirs.size,
        revision: theirs.revision,
    });
    let mut row = store.edit(&of).unwrap().unwrap_or(EditRow {
        base,
        ..EditRow::of(of, kind, 1_800_000_000_000)
    });
    change(&mut row);
    store.outbox(|outbox| outbox.put(&row)).unwrap();
    pocket.catalog.settle_edits(&[of]).unwrap();
}

fn want_nothing(pocket: &Pocket, id: &ItemId) {
    want(pocket, id, |row| {
        *row = EditRow::of(row.id, row.kind, row.since_ms)
    });
}

fn place(parent: &ItemId, name: &str) -> Option<WantedPlace> {
    Some(WantedPlace {
        parent: bytes(parent),
        name: name.into(),
    })
}

fn content(seed: u8) -> Option<WantedContent> {
    Some(WantedContent {
        file: "01-ff".into(),
        size: 77,
        md5: [seed; 16],
        blake3: None,
        created_ms: Some(1_000),
        modified_ms: Some(2_000),
    })
}

/// Something new, and its id.
fn new(pocket: &Pocket, parent: &ItemId, name: &str, kind: u8) -> ItemId {
    let id = id_text(crate::store::new_id().unwrap());
    let place = place(parent, name);
    let store = pocket.store();
    let row = EditRow {
        is_new: true,
        place: place.clone(),
        content: content(9).filter(|_| kind == 3),
        ..EditRow::of(bytes(&id), kind, 1)
    };
    store
        .outbox(|outbox| {
            outbox.put(&row)?;
            outbox.record(&crate::store::Identified {
                id: bytes(&id),
                place: crate::store::Place {
                    parent: bytes(parent),
                    name: name.into(),
                    kind,
                    uuid: None,
                },
            })
        })
        .unwrap();
    pocket.catalog.settle_edits(&[bytes(&id)]).unwrap();
    id
}

fn shown(pocket: &Pocket, names: &[&str]) -> Vec<String> {
    pocket.names(names, Order::Name)
}
