//! One slice of work: files are read while others are sent.
//!
//! - Photos have many lanes, by measured gain; videos have their own few, so that no film holds up a photo.
//! - What paused the account is asked again with one item; an item that fails alone is its own failure.
//! - A change of the network, the power or the rules stops what may not go on, at once; the service keeps what it got.
//! - The time that a slice has ends it: what is under way goes on next time from the service's position.

use super::send::Done;
use super::why::Weather;
use super::{Batch, Budget, Camera, CameraHold, Next};
use crate::conditions::Waiting;
use crate::content::{Teller, TransferListener};
use crate::disk::BlockFile;
use crate::runtime::blocking;
use crate::sending::{LARGE, Lanes, Pause, Reason};
use crate::store::{EXPORT, EntryRow, PHOTOS, PLACED, READ, VIDEOS};
use crate::{CancelToken, Error, Result};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often it is looked how things go.
const TICK: Duration = Duration::from_millis(100);
/// Entries looked at in one go.
const PAGE: u32 = 64;
const LOCK: &str = "run.lock";
/// What a person was asked about is tried again after a week.
const WEEK_MS: i64 = 7 * 86_400_000;

struct Flight {
    bytes: u64,
    lane: u8,
    token: CancelToken,
    /// How many had landed well when it began.
    successes: u64,
    probe: bool,
}

struct Run<'a> {
    camera: &'a Camera,
    cancel: &'a CancelToken,
    until: Option<Instant>,
    most: u64,
    batch: Batch,
    lanes: Lanes,
    teller: Teller,
    flights: FuturesUnordered<BoxFuture<'static, (i64, Result<Done>)>>,
    flying: HashMap<i64, Flight>,
    reading: Option<JoinHandle<Result<u64>>>,
    /// Ends the reading: a film goes on where it was left.
    read_token: CancelToken,
    /// Nothing was left to read the last time.
    all_read: bool,
    queues: [Vec<EntryRow>; 2],
    successes: u64,
    bytes: u64,
    total: u64,
}

impl Camera {
    pub(super) async fn run_slice(
        &self,
        budget: &Budget,
        progress: Option<Arc<dyn TransferListener>>,
        cancel: &CancelToken,
    ) -> Result<Batch> {
        let begun = Instant::now();
        let _lock = self.lock().await?.ok_or(Error::StoreBusy)?;
        let camera = self.clone();
        let total = blocking(move || {
            camera
                .store
                .camera_read(|ledger| Ok(ledger.entries(&[PLACED])?.bytes))
        })
        .await?;
        let (store, week_ago) = (self.store.clone(), self.store.now_ms() - WEEK_MS);
        blocking(move || store.camera_lightly(|ledger| ledger.unpark(week_ago))).await?;
        if self.calm().await?
            && let Err(error) = self.adopt_new(cancel).await
        {
            // Nothing of such a source is sent before it is known; the others are, as far as the account allows.
            let store = self.store.clone();
            blocking(move || match Pause::for_error(&store, &error, false)? {
                true => Ok(()),
                false => Err(error),
            })
            .await?;
        }
        self.moving.begins();
        let mut run = Run {
            camera: self,
            cancel,
            until: budget.time_ms.map(|ms| begun + Duration::from_millis(ms)),
            most: budget.bytes.unwrap_or(u64::MAX),
            batch: Batch::default(),
            lanes: Lanes::new(self.extension),
            teller: Teller::new(progress),
            flights: FuturesUnordered::new(),
            flying: HashMap::new(),
            reading: None,
            read_token: cancel.child(),
            all_read: false,
            queues: [Vec::new(), Vec::new()],
            successes: 0,
            bytes: 0,
            total,
        };
        let done = run.go().await;
        let ended = run.end().await;
        self.moving.stops();
        done?;
        ended?;
        let calm = self.calm().await?;
        if calm && !run.is_spent() {
            run.batch.trashed = match self.mirror_all(cancel).await {
                // It says nothing of what was sent, and the next run asks again.
                Err(error) if Reason::of(&error).is_some() => 0,
                trashed => trashed?,
            };
        }
        let mut batch = std::mem::take(&mut run.batch);
        let spent = run.is_spent();
        drop(run);
        let camera = self.clone();
        blocking(move || {
            camera.conclude(&mut batch, spent)?;
            Ok(batch)
        })
        .await
    }

    /// Whether nothing holds back what asks the service and sends no bytes.
    async fn calm(&self) -> Result<bool> {
        let camera = self.clone();
        blocking(move || Ok(camera.weather(0)?.of(PHOTOS).is_none())).await
    }

    pub(super) async fn lock(&self) -> Result<Option<Box<dyn BlockFile>>> {
        let (disk, path) = (self.disk.clone(), self.dir.join(LOCK));
        blocking(move || {
            let file = disk.open_blocks(&path, true)?;
            Ok(file.try_lock(true)?.then_some(file))
        })
        .await
    }

