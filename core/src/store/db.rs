//! One database: one writer and a few readers, opened by the first call, closed by `pause`.
//!
//! A connection belongs to the generation of the file it was opened on, and is dropped when the
//! file has moved on. Work runs outside of the pool's lock, so waiting is always bounded.
//!
//! SQLite writes its log and waits for no disk at a commit; who must be sure syncs the log after it, together with
//! whoever committed meanwhile (see [`super::durable`]).

use super::durable::Durable;
use super::generation::Generations;
use super::{journal, schema};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::{Error, Result};
use rusqlite::{Connection, InterruptHandle, OpenFlags, Transaction, TransactionBehavior};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a caller waits for another thread or process.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long interrupted work gets to notice it, after the deadline of a pause.
const INTERRUPTED: Duration = Duration::from_millis(500);

pub(crate) struct Db {
    file: Which,
    small: bool,
    /// Asked right before each commit, and for the sync after it.
    disk: Arc<dyn Disk>,
    pool: Mutex<Pool>,
    freed: Condvar,
    durable: Durable,
}

enum Which {
    Journal(PathBuf),
    Catalog(Generations),
}

#[derive(Default)]
struct Pool {
    refusing: Option<Error>,
    writer: Option<Opened>,
    writer_busy: bool,
    readers: Vec<Opened>,
    readers_busy: usize,
    interrupts: Vec<(u64, InterruptHandle)>,
    next_ticket: u64,
}

struct Opened {
    generation: i64,
    connection: Connection,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Reader,
    Writer,
}

/// A connection taken out of the pool; goes back when dropped, unless the work panicked.
struct Loan<'a> {
    db: &'a Db,
    role: Role,
    ticket: u64,
    opened: Option<Opened>,
}

impl Db {
    pub fn journal(directory: &Path, small: bool, disk: Arc<dyn Disk>) -> Self {
        Self::new(Which::Journal(directory.join("journal.db")), small, disk)
    }

    pub fn catalog(
        directory: &Path,
        small: bool,
        journal: Arc<Self>,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Self {
        let generations = Generations::new(directory, journal, clock);
        Self::new(Which::Catalog(generations), small, disk)
    }

    fn new(file: Which, small: bool, disk: Arc<dyn Disk>) -> Self {
        Self {
            file,
            small,
            disk,
            pool: Mutex::default(),
            freed: Condvar::new(),
            durable: Durable::default(),
        }
    }

    /// Runs `work` on a reader, in one snapshot.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let loan = self.borrow(Role::Reader)?;
        let generation = loan.generation();
        let done = (|| {
            let snapshot = loan.connection()?.unchecked_transaction()?;
            let done = work(&snapshot)?;
            snapshot.finish()?;
            Ok(done)
        })();
        drop(loan);
        self.replace_if_damaged(generation, done)
    }

