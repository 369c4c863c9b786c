//! One run over the pins: lists what is pinned, then fetches what is missing.
//!
//! Small files come many at once, because each costs a round trip and little else; large ones few at once, because each
//! uses several ranges itself.

use super::progress::{Part, Progress};
use super::{Content, PinRun, Purpose, TransferListener};
use crate::catalog::{Item, ItemId, Kind, Lookup};
use crate::conditions::Waiting;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Files of at most so many bytes are small.
const SMALL: u64 = 1 << 20;
/// A folder listed within this time is not listed again.
const FRESH_MS: i64 = 15 * 60 * 1000;
/// More folders than this are cheaper to index with their space than to list one by one.
const FOLDERS: u32 = 64;
/// Listings at once.
const LISTINGS: usize = 4;
/// Rows of a page of files.
const PAGE: u32 = 500;
/// Large files that wait while small ones come.
const DEFERRED: usize = 64;
/// Files in a row that fail for a reason that is probably not theirs.
const IN_A_ROW: u32 = 4;
/// Failures that are told.
const TOLD: usize = 100;

/// How many files come at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lanes {
    pub small: usize,
    pub large: usize,
}

impl Lanes {
    /// For an app, or for an extension with its small memory.
    pub fn new(extension: bool) -> Self {
        let (small, large) = if extension { (4, 1) } else { (16, 2) };
        Self { small, large }
    }
}

pub(super) struct Run {
    content: Content,
    progress: Option<Arc<Progress>>,
    listener: Option<Arc<dyn TransferListener>>,
    files: u64,
    fetched: u64,
    failed: Vec<(ItemId, Error)>,
    /// Failures in a row that look like the service's or the network's.
    in_a_row: u32,
    /// Why single files were left out.
    waiting: Option<Waiting>,
    /// Why the whole run ended.
    held: Option<Waiting>,
    small: usize,
    large: usize,
    deferred: VecDeque<Item>,
    tasks: JoinSet<Ended>,
    /// Bytes of the files that come now.
    in_flight: u64,
}

/// How the listing of a whole space ended.
enum Indexed {
    Well,
    /// Much has disappeared: a person must say whether that is right.
    ManyGone,
    Not,
}

/// How one file ended.
struct Ended {
    id: ItemId,
    size: u64,
    done: Result<u64>,
}

impl Run {
    pub fn new(content: Content, listener: Option<Arc<dyn TransferListener>>) -> Self {
        Self {
            content,
            progress: None,
            listener,
            files: 0,
            fetched: 0,
            failed: Vec::new(),
            in_a_row: 0,
            waiting: None,
            held: None,
            small: 0,
            large: 0,
            deferred: VecDeque::new(),
            tasks: JoinSet::new(),
            in_flight: 0,
        }
    }

    /// Runs until all is here that can be, or `stop`. Why something waits, if the rules or the device hold it back.
    pub async fn work(&mut self, stop: &CancelToken) -> Result<Option<Waiting>> {
        if let Some(waiting) = self.may(0).await? {
            return Ok(Some(waiting));
        }
        let pins = self.outermost().await?;
        for pin in &pins {
            self.list(pin, stop).await?;
        }
        // Listed by now: a new catalogue has learnt which of the pinned content is here already.
        let cache = self.content.cache.clone();
        blocking(move || cache.heal_local()).await?;
        let (_, bytes) = self.missing().await?;
        self.progress = self
            .listener
            .take()
            .map(|listener| Arc::new(Progress::new(listener, bytes)));
        let filled = self.fill(&pins, stop).await;
        // Whatever happened: nothing runs on after the run.
        let mut ended = filled;
        while let Some(done) = self.tasks.join_next().await {
            let took = self.take(done);
            ended = ended.and(took);
        }
        match ended {
            Err(Error::DiskFull) => match self.may(SMALL).await? {
                Some(waiting @ Waiting::FreeSpace { .. }) => Ok(Some(waiting)),
                _ => Err(Error::DiskFull),
            },
            Err(_) if self.held.is_some() => Ok(self.held),
            ended => ended.map(|()| self.waiting),
        }
    }

    /// What the run did.
    pub async fn end(mut self, waiting: Option<Waiting>) -> Result<PinRun> {
        let (missing_files, missing_bytes) = self.missing().await?;
        if let Some(progress) = self.progress.take()
            && missing_files == 0
        {
            progress.end();
        }
        Ok(PinRun {
            files: self.files,
            fetched: self.fetched,
            missing_files,
            missing_bytes,
            waiting: waiting.filter(|_| missing_files > 0),
            failed: self.failed,
        })
    }

    async fn may(&self, bytes: u64) -> Result<Option<Waiting>> {
        let (gate, in_flight) = (self.content.gate.clone(), self.in_flight);
        blocking(move || gate.for_pin(bytes, in_flight)).await
    }

