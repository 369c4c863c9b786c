//! Uploads that the operating system sends while no process of the app runs.
//!
//! - A plan is a durable row, without the address and the authorization: those are made when it is handed out.
//! - The end of a plan says nothing about the content. It is announced once more by the next run, which finds that the
//!   service has it, and reads it there. So a plan may run late, twice, never, or be settled in another process.
//! - What the system has forgotten is planned again; what it knows and we do not is cancelled.

use super::Camera;
use super::types::{AfterUpload, UploadEnd, UploadPlan};
use super::why::Weather;
use crate::catalog::id_text;
use crate::remote::{Allocated, ContentFacts};
use crate::runtime::blocking;
use crate::store::{EntryRow, PHOTOS, PlanRow, READ, VIDEOS, new_id};
use crate::{CancelToken, Error, Result};
use std::path::PathBuf;

/// An access token lives an hour.
const GOOD_MS: i64 = 50 * 60 * 1_000;
/// What has arrived of a content before is sent again, if it is less: a copy of the rest would cost more.
const SLICE_FROM: u64 = 4 << 20;
const PIECE: usize = 256 * 1024;

impl Camera {
    pub(super) async fn plan(&self, limit: u32, cancel: &CancelToken) -> Result<Vec<UploadPlan>> {
        self.adopt_new(cancel).await?;
        let camera = self.clone();
        let entries = blocking(move || {
            let entries = camera.to_plan(limit)?;
            camera.begin_all(&entries)?;
            Ok(entries)
        })
        .await?;
        let mut plans = Vec::new();
        for entry in entries {
            match self.plan_entry(&entry, cancel).await {
                Ok(plan) => plans.extend(plan),
                // What was planned is handed over, whatever ends it here.
                Err(Error::Cancelled | Error::DiskFull) if !plans.is_empty() => break,
                // The others need not wait for it.
                Err(error) => {
                    let (camera, n, own) = (self.clone(), entry.n, !plans.is_empty());
                    blocking(move || camera.send_failed(n, error, own)).await?;
                }
            }
        }
        Ok(plans)
    }

    fn to_plan(&self, limit: u32) -> Result<Vec<EntryRow>> {
        let weather: Weather = self.weather(0)?;
        let mut entries = Vec::new();
        for lane in [PHOTOS, VIDEOS] {
            if weather.of(lane).is_none() && !weather.probing {
                let left = limit - entries.len() as u32;
                entries.extend(
                    self.store.camera_read(|ledger| {
                        ledger.wanted_entries(lane, weather.now_ms, 0, left)
                    })?,
                );
            }
        }
        Ok(entries)
    }

    async fn plan_entry(
        &self,
        entry: &EntryRow,
        cancel: &CancelToken,
    ) -> Result<Option<UploadPlan>> {
        let (camera, n) = (self.clone(), entry.n);
        let Some(file) = blocking(move || camera.file_of(n)).await? else {
            return Ok(None);
        };
        let path = self.remote_path(&entry.mount, &entry.path)?;
        self.make_mount(&entry.mount, cancel).await?;
        let facts = ContentFacts {
            size: entry.size,
            md5: entry.md5,
            created_ms: entry.created_ms,
            modified_ms: entry.modified_ms,
        };
        let only_new = entry.uuid.is_none();
        let allocated = match self.remote.allocate(&path, &facts, only_new, cancel).await {
            // Something is there: a run finds out what.
            Err(Error::NameTaken) => return Ok(None),
            allocated => allocated?,
        };
        let Allocated::Send { url, resume_at } = allocated else {
            return Ok(None);
        };
        let resume_at = if resume_at < SLICE_FROM { 0 } else { resume_at };
        let id = id_text(new_id()?).to_string();
        let (camera, of) = (self.clone(), id.clone());
        let not_after_ms = self.store.now_ms() + GOOD_MS;
        let body = blocking(move || {
            let slice = format!("slice-{of}");
            let body = match resume_at {
                0 => file,
                from => camera.slice(&file, from, &slice)?,
            };
            camera.store.camera(|ledger| {
                ledger.put_plan(&PlanRow {
                    id: of,
                    entry: n,
                    slice: (resume_at > 0).then_some(slice),
                    task: None,
                    not_after_ms,
                })
            })?;
            Ok(body)
        })
        .await?;
        let handed = self
            .remote
            .hand_out(&url, resume_at, entry.size, cancel)
            .await;
        let (url, headers) = match handed {
            Ok(handed) => handed,
            Err(error) => {
                // Nobody was told of it.
                let (camera, of) = (self.clone(), id.clone());
                blocking(move || camera.end_plan(&of)).await?;
                return Err(error);
            }
        };
        Ok(Some(UploadPlan {
            id,
            url,
            headers,
            file: body,
            bytes: entry.size - resume_at,
            not_after_ms,
        }))
    }