    /// What is left, why, and when to call again.
    fn conclude(&self, batch: &mut Batch, spent: bool) -> Result<()> {
        let now = self.store.now_ms();
        let (read, export, send, parked, time) = self.store.camera_read(|ledger| {
            Ok((
                ledger.resources_wanted(READ)?,
                ledger.resources_wanted(EXPORT)?,
                ledger.entries(&[PLACED])?,
                ledger.parked()?,
                ledger.next_time(now)?,
            ))
        })?;
        batch.remaining = read.items + export.items + send.items;
        batch.bytes_left = read.bytes + export.bytes + send.bytes;
        let weather = self.weather(0)?;
        if batch.remaining == export.items && export.items > 0 {
            batch.hold = Some(CameraHold::ToProvide);
        } else if batch.remaining > 0 {
            batch.hold = self.held_all(&weather)?;
        }
        if batch.hold.is_none() && batch.remaining > 0 && !spent {
            // All that is left has failed or rests: the first says how.
            let (first, _) = self.list_troubled(0, 1)?;
            batch.hold = first.into_iter().find_map(|asset| asset.why.hold);
        }
        let in_time = |at: i64| Next::After {
            ms: (at - now).clamp(0, 24 * 3_600_000).unsigned_abs(),
        };
        batch.next = match &batch.hold {
            _ if batch.remaining == 0 && parked > 0 => Next::NeedsUser,
            _ if batch.remaining == 0 => Next::Idle,
            Some(CameraHold::Conditions(waiting)) => match waiting {
                Waiting::NoNetwork => Next::WhenOnline,
                Waiting::Metered | Waiting::Roaming | Waiting::DataCap { .. } => {
                    Next::WhenUnmetered
                }
                Waiting::Charger | Waiting::Battery { .. } | Waiting::LowPower => {
                    Next::WhenCharging
                }
                Waiting::SignIn | Waiting::FreeSpace { .. } => Next::NeedsUser,
            },
            Some(CameraHold::Schedule { from_ms }) => in_time(*from_ms),
            Some(CameraHold::Account(crate::sending::AccountHold::Busy { until_ms })) => {
                in_time(*until_ms)
            }
            Some(CameraHold::ToProvide) => Next::WhenProvided,
            Some(
                CameraHold::Retry { .. }
                | CameraHold::NotProvided { .. }
                | CameraHold::Settling { .. },
            ) => time.map_or(Next::Now, in_time),
            // One that needs a person ends no schedule of the others.
            Some(CameraHold::NeedsUser(_)) => time.map_or(Next::NeedsUser, in_time),
            Some(_) => Next::NeedsUser,
            None if spent => Next::Now,
            None => time.map_or(Next::Now, in_time),
        };
        Ok(())
    }
}

