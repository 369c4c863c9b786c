//! Another client of the same account, at a chosen moment of a request.

use crate::writer::Writer;
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// What another client of the same account does at a chosen moment. Paths are like `/Jotta/Sync/a.txt`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FileOp {
    /// Writes a file; a new revision if there is one.
    Put {
        /// Where.
        path: String,
        /// The whole content.
        text: String,
    },
    /// Makes a folder.
    Mkdir {
        /// Where.
        path: String,
    },
    /// Moves or renames a file or folder.
    Move {
        /// From where.
        from: String,
        /// To where.
        to: String,
    },
    /// Puts a file or folder into the trash.
    Trash {
        /// Where.
        path: String,
    },
    /// Removes a file or folder for good.
    Remove {
        /// Where.
        path: String,
    },
}

impl FileOp {
    /// Does it. A failure is the test's own mistake; it is said on standard error.
    pub(crate) fn run(&self, writer: &Writer) {
        let done = match self {
            Self::Put { path, text } => writer.put(path, text.as_bytes()).map(drop),
            Self::Mkdir { path } => writer.mkdir(path),
            Self::Move { from, to } => writer.move_(from, to),
            Self::Trash { path } => writer.trash(path),
            Self::Remove { path } => writer.remove(path),
        };
        if let Err(error) = done {
            eprintln!("local-cloud: trouble could not do {self:?}: {error}");
        }
    }
}

/// When another writer strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the request is worked on.
    BeforeWork,
    /// After the work, before the first byte of the answer.
    BeforeAnswer,
    /// When this many bytes of the answer's body have been sent.
    AtByte(u64),
}

/// What a test in Rust does as another writer.
pub type StrikeCall = dyn Fn(&Writer) + Send + Sync;

/// Another writer who strikes.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strike {
    /// When.
    pub moment: Moment,
    /// What is done, in order.
    #[serde(default)]
    pub ops: Vec<FileOp>,
    /// What else is done, after them; for tests in Rust.
    #[serde(skip)]
    pub call: Option<Arc<StrikeCall>>,
}

impl fmt::Debug for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Strike")
            .field("moment", &self.moment)
            .field("ops", &self.ops)
            .finish_non_exhaustive()
    }
}

impl Strike {
    pub(crate) fn run(&self, writer: &Writer) {
        for op in &self.ops {
            op.run(writer);
        }
        if let Some(call) = &self.call {
            call(writer);
        }
    }
}
