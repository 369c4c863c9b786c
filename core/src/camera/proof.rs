//! Proofs, and freeing space with them: the only way in which an original is ever removed, and never by us.
//!
//! A proof is made at the moment: the file is read in the cloud by itself, and the bytes here are hashed again, with the
//! hash that no two contents share by design, too (complaint no. 20).

use super::read::{hash, path_of};
use super::sources::known;
use super::types::json;
use super::{Camera, FreeUp, Proof, ProofFile, Receipt, Role, SourceId};
use crate::disk::open_plain;
use crate::remote::names;
use crate::runtime::blocking;
use crate::store::{AssetRow, EntryRow, FREED, HERE, READ, ResourceRow, SourceRow, VERIFIED};
use crate::{CancelToken, Error, Result};
use std::path::PathBuf;

const DAY_MS: i64 = 86_400_000;
/// How long a proof is good enough to remove what it is of.
const GOOD_MS: i64 = 3_600_000;
/// How long it is remembered that something was proven.
const KEPT_MS: i64 = 30 * DAY_MS;
pub(super) const PROOFS: &str = "camera proofs";

impl Camera {
    pub(super) fn list_receipts(&self, after: u64, limit: u32) -> Result<(Vec<Receipt>, u64)> {
        let device = super::device::chosen(&self.store)?.unwrap_or_default();
        let from = i64::try_from(after).unwrap_or(i64::MAX);
        let rows = self
            .store
            .camera_read(|ledger| ledger.proven_after(from, limit))?;
        let last = rows
            .last()
            .map_or(after, |(resource, ..)| resource.n.unsigned_abs());
        let receipts = rows.into_iter().map(|(resource, entry, asset)| Receipt {
            source: asset.source.unsigned_abs(),
            asset: asset.key,
            resource: resource.key,
            role: Role::of(resource.role),
            name: resource.name,
            path: names::decode(&device)
                + "/"
                + &shown_path(&entry.mount)
                + "/"
                + &shown_path(&entry.path),
            size: entry.size,
            md5: hex(&entry.md5),
            blake3: resource.blake3.map(|hash| hex(&hash)),
            uuid: entry.uuid.map(|uuid| hex(&uuid)),
            revision: entry.revision,
            verified_ms: entry.verified_ms.unwrap_or(0),
        });
        Ok((receipts.collect(), last))
    }

    pub(super) fn list_removable(&self, limit: u32, days: u32) -> Result<Vec<FreeUp>> {
        let before = self.store.now_ms() - i64::from(days) * DAY_MS;
        self.store.camera_read(|ledger| {
            let mut found = Vec::new();
            for (asset, bytes) in ledger.removable(before, limit)? {
                let resources = ledger.resources_of(asset.n)?;
                found.push(FreeUp {
                    source: asset.source.unsigned_abs(),
                    asset: asset.key,
                    bytes,
                    resources: resources.into_iter().map(|resource| resource.key).collect(),
                });
            }
            Ok(found)
        })
    }

    pub(super) async fn prove_asset(
        &self,
        source: SourceId,
        key: &str,
        files: &[ProofFile],
        cancel: &CancelToken,
    ) -> Result<Proof> {
        let (camera, of) = (self.clone(), key.to_owned());
        let parts = blocking(move || camera.parts(source, &of)).await?;
        let Some((source, asset, parts)) = parts else {
            return Ok(Proof::NotThere);
        };
        // A file that the ledger does not know was never sent.
        let known = |file: &ProofFile| parts.iter().any(|(part, _)| part.key == file.resource);
        if !files.iter().all(known) {
            return Ok(Proof::Changed);
        }
        for (resource, entry) in &parts {
            if !self.check_entry(entry, cancel).await? {
                return Ok(Proof::NotThere);
            }
            let given = files.iter().find(|file| file.resource == resource.key);
            let path = match given {
                Some(file) => file.path.clone(),
                None if resource.way == READ => path_of(&source, &asset, resource),
                None => return Ok(Proof::Unreadable),
            };
            let (of, cancel) = (resource.clone(), cancel.clone());
            let proof = blocking(move || compare(&of, path, &cancel)).await?;
            if proof != Proof::Proven {
                return Ok(proof);
            }
        }
        let camera = self.clone();
        blocking(move || camera.note_proof(&asset)).await
    }