impl Run<'_> {
    async fn go(&mut self) -> Result<()> {
        let mut situation = self.camera.content.situation_changes();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            self.cancel.check()?;
            if self.is_late() {
                return Ok(());
            }
            self.fill().await?;
            if self.flights.is_empty() && self.reading.is_none() {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Err(Error::Cancelled),
                landed = self.flights.next(), if !self.flights.is_empty() => {
                    if let Some((n, ended)) = landed {
                        self.landed(n, ended).await?;
                    }
                }
                read = join(&mut self.reading), if self.reading.is_some() => {
                    let read = read?;
                    self.batch.read += read;
                    self.all_read = read == 0;
                }
                _ = situation.changed() => self.stop_what_may_not().await?,
                _ = tick.tick() => self.look(),
            }
        }
    }

    fn is_late(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Whether the budget has ended the run.
    fn is_spent(&self) -> bool {
        self.is_late() || self.batch.sent_bytes >= self.most
    }

    /// Stops what is under way, and waits for it.
    async fn end(&mut self) -> Result<()> {
        self.read_token.cancel();
        for flight in self.flying.values() {
            flight.token.cancel();
        }
        while let Some((n, ended)) = self.flights.next().await {
            match self.landed(n, ended).await {
                Err(Error::Cancelled) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        if self.reading.is_some() {
            match join(&mut self.reading).await {
                Ok(read) => self.batch.read += read,
                Err(Error::Cancelled) => {}
                Err(error) => return Err(error),
            }
        }
        if self.batch.done > 0 {
            self.teller.tell_all(self.bytes.max(1));
        }
        Ok(())
    }

    /// Begins whatever there is room for.
    async fn fill(&mut self) -> Result<()> {
        let camera = self.camera.clone();
        let weather = blocking(move || camera.weather(0)).await?;
        if self.reading.is_none() && !self.all_read && weather.may_read() {
            let (camera, cancel) = (self.camera.clone(), self.read_token.clone());
            self.reading = Some(tokio::task::spawn_blocking(move || {
                camera.read_some(&cancel)
            }));
        }
        for lane in [PHOTOS, VIDEOS] {
            while let Some(entry) = self.next(lane, &weather).await? {
                self.start(entry, &weather);
            }
        }
        Ok(())
    }

    /// The next entry of a lane, if it has room.
    async fn next(&mut self, lane: u8, weather: &Weather) -> Result<Option<EntryRow>> {
        let under_way: u64 = self.flying.values().map(|flight| flight.bytes).sum();
        let full = match lane {
            VIDEOS => self.flights_in(VIDEOS) >= self.lanes.large,
            _ => self.flights_in(PHOTOS) >= self.lanes.count,
        };
        let spent = self.batch.sent_bytes + under_way >= self.most;
        if full || spent || weather.of(lane).is_some() || weather.probing && !self.flying.is_empty()
        {
            return Ok(None);
        }
        if self.queues[usize::from(lane)].is_empty() {
            let camera = self.camera.clone();
            let now = weather.now_ms;
            let mut page = blocking(move || {
                let page = camera
                    .store
                    .camera_read(|ledger| ledger.wanted_entries(lane, now, 0, PAGE))?;
                camera.begin_all(&page)?;
                Ok(page)
            })
            .await?;
            page.retain(|entry| !self.flying.contains_key(&entry.n));
            page.reverse();
            self.queues[usize::from(lane)] = page;
        }
        let Some(entry) = self.pick(lane) else {
            return Ok(None);
        };
        // The month's limit counts what it would take.
        let camera = self.camera.clone();
        let bytes = under_way + entry.size;
        let held = blocking(move || Ok(camera.weather(bytes)?.of(lane).is_some())).await?;
        Ok((!held).then_some(entry))
    }

    /// The first of a lane's page that may begin beside what is under way: a large photo waits for another to land, and
    /// those behind it do not.
    fn pick(&mut self, lane: u8) -> Option<EntryRow> {
        let large = |flight: &&Flight| flight.lane == PHOTOS && flight.bytes >= LARGE;
        let full = self.flying.values().filter(large).count() >= self.lanes.large;
        let queue = &mut self.queues[usize::from(lane)];
        queue.retain(|entry| !self.flying.contains_key(&entry.n));
        let at = queue
            .iter()
            .rposition(|entry| lane != PHOTOS || !full || entry.size < LARGE)?;
        Some(queue.remove(at))
    }

    fn flights_in(&self, lane: u8) -> usize {
        self.flying
            .values()
            .filter(|flight| flight.lane == lane)
            .count()
    }

    fn start(&mut self, entry: EntryRow, weather: &Weather) {
        let token = self.cancel.child();
        self.flying.insert(
            entry.n,
            Flight {
                bytes: entry.size,
                lane: entry.lane,
                token: token.clone(),
                successes: self.successes,
                probe: weather.probing,
            },
        );
        let camera = self.camera.clone();
        let flight = async move { (entry.n, camera.send_entry(entry.n, &token).await) };
        self.flights.push(flight.boxed());
    }

    async fn landed(&mut self, n: i64, ended: Result<Done>) -> Result<()> {
        let Some(flight) = self.flying.remove(&n) else {
            return Err(Error::bug("a content that landed twice"));
        };
        let camera = self.camera.clone();
        let proven = ended == Ok(Done::Proven);
        let bytes = if proven { flight.bytes } else { 0 };
        self.camera.moving.ended(n, bytes);
        if flight.probe
            && ended != Err(Error::Cancelled)
            && ended
                .as_ref()
                .err()
                .is_none_or(|error| Reason::of(error).is_none())
        {
            let store = self.camera.store.clone();
            blocking(move || Pause::end(&store)).await?;
        }
        match ended {
            Ok(done) => {
                self.successes += 1;
                self.bytes += bytes;
                self.batch.sent_bytes += bytes;
                self.batch.done += u64::from(done == Done::Proven);
                blocking(move || camera.content.count_sent(bytes)).await
            }
            // The network or the rules have changed, or the time is over: it goes on where it was, later.
            Err(Error::Cancelled) => Ok(()),
            Err(error) => {
                let own = self.successes > flight.successes;
                // What failed to be the same bytes is read again.
                self.all_read = false;
                blocking(move || camera.send_failed(n, error, own)).await
            }
        }
    }

    async fn stop_what_may_not(&mut self) -> Result<()> {
        let camera = self.camera.clone();
        let weather = blocking(move || camera.weather(0)).await?;
        for flight in self.flying.values() {
            if weather.of(flight.lane).is_some() {
                flight.token.cancel();
            }
        }
        Ok(())
    }

    fn look(&mut self) {
        let moved = self.bytes + self.camera.moving.bytes();
        self.total = self.total.max(moved + 1);
        self.teller.tell(moved, self.total);
        let busy = self.flights_in(PHOTOS) >= self.lanes.count;
        self.lanes.look(moved, self.successes, busy);
    }
}

/// The end of a reading.
async fn join(reading: &mut Option<JoinHandle<Result<u64>>>) -> Result<u64> {
    let Some(task) = reading.as_mut() else {
        return Ok(0);
    };
    let read = task.await;
    *reading = None;
    read.map_err(|_| Error::bug("reading stopped"))?
}
