//! What the platform offers, in pages.
//!
//! - Every asset is a durable row before the cursor that covers it is stored, in the transaction that draws the
//!   conclusions. A scan that a kill ends begins again.
//! - What has not changed costs no write: a page is compared by a hash of what was offered.
//! - Only a complete scan says that something is gone (complaint no. 22), and nothing in the cloud follows from that.
//! - What is new is what was not there at the first scan, whatever its date (complaint no. 40).

use super::held::Held;
use super::sources::{asset_rules, known};
use super::types::json;
use super::{Asset, AssetKind, Camera, Scan, ScanKind, ScanResult, SourceId, Trust, rules};
use crate::catalog::Marks;
use crate::store::{
    AssetRow, CameraLedger, EXPORT, FREED, GONE, HERE, READ, ResourceRow, SourceRow,
};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// No file system has larger files, and many of them together are still a number.
const LARGEST: u64 = 1 << 50;
/// Most assets in a page.
const PAGE: usize = 500;
/// How long an asset must rest before it is read (complaints no. 3, 26).
pub(super) const SETTLE_MS: i64 = 10_000;
/// No clock is further from Greenwich, in minutes.
const ZONE: i32 = 14 * 60;
/// What is fresh goes before what was there at first.
const FRESH: i64 = 1 << 50;
/// A film takes long to read: photos of its class go before it.
const FILM: i64 = 1 << 49;

/// What the platform has told of an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub kinds: Vec<AssetKind>,
    pub taken_ms: Option<i64>,
    pub added_ms: Option<i64>,
    pub modified_ms: Option<i64>,
    pub pending: bool,
    pub favourite: bool,
    pub hidden: bool,
}

impl About {
    pub fn of(row: &AssetRow) -> Self {
        serde_json::from_str(&row.about).unwrap_or_default()
    }
}

/// Its place in a queue: fresh ones first, then the newest (complaint no. 28: new photos never wait for old ones).
pub(super) fn rank(row: &AssetRow, about: &About) -> i64 {
    let order = about.taken_ms.or(about.added_ms).or(about.modified_ms);
    let order = order.unwrap_or(row.first_seen_ms).clamp(0, FILM - 1);
    let film = about.kinds.contains(&AssetKind::Video);
    order + if row.fresh { FRESH } else { 0 } - if film { FILM } else { 0 }
}

/// The scans of this process.
#[derive(Clone, Default)]
pub(super) struct Scans(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    next: u64,
    under_way: HashMap<u64, UnderWay>,
}

struct UnderWay {
    source: i64,
    kind: ScanKind,
    seen: Marks,
    gone: Vec<String>,
    result: ScanResult,
}

impl Scans {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn no_scan() -> Error {
    Error::NotKnown {
        detail: "a scan of this process".into(),
    }
}

impl Camera {
    pub(super) fn start_scan(&self, source: SourceId, kind: ScanKind) -> Result<Scan> {
        let row = self.source(source)?;
        if row.root.is_some() {
            return Err(Error::invalid("a folder is scanned by the core"));
        }
        let delta = kind == ScanKind::Delta && row.cursor.is_some() && row.complete_ms.is_some();
        let kind = if delta { kind } else { ScanKind::Full };
        let id = self.begin(&row, kind);
        Ok(Scan {
            id,
            kind,
            cursor: row.cursor.filter(|_| delta),
        })
    }

    pub(super) fn begin(&self, source: &SourceRow, kind: ScanKind) -> u64 {
        let mut scans = self.scans.lock();
        scans.under_way.retain(|_, other| other.source != source.n);
        scans.next += 1;
        let id = scans.next;
        scans.under_way.insert(
            id,
            UnderWay {
                source: source.n,
                kind,
                seen: Marks::default(),
                gone: Vec::new(),
                result: ScanResult::default(),
            },
        );
        id
    }

    pub(super) fn offer(&self, scan: u64, assets: &[Asset]) -> Result<()> {
        if assets.len() > PAGE {
            return Err(Error::invalid("more than 500 assets at once"));
        }
        for asset in assets {
            self.check_asset(asset)?;
        }
        let hashes: Vec<i64> = assets.iter().map(offered).collect();
        let keys = assets.iter().map(|asset| asset.key.as_str());
        self.offer_changed(scan, keys, &hashes, |at| Ok(Some(assets[at].clone())))
    }

