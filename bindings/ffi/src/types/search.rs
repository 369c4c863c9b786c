//! Finding items by name, and how much is in them.

use super::{DriveSpace, Item, ItemKind, into_records};

/// What to search for: a local read over what is indexed.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SearchQuery {
    /// Words that the name must all contain, anywhere in it; case and accents do not matter, but å, ä, ö, æ and ø are
    /// letters of their own. Empty: any name.
    pub text: String,
    /// Only these spaces; empty means Sync, Backup and Archive.
    #[uniffi(default = [])]
    pub spaces: Vec<DriveSpace>,
    /// Only this kind.
    #[uniffi(default = None)]
    pub kind: Option<ItemKind>,
    /// Only media types that start so, as in "image/".
    #[uniffi(default = None)]
    pub mime: Option<String>,
    /// Files of at least so many bytes.
    #[uniffi(default = None)]
    pub at_least: Option<u64>,
    /// Files of at most so many bytes.
    #[uniffi(default = None)]
    pub at_most: Option<u64>,
    /// Files modified at or after this, in milliseconds since 1970.
    #[uniffi(default = None)]
    pub modified_from_ms: Option<i64>,
    /// Files modified before this.
    #[uniffi(default = None)]
    pub modified_before_ms: Option<i64>,
    /// Only favourites.
    #[uniffi(default = false)]
    pub favourites: bool,
    /// 1 to 1,000 items; 100 if left out.
    #[uniffi(default = 100)]
    pub limit: u32,
}

impl From<SearchQuery> for lomme::catalog::Search {
    fn from(query: SearchQuery) -> Self {
        Self {
            text: query.text,
            spaces: query.spaces.into_iter().map(Into::into).collect(),
            kind: query.kind.map(Into::into),
            mime: query.mime,
            at_least: query.at_least,
            at_most: query.at_most,
            modified_from_ms: query.modified_from_ms,
            modified_before_ms: query.modified_before_ms,
            favourites: query.favourites,
            limit: query.limit,
        }
    }
}

/// What a search found: names that are the text first, then those that start with it, then those with a word that
/// starts with it, then the rest; the newest first in each.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FoundItems {
    /// The items.
    pub items: Vec<Item>,
    /// Whether there are more than the limit.
    pub more: bool,
    /// Folders in the spaces searched whose content is not known here yet, so that the answer may lack something.
    pub unlisted_folders: u64,
}

impl From<lomme::catalog::Found> for FoundItems {
    fn from(found: lomme::catalog::Found) -> Self {
        Self {
            items: into_records(found.items),
            more: found.more,
            unlisted_folders: found.unlisted_folders,
        }
    }
}

/// How much is in a folder (or a file), as far as known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ItemWeight {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Folders in it whose content is not known here yet.
    pub unlisted_folders: u64,
}

impl From<lomme::catalog::Weight> for ItemWeight {
    fn from(weight: lomme::catalog::Weight) -> Self {
        Self {
            files: weight.files,
            bytes: weight.bytes,
            unlisted_folders: weight.unlisted_folders,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The literals of the defaults have to be written out for the other side.
    #[test]
    fn a_search_with_all_left_out_is_the_core_s() {
        let written = SearchQuery {
            text: "tax".into(),
            spaces: Vec::new(),
            kind: None,
            mime: None,
            at_least: None,
            at_most: None,
            modified_from_ms: None,
            modified_before_ms: None,
            favourites: false,
            limit: 100,
        };
        assert_eq!(
            lomme::catalog::Search::from(written),
            lomme::catalog::Search::new("tax")
        );
    }
}