    async fn outermost(&self) -> Result<Vec<ItemId>> {
        let catalog = self.content.catalog.clone();
        blocking(move || catalog.outermost_pins()).await
    }

    /// Files and bytes of all pins that are not here in their newest version.
    async fn missing(&self) -> Result<(u64, u64)> {
        let catalog = self.content.catalog.clone();
        blocking(move || {
            let (mut files, mut bytes) = (0, 0);
            for pin in catalog.outermost_pins()? {
                match catalog.kept(&pin) {
                    Ok(kept) => {
                        files += kept.files - kept.whole_files;
                        bytes += kept.bytes.saturating_sub(kept.whole_bytes);
                    }
                    Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok((files, bytes))
        })
        .await
    }

    /// Asks the service for a pinned file, or for the folders of a pinned folder that were not asked for lately.
    async fn list(&mut self, pin: &ItemId, stop: &CancelToken) -> Result<()> {
        let (catalog, of) = (self.content.catalog.clone(), pin.clone());
        let item = match blocking(move || catalog.item(&of)).await? {
            Lookup::Found(item) => Some(item),
            Lookup::Unknown => None,
            Lookup::Gone => return Ok(()),
        };
        let Some(item) = item.filter(|item| item.kind != Kind::File) else {
            let asked = self.content.catalog.refresh_inner(pin, stop).await;
            return match self.bear(pin, asked.map(drop)) {
                // A folder that a new catalogue has just found.
                Ok(()) if self.is_folder(pin).await? => self.list_folders(pin, stop).await,
                borne => borne,
            };
        };
        self.list_folders(&item.id, stop).await
    }

    async fn is_folder(&self, id: &ItemId) -> Result<bool> {
        let (catalog, of) = (self.content.catalog.clone(), id.clone());
        let found = blocking(move || catalog.item(&of)).await?;
        Ok(matches!(found, Lookup::Found(item) if item.kind != Kind::File))
    }

    async fn list_folders(&mut self, pin: &ItemId, stop: &CancelToken) -> Result<()> {
        let since = self.content.store.now_ms() - FRESH_MS;
        let mut asked = HashSet::new();
        loop {
            stop.check()?;
            let (catalog, of) = (self.content.catalog.clone(), pin.clone());
            let limit = FOLDERS + asked.len() as u32;
            let found = blocking(move || match catalog.unlisted_since(&of, since, limit) {
                // It has gone while its folders were listed.
                Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => Ok(Vec::new()),
                found => found,
            })
            .await?;
            let mut folders: Vec<_> = found
                .into_iter()
                .filter(|id| asked.insert(id.clone()))
                .collect();
            if folders.is_empty() {
                return Ok(());
            }
            if folders.len() >= FOLDERS as usize {
                match self.index(pin, stop).await? {
                    Indexed::Well => continue,
                    Indexed::ManyGone => return Ok(()),
                    Indexed::Not => {}
                }
            }
            let mut listings = JoinSet::new();
            while !folders.is_empty() || !listings.is_empty() {
                while listings.len() < LISTINGS
                    && let Some(folder) = folders.pop()
                {
                    let (catalog, stop) = (self.content.catalog.clone(), stop.clone());
                    listings.spawn(async move {
                        let asked = catalog.refresh_inner(&folder, &stop).await;
                        (folder, asked)
                    });
                }
                if let Some(done) = listings.join_next().await {
                    let (folder, asked) = done.map_err(|_| Error::bug("a listing that stopped"))?;
                    let many_gone = matches!(asked, Err(Error::ManyGone { .. }));
                    self.bear(&folder, asked.map(drop))?;
                    if many_gone {
                        // In small bites the rest would go unasked.
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Indexes the whole space of a pin.
    async fn index(&mut self, pin: &ItemId, stop: &CancelToken) -> Result<Indexed> {
        let (catalog, of) = (self.content.catalog.clone(), pin.clone());
        let Some(space) = blocking(move || catalog.space_of(&of)).await? else {
            return Ok(Indexed::Not);
        };
        let indexed = self.content.catalog.index(space, &|_| {}, stop).await;
        let ended = match &indexed {
            Ok(_) => Indexed::Well,
            Err(Error::ManyGone { .. }) => Indexed::ManyGone,
            Err(_) => Indexed::Not,
        };
        self.bear(pin, indexed.map(drop))?;
        Ok(ended)
    }

    async fn fill(&mut self, pins: &[ItemId], stop: &CancelToken) -> Result<()> {
        for pin in pins {
            let mut after = None;
            loop {
                let (catalog, of) = (self.content.catalog.clone(), pin.clone());
                let (files, next) =
                    blocking(move || match catalog.missing_below(&of, after, PAGE) {
                        Err(Error::NotKnown { .. } | Error::NoSuchItem { .. }) => {
                            Ok((Vec::new(), None))
                        }
                        page => page,
                    })
                    .await?;
                for file in files {
                    self.offer(file, stop).await?;
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        while let Some(file) = self.deferred.pop_front() {
            while self.large >= self.content.lanes.large {
                self.next_end().await?;
            }
            self.start(file, stop).await?;
        }
        while !self.tasks.is_empty() {
            self.next_end().await?;
        }
        Ok(())
    }

    /// Starts a file as soon as its lane has room, or keeps it for later.
    async fn offer(&mut self, file: Item, stop: &CancelToken) -> Result<()> {
        if file.size.unwrap_or(0) <= SMALL {
            while self.small >= self.content.lanes.small {
                self.next_end().await?;
            }
            return self.start(file, stop).await;
        }
        self.deferred.push_back(file);
        while self.large < self.content.lanes.large
            && let Some(file) = self.deferred.pop_front()
        {
            self.start(file, stop).await?;
        }
        while self.deferred.len() >= DEFERRED {
            while self.large >= self.content.lanes.large {
                self.next_end().await?;
            }
            if let Some(file) = self.deferred.pop_front() {
                self.start(file, stop).await?;
            }
        }
        Ok(())
    }

    async fn start(&mut self, file: Item, stop: &CancelToken) -> Result<()> {
        stop.check()?;
        let size = file.size.unwrap_or(0);
        match self.may(size).await? {
            // These are about this file's size: a smaller one may still come.
            Some(waiting @ (Waiting::FreeSpace { .. } | Waiting::DataCap { .. })) => {
                self.waiting.get_or_insert(waiting);
                return Ok(());
            }
            Some(waiting) => {
                self.held = Some(waiting);
                return Err(Error::Cancelled);
            }
            None => {}
        }
        if size <= SMALL {
            self.small += 1;
        } else {
            self.large += 1;
        }
        self.in_flight += size;
        let (content, stop) = (self.content.clone(), stop.clone());
        let progress = self.progress.clone();
        let part = progress.map(|progress| Arc::new(Part::new(progress)));
        self.tasks.spawn(async move {
            let id = file.id;
            let listener = part.clone().map(|part| part as Arc<dyn TransferListener>);
            let done = keep(&content, &id, listener, &stop).await;
            if let Some(part) = part {
                part.set(if done.is_ok() { size } else { 0 });
            }
            Ended { id, size, done }
        });
        Ok(())
    }

    async fn next_end(&mut self) -> Result<()> {
        match self.tasks.join_next().await {
            Some(ended) => self.take(ended),
            None => Err(Error::bug("nothing to wait for")),
        }
    }

    fn take(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Result<()> {
        let Ended { id, size, done } = ended.map_err(|_| Error::bug("a fetch that stopped"))?;
        if size <= SMALL {
            self.small -= 1;
        } else {
            self.large -= 1;
        }
        self.in_flight -= size;
        match done {
            Ok(fetched) => {
                self.files += u64::from(fetched > 0 || size == 0);
                self.fetched += fetched;
                self.in_a_row = 0;
                Ok(())
            }
            Err(error) => self.bear(&id, Err(error)),
        }
    }

    /// Takes note of one item's failure, unless it is everybody's.
    fn bear(&mut self, id: &ItemId, done: Result<()>) -> Result<()> {
        let Err(error) = done else {
            self.in_a_row = 0;
            return Ok(());
        };
        match error {
            Error::SignInNeeded { .. }
            | Error::OtherAccount
            | Error::DiskFull
            | Error::DiskFailed { .. }
            | Error::StoreDamaged { .. }
            | Error::StoreTooNew { .. }
            | Error::Cancelled
            | Error::Paused
            | Error::Closed => return Err(error),
            // One file whose body always breaks must not look like a dead network, nor a dead network like thousands of
            // broken files.
            Error::Offline { .. } | Error::ServerBusy { .. } => {
                self.in_a_row += 1;
                if self.in_a_row >= IN_A_ROW {
                    return Err(error);
                }
            }
            _ => {}
        }
        if self.failed.len() < TOLD {
            self.failed.push((id.clone(), error));
        }
        Ok(())
    }
}

/// Brings one file.
async fn keep(
    content: &Content,
    id: &ItemId,
    progress: Option<Arc<dyn TransferListener>>,
    stop: &CancelToken,
) -> Result<u64> {
    let (catalog, of) = (content.catalog.clone(), id.clone());
    let wanted = blocking(move || catalog.wanted(&of)).await?;
    let filled = content.fill(&wanted, Purpose::Pin, progress, stop).await?;
    if filled.fetched == 0 {
        // It was here, and readers did not know: a new catalogue.
        let (cache, name) = (content.cache.clone(), filled.slot.name.clone());
        blocking(move || cache.note_local(&name, true)).await?;
    }
    Ok(filled.fetched)
}
