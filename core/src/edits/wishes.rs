//! The small rules of wishes: names, versions, what a space allows.

use crate::catalog::{Action, Catalog, Id, Item, ItemId, Kind, Space, fold, id_text};
use crate::remote::names;
use crate::store::{Base, Store};
use crate::{Error, Result};
use unicode_normalization::UnicodeNormalization;

/// The service's limit of a name, in characters (protocol facts §11; in which unit it counts is not known, so what it
/// refuses below that is told when it refuses it).
const LONGEST: usize = 255;

/// A name as the service is to have it: NFC, with look-alikes for what it or a path cannot have.
pub(super) fn service_name(shown: &str) -> Result<String> {
    let name = names::encode(&shown.nfc().collect::<String>());
    if name.chars().count() > LONGEST {
        return Err(Error::NameRefused {
            detail: "longer than 255 characters".into(),
        });
    }
    names::check(&name).map_err(|_| Error::NameRefused {
        detail: "empty, or no name".into(),
    })?;
    Ok(name)
}

/// `name` with `addition` before its extension, cut so that it stays a name.
pub(super) fn file_name(name: &str, addition: &str) -> String {
    let (stem, extension) = match name.rfind('.') {
        // A name that begins with its only dot has no extension, nor one that ends with it.
        Some(at) if at > 0 && at + 1 < name.len() && name.len() - at <= 32 => name.split_at(at),
        _ => (name, ""),
    };
    let room = LONGEST.saturating_sub(addition.chars().count() + extension.chars().count());
    let stem: String = stem.chars().take(room).collect();
    format!("{stem}{addition}{extension}")
}

/// Whether two names are one to the service and to people: case and normalisation do not tell them apart.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    fold(one) == fold(other)
}

/// MD5 and size of a content version.
pub(super) fn parse_version(version: &str) -> Option<([u8; 16], u64)> {
    let (md5, size) = version.split_once('-')?;
    let digits = md5.len() == 32 && md5.bytes().all(|digit| digit.is_ascii_hexdigit());
    let md5 = u128::from_str_radix(md5, 16).ok().filter(|_| digits)?;
    Some((md5.to_be_bytes(), size.parse().ok()?))
}

/// The content of a file as an app sees it.
pub(super) fn content_of(item: &Item) -> Option<([u8; 16], u64)> {
    parse_version(item.content_version.as_deref()?)
}

/// The base that a content version names: what the service has, if it is that, else a version that it has not any more.
pub(super) fn base_from(version: &str, theirs: Option<Base>) -> Result<Base> {
    let Some((md5, size)) = parse_version(version) else {
        return Err(Error::invalid("no content version"));
    };
    let theirs = theirs.unwrap_or_default();
    if (theirs.md5, theirs.size) == (Some(md5), Some(size)) {
        return Ok(theirs);
    }
    Ok(Base {
        md5: Some(md5),
        size: Some(size),
        revision: None,
        ..theirs
    })
}

/// `NotAllowed` unless the space allows it; a computer's backup only where the app has opted in.
pub(super) fn check_allowed(item: &Item, action: Action, backup_writable: bool) -> Result<()> {
    let listed = item
        .capabilities
        .iter()
        .any(|capability| capability.action == action);
    let opted_in = backup_writable
        && item.space == Space::Backup
        && match action {
            Action::Add => item.kind == Kind::Folder,
            Action::Edit => item.kind == Kind::File,
            Action::Move | Action::Trash => matches!(item.kind, Kind::File | Kind::Folder),
            _ => false,
        };
    if listed || opted_in {
        return Ok(());
    }
    Err(Error::NotAllowed {
        detail: format!("{action:?} in {}", item.space.name()),
    })
}

/// The items of the outbox that are in a folder, as an app sees it.
pub(super) fn inside(store: &Store, catalog: &Catalog, folder: &ItemId) -> Result<Vec<Id>> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let rows = store.edits_after(after, 500)?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = last.n;
        for row in rows {
            let item = id_text(row.id);
            if item != *folder && catalog.is_descendant(folder, &item)? {
                found.push(row.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_addition_stands_before_the_extension_and_the_name_stays_a_name() {
        for (name, with) in [
            ("a.txt", "a (2).txt"),
            ("a", "a (2)"),
            (".hidden", ".hidden (2)"),
            ("a.", "a. (2)"),
            ("a.tar.gz", "a.tar (2).gz"),
        ] {
            assert_eq!(file_name(name, " (2)"), with);
        }
        let long = format!("{}.jpeg", "å".repeat(250));
        let with = file_name(&long, " (Conflict 2026-11-23 18.05.09)");
        assert_eq!(with.chars().count(), 255);
        assert!(with.ends_with(" (Conflict 2026-11-23 18.05.09).jpeg"));
    }

    #[test]
    fn a_name_is_sent_in_nfc_and_is_never_a_path() {
        assert_eq!(service_name("A\u{30a}").unwrap(), "\u{c5}");
        assert_eq!(service_name("a/b").unwrap(), "a\u{ff0f}b");
        assert_eq!(service_name("..").unwrap(), "\u{ff0e}\u{ff0e}");
        assert_eq!(service_name("trailing. ").unwrap(), "trailing. ");
        assert!(matches!(service_name(""), Err(Error::NameRefused { .. })));
        service_name(&"\u{1F600}".repeat(255)).unwrap();
        let long = service_name(&"a".repeat(256));
        assert!(matches!(long, Err(Error::NameRefused { .. })));
    }

    #[test]
    fn a_content_version_names_its_content() {
        let md5 = [7; 16];
        let version = crate::catalog::content_version(md5, 12);
        assert_eq!(parse_version(&version), Some((md5, 12)));
        for none in ["", "-", "07-1", "zz-1", "07070707070707070707070707070707"] {
            assert_eq!(parse_version(none), None, "{none}");
        }
    }
}
