//! A row of the catalogue: how it is stored, and how it becomes an [`Item`].
//!
//! A file's content version is made of MD5 and size alone. The service's revision number is left
//! out although it is stored, because a liststream does not tell it: the version must not change
//! because another kind of listing was read.

use super::{Item, ItemId, Kind, LocalCopy, Space, rules};
use crate::remote::RemotePath;
use crate::store::Mark;
use rusqlite::Row;
use unicode_normalization::{UnicodeNormalization, is_nfc};

pub(crate) type Id = [u8; 16];

pub(super) const FILE: u8 = 3;

/// What [`item`] reads, in its order. `i` is the item, `p` its parent.
pub(super) const COLUMNS: &str = "i.key, i.id, p.id, i.space, i.kind, i.name, i.seq, i.size, \
     i.modified_ms, i.created_ms, i.mime, i.deleted_ms, i.shared, i.md5, i.origin, i.fold, \
     p.key, i.flags, i.local, i.stale_ms, i.edit";

pub(crate) fn space_code(space: Space) -> u8 {
    match space {
        Space::Sync => 0,
        Space::Backup => 1,
        Space::Archive => 2,
        Space::Trash => 3,
    }
}

pub(crate) fn space(code: u8) -> Space {
    match code {
        0 => Space::Sync,
        1 => Space::Backup,
        2 => Space::Archive,
        _ => Space::Trash,
    }
}

pub(super) fn root_key(space: Space) -> i64 {
    i64::from(space_code(space)) + 1
}

pub(super) fn kind(code: u8) -> Kind {
    match code {
        0 => Kind::Root,
        1 => Kind::Computer,
        2 => Kind::Folder,
        _ => Kind::File,
    }
}

/// The id as an app sees it: 32 hexadecimal digits, or a root's fixed name.
pub(crate) fn id_text(id: Id) -> ItemId {
    let number = u128::from_be_bytes(id);
    Space::ALL
        .into_iter()
        .find(|space| number == root_key(*space) as u128)
        .map_or_else(
            || ItemId::from_string(format!("{number:032x}")),
            Space::root,
        )
}

/// `None` for what was never an id of ours.
pub(crate) fn id_bytes(id: &ItemId) -> Option<Id> {
    if let Some(space) = Space::ALL.into_iter().find(|space| space.root() == *id) {
        return Some((root_key(space) as u128).to_be_bytes());
    }
    let text = id.as_str();
    let ours = text.len() == 32
        && text
            .bytes()
            .all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    let number = u128::from_str_radix(text, 16).ok().filter(|_| ours)?;
    // A root has one id, not two.
    (number > Space::ALL.len() as u128).then(|| number.to_be_bytes())
}

/// The comparison key of a name: NFC and full case folding.
pub(crate) fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let folded = caseless::default_case_fold_str(name);
    if is_nfc(&folded) {
        folded
    } else {
        folded.nfc().collect()
    }
}

/// A folder that something was deleted from, as text. Names hold no slash.
pub(super) fn origin_text(path: &RemotePath) -> String {
    path.segments().join("/")
}

pub(super) fn origin_path(origin: &str) -> RemotePath {
    let segments = origin.split('/').filter(|segment| !segment.is_empty());
    RemotePath::new(segments.map(str::to_owned).collect())
}

/// The space that a path belongs to.
pub(super) fn origin_space(origin: &str) -> Space {
    let mut segments = origin.split('/');
    match (segments.next(), segments.next()) {
        (Some(device), Some(mount)) if fold(device) == "jotta" => match fold(mount).as_str() {
            "sync" => Space::Sync,
            _ => Space::Archive,
        },
        _ => Space::Backup,
    }
}

/// Changes exactly when the content does.
pub(crate) fn content_version(md5: [u8; 16], size: u64) -> String {
    format!("{:032x}-{size}", u128::from_be_bytes(md5))
}

/// The first eight digits of the file's instance; versions and tokens of another life differ by it.
pub(super) type Life = String;

/// An item that may not have an id yet.
pub(super) struct Seen {
    pub key: i64,
    pub parent: i64,
    pub id: Option<Id>,
    pub fold: String,
    /// Its own marks; that a folder above is pinned is found out by [`super::flags::PinnedFolders`].
    pub item: Item,
}

pub(super) fn seen(row: &Row<'_>, life: &Life) -> rusqlite::Result<Seen> {
    let id: Option<Id> = row.get(1)?;
    let parent: Option<Id> = row.get(2)?;
    let (space, kind) = (space(row.get(3)?), kind(row.get(4)?));
    let name = row.get_ref(5)?.as_str()?;
    let seq: i64 = row.get(6)?;
    let size = row.get::<_, Option<i64>>(7)?.map(i64::unsigned_abs);
    let md5: Option<[u8; 16]> = row.get(13)?;
    let from = row.get_ref(14)?.as_str_or_null()?.map(origin_space);
    let flags: u8 = row.get(17)?;
    let item = Item {
        id: id_text(id.unwrap_or_default()),
        parent: id_text(parent.unwrap_or_default()),
        space,
        kind,
        name: crate::remote::names::decode(name),
        size,
        modified_ms: row.get(8)?,
        created_ms: row.get(9)?,
        mime: row.get(10)?,
        deleted_ms: row.get(11)?,
        shared: row.get(12)?,
        content_version: md5.map(|md5| content_version(md5, size.unwrap_or(0))),
        metadata_version: format!("{life}-{seq}"),
        capabilities: rules::capabilities(space, kind, from),
        local: match row.get::<_, u8>(18)? {
            0 => LocalCopy::Absent,
            1 => LocalCopy::Whole,
            _ => LocalCopy::Stale {
                since_ms: row.get::<_, Option<i64>>(19)?.unwrap_or(0),
            },
        },
        pinned: flags & Mark::Pinned.flag() != 0,
        favourite: flags & Mark::Favourite.flag() != 0,
        pending: row.get::<_, u8>(20)? & super::overlay::WANTED != 0,
    };
    Ok(Seen {
        key: row.get(0)?,
        parent: row.get(16)?,
        id,
        fold: row.get(15)?,
        item,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_goes_out_and_comes_back() {
        for space in Space::ALL {
            assert_eq!(id_text(id_bytes(&space.root()).unwrap()), space.root());
        }
        let id = [0xab; 16];
        assert_eq!(id_bytes(&id_text(id)), Some(id));
    }

    #[test]
    fn what_was_never_an_id_is_not_one() {
        for text in ["", "Sync", "../x", "00000000000000000000000000000001"] {
            assert_eq!(id_bytes(&ItemId::from_string(text)), None);
        }
        let upper = "AB".repeat(16);
        assert_eq!(id_bytes(&ItemId::from_string(upper)), None);
    }

    #[test]
    fn names_that_differ_by_case_or_normalisation_compare_equal() {
        assert_eq!(fold("Blåbær"), fold("BLA\u{30a}BÆR"));
        assert_eq!(fold("Straße"), fold("STRASSE"));
        assert_ne!(fold("a"), fold("å"));
    }
}
