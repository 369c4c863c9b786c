//! Write sessions: some end at once, some stay open while other things happen, and some outlive their process.

use crate::life::{World, text};
use crate::saved::version;
use lomme::CancelToken;
use lomme::catalog::{Item, ItemId, Lookup};
use lomme::edits::{WriteMode, Writer};

/// How often a content may be fetched that was asked for once: answers break off.
const FETCHES: u64 = 8;
/// More than any content here has: what is fetched is what the file has by then.
const LARGEST: u64 = 1_000_000;

/// A write session that is open, and what it has written.
pub struct Open {
    writer: Writer,
    /// The item, unless it is new.
    over: Option<ItemId>,
    bytes: Vec<u8>,
}

impl World {
    /// Opens a writer of an item, or of a new one, and writes; whether it ends at once is left to chance.
    pub async fn write(
        &mut self,
        one: usize,
        item: Option<&Item>,
        (parent, name): (&ItemId, &str),
    ) -> String {
        let edits = self.phones[one].drive.edits().clone();
        let fresh = self.bytes();
        let update = self.updates && self.random.bool();
        let opened = match item {
            None => edits.create_writer(parent, name),
            Some(item) => {
                let mode = match update {
                    true => WriteMode::Update,
                    false => WriteMode::Truncate,
                };
                if update {
                    self.asked += FETCHES * LARGEST;
                }
                let cancel = CancelToken::new();
                edits.open_writer(&item.id, None, mode, &cancel).await
            }
        };
        let writer = match opened {
            Ok(writer) => writer,
            Err(error) => return format!("no writer: {error}"),
        };
        let before = match self.begins_with(one, &writer, item.filter(|_| update)) {
            Ok(before) => before,
            Err(error) => return format!("not read: {error}"),
        };
        let bytes = [before.as_slice(), &fresh].concat();
        self.saved.note(&bytes);
        let shown = item.and_then(|item| item.content_version.as_deref());
        self.saved.over(&bytes, shown);
        let written = writer.write_at(before.len() as u64, &fresh);
        let open = Open {
            writer,
            over: item.map(|item| item.id.clone()),
            bytes,
        };
        if let Err(error) = written {
            self.saved.tried(&open.bytes);
            return format!("not written: {error}");
        }
        if self.random.u8(..3) == 0 {
            self.phones[one].open.push(open);
            return "stays open".into();
        }
        self.end(one, open)
    }

    /// What a writer begins with: what the file has, whole, or nothing.
    fn begins_with(
        &mut self,
        one: usize,
        writer: &Writer,
        item: Option<&Item>,
    ) -> lomme::Result<Vec<u8>> {
        let mut before = Vec::new();
        loop {
            let piece = writer.read_at(before.len() as u64, 1 << 20)?;
            if piece.is_empty() {
                break;
            }
            before.extend(piece);
        }
        let right = match item {
            // What a dead writer has left may be half, and is shown so.
            Some(item) => {
                item.content_version == Some(version(&before)) || self.saved.knows(&before)
            }
            None => before.is_empty(),
        };
        if !right {
            let len = before.len();
            self.break_with(format!(
                "phone {one}: a writer begins with {len} bytes of nobody: {item:?}"
            ));
        }
        Ok(before)
    }

    /// One of the open writers of a phone ends.
    pub fn end_any(&mut self, one: usize) -> String {
        let count = self.phones[one].open.len();
        if count == 0 {
            return "no writer is open".into();
        }
        let at = self.random.usize(..count);
        let open = self.phones[one].open.swap_remove(at);
        self.end(one, open)
    }

    fn end(&mut self, one: usize, open: Open) -> String {
        match self.random.u8(..5) {
            0 => {
                let done = open.writer.abort();
                if done.is_err() {
                    self.saved.tried(&open.bytes);
                }
                text(done)
            }
            1 => {
                self.saved.tried(&open.bytes);
                "dropped".into()
            }
            _ => {
                let catalog = self.phones[one].drive.catalog();
                let over = open.over.and_then(|id| match catalog.item(&id) {
                    Ok(Lookup::Found(item)) => Some(item),
                    _ => None,
                });
                let done = open.writer.commit();
                match &done {
                    Ok(now) => self.told(one, now, over.as_ref(), open.bytes, "a write session"),
                    Err(_) => {
                        self.failed(one, over.as_ref(), open.bytes.clone());
                        self.saved.tried(&open.bytes);
                    }
                }
                text(done)
            }
        }
    }

    /// Nobody has the open writers of a phone any more.
    pub fn drop_writers(&mut self, one: usize) {
        for open in std::mem::take(&mut self.phones[one].open) {
            self.saved.tried(&open.bytes);
        }
    }
}
