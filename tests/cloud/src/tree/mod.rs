//! The tree: devices, mount points, folders, files and their revisions, in SQLite.
//!
//! A node is live or a tombstone (`deleted` is set, on everything below a trashed folder too, as the service's own
//! listings show). At most one live node has a given folded name in a folder; tombstones may share it. Every change is
//! one transaction. Reads run beside it on connections of their own, each on a snapshot.

mod change;
mod content;
mod news;
mod node;
mod trash;
mod upload;
mod walk;

pub(crate) use change::{is_virtual, uuid};
pub use content::{Known, NewContent, Sent};
pub use news::{News, Told};
pub use node::{Kind, Node, Revision, RevisionState, View};
pub use upload::Upload;
pub use walk::walk;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rusqlite::{Connection, TransactionBehavior, params};
use tokio::sync::broadcast;

use crate::names;
use crate::refusal::Refusal;
use crate::switches::Switches;

/// Why the tree could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The service would say no.
    #[error("{0:?}")]
    Refused(Box<Refusal>),
    /// SQLite failed.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A blob could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<Refusal> for TreeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS node(
    id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL,
    mount INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    uuid TEXT NOT NULL DEFAULT '',
    deleted INTEGER,
    trash_root INTEGER NOT NULL DEFAULT 0,
    link TEXT,
    current INTEGER,
    latest INTEGER,
    size INTEGER NOT NULL DEFAULT 0,
    made INTEGER NOT NULL,
    changed INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS node_child ON node(parent, kind, folded);
CREATE INDEX IF NOT EXISTS node_size ON node(mount, size) WHERE kind = 3;
CREATE INDEX IF NOT EXISTS node_deleted ON node(deleted) WHERE deleted IS NOT NULL;
CREATE INDEX IF NOT EXISTS node_link ON node(link) WHERE link IS NOT NULL;
CREATE TABLE IF NOT EXISTS device(
    node INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    sid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS revision(
    id INTEGER PRIMARY KEY,
    node INTEGER NOT NULL,
    number INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    size INTEGER,
    md5 TEXT NOT NULL,
    blob INTEGER);
CREATE INDEX IF NOT EXISTS revision_node ON revision(node, number);
CREATE INDEX IF NOT EXISTS revision_blob ON revision(blob);
CREATE TABLE IF NOT EXISTS blob(
    id INTEGER PRIMARY KEY,
    md5 TEXT NOT NULL,
    size INTEGER NOT NULL,
    seed INTEGER,
    UNIQUE(md5, size));
CREATE INDEX IF NOT EXISTS blob_seed ON blob(seed, size) WHERE seed IS NOT NULL;
CREATE TABLE IF NOT EXISTS upload(
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    node INTEGER NOT NULL,
    md5 TEXT NOT NULL,
    size INTEGER NOT NULL,
    url_used INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS upload_node ON upload(node);
";

/// The tree.
pub struct Tree {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    switches: RwLock<Switches>,
    feed: broadcast::Sender<Told>,
}

impl Tree {
    /// Opens or creates the database; a new one has the device Jotta with Archive and Sync.
    pub fn open(path: &Path, switches: &Switches) -> Result<Self, TreeError> {
        let writer = connect(path)?;
        writer.execute_batch(SCHEMA)?;
        let tree = Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            switches: RwLock::new(switches.clone()),
            feed: broadcast::Sender::new(news::FEED),
        };
        tree.fold_again()?;
        tree.write(|view| {
            if view.child(0, "Jotta")?.is_none() {
                view.make_device("Jotta", "JOTTA")?;
                view.make_mount_point("Jotta", "Archive")?;
                view.make_mount_point("Jotta", "Sync")?;
            }
            Ok(())
        })?;
        Ok(tree)
    }

    /// The answers in force.
    pub fn switches(&self) -> Switches {
        self.switches
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the answers; names fold anew when they must.
    pub fn set_switches(&self, switches: Switches) -> Result<(), TreeError> {
        let before = {
            let mut held = self
                .switches
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, switches.clone())
        };
        let same = before.normalisation == switches.normalisation
            && before.case_folding == switches.case_folding;
        if same { Ok(()) } else { self.fold_again() }
    }

    fn fold_again(&self) -> Result<(), TreeError> {
        let switches = self.switches();
        self.write(|view| {
            let mut names = view.db.prepare("SELECT id, name, folded FROM node")?;
            let mut rows = names.query([])?;
            let mut update = view.db.prepare("UPDATE node SET folded = ? WHERE id = ?")?;
            while let Some(row) = rows.next()? {
                let (id, name, old): (i64, String, String) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                let folded = names::folded(&name, &switches);
                if folded != old {
                    update.execute(params![folded, id])?;
                }
            }
            Ok(())
        })
    }

    /// Reads one snapshot.
    pub fn read<R>(
        &self,
        work: impl FnOnce(&View<'_>) -> Result<R, TreeError>,
    ) -> Result<R, TreeError> {
        let idle = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let result = {
            let snapshot = connection.transaction()?;
            work(&View::new(&snapshot, self.switches(), false))
        };
        self.readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        result
    }

    /// Changes the tree in one transaction; nothing stays of it when `work` fails.
    pub fn write<R>(
        &self,
        work: impl FnOnce(&View<'_>) -> Result<R, TreeError>,
    ) -> Result<R, TreeError> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let view = View::new(&transaction, self.switches(), self.listeners() > 0);
        let result = work(&view)?;
        let news = view.news.map(std::cell::RefCell::into_inner);
        transaction.commit()?;
        // Still with the writer's lock, so that news come in the order of the commits.
        match news {
            Some(news) if news.len() > news::FEED => self.say(Told::Cut),
            news => {
                for one in news.into_iter().flatten() {
                    self.say(Told::Change(Arc::new(one)));
                }
            }
        }
        Ok(result)
    }

    /// As `write`, for work on very many rows: keeps the changed pages in memory until it ends.
    pub fn write_much<R>(
        &self,
        work: impl FnOnce(&View<'_>) -> Result<R, TreeError>,
    ) -> Result<R, TreeError> {
        let cache = |setting: &str| -> Result<(), TreeError> {
            let connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(connection.execute_batch(setting)?)
        };
        cache("PRAGMA cache_size = -65536")?;
        let result = self.write(work);
        cache("PRAGMA cache_size = -2000; PRAGMA shrink_memory")?;
        result
    }

    /// Listens to every change that is committed from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Told> {
        let _no_change_under_way = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.feed.subscribe()
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.feed.receiver_count()
    }

    /// Says something to all who listen.
    pub fn say(&self, told: Told) {
        // Nobody there to hear it is fine.
        let _ = self.feed.send(told);
    }

    /// Bytes in use: current content, trash included.
    pub fn usage(&self) -> Result<i64, TreeError> {
        self.read(|view| view.usage())
    }
}

fn connect(path: &Path) -> Result<Connection, TreeError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The cloud's data outlives a crash of the process; nobody needs it to outlive one of the machine.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.busy_timeout(std::time::Duration::from_secs(30))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