    /// The rest of a file as a file: the system takes no ranges.
    fn slice(&self, file: &std::path::Path, from: u64, name: &str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        let source =
            crate::disk::open_plain(file)?.ok_or_else(|| Error::invalid("no plain file"))?;
        let copy = self.disk.open_blocks(&path, true)?;
        let (mut buffer, mut at) = (vec![0; PIECE], from);
        loop {
            let left = source.size().saturating_sub(at).min(PIECE as u64) as usize;
            let read = source.read_at(&mut buffer[..left], at)?;
            if read == 0 {
                break;
            }
            copy.write_at(&buffer[..read], at - from)?;
            at += read as u64;
        }
        copy.sync()?;
        Ok(path)
    }

    pub(super) fn note_task(&self, plan: &str, task: &str) -> Result<()> {
        self.store.camera(|ledger| {
            for row in ledger.plans()?.into_iter().filter(|row| row.id == plan) {
                ledger.put_plan(&PlanRow {
                    task: Some(task.to_owned()),
                    ..row
                })?;
            }
            Ok(())
        })
    }

    pub(super) fn settle(&self, plan: &str, end: UploadEnd) -> Result<AfterUpload> {
        let Some(row) = self.end_plan(plan)? else {
            return Ok(AfterUpload::Settled);
        };
        let error = match end {
            UploadEnd::Answered { status: 200 | 201 } => return Ok(AfterUpload::ToVerify),
            UploadEnd::Cancelled => return Ok(AfterUpload::ToPlan),
            UploadEnd::NoAnswer => return Ok(AfterUpload::ToPlan),
            // The authorization or the address was too old: no failure.
            UploadEnd::Answered {
                status: 401 | 403 | 404 | 409 | 410 | 416 | 420,
            } => return Ok(AfterUpload::ToPlan),
            UploadEnd::Answered {
                status: status @ (408 | 429 | 500..),
            } => Error::ServerBusy {
                status,
                retry_after: None,
            },
            UploadEnd::Answered { status: 421 } => Error::ContentMismatch {
                detail: "HTTP 421 to an upload".into(),
            },
            UploadEnd::Answered { status } => Error::Refused {
                status,
                detail: "an upload of the operating system".into(),
            },
        };
        self.send_failed(row.entry, error, true)?;
        Ok(AfterUpload::ToPlan)
    }

    /// Ends a plan: the row first, then what was made for it.
    fn end_plan(&self, plan: &str) -> Result<Option<PlanRow>> {
        let row = self.store.camera(|ledger| {
            let row = ledger.plans()?.into_iter().find(|row| row.id == plan);
            if row.is_some() {
                ledger.remove_plan(plan)?;
            }
            Ok(row)
        })?;
        if let Some(slice) = row.as_ref().and_then(|row| row.slice.as_ref()) {
            self.disk.remove(&self.dir.join(slice))?;
        }
        Ok(row)
    }

    pub(super) fn reconcile(&self, live: &[String]) -> Result<Vec<String>> {
        let plans = self.store.camera_read(|ledger| ledger.plans())?;
        for plan in plans.iter().filter(|plan| !live.contains(&plan.id)) {
            self.end_plan(&plan.id)?;
        }
        let unknown = live
            .iter()
            .filter(|id| plans.iter().all(|plan| plan.id != **id));
        Ok(unknown.cloned().collect())
    }

    fn file_of(&self, n: i64) -> Result<Option<PathBuf>> {
        self.store.camera_read(|ledger| {
            for resource in ledger.resources_of_entry(n)? {
                if let Some((asset, source)) = super::read::owner(ledger, &resource)? {
                    if let Some(staged) = &resource.staged {
                        return Ok(Some(self.dir.join(staged)));
                    }
                    if resource.way == READ {
                        return Ok(Some(super::read::path_of(&source, &asset, &resource)));
                    }
                }
            }
            Ok(None)
        })
    }
}
