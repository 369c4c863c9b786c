//! `Jotta/Links`: the account's public links (protocol facts §3.5).
//!
//! The totals in its `metadata` count under a misleading name and include what is in the trash, so they prove nothing;
//! that the root closes does.

use super::document::{Document, Entries, Field};
use super::transport::Answer;
use super::xml::{Handler, Tag};
use super::{RemotePath, SharedLink, names};
use crate::{CancelToken, Error, Result};

/// Nobody has shared so many files; more would only fill the memory.
const MAX_LINKS: usize = 100_000;

pub(super) async fn read(
    answer: Answer,
    cancel: &CancelToken,
) -> Result<Vec<(RemotePath, SharedLink)>> {
    let mut document = Document::new(answer, Links::default());
    document.read(|_| false, cancel).await?;
    Ok(document.handler.links)
}

#[derive(Default)]
struct Links {
    /// How deep the open element is; an entry is at 3.
    depth: usize,
    /// Whether the element at depth 2 is a list.
    in_list: bool,
    entry: Option<Draft>,
    leaf: Option<Leaf>,
    field: Field,
    found: u64,
    links: Vec<(RemotePath, SharedLink)>,
}

#[derive(Default)]
struct Draft {
    name: Option<String>,
    deleted: bool,
    path: Option<String>,
    abspath: Option<String>,
    uri: Option<String>,
    page: Option<String>,
}

#[derive(Clone, Copy)]
enum Leaf {
    Path,
    AbsPath,
    PublicUri,
    SharePath,
    Deleted,
}

impl Handler for Links {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()> {
        self.depth += 1;
        match (self.depth, tag.name) {
            (1, "searchresult") => {}
            (1, _) => return Err(Error::bad_answer("a document of an unexpected kind")),
            (2, name) => self.in_list = matches!(name, "files" | "folders"),
            (3, "file" | "folder") if self.in_list => {
                self.entry = Some(Draft {
                    name: tag.attribute("name")?,
                    deleted: tag.attribute("deleted")?.is_some(),
                    ..Draft::default()
                });
            }
            (4, name) if self.entry.is_some() => {
                self.leaf = match name {
                    "path" => Some(Leaf::Path),
                    "abspath" => Some(Leaf::AbsPath),
                    "publicURI" => Some(Leaf::PublicUri),
                    "publicSharePath" => Some(Leaf::SharePath),
                    "deleted" => Some(Leaf::Deleted),
                    _ => None,
                };
                self.field.start();
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        match self.leaf {
            Some(_) if self.depth == 4 => self.field.text(text),
            _ => Ok(()),
        }
    }

    fn close(&mut self) -> Result<()> {
        match self.depth {
            3 => {
                if let Some(draft) = self.entry.take() {
                    self.found += 1;
                    self.links.extend(draft.finish()?);
                }
            }
            4 => {
                if let (Some(leaf), Some(entry)) = (self.leaf.take(), &mut self.entry) {
                    entry.set(leaf, self.field.get());
                }
            }
            _ => {}
        }
        self.depth -= 1;
        if self.links.len() > MAX_LINKS {
            return Err(Error::bad_answer("absurdly many public links"));
        }
        Ok(())
    }
}

impl Entries for Links {
    fn found(&self) -> u64 {
        self.found
    }
}

impl Draft {
    fn set(&mut self, leaf: Leaf, text: &str) {
        match leaf {
            Leaf::Path => self.path = Some(text.to_owned()),
            Leaf::AbsPath => self.abspath = Some(text.to_owned()),
            Leaf::PublicUri => self.uri = Some(text.trim().to_owned()),
            Leaf::SharePath => self.page = Some(text.trim().to_owned()),
            Leaf::Deleted => self.deleted = true,
        }
    }

    /// `None` for what is in the trash or is shared no more.
    fn finish(self) -> Result<Option<(RemotePath, SharedLink)>> {
        let Some(uri) = self.uri.filter(|uri| !uri.is_empty() && !self.deleted) else {
            return Ok(None);
        };
        let incomplete = || Error::bad_answer("a public link of something without a place");
        let folder = self.abspath.or(self.path).ok_or_else(incomplete)?;
        let name = self.name.ok_or_else(incomplete)?;
        // The first is the user.
        let folder = folder
            .strip_prefix('/')
            .unwrap_or(&folder)
            .split('/')
            .skip(1);
        let segments: Vec<String> = folder.map(str::to_owned).chain([name]).collect();
        for segment in &segments {
            names::check(segment)?;
        }
        let link = SharedLink::new(&uri, self.page.as_deref())?;
        Ok(Some((RemotePath::new(segments), link)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::document::run;
    use super::*;

    fn links(document: &str) -> Result<Vec<(RemotePath, SharedLink)>> {
        let mut whole = Links::default();
        run(&mut whole, document.as_bytes(), document.len())?;
        let mut pieces = Links::default();
        run(&mut pieces, document.as_bytes(), 1)?;
        assert_eq!(whole.links, pieces.links);
        Ok(whole.links)
    }

    #[test]
    fn links_are_told_with_their_places_and_those_in_the_trash_are_not() {
        let path = "<path>/u/Jotta/Sync/a &amp; b</path><abspath>/u/Jotta/Sync/a &amp; b</abspath>";
        let found = links(&format!(
            "<searchresult time=\"\" host=\"\"><files>\
             <file name=\" x \" uuid=\"1\">{path}<publicURI>0af</publicURI><publicSharePath>s/0af</publicSharePath>\
             <currentRevision><path>/other</path></currentRevision></file>\
             <file name=\"gone\" deleted=\"2026-01-01-T00:00:00Z\">{path}<publicURI>1af</publicURI></file>\
             <file name=\"gone too\">{path}<deleted/><publicURI>2af</publicURI></file>\
             <file name=\"shared no more\">{path}<publicURI></publicURI></file>\
             </files><metadata first=\"0\" max=\"4\" total=\"4\" num_folders=\"4\"/></searchresult>"
        ))
        .unwrap();
        let [(place, link)] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(place.segments(), ["Jotta", "Sync", "a & b", " x "]);
        assert_eq!(
            (link.uri.as_str(), link.page.as_deref()),
            ("0af", Some("s/0af"))
        );
    }

    #[test]
    fn links_that_lead_elsewhere_are_bad_answers() {
        let with = |name: &str, path: &str, uri: &str| {
            format!(
                "<searchresult><files><file name=\"{name}\"><path>{path}</path><publicURI>{uri}</publicURI></file>\
                 </files></searchresult>"
            )
        };
        assert_eq!(links(&with("a", "/u/Jotta/Sync", "0af")).unwrap().len(), 1);
        for document in [
            with("..", "/u/Jotta/Sync", "0af"),
            with("a", "/u/Jotta/../Sync", "0af"),
            with("a", "/u/Jotta/Sync", "../secret"),
            with("a", "/u/Jotta/Sync", "a?b"),
            with("a", "/u/Jotta/Sync", "//evil.example"),
            "<folder name=\"x\"/>".into(),
            "<searchresult><files>".into(),
            "<searchresult><files><file><publicURI>1</publicURI></file></files></searchresult>"
                .into(),
        ] {
            let read = links(&document);
            assert!(matches!(read, Err(Error::BadAnswer { .. })), "{document}");
        }
    }
}
