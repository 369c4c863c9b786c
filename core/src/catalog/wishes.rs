#![allow(clippy::unwrap_used)]

//! Random wishes for the model test, put into the outbox as the queue does it, and some of them carried out as the engine
//! does it.

use super::*;
use crate::remote::{ContentFacts, Presence};
use crate::store::{Base, EditRow, Fate, WantedContent, WantedPlace};
use local_cloud::Writer;
use std::collections::BTreeMap;

/// What is wanted, by item.
#[derive(Default)]
pub(super) struct Wishes {
    rows: BTreeMap<ItemId, EditRow>,
    /// What was put last is in the journal only: the process ended.
    pub cut: bool,
}

impl Wishes {
    fn put(&mut self, catalog: &Catalog, row: EditRow) {
        let id = id_text(row.id);
        catalog
            .store
            .outbox(|outbox| {
                outbox.put(&row)?;
                match row.place.as_ref().filter(|_| row.is_new) {
                    Some(place) => outbox.record(&crate::store::Identified {
                        id: row.id,
                        place: crate::store::Place {
                            parent: place.parent,
                            name: place.name.clone(),
                            kind: row.kind,
                            uuid: None,
                        },
                    }),
                    None => Ok(()),
                }
            })
            .unwrap();
        if !self.cut {
            catalog.settle_edits(&[row.id]).unwrap();
        }
        if row.wants_nothing() {
            self.rows.remove(&id);
        } else {
            self.rows.insert(id, row);
        }
    }

    /// Nothing is wanted any more.
    pub fn drop_all(&mut self, catalog: &Catalog) {
        for (_, row) in std::mem::take(&mut self.rows) {
            self.put(catalog, EditRow::of(row.id, row.kind, row.since_ms));
        }
    }

