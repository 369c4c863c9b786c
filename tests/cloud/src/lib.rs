//! A local Jottacloud. See `README.md` beside this crate for the switches and the trouble it can make.
//!
//! One [`Cloud`] is one account of the service, kept in one directory: SQLite for the tree, blobs on disk for the
//! content. It serves both of the service's APIs, sign-in and public links on one loopback port, told apart by path.
//! Nothing here is ever wholly in memory: neither a file nor a listing.

mod account;
mod auth;
mod blobs;
mod body;
mod certificate;
mod control;
mod counts;
mod events;
mod files;
mod flow;
mod jfs;
mod names;
mod public;
mod refusal;
mod seed;
mod server;
mod state;
mod switches;
mod times;
mod tree;
mod trouble;
mod writer;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use account::Account;
pub use certificate::{ThrowAway, throw_away};
pub use counts::Counts;
pub use seed::{Plan, UnknownPlan};
pub use state::State;
pub use switches::{SwitchInfo, Switches, UnknownSwitch};
use tree::Told;
pub use tree::TreeError;
pub use trouble::{
    Bomb, ErrorForm, FileOp, Moment, Rename, Rule, Stats, Strike, StrikeCall, Trouble,
};
pub use writer::{BulkFile, Entry, Held, Writer};

/// How to start a cloud.
#[derive(Clone, Debug)]
pub struct CloudOptions {
    /// Where the tree and the blobs are kept; `None` is a temporary directory.
    pub directory: Option<PathBuf>,
    /// TCP port on the loopback interface; 0 picks a free one.
    pub port: u16,
    /// Serve TLS with this certificate and key; plain HTTP otherwise.
    pub tls: Option<Tls>,
    /// How long access tokens live.
    pub access_token_ttl: Duration,
    /// The answers to what no fact settles.
    pub switches: Switches,
}

impl Default for CloudOptions {
    fn default() -> Self {
        Self {
            directory: None,
            port: 0,
            tls: None,
            access_token_ttl: Duration::from_secs(3600),
            switches: Switches::default(),
        }
    }
}

/// Certificate chain and key, both PEM files.
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM file of the chain.
    pub certificate: PathBuf,
    /// PEM file of the key.
    pub key: PathBuf,
}

/// Why a cloud did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// The directory, the port or a file could not be used.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The tree could not be opened.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// The certificate or the key could not be used.
    #[error("TLS: {0}")]
    Tls(String),
}

/// A running cloud; dropping it stops it.
pub struct Cloud {
    state: Arc<State>,
    address: SocketAddr,
    secure: bool,
    running: Option<server::Running>,
}

impl Cloud {
    /// Starts a cloud and returns once it accepts connections.
    ///
    /// It has threads of its own, so it may be started from inside or outside of an async runtime.
    pub fn start(options: CloudOptions) -> Result<Self, CloudError> {
        let state = Arc::new(State::open(&options)?);
        let running = server::start(state.clone(), options.port, options.tls.as_ref())?;
        Ok(Self {
            state,
            address: running.address,
            secure: options.tls.is_some(),
            running: Some(running),
        })
    }

    /// The origin, without a slash at the end: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The internal user name, the first segment of every JFS path.
    pub fn user(&self) -> &str {
        &self.state.user
    }

    /// A new personal login token, good for one sign-in, whose links lead to this cloud.
    pub fn login_token(&self) -> Result<String, TreeError> {
        self.login_token_at(&self.url(), "jottacloud")
    }

    /// A login token of a realm whose links lead to `origin`, which must lead to this cloud.
    pub fn login_token_at(&self, origin: &str, realm: &str) -> Result<String, TreeError> {
        Ok(self.state.auth.new_login_token(origin, realm)?)
    }

    /// How long access tokens live that are issued from now on.
    pub fn set_access_token_ttl(&self, ttl: Duration) {
        self.state.auth.set_access_token_ttl(ttl);
    }

    /// Lets every access token expire now; sessions live and can refresh.
    pub fn expire_access_tokens(&self) -> Result<(), TreeError> {
        Ok(self.state.auth.expire_access_tokens()?)
    }

    /// Ends every session, as a person does who signs all devices out on the web site.
    pub fn revoke_sessions(&self) -> Result<(), TreeError> {
        Ok(self.state.auth.revoke_all()?)
    }

    /// How many sign-ins are live.
    pub fn live_sessions(&self) -> Result<i64, TreeError> {
        Ok(self.state.auth.live_sessions()?)
    }

    /// What was asked and sent since the start or the last `reset_counts`.
    pub fn counts(&self) -> Counts {
        self.state.counts.snapshot()
    }

    /// Sets all counts back to zero.
    pub fn reset_counts(&self) {
        self.state.counts.reset();
    }

    /// The trouble this cloud makes on demand.
    pub fn trouble(&self) -> &Trouble {
        &self.state.trouble
    }

    /// How many clients are connected to the change events.
    pub fn listeners(&self) -> usize {
        self.state.tree.listeners()
    }

    /// Breaks the connections of all who listen to the change events.
    pub fn cut_listeners(&self) {
        self.state.tree.say(Told::Cut);
    }

    /// Sends this to all who listen to the change events: as text if it is UTF-8, in one frame however long it is.
    pub fn send_to_listeners(&self, frame: impl Into<Vec<u8>>) {
        self.state.tree.say(Told::Frame(frame.into().into()));
    }

    /// The answers in force.
    pub fn switches(&self) -> Switches {
        self.state.switches()
    }

    /// Changes the answers, for requests that begin after this call.
    pub fn set_switches(&self, switches: Switches) -> Result<(), TreeError> {
        self.state.set_switches(switches)
    }

    /// The account's settings as they are now.
    pub fn account(&self) -> Account {
        self.state.account()
    }

    /// Changes the account's settings: quota, locks, names.
    pub fn set_account(&self, change: impl FnOnce(&mut Account)) {
        self.state.set_account(change);
    }

    /// Another client of the same account, without HTTP: what it does is there for the next request.
    pub fn writer(&self) -> Writer {
        Writer::new(self.state.clone())
    }

    /// Fills the cloud; says with how many files.
    pub fn seed(&self, plan: Plan) -> Result<u64, TreeError> {
        plan.fill(&self.writer())
    }

    /// Fills the cloud unless there are files or devices of its own in it already.
    pub fn seed_if_empty(&self, plan: Plan) -> Result<u64, TreeError> {
        let writer = self.writer();
        let built_in = ["/Jotta", "/Jotta/Sync", "/Jotta/Archive"];
        let entries = writer.paths("/")?;
        if entries
            .iter()
            .any(|entry| !built_in.contains(&entry.path.as_str()))
        {
            return Ok(0);
        }
        plan.fill(&writer)
    }

    /// The directory that holds the tree and the blobs.
    pub fn directory(&self) -> &Path {
        self.state.directory.path()
    }

    /// What all parts of the server share.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Stops serving and frees the port; data in a directory of the caller's stays.
    pub fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
    }
}
