//! One walk over what waits, several items at once.
//!
//! - What depends on each other never runs at once: a row that comes after another is met again when that has landed; what
//!   moves or removes whole folders, or comes out of the trash, runs alone.
//! - Nor do two items that are sent to one name, whatever is wanted of the first one by now: each would take the other for
//!   another writer's, and keep it in a copy.
//! - What paused the account is asked again with one item, and first with one that had no part in the pause: an item that
//!   always fails must not stop the others (complaint no. 27).
//! - A change of the network or of the person's rules stops what may not go on, at once; the service keeps what it got.

use super::state::Held;
use super::why::{PAGE, sends_bytes};
use super::wishes::same_name;
use super::{Edits, Hold, Outcome, PushRun};
use crate::catalog::{Id, id_text};
use crate::content::{Teller, TransferListener};
use crate::runtime::blocking;
use crate::sending::{Class, LARGE, Lanes, Pause, Reason};
use crate::store::{EditRow, Fate, WantedPlace};
use crate::{CancelToken, Error, Result};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How often it is looked how things go.
const TICK: Duration = Duration::from_millis(100);
/// How often one item is carried on in one walk, before the others.
const ROUNDS: u8 = 8;

/// A row, judged.
struct Candidate {
    row: EditRow,
    hold: Option<Hold>,
    /// Nothing else may run beside it.
    alone: bool,
    /// The account is asked again.
    paused: bool,
}

/// An item that is under way.
struct Flight {
    /// The source of a copy.
    copies: Option<Id>,
    /// Where it was to be when it began.
    place: Option<WantedPlace>,
    bytes: u64,
    alone: bool,
    /// It asks the account again.
    probe: bool,
    /// How many had landed well when it began.
    successes: u64,
    token: CancelToken,
    round: u8,
}

struct Landed {
    id: Id,
    ended: Result<Outcome>,
}

pub(super) struct Run<'a> {
    edits: &'a Edits,
    cancel: &'a CancelToken,
    pub report: PushRun,
    lanes: Lanes,
    teller: Teller,
    flights: FuturesUnordered<BoxFuture<'static, Landed>>,
    flying: HashMap<Id, Flight>,
    /// What waits for an item under way.
    waiting: HashMap<Id, Vec<Id>>,
    ready: VecDeque<(Id, u8)>,
    /// Wants to be alone, as soon as all have landed.
    alone: Option<(Id, u8)>,
    large: VecDeque<(Id, u8)>,
    /// What had part in the pause is asked last.
    failed_before: Vec<Id>,
    probing: bool,
    successes: u64,
    bytes: u64,
    total: u64,
    common: Option<Option<Hold>>,
    /// Somebody waits for one item: nothing new begins.
    pub yielding: bool,
}

impl<'a> Run<'a> {
    pub fn new(
        edits: &'a Edits,
        progress: Option<Arc<dyn TransferListener>>,
        total: u64,
        cancel: &'a CancelToken,
    ) -> Self {
        Self {
            edits,
            cancel,
            report: PushRun::default(),
            lanes: Lanes::new(edits.extension),
            teller: Teller::new(progress),
            flights: FuturesUnordered::new(),
            flying: HashMap::new(),
            waiting: HashMap::new(),
            ready: VecDeque::new(),
            alone: None,
            large: VecDeque::new(),
            failed_before: Vec::new(),
            probing: false,
            successes: 0,
            bytes: 0,
            total,
            common: None,
            yielding: false,
        }
    }