    /// Every wish shows.
    pub fn check(&self, catalog: &Catalog) {
        for (id, row) in &self.rows {
            if row.fate == Some(Fate::Purge) {
                assert_eq!(catalog.item(id).unwrap(), Lookup::Gone, "{row:?}");
                continue;
            }
            let Lookup::Found(item) = catalog.item(id).unwrap() else {
                panic!("{id} is wanted and not there: {row:?}");
            };
            assert!(item.pending, "{row:?}");
            if let Some(content) = &row.content {
                let version = content_version(content.md5, content.size);
                assert_eq!(item.content_version, Some(version), "{row:?}");
            }
            if let Some(link) = row.link {
                assert_eq!(item.shared, Some(link), "{row:?}");
            }
            let theirs = catalog.theirs(&row.id).unwrap();
            match (row.fate, &row.place) {
                (Some(Fate::Restore), _) => {
                    let buried = theirs.is_some_and(|theirs| theirs.deleted_ms.is_some());
                    assert!(!buried || item.space == Space::Sync, "{row:?} {item:?}");
                    assert!(!buried || item.deleted_ms.is_none(), "{row:?} {item:?}");
                }
                (Some(_), _) => {
                    let there = theirs.is_some();
                    assert!(!there || item.space == Space::Trash, "{row:?}");
                    assert!(!there || item.deleted_ms.is_some(), "{row:?} {item:?}");
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

    fn any(&self, random: &mut fastrand::Rng) -> Option<EditRow> {
        let id = random.choice(self.rows.keys().collect::<Vec<_>>())?;
        Some(self.rows[id].clone())
    }

    /// The service does one thing that is wanted, as the engine asks it to; its answer is noted, or gets lost. Half of what
    /// is noted is wanted no more then.
    pub async fn carry_out(
        &mut self,
        catalog: &Catalog,
        writer: &Writer,
        random: &mut fastrand::Rng,
    ) {
        let Some(mut row) = self.any(random) else {
            return;
        };
        let Some(answer) = done(catalog, writer, &mut row).await else {
            return;
        };
        eprintln!("done {} {answer:?}", id_text(row.id));
        if random.u8(..4) == 0 {
            eprintln!("lost");
            return;
        }
        catalog.note_answer(&row.id, &answer).unwrap();
        if random.bool() {
            self.put(catalog, row);
        }
    }
}

/// Does one wish of a row at the service, and takes it out of the row.
async fn done(catalog: &Catalog, writer: &Writer, row: &mut EditRow) -> Option<Answered> {
    let cancel = CancelToken::new();
    let theirs = catalog.theirs(&row.id).unwrap();
    let text = |path: &RemotePath| format!("/{}", path.segments().join("/"));
    if row.is_new {
        let place = row.place.clone()?;
        let to = catalog
            .their_path(&place.parent)
            .unwrap()?
            .child(&place.name);
        let Presence::Absent = catalog.remote.look(&to, &cancel).await.unwrap() else {
            return None;
        };
        let made = match &row.content {
            Some(content) => writer.put(&text(&to), &bytes_of(content)).map(drop),
            None => writer.mkdir(&text(&to)),
        };
        made.ok()?;
        (row.is_new, row.place, row.content) = (false, None, None);
        return answer(catalog, &to, place.parent, &place.name).await;
    }
    let theirs = theirs?;
    // The service has it where it is known.
    let there = catalog.remote.look(&theirs.path, &cancel).await.unwrap();
    match (row.fate, there) {
        (
            Some(Fate::Restore),
            Presence::Tombstone {
                file: Some(file), ..
            },
        ) => {
            if file.uuid != theirs.uuid {
                return None;
            }
            let shown = catalog.item(&id_text(row.id)).unwrap();
            let Lookup::Found(shown) = shown else {
                return None;
            };
            let current = file.current.as_ref()?;
            let facts = ContentFacts {
                size: current.size,
                md5: current.md5,
                created_ms: current.created_ms,
                modified_ms: current.modified_ms,
            };
            let file = catalog.remote.build(&theirs.path, &facts, &cancel).await;
            let file = file.unwrap()?;
            row.fate = None;
            let parent = id_bytes(&shown.parent).unwrap();
            Some(Answered::File { parent, file })
        }
        (
            Some(Fate::Purge),
            Presence::Tombstone {
                file: Some(file), ..
            },
        ) => {
            if file.uuid != theirs.uuid {
                return None;
            }
            catalog
                .remote
                .remove_file(&theirs.path, &cancel)
                .await
                .unwrap();
            row.fate = None;
            Some(Answered::Gone)
        }
        (Some(Fate::Restore | Fate::Purge), _) => None,
        (fate, Presence::File(history)) if row.kind == 3 => {
            if theirs.uuid.is_none() || history.file.uuid != theirs.uuid {
                return None;
            }
            if fate.is_some() {
                return buried(catalog, writer, row, &theirs.path).await;
            }
            if let Some(content) = row.content.take() {
                writer
                    .put(&text(&theirs.path), &bytes_of(&content))
                    .unwrap();
                return answer(catalog, &theirs.path, theirs.parent, &theirs.name).await;
            }
            if let Some(on) = row.link.take() {
                catalog
                    .remote
                    .share(&theirs.path, on, &cancel)
                    .await
                    .unwrap();
                return answer(catalog, &theirs.path, theirs.parent, &theirs.name).await;
            }
            moved(catalog, writer, row, &theirs.path).await
        }
        (fate, Presence::Folder) if row.kind == 2 => {
            if fate.is_some() {
                return buried(catalog, writer, row, &theirs.path).await;
            }
            moved(catalog, writer, row, &theirs.path).await
        }
        _ => None,
    }
}

async fn buried(
    catalog: &Catalog,
    writer: &Writer,
    row: &mut EditRow,
    path: &RemotePath,
) -> Option<Answered> {
    writer
        .trash(&format!("/{}", path.segments().join("/")))
        .ok()?;
    row.fate = None;
    let look = catalog.remote.look(path, &CancelToken::new()).await;
    match look.unwrap() {
        Presence::Tombstone { deleted_ms, .. } => Some(Answered::Trashed { deleted_ms }),
        other => panic!("{other:?}"),
    }
}

async fn moved(
    catalog: &Catalog,
    writer: &Writer,
    row: &mut EditRow,
    from: &RemotePath,
) -> Option<Answered> {
    let place = row.place.clone()?;
    let to = catalog
        .their_path(&place.parent)
        .unwrap()?
        .child(&place.name);
    let [from, path] = [from, &to].map(|path| format!("/{}", path.segments().join("/")));
    if path.starts_with(&format!("{from}/")) {
        return None;
    }
    writer.move_(&from, &path).ok()?;
    row.place = None;
    answer(catalog, &to, place.parent, &place.name).await
}

async fn answer(catalog: &Catalog, path: &RemotePath, parent: Id, name: &str) -> Option<Answered> {
    let look = catalog.remote.look(path, &CancelToken::new()).await;
    match look.unwrap() {
        Presence::File(history) => Some(Answered::File {
            parent,
            file: history.file,
        }),
        Presence::Folder => Some(Answered::Folder {
            parent,
            name: name.into(),
        }),
        other => panic!("{other:?}"),
    }
}

/// A content is its number.
fn content(random: &mut fastrand::Rng) -> WantedContent {
    let bytes = random.u16(..).to_string();
    let mut md5 = crate::md5::Md5::new();
    md5.update(&bytes);
    WantedContent {
        size: bytes.len() as u64,
        md5: md5.finalize(),
        file: format!("00-{bytes}"),
        blake3: None,
        created_ms: None,
        modified_ms: Some(random.i64(0..1_000_000)),
    }
}

fn bytes_of(content: &WantedContent) -> Vec<u8> {
    content.file["00-".len()..].into()
}

/// What may be wanted of something.
pub(super) struct Choice<'a> {
    pub local: &'a [Item],
    pub folders: &'a [ItemId],
    /// What lies in the trash itself.
    pub trash: &'a [Item],
}

pub(super) fn wish_for(
    catalog: &Catalog,
    wishes: &mut Wishes,
    Choice {
        local,
        folders,
        trash,
    }: Choice<'_>,
    random: &mut fastrand::Rng,
) {
    let place = |random: &mut fastrand::Rng| WantedPlace {
        parent: id_bytes(&folders[random.usize(..folders.len())]).unwrap(),
        name: format!("wanted {}", random.u16(..)),
    };
    let kind = random.u8(..10);
    if kind < 2 || local.is_empty() {
        let id = crate::store::new_id().unwrap();
        let mut row = EditRow {
            is_new: true,
            place: Some(place(random)),
            ..EditRow::of(id, 2 + kind % 2, 1)
        };
        row.content = Some(content(random)).filter(|_| row.kind == 3);
        eprintln!("wish new {:?} {:?}", id_text(id), row.place);
        return wishes.put(catalog, row);
    }
    if kind == 2 {
        let Some(row) = wishes.any(random) else {
            return;
        };
        eprintln!("no wish {}", id_text(row.id));
        let none = EditRow::of(row.id, row.kind, row.since_ms);
        return wishes.put(catalog, none);
    }
    let buried = kind == 9 && !trash.is_empty();
    let from = if buried { trash } else { local };
    let item = &from[random.usize(..from.len())];
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
        _ if buried => match row.fate {
            // It is not there yet.
            Some(Fate::Trash) => row.fate = None,
            _ if random.u8(..4) == 0 => row.fate = Some(Fate::Purge),
            _ => row.fate = Some(Fate::Restore),
        },
        3 | 4 if file => row.content = Some(content(random)),
        5 if !row.is_new => row.fate = Some(Fate::Trash),
        6 if file => row.link = Some(random.bool()),
        _ if row.fate == Some(Fate::Restore) => {}
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
    eprintln!(
        "wish {} {:?} {:?} {:?}",
        item.id, row.place, row.fate, row.link
    );
    wishes.put(catalog, row);
}