    /// Refuses what no platform has: nothing of its page is recorded.
    fn check_asset(&self, asset: &Asset) -> Result<()> {
        if asset.key.is_empty() || asset.resources.is_empty() {
            return Err(Error::invalid("an asset without a key or without a file"));
        }
        for (at, file) in asset.resources.iter().enumerate() {
            if asset.resources[..at]
                .iter()
                .any(|other| other.key == file.key)
            {
                return Err(Error::invalid("an asset with two files of one key"));
            }
            if file.size.is_some_and(|size| size > LARGEST) {
                return Err(Error::invalid("a file larger than any file"));
            }
            if file
                .path
                .as_ref()
                .is_some_and(|path| path.starts_with(&self.root))
            {
                return Err(Error::invalid("a file in the companion's own directory"));
            }
        }
        Ok(())
    }

    /// Records those of a page that are not as they were; `asset` makes them.
    pub(super) fn offer_changed<'a>(
        &self,
        scan: u64,
        keys: impl Iterator<Item = &'a str>,
        hashes: &[i64],
        asset: impl Fn(usize) -> Result<Option<Asset>>,
    ) -> Result<()> {
        let n = {
            let scans = self.scans.lock();
            scans.under_way.get(&scan).ok_or_else(no_scan)?.source
        };
        let (mut seen, mut changed) = (Vec::with_capacity(hashes.len()), Vec::new());
        self.store.camera_read(|ledger| {
            for (at, key) in keys.enumerate() {
                match ledger.offered(n, key)? {
                    Some((asset, offered, HERE)) if offered == hashes[at] => seen.push(asset),
                    _ => changed.push(at),
                }
            }
            Ok(())
        })?;
        let mut result = ScanResult {
            seen: hashes.len() as u64,
            ..ScanResult::default()
        };
        if !changed.is_empty() {
            let now = self.store.now_ms();
            let zone = self.content.situation().zone_minutes.clamp(-ZONE, ZONE);
            self.store.camera(|ledger| {
                let Some(source) = ledger.source(n)? else {
                    return Err(no_scan());
                };
                for at in &changed {
                    let Some(asset) = asset(*at)? else {
                        result.seen -= 1;
                        continue;
                    };
                    let page = Offer {
                        source: &source,
                        now,
                        zone,
                    };
                    let (row, new) = page.record(ledger, &asset, hashes[*at])?;
                    seen.push(row.n);
                    result.added += u64::from(new);
                    result.changed += u64::from(!new);
                    result.skipped += u64::from(row.skipped.is_some());
                }
                Ok(())
            })?;
        }
        let mut scans = self.scans.lock();
        let scan = scans.under_way.get_mut(&scan).ok_or_else(no_scan)?;
        for asset in seen {
            scan.seen.mark(asset);
        }
        scan.result.seen += result.seen;
        scan.result.added += result.added;
        scan.result.changed += result.changed;
        scan.result.skipped += result.skipped;
        Ok(())
    }

    pub(super) fn note_gone(&self, scan: u64, keys: &[String]) -> Result<()> {
        let mut scans = self.scans.lock();
        let scan = scans.under_way.get_mut(&scan).ok_or_else(no_scan)?;
        scan.gone.extend(keys.iter().cloned());
        Ok(())
    }

    pub(super) fn end_scan(
        &self,
        scan: u64,
        cursor: Option<&str>,
        trust: Trust,
    ) -> Result<ScanResult> {
        let done = self.scans.lock().under_way.remove(&scan);
        let UnderWay {
            source,
            kind,
            seen,
            gone,
            mut result,
        } = done.ok_or_else(no_scan)?;
        let now = self.store.now_ms();
        let proofs = self.proofs()?;
        self.store.camera(|ledger| {
            let mut row = known(ledger, source.unsigned_abs())?;
            // An empty answer where something was is none (complaint no. 22): access may have been taken away.
            let complete = trust == Trust::Complete
                && (kind == ScanKind::Delta || result.seen > 0 || ledger.here(row.n)?.is_empty());
            if complete {
                let mut lost = Vec::new();
                for key in &gone {
                    if let Some(asset) = ledger.asset_of_key(row.n, key)? {
                        lost.push(asset.n);
                    }
                }
                if kind == ScanKind::Full {
                    lost.extend(ledger.here(row.n)?.into_iter().filter(|n| !seen.has(*n)));
                }
                for n in lost {
                    result.gone += u64::from(lose(ledger, n, now, &proofs)?);
                }
            }
            if kind == ScanKind::Full && complete {
                row.complete_ms = Some(now);
            }
            if complete || result.seen > 0 {
                row.scanned_ms = Some(now);
            }
            // What a scan that did not see everything leaves out, a delta from its end would leave out for ever: the next
            // one sees all.
            row.cursor = cursor.filter(|_| complete).map(str::to_owned);
            ledger.put_source(&row)?;
            Ok(())
        })?;
        Ok(result)
    }
}

