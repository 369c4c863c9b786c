//! Everything in a space, in one pass over the service's liststream.
//!
//! Memory does not grow with the space. A mount point is one liststream and one proof: what is
//! gone from it is believed only when the totals at its end are equal to what was read.

use super::merge::Merged;
use super::pump::{Pump, blocking};
use super::refresh::{Target, children_of_kind};
use super::row::root_key;
use super::stage::{Run, Scope};
use super::{Catalog, Refreshed, Space};
use crate::{CancelToken, Error, Result};
use std::time::{Duration, Instant};

/// The least time between two calls of `seen`.
const SEEN_EVERY: Duration = Duration::from_millis(100);

impl Catalog {
    pub(super) async fn index_inner(
        &self,
        space: Space,
        seen: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancelToken,
    ) -> Result<Refreshed> {
        let mut total = Refreshed::default();
        let root = self.target_of(root_key(space)).await?;
        match space {
            Space::Sync | Space::Archive => {
                self.tree(&root, &mut total, seen, cancel).await?;
            }
            Space::Trash => {
                self.list_into(&root, &mut total, cancel).await?;
            }
            Space::Backup => {
                self.list_into(&root, &mut total, cancel).await?;
                for computer in self.below(root.key, 1).await? {
                    let Some(computer) = self.still(computer).await? else {
                        continue;
                    };
                    self.list_into(&computer, &mut total, cancel).await?;
                    for mount in self.below(computer.key, 2).await? {
                        if let Some(mount) = self.still(mount).await? {
                            self.tree(&mount, &mut total, seen, cancel).await?;
                        }
                    }
                }
            }
        }
        seen(total.folders + total.files);
        Ok(total)
    }

    async fn below(&self, key: i64, kind: u8) -> Result<Vec<i64>> {
        let store = self.store.clone();
        blocking(move || store.catalog.read(|db| children_of_kind(db, key, kind))).await
    }

    async fn list_into(
        &self,
        target: &Target,
        total: &mut Refreshed,
        cancel: &CancelToken,
    ) -> Result<()> {
        let merged = self.refresh_target(target, cancel).await?;
        self.told(total, merged);
        Ok(())
    }

    fn told(&self, total: &mut Refreshed, merged: Merged) {
        let counts = merged.counts;
        total.folders += counts.folders;
        total.files += counts.files;
        total.added += counts.added;
        total.changed += counts.changed;
        total.moved += counts.moved;
        total.deleted += counts.deleted;
        if merged.changed {
            (self.changed)();
        }
    }

    async fn tree(
        &self,
        target: &Target,
        total: &mut Refreshed,
        seen: &(dyn Fn(u64) + Send + Sync),
        cancel: &CancelToken,
    ) -> Result<()> {
        let path = target
            .path
            .clone()
            .ok_or_else(|| Error::bug("a tree without a path"))?;
        let mut reader = match self.remote.tree(&path, cancel).await {
            Err(Error::NoSuchItem { .. }) if target.kind != 0 => {
                // Its folder listing says whether it is really gone.
                return self.list_into(target, total, cancel).await;
            }
            reader => reader?,
        };
        let scope = Scope {
            root: target.key,
            space: target.space,
            folder_kind: 2,
            tree: true,
            tombstones: false,
        };
        let (store, moment) = (self.store.clone(), target.moment);
        let pump = Pump::start(
            move || Run::begin(store, scope, moment),
            Run::tree,
            self.life.busy()?,
        );
        let before = total.folders + total.files;
        let proven = async {
            let mut read = 0;
            let mut told: Option<Instant> = None;
            while let Some(batch) = reader.next(cancel).await? {
                read += batch.len() as u64;
                if told.is_none_or(|at| at.elapsed() >= SEEN_EVERY) {
                    seen(before + read);
                    told = Some(Instant::now());
                }
                if !pump.push(batch).await {
                    break;
                }
            }
            cancel.check()
        }
        .await;
        let run = pump.end().await;
        proven?;
        let (run, inherits) = self.recognise_tree(run?, &path, cancel).await?;
        let totals = reader.totals();
        let mut merged = self.merge(run, inherits, cancel).await?;
        merged.counts.folders = totals.folders;
        merged.counts.files = totals.files;
        self.told(total, merged);
        Ok(())
    }
}