    /// Runs `work` in an immediate transaction on the writer; commits if it returns `Ok`. In the journal no power cut takes
    /// it back then.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        match self.file {
            Which::Journal(_) => self.write_durably(work),
            Which::Catalog(_) => self.write_lightly(work),
        }
    }

    /// A `write` that a power cut may take back, until the next other one. Who is killed has written it.
    pub(crate) fn write_lightly<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        Ok(self.commit(work)?.0)
    }

    /// A `write` that no power cut takes back, nor what came before it: the catalogue's others may be.
    pub(super) fn write_durably<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let (done, log, ticket) = self.commit(work)?;
        self.durable
            .wait(ticket, || match self.disk.sync_log(&log) {
                // Who closed it has brought all of it into the database, and synced that.
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                synced => Ok(synced?),
            })?;
        Ok(done)
    }

    /// What `work` gave, the log that it was written to, and its number there.
    fn commit<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T>,
    ) -> Result<(T, PathBuf, u64)> {
        let mut loan = self.borrow(Role::Writer)?;
        let generation = loan.generation();
        let done = (|| {
            let transaction = loan
                .connection_mut()?
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            self.disk.alive()?;
            transaction.commit()?;
            Ok((done, self.log(generation), self.durable.note()))
        })();
        drop(loan);
        self.replace_if_damaged(generation, done)
    }

    #[cfg(test)]
    pub(super) fn is_durable(&self) -> bool {
        self.durable.is_all()
    }

    /// SQLite's log of what is committed.
    fn log(&self, generation: i64) -> PathBuf {
        let mut path = match &self.file {
            Which::Journal(path) => path.clone(),
            Which::Catalog(generations) => generations.path(generation),
        }
        .into_os_string();
        path.push("-wal");
        path.into()
    }

    /// The number of the file in use; it differs after a damaged catalogue was replaced.
    pub fn generation(&self) -> Result<i64> {
        match &self.file {
            Which::Journal(_) => Ok(0),
            Which::Catalog(generations) => generations.current(),
        }
    }

    /// From now on every call gives `why`, until `admit`; after `Closed`, for ever.
    pub(super) fn refuse(&self, why: Error) {
        let mut pool = self.lock();
        if pool.refusing != Some(Error::Closed) {
            pool.refusing = Some(why);
        }
        drop(pool);
        self.freed.notify_all();
    }

    pub(super) fn admit(&self) {
        let mut pool = self.lock();
        if pool.refusing != Some(Error::Closed) {
            pool.refusing = None;
        }
    }

    /// Waits until `until` for running work, then interrupts it; checkpoints and closes.
    pub(super) fn close(&self, until: Instant) -> Result<()> {
        let mut pool = self.wait_idle(self.lock(), until);
        if pool.busy() {
            for (_, handle) in &pool.interrupts {
                handle.interrupt();
            }
            pool = self.wait_idle(pool, Instant::now() + INTERRUPTED);
        }
        pool.readers.clear();
        if let Some(writer) = pool.writer.take() {
            // Another process that reads may keep the log from shrinking: harmless.
            let _ = writer.connection.busy_timeout(Duration::ZERO);
            let _ = writer
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        }
        if pool.busy() {
            return Err(Error::StoreBusy);
        }
        Ok(())
    }

    fn wait_idle<'a>(&self, pool: MutexGuard<'a, Pool>, until: Instant) -> MutexGuard<'a, Pool> {
        self.freed
            .wait_timeout_while(
                pool,
                until.saturating_duration_since(Instant::now()),
                |pool| pool.busy(),
            )
            .map_or_else(|poisoned| poisoned.into_inner().0, |(pool, _)| pool)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn borrow(&self, role: Role) -> Result<Loan<'_>> {
        let until = Instant::now() + PATIENCE;
        if let Some(why) = self.lock().refusing.clone() {
            return Err(why);
        }
        let generation = self.generation()?;
        let mut loan = self.take(role, generation, until)?;
        if loan.opened.is_none() {
            loan.opened = Some(self.open(generation)?);
        }
        let left = until.saturating_duration_since(Instant::now());
        loan.connection()?
            .busy_timeout(left.max(Duration::from_millis(100)))?;
        self.lock()
            .interrupts
            .push((loan.ticket, loan.connection()?.get_interrupt_handle()));
        Ok(loan)
    }

    /// A free connection of `generation`, or a slot to open one in.
    fn take(&self, role: Role, generation: i64, until: Instant) -> Result<Loan<'_>> {
        let limit = if self.small { 2 } else { 4 };
        let mut pool = self.lock();
        loop {
            if let Some(why) = pool.refusing.clone() {
                return Err(why);
            }
            let free = match role {
                Role::Writer => !pool.writer_busy,
                Role::Reader => pool.readers_busy < limit,
            };
            if free {
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::StoreBusy);
            }
            pool = self
                .freed
                .wait_timeout(pool, left)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(pool, _)| pool);
        }
        let opened = match role {
            Role::Writer => {
                pool.writer_busy = true;
                pool.writer.take()
            }
            Role::Reader => {
                pool.readers_busy += 1;
                pool.readers.pop()
            }
        };
        pool.next_ticket += 1;
        Ok(Loan {
            db: self,
            role,
            ticket: pool.next_ticket,
            opened: opened.filter(|opened| opened.generation == generation),
        })
    }

    fn open(&self, generation: i64) -> Result<Opened> {
        match &self.file {
            Which::Journal(path) => {
                let mut connection = self.connect(path)?;
                journal::migrate(&mut connection)?;
                Ok(Opened {
                    generation,
                    connection,
                })
            }
            Which::Catalog(generations) => self.open_catalog(generations, generation),
        }
    }

    /// A file that is damaged or of another schema is left behind and the next one begun.
    fn open_catalog(&self, generations: &Generations, mut generation: i64) -> Result<Opened> {
        for _ in 0..3 {
            let opened = self
                .connect(&generations.path(generation))
                .and_then(|mut connection| {
                    schema::prepare(&mut connection)?;
                    Ok(connection)
                });
            match opened {
                Ok(connection) => {
                    return Ok(Opened {
                        generation,
                        connection,
                    });
                }
                Err(Error::StoreDamaged { .. }) => generation = generations.replace(generation)?,
                Err(error) => return Err(error),
            }
        }
        Err(Error::StoreDamaged {
            detail: "every new catalogue is damaged".into(),
        })
    }

    fn connect(&self, path: &Path) -> Result<Connection> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_NOFOLLOW,
        )?;
        connection.busy_timeout(PATIENCE)?;
        let cache_kib = if self.small { 1024 } else { 4096 };
        into_wal(&connection)?;
        connection.execute_batch(&format!(
            "PRAGMA synchronous = NORMAL;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA mmap_size = 0;
             PRAGMA cache_size = -{cache_kib};
             PRAGMA journal_size_limit = 4194304;"
        ))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    /// A catalogue found damaged makes room for the next one, and the caller tries again.
    fn replace_if_damaged<T>(&self, generation: i64, done: Result<T>) -> Result<T> {
        match (&self.file, done) {
            (Which::Catalog(generations), Err(Error::StoreDamaged { .. })) => {
                generations.replace(generation)?;
                Err(Error::StoreBusy)
            }
            (_, done) => done,
        }
    }
}