/// It is not here any more: what was not read is not wanted, and what was not sent neither.
fn lose(
    ledger: &CameraLedger<'_>,
    n: i64,
    now_ms: i64,
    proofs: &[(i64, i64, i64)],
) -> Result<bool> {
    let Some(row) = ledger.asset(n)?.filter(|row| row.here == HERE) else {
        return Ok(false);
    };
    for one in ledger.resources_of(n)? {
        // Another file of the asset may have had the same entry.
        let Some(mut resource) = ledger.resource(one.n)? else {
            continue;
        };
        // What the platform has provided is still to be sent.
        if resource.staged.is_none() {
            resource.wanted = None;
            if let Some(entry) = resource.entry
                && ledger.is_unsent_and_only_of(entry, n)?
            {
                ledger.retire_entry(entry)?;
                resource.entry = None;
            }
            ledger.put_resource(&resource)?;
        }
    }
    // Since when it is gone: a person who allows a deletion means what was gone by then.
    ledger.put_asset(&AssetRow {
        // Proven to be in the cloud so that it could be removed here, and removed: no deletion, whoever tells of it first.
        here: match proofs
            .iter()
            .any(|(of, offered, _)| (*of, *offered) == (n, row.offered))
        {
            true => FREED,
            false => GONE,
        },
        changed_ms: now_ms,
        ..row
    })?;
    Ok(true)
}

struct Offer<'a> {
    source: &'a SourceRow,
    now: i64,
    zone: i32,
}

