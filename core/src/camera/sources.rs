//! What is backed up: libraries that the platform scans, and folders that the core scans.
//!
//! A folder is in one source, and in none of the core's own directories, nor the reverse: what is stored once would be
//! stored twice, or what is downloaded would be sent back (design rule 3, complaint no. 6).

use super::scan::{About, rank};
use super::types::json;
use super::{AssetRules, Camera, NewSource, Source, SourceId, rules};
use crate::catalog::fold;
use crate::remote::names;
use crate::store::{AssetRow, CameraLedger, HERE, SourceRow};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

const PAGE: u32 = 500;
/// Longest name of a mount point, in bytes.
const LONGEST: usize = 100;

impl Camera {
    pub(super) fn put_source(&self, new: &NewSource) -> Result<SourceId> {
        let name = new.name.trim();
        if name.is_empty() {
            return Err(Error::invalid("a source without a name"));
        }
        let mount = names::encode(new.mount.as_deref().unwrap_or(name).trim());
        if names::check(&mount).is_err() || mount.len() > LONGEST {
            return Err(Error::NameRefused {
                detail: "no name for a mount point".into(),
            });
        }
        let folder = match &new.folder {
            Some(folder) => Some(self.own_folder(folder)?),
            None => None,
        };
        let row = SourceRow {
            n: 0,
            name: name.to_owned(),
            root: folder,
            mount,
            rules: json(&new.rules)?,
            from_now: new.from_now,
            mirror: false,
            confirmed_ms: None,
            adopted_ms: None,
            cursor: None,
            scanned_ms: None,
            complete_ms: None,
        };
        let n = self.store.camera(|ledger| {
            for other in ledger.sources()? {
                if other.name == row.name || fold(&other.mount) == fold(&row.mount) {
                    return Err(Error::invalid(
                        "a source of this name or mount point is there",
                    ));
                }
                if let (Some(one), Some(two)) = (&row.root, &other.root)
                    && overlap(one, two)
                {
                    return Err(Error::invalid("the folder overlaps with another source"));
                }
            }
            ledger.put_source(&row)
        })?;
        Ok(n.unsigned_abs())
    }

    /// The folder as the system knows it, if it may be a source.
    fn own_folder(&self, folder: &Path) -> Result<PathBuf> {
        let real = match std::fs::canonicalize(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::invalid("a source that is no folder"));
            }
            real => real?,
        };
        if !real.is_dir() {
            return Err(Error::invalid("a source that is no folder"));
        }
        let own = std::fs::canonicalize(&self.root)?;
        if overlap(&real, &own) {
            return Err(Error::invalid(
                "the folder overlaps with the companion's own directory",
            ));
        }
        Ok(real)
    }

    pub(super) fn source(&self, id: SourceId) -> Result<SourceRow> {
        self.store.camera_read(|ledger| known(ledger, id))
    }

    pub(super) fn list_sources(&self) -> Result<Vec<Source>> {
        let rows = self.store.camera_read(|ledger| ledger.sources())?;
        Ok(rows.into_iter().map(told).collect())
    }

    pub(super) fn drop_source(&self, id: SourceId) -> Result<()> {
        let staged = self.store.camera(|ledger| {
            let source = known(ledger, id)?;
            ledger.remove_source(source.n)?;
            ledger.staged()
        })?;
        self.drop_staged_but(&staged)
    }

    pub(super) fn put_source_rules(&self, id: SourceId, rules: &AssetRules) -> Result<()> {
        let source = self.store.camera(|ledger| {
            let source = SourceRow {
                rules: json(rules)?,
                ..known(ledger, id)?
            };
            ledger.put_source(&source)?;
            Ok(source)
        })?;
        let mut after = 0;
        loop {
            let last = self.store.camera(|ledger| {
                let page = ledger.assets_after(source.n, after, PAGE)?;
                for row in &page {
                    judge(ledger, &source, rules, row)?;
                }
                Ok(page.last().map(|row| row.n))
            })?;
            match last {
                Some(last) => after = last,
                None => return Ok(()),
            }
        }
    }

    pub(super) fn put_mirror(&self, id: SourceId, on: bool) -> Result<()> {
        self.store.camera(|ledger| {
            let source = known(ledger, id)?;
            if source.root.is_none() {
                return Err(Error::invalid("a library is never mirrored"));
            }
            ledger.put_source(&SourceRow {
                mirror: on,
                ..source
            })?;
            Ok(())
        })
    }

    pub(super) fn forget_all(&self) -> Result<()> {
        self.store.camera(|ledger| {
            for source in ledger.sources()? {
                ledger.remove_source(source.n)?;
            }
            ledger.forget_entries()
        })?;
        // They are the account's, and the next one's person says their own.
        for key in [super::device::DEVICE, super::proof::PROOFS, rules::RULES] {
            self.store.update_setting(key, |_| Ok((None, ())))?;
        }
        self.drop_staged_but(&[])
    }
}

/// Asks the rules about an asset again; what they leave out is wanted no more, and the reverse.
pub(super) fn judge(
    ledger: &CameraLedger<'_>,
    source: &SourceRow,
    rules: &AssetRules,
    row: &AssetRow,
) -> Result<()> {
    let about = About::of(row);
    let bytes = ledger.bytes_of(row.n)?;
    let skip = rules::skip(rules, source.from_now, row.fresh, &row.album, &about, bytes);
    let skipped = match &skip {
        Some(skip) => Some(json(skip)?),
        None => None,
    };
    if row.skipped == skipped {
        return Ok(());
    }
    let wants = skipped.is_none() && row.here == HERE && !about.pending;
    let rank = wants.then(|| rank(row, &about));
    for one in ledger.resources_of(row.n)? {
        // Another file of the asset may have had the same entry.
        let Some(mut resource) = ledger.resource(one.n)? else {
            continue;
        };
        match resource.entry {
            None => {
                resource.wanted = rank;
                (resource.attempts, resource.until_ms, resource.held) = (0, None, None);
            }
            // Not sent yet, and nobody else's: it is not sent any more.
            Some(entry) if rank.is_none() => {
                if ledger.is_unsent_and_only_of(entry, row.n)? {
                    ledger.retire_entry(entry)?;
                    // Our copy is swept; the platform gives it again if it is wanted again.
                    (resource.entry, resource.staged) = (None, None);
                }
            }
            Some(_) => {}
        }
        ledger.put_resource(&resource)?;
    }
    ledger.put_asset(&AssetRow {
        skipped,
        ..row.clone()
    })?;
    Ok(())
}

pub(super) fn known(ledger: &CameraLedger<'_>, id: SourceId) -> Result<SourceRow> {
    let n = i64::try_from(id).unwrap_or(i64::MAX);
    ledger.source(n)?.ok_or_else(|| Error::NotKnown {
        detail: "a source".into(),
    })
}

fn told(row: SourceRow) -> Source {
    Source {
        id: row.n.unsigned_abs(),
        name: row.name.clone(),
        folder: row.root.clone(),
        mount: names::decode(&row.mount),
        rules: asset_rules(&row),
        from_now: row.from_now,
        mirror: row.mirror,
        cursor: row.cursor,
        scanned_ms: row.scanned_ms,
        complete_ms: row.complete_ms,
    }
}

pub(super) fn asset_rules(row: &SourceRow) -> AssetRules {
    serde_json::from_str(&row.rules).unwrap_or_default()
}

/// Whether one is the other, or in it.
fn overlap(one: &Path, two: &Path) -> bool {
    one.starts_with(two) || two.starts_with(one)
}