/// SQLite does not wait by itself where two connections turn a new file into WAL at once.
fn into_wal(connection: &Connection) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL") {
            Ok(()) => return Ok(()),
            Err(error) => match Error::from(error) {
                Error::StoreBusy if Instant::now() < until => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                error => return Err(error),
            },
        }
    }
}

impl Pool {
    fn busy(&self) -> bool {
        self.writer_busy || self.readers_busy > 0
    }
}

impl Loan<'_> {
    fn generation(&self) -> i64 {
        self.opened.as_ref().map_or(0, |opened| opened.generation)
    }

    fn connection(&self) -> Result<&Connection> {
        self.opened
            .as_ref()
            .map(|opened| &opened.connection)
            .ok_or_else(|| Error::bug("a loan without a connection"))
    }

    fn connection_mut(&mut self) -> Result<&mut Connection> {
        self.opened
            .as_mut()
            .map(|opened| &mut opened.connection)
            .ok_or_else(|| Error::bug("a loan without a connection"))
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut pool = self.db.lock();
        pool.interrupts.retain(|(ticket, _)| *ticket != self.ticket);
        let mut kept = self
            .opened
            .take()
            .filter(|opened| !std::thread::panicking() && opened.connection.is_autocommit());
        if pool.refusing.is_some() {
            // Closed before the loan counts as returned, so that a pause leaves no file open.
            kept = None;
        }
        match self.role {
            Role::Writer => {
                pool.writer_busy = false;
                pool.writer = kept;
            }
            Role::Reader => {
                pool.readers_busy -= 1;
                pool.readers.extend(kept);
            }
        }
        drop(pool);
        self.db.freed.notify_all();
    }
}