impl Offer<'_> {
    /// Writes what was offered of an asset; whether it is new.
    fn record(
        &self,
        ledger: &CameraLedger<'_>,
        asset: &Asset,
        offered: i64,
    ) -> Result<(AssetRow, bool)> {
        let before = ledger.asset_of_key(self.source.n, &asset.key)?;
        let about = About {
            kinds: asset.kinds.clone(),
            taken_ms: asset.taken_ms,
            added_ms: asset.added_ms,
            modified_ms: asset.modified_ms,
            pending: asset.pending,
            favourite: asset.favourite,
            hidden: asset.hidden,
        };
        let new = before.is_none();
        let stays = before
            .as_ref()
            .is_some_and(|before| before.here == HERE && before.skipped.is_none());
        let fresh = self.source.scanned_ms.is_some();
        let mut row = AssetRow {
            offered,
            about: json(&about)?,
            album: asset.album.clone(),
            here: HERE,
            ..before.unwrap_or_else(|| AssetRow {
                n: 0,
                source: self.source.n,
                key: asset.key.clone(),
                offered,
                about: String::new(),
                album: String::new(),
                fresh,
                here: HERE,
                skipped: None,
                first_seen_ms: self.now,
                changed_ms: self.now,
                zone_minutes: self.zone,
                taken: None,
                folder: None,
                stem: None,
            })
        };
        let bytes = asset
            .resources
            .iter()
            .filter_map(|resource| resource.size)
            .sum();
        let skip = rules::skip(
            &asset_rules(self.source),
            self.source.from_now,
            row.fresh,
            &row.album,
            &about,
            bytes,
        );
        row.skipped = skip.map(|skip| json(&skip)).transpose()?;
        row.n = ledger.put_asset(&row)?;
        if self.resources(ledger, &row, &about, asset, (new, stays))? {
            row.changed_ms = self.now;
            ledger.put_asset(&row)?;
        }
        Ok((row, new))
    }

    /// Whether the bytes of any may be other ones than before.
    fn resources(
        &self,
        ledger: &CameraLedger<'_>,
        row: &AssetRow,
        about: &About,
        asset: &Asset,
        (new, stays): (bool, bool),
    ) -> Result<bool> {
        let wants = row.skipped.is_none() && !about.pending;
        let rank = wants.then(|| rank(row, about));
        let mut before = ledger.resources_of(row.n)?;
        let mut offered: Vec<_> = asset.resources.iter().collect();
        // The original first: the others are named after it.
        offered.sort_by_key(|resource| resource.role.number());
        let mut changed = false;
        for resource in offered {
            let at = before.iter().position(|old| old.key == resource.key);
            let old = match at.map(|at| before.swap_remove(at)) {
                Some(old) => ledger.resource(old.n)?,
                None => None,
            };
            let readable = resource.path.is_some() || self.source.root.is_some();
            let same = old.as_ref().is_some_and(|old| {
                old.stamp == resource.stamp
                    && (old.size == resource.size || resource.size.is_none())
            });
            let mut now = ResourceRow {
                key: resource.key.clone(),
                role: resource.role.number(),
                name: resource.name.clone(),
                path: resource.path.clone(),
                way: if readable { READ } else { EXPORT },
                ..old.unwrap_or_else(|| ResourceRow {
                    n: 0,
                    asset: row.n,
                    key: String::new(),
                    role: 0,
                    name: String::new(),
                    size: resource.size,
                    stamp: resource.stamp,
                    path: None,
                    staged: None,
                    md5: None,
                    blake3: None,
                    entry: None,
                    way: READ,
                    wanted: None,
                    attempts: 0,
                    until_ms: None,
                    held: None,
                })
            };
            if !same {
                changed = true;
                if now.n != 0 {
                    self.other_bytes(ledger, &mut now)?;
                }
                (now.size, now.stamp) = (resource.size, resource.stamp);
                now.until_ms = self.settles(about, new);
            }
            // What has failed before it went away, was hidden or was pending gets another try, and what a person is asked
            // about as well; else it waits for them, or for its time.
            let parked = matches!(Held::of(now.held.as_deref()), Some(Held::Park(_)));
            if rank.is_some() && same && now.entry.is_none() && now.wanted.is_none() {
                if !(parked && stays) {
                    (now.attempts, now.until_ms, now.held) = (0, None, None);
                    now.wanted = rank;
                }
            } else if rank.is_none() || !same || now.entry.is_none() {
                now.wanted = rank;
            }
            ledger.put_resource(&now)?;
        }
        for lost in before {
            ledger.remove_resource(lost.n)?;
        }
        Ok(changed)
    }

    /// What was hashed is not what is there now. What was not sent of it never will be; a staged copy is swept later.
    fn other_bytes(&self, ledger: &CameraLedger<'_>, row: &mut ResourceRow) -> Result<()> {
        if let Some(entry) = row.entry.take()
            && self.source.root.is_none()
            && ledger.is_unsent_and_only_of(entry, row.asset)?
        {
            ledger.retire_entry(entry)?;
        }
        (row.md5, row.blake3, row.staged) = (None, None, None);
        (row.attempts, row.held) = (0, None);
        Ok(())
    }

    /// Until when it must rest, if it must.
    fn settles(&self, about: &About, new: bool) -> Option<i64> {
        let rests = match about.modified_ms {
            Some(modified) if modified <= self.now => modified + SETTLE_MS,
            // A time to come says nothing.
            Some(_) => self.now + SETTLE_MS,
            None if new => return None,
            None => self.now + SETTLE_MS,
        };
        (rests > self.now).then_some(rests)
    }
}

/// A hash of all that was offered of an asset.
fn offered(asset: &Asset) -> i64 {
    let mut hasher = Offered(blake3::Hasher::new());
    asset.hash(&mut hasher);
    hasher.finish().cast_signed()
}

/// The standard library's hash may be another one in another version; this is not.
pub(super) struct Offered(pub blake3::Hasher);

impl Hasher for Offered {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let mut first = [0; 8];
        first.copy_from_slice(&self.0.finalize().as_bytes()[..8]);
        u64::from_le_bytes(first)
    }
}