    /// One walk over all that waits.
    pub async fn pass(&mut self) -> Result<()> {
        (self.report.left, self.report.next_ms, self.common) = (0, None, None);
        // The walk meets all of them again.
        self.ready.clear();
        self.waiting.clear();
        self.large.clear();
        self.failed_before.clear();
        self.alone = None;
        let mut walk = Walk::default();
        let mut situation = self.edits.content.situation_changes();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            let idle = self.fill(&mut walk).await?;
            if self.flights.is_empty() && idle {
                break;
            }
            tokio::select! {
                biased;
                landed = self.flights.next(), if !self.flights.is_empty() => {
                    if let Some(landed) = landed {
                        self.landed(landed).await?;
                    }
                }
                _ = situation.changed() => self.stop_what_may_not().await?,
                _ = tick.tick() => self.look().await?,
            }
        }
        self.report.hold = self.common.take().flatten();
        Ok(())
    }

    /// How many steps succeeded so far, those included after which the item still waits.
    pub fn steps(&self) -> u64 {
        self.successes
    }

    /// All that was to be sent has been: the listener is told so.
    pub fn tell_end(&mut self) {
        if self.report.left == 0 && self.report.done > 0 {
            self.teller.tell_all(self.bytes.max(1));
        }
    }

    /// Starts what there are lanes for. Whether nothing more is to be started in this walk, as things are.
    async fn fill(&mut self, walk: &mut Walk) -> Result<bool> {
        loop {
            self.cancel.check()?;
            if self.yielding {
                return Ok(true);
            }
            let lanes = if self.probing { 1 } else { self.lanes.count };
            if self.flights.len() >= lanes || self.flying.values().any(|flight| flight.alone) {
                return Ok(false);
            }
            if let Some(next) = self.alone {
                if !self.flights.is_empty() {
                    return Ok(false);
                }
                self.alone = None;
                self.offer(next).await?;
                continue;
            }
            let has_large_lane = self.large_flights() < self.lanes.large;
            let next = match self.ready.pop_front() {
                Some(next) => Some(next),
                None if has_large_lane && !self.large.is_empty() => self.large.pop_front(),
                None => walk.next(self.edits).await?.map(|id| (id, 0)),
            };
            match next {
                Some(next) => self.offer(next).await?,
                None if self.flights.is_empty() && !self.failed_before.is_empty() => {
                    let last = std::mem::take(&mut self.failed_before);
                    self.ready.extend(last.into_iter().map(|id| (id, 1)));
                }
                None => return Ok(self.large.is_empty()),
            }
        }
    }

    fn large_flights(&self) -> usize {
        let flying = self.flying.values();
        flying.filter(|flight| flight.bytes >= LARGE).count()
    }

    /// Starts an item, or puts it where it belongs.
    async fn offer(&mut self, (id, round): (Id, u8)) -> Result<()> {
        if self.flying.contains_key(&id) {
            return Ok(());
        }
        let edits = self.edits.clone();
        let Some(candidate) = blocking(move || edits.candidate(&id)).await? else {
            return Ok(());
        };
        let Candidate {
            row,
            hold,
            alone,
            paused,
        } = candidate;
        self.probing = paused;
        if let Some(hold) = hold {
            match self.flying.keys().find(|id| is_after(&hold, id)).copied() {
                Some(before) => self.waiting.entry(before).or_default().push(id),
                None => self.leave(hold),
            }
            return Ok(());
        }
        let touches = self.flying.iter().find(|(other, flight)| {
            row.copy_of == Some(**other)
                || flight.copies == Some(id)
                || is_one_place(flight.place.as_ref(), row.place.as_ref())
        });
        if let Some((other, _)) = touches {
            let other = *other;
            self.waiting.entry(other).or_default().push(id);
            return Ok(());
        }
        if paused && round == 0 && had_part(&row) {
            self.failed_before.push(id);
            return Ok(());
        }
        if self.probing && !self.flights.is_empty() {
            self.ready.push_front((id, round));
            return Ok(());
        }
        if alone && !self.flights.is_empty() {
            self.alone = Some((id, round));
            return Ok(());
        }
        let bytes = bytes_of(&row);
        if bytes >= LARGE && self.large_flights() >= self.lanes.large {
            self.large.push_back((id, round));
            return Ok(());
        }
        let token = self.cancel.child();
        let flight = Flight {
            copies: row.copy_of,
            place: row.place.clone(),
            bytes,
            alone,
            probe: paused,
            successes: self.successes,
            token: token.clone(),
            round,
        };
        self.flying.insert(id, flight);
        let edits = self.edits.clone();
        let flight = async move {
            let ended = edits.carry_out(row, &token).await;
            Landed { id, ended }
        };
        self.flights.push(flight.boxed());
        Ok(())
    }

    async fn landed(&mut self, Landed { id, ended }: Landed) -> Result<()> {
        let Some(flight) = self.flying.remove(&id) else {
            return Err(Error::bug("a change that landed twice"));
        };
        self.edits.sending.ended(&id);
        let others = self.waiting.remove(&id).unwrap_or_default();
        match ended {
            Ok(_) => {
                self.successes += 1;
                self.bytes += flight.bytes;
                self.report.sent_bytes += flight.bytes;
                if flight.probe {
                    self.account_answers().await?;
                }
                let store = self.edits.store.clone();
                let more = blocking(move || store.edit(&id)).await?.is_some();
                if !more {
                    self.report.done += 1;
                } else if flight.round < ROUNDS {
                    // A place after the content, or another name: the same item goes on.
                    self.ready.push_back((id, flight.round + 1));
                } else {
                    self.report.left += 1;
                }
            }
            // The network or the rules have changed, or somebody waits: it goes on where it was, later.
            Err(Error::Cancelled) if !self.cancel.is_cancelled() => {
                if flight.round < ROUNDS {
                    self.ready.push_back((id, flight.round));
                }
            }
            Err(error) => {
                let own = self.successes > flight.successes;
                if flight.probe && Reason::of(&error).is_none() {
                    self.account_answers().await?;
                }
                let edits = self.edits.clone();
                let hold = blocking(move || {
                    edits.failed(&id, error, own)?;
                    match edits.store.edit(&id)? {
                        Some(row) => edits.hold(&row, &edits.weather(true)?),
                        None => Ok(None),
                    }
                })
                .await?;
                match hold {
                    Some(hold) => self.leave(hold),
                    None => self.report.left += 1,
                }
            }
        }
        self.ready.extend(others.into_iter().map(|id| (id, 0)));
        Ok(())
    }

    async fn account_answers(&mut self) -> Result<()> {
        self.probing = false;
        let store = self.edits.store.clone();
        blocking(move || Pause::end(&store)).await
    }

    /// It waits beyond this walk.
    fn leave(&mut self, hold: Hold) {
        self.report.left += 1;
        note_time(&mut self.report, &hold);
        self.common = match self.common.take() {
            None => Some(Some(hold)),
            Some(Some(same)) if same == hold => Some(Some(same)),
            Some(_) => Some(None),
        };
    }

    async fn stop_what_may_not(&mut self) -> Result<()> {
        let edits = self.edits.clone();
        if blocking(move || Ok(edits.weather(true)?.forbids_sending())).await? {
            self.stop(|flight| flight.bytes > 0);
        }
        Ok(())
    }

    fn stop(&self, which: impl Fn(&Flight) -> bool) {
        for flight in self.flying.values().filter(|flight| which(flight)) {
            flight.token.cancel();
        }
    }

    async fn look(&mut self) -> Result<()> {
        let moved = self.bytes + self.edits.sending.moved();
        self.total = self.total.max(moved + 1);
        self.teller.tell(moved, self.total);
        let busy = self.flights.len() >= self.lanes.count;
        self.lanes.look(moved, self.successes, busy);
        if !self.yielding && self.edits.somebody_waits().await? {
            self.yielding = true;
            // What is small is nearly there.
            self.stop(|flight| flight.bytes >= LARGE);
        }
        Ok(())
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        for id in self.flying.keys() {
            self.edits.sending.ended(id);
        }
    }
}

