//! What all parts of the server share.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tempfile::TempDir;

use crate::account::Account;
use crate::auth::{Auth, User};
use crate::blobs::Blobs;
use crate::counts::CountBook;
use crate::events::Tokens;
use crate::files::Turns;
use crate::jfs::Thumbs;
use crate::refusal::Refusal;
use crate::switches::Switches;
use crate::tree::{Tree, TreeError};
use crate::trouble::Trouble;
use crate::{CloudError, CloudOptions};

/// The directory, and whether it goes with the cloud.
pub enum Directory {
    /// The caller's; it stays.
    Given(PathBuf),
    /// Ours; it is removed.
    Temporary(TempDir),
}

impl Directory {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

/// One cloud: its account, its tree, its content and its moods.
pub struct State {
    /// Internal user name, first segment of every JFS path.
    pub user: String,
    /// Devices, mount points, folders, files, revisions.
    pub tree: Tree,
    /// Content.
    pub blobs: Blobs,
    /// Which connection writes to which upload.
    pub turns: Turns,
    /// Requests and content bytes.
    pub counts: Arc<CountBook>,
    /// Trouble on demand.
    pub trouble: Trouble,
    /// Tokens.
    pub auth: Auth,
    /// Tokens of the change events' addresses.
    pub event_tokens: Tokens,
    /// Thumbnails made so far.
    pub thumbs: Thumbs,
    /// Where everything is kept. Dropped last.
    pub directory: Directory,
    account: RwLock<Account>,
}

impl State {
    /// Opens or creates the cloud in its directory.
    pub fn open(options: &CloudOptions) -> Result<Self, CloudError> {
        let io = |what| move |source| CloudError::Io { what, source };
        let directory = match &options.directory {
            Some(path) => {
                std::fs::create_dir_all(path).map_err(io("the cloud's directory"))?;
                Directory::Given(path.clone())
            }
            None => Directory::Temporary(TempDir::new().map_err(io("a temporary directory"))?),
        };
        let blobs = Blobs::open(&directory.path().join("blobs")).map_err(io("the blobs"))?;
        let tree = Tree::open(&directory.path().join("tree.db"), &options.switches)?;
        blobs
            .forget_all_but(|upload| {
                matches!(tree.read(|v| v.upload(upload)), Ok(Some(_)) | Err(_))
            })
            .map_err(io("partial uploads"))?;
        let account = Account::default();
        let user = User {
            username: crate::names::USER.into(),
            email: account.email.clone(),
            name: account.name.clone(),
        };
        let ttl = options.access_token_ttl;
        let auth = Auth::open(directory.path(), user.clone(), ttl).map_err(TreeError::from)?;
        Ok(Self {
            user: user.username,
            tree,
            blobs,
            turns: Turns::default(),
            counts: Arc::default(),
            trouble: Trouble::default(),
            auth,
            event_tokens: Tokens::default(),
            thumbs: Thumbs::default(),
            directory,
            account: RwLock::new(account),
        })
    }

    /// The answers in force.
    pub fn switches(&self) -> Switches {
        self.tree.switches()
    }

    /// Changes the answers.
    pub fn set_switches(&self, switches: Switches) -> Result<(), TreeError> {
        self.tree.set_switches(switches)
    }

    /// The account's settings.
    pub fn account(&self) -> Account {
        self.account
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes the account's settings.
    pub fn set_account(&self, change: impl FnOnce(&mut Account)) {
        change(&mut self.account.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Works on the tree on a thread that may block.
    pub async fn on_tree<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Tree) -> Result<R, TreeError> + Send + 'static,
    ) -> Result<R, Refusal> {
        let state = self.clone();
        self.blocking(move || work(&state.tree)).await
    }

    /// Works on a thread that may block.
    pub async fn blocking<R: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> Result<R, TreeError> + Send + 'static,
    ) -> Result<R, Refusal> {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(Refusal::new(
                500,
                "java.lang.RuntimeException",
                format!("local cloud: {error}"),
            )),
        }
    }
}