    /// An asset's files with their entries, if all are proven and it is still as it was.
    #[allow(clippy::type_complexity)]
    fn parts(
        &self,
        source: SourceId,
        key: &str,
    ) -> Result<Option<(SourceRow, AssetRow, Vec<(ResourceRow, EntryRow)>)>> {
        self.store.camera_read(|ledger| {
            let source = known(ledger, source)?;
            let Some(asset) = ledger.asset_of_key(source.n, key)? else {
                return Err(Error::NotKnown {
                    detail: "an asset".into(),
                });
            };
            let mut parts = Vec::new();
            for resource in ledger.resources_of(asset.n)? {
                let entry = match resource.entry {
                    Some(entry) => ledger.entry(entry)?,
                    None => None,
                };
                let Some(entry) = entry.filter(|entry| entry.state == VERIFIED) else {
                    return Ok(None);
                };
                if (resource.md5, resource.size) != (Some(entry.md5), Some(entry.size)) {
                    return Ok(None);
                }
                parts.push((resource, entry));
            }
            Ok(Some((source, asset, parts)).filter(|(_, _, parts)| !parts.is_empty()))
        })
    }

    fn note_proof(&self, asset: &AssetRow) -> Result<Proof> {
        let now = self.store.now_ms();
        let still = self.store.camera_read(|ledger| ledger.asset(asset.n))?;
        if still.is_none_or(|still| still.offered != asset.offered || still.here != HERE) {
            return Ok(Proof::Changed);
        }
        self.store.update_setting(PROOFS, |before| {
            let mut proofs: Vec<(i64, i64, i64)> = before
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default();
            // Kept beyond the hour in which they count, for the scan that finds gone what was removed after them.
            proofs.retain(|(of, _, at)| *of != asset.n && (now - KEPT_MS..=now).contains(at));
            proofs.push((asset.n, asset.offered, now));
            Ok((Some(json(&proofs)?), ()))
        })?;
        Ok(Proof::Proven)
    }

    /// What was proven lately: the asset, what was offered of it, and when.
    pub(super) fn proofs(&self) -> Result<Vec<(i64, i64, i64)>> {
        let text = self.store.setting(PROOFS)?;
        Ok(text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    pub(super) fn note_freed(&self, source: SourceId, key: &str) -> Result<()> {
        let now = self.store.now_ms();
        let asset = self.asset(source, key)?;
        let proofs = self.proofs()?;
        // What has changed since was not proven.
        let proven = |(of, offered, at): &(i64, i64, i64)| {
            (*of, *offered) == (asset.n, asset.offered) && (now - GOOD_MS..=now).contains(at)
        };
        if !proofs.iter().any(proven) {
            return Err(Error::invalid("an asset that was not proven lately"));
        }
        self.store.camera(|ledger| {
            let mut hashes = Vec::new();
            for resource in ledger.resources_of(asset.n)? {
                hashes.push((
                    resource.name,
                    resource.md5.map(|hash| hex(&hash)),
                    resource.blake3.map(|hash| hex(&hash)),
                ));
            }
            ledger.add_freed(asset.source, &asset.key, now, &json(&hashes)?)?;
            ledger.put_asset(&AssetRow {
                here: FREED,
                ..asset
            })?;
            Ok(())
        })
    }
}

/// Whether a file's bytes here are those that were sent.
fn compare(resource: &ResourceRow, path: PathBuf, cancel: &CancelToken) -> Result<Proof> {
    let file = match open_plain(&path) {
        Ok(Some(file)) => file,
        Ok(None) | Err(_) => return Ok(Proof::Unreadable),
    };
    let hashed = match hash(&file, cancel) {
        Ok(hashed) => hashed,
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        Err(_) => return Ok(Proof::Unreadable),
    };
    let same = Some(hashed.md5) == resource.md5
        && Some(hashed.blake3) == resource.blake3
        && Some(hashed.size) == resource.size;
    match same && file.is_unchanged(&path).unwrap_or(false) {
        true => Ok(Proof::Proven),
        false => Ok(Proof::Changed),
    }
}

/// A path in the cloud, as it is shown.
pub(super) fn shown_path(path: &str) -> String {
    let names: Vec<String> = path.split('/').map(names::decode).collect();
    names.join("/")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