/// The walk through the queue, in the order of first wishes.
#[derive(Default)]
struct Walk {
    after: i64,
    page: VecDeque<Id>,
    over: bool,
}

impl Walk {
    async fn next(&mut self, edits: &Edits) -> Result<Option<Id>> {
        if self.page.is_empty() && !self.over {
            let (store, at) = (edits.store.clone(), self.after);
            let rows = blocking(move || store.edits_after(at, PAGE)).await?;
            match rows.last() {
                Some(last) => self.after = last.n,
                None => self.over = true,
            }
            self.page.extend(rows.iter().map(|row| row.id));
        }
        Ok(self.page.pop_front())
    }
}

impl Edits {
    fn candidate(&self, id: &Id) -> Result<Option<Candidate>> {
        let Some(row) = self.store.edit(id)? else {
            return Ok(None);
        };
        let weather = self.weather(true)?;
        let hold = self.hold(&row, &weather)?;
        let plain_folder = row.is_new && row.copy_of.is_none();
        let alone = row.kind == super::queue::FOLDER && !plain_folder
            || matches!(row.fate, Some(Fate::Restore | Fate::Purge))
            // In a circle: it steps aside.
            || hold.is_none() && !row.is_new && self.comes_after(&row)?.is_some();
        Ok(Some(Candidate {
            row,
            hold,
            alone,
            paused: weather.paused(),
        }))
    }
}

fn is_after(hold: &Hold, id: &Id) -> bool {
    matches!(hold, Hold::After(before) if *before == id_text(*id))
}

/// Bytes that it takes to the service.
pub(super) fn bytes_of(row: &EditRow) -> u64 {
    match &row.content {
        Some(content) if sends_bytes(row) => content.size,
        _ => 0,
    }
}

fn is_one_place(one: Option<&WantedPlace>, other: Option<&WantedPlace>) -> bool {
    one.zip(other)
        .is_some_and(|(one, other)| one.parent == other.parent && same_name(&one.name, &other.name))
}

/// Whether it was its failure that paused the account.
fn had_part(row: &EditRow) -> bool {
    matches!(
        Held::of(row),
        Some(Held::Failed {
            class: Class::Offline | Class::Busy,
            ..
        })
    )
}

fn note_time(run: &mut PushRun, hold: &Hold) {
    let until = match hold {
        Hold::Settling { until_ms } | Hold::Retry { until_ms, .. } => Some(*until_ms),
        Hold::Account(super::AccountHold::Busy { until_ms }) => Some(*until_ms),
        _ => None,
    };
    run.next_ms = match (run.next_ms, until) {
        (Some(before), Some(until)) => Some(before.min(until)),
        (before, until) => before.or(until),
    };
}
