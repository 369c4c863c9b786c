//! Trouble on demand: rules that say which requests go wrong, and how.
//!
//! A [`Rule`] picks requests by method, kind and path, lets some pass, strikes some, and is spent
//! then. All rules that strike a request make its [`Plan`]; where two name the same effect, the
//! older rule's counts. Control (`/_local/`) is never troubled.

mod filler;
mod rewrite;
mod spoil;

pub use spoil::Spoil;

use crate::body::{self, Body, Reply};
use crate::refusal::Refusal;
use crate::state::State;
use crate::writer::Writer;
use filler::Filler;
use hyper::Method;
use hyper::header::{HeaderValue, RETRY_AFTER};
use serde::Deserialize;
use std::fmt;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// XML that is made to hurt its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bomb {
    /// Entities that would expand to terabytes, and one that names a local file.
    Entities,
    /// Millions of open elements.
    Nesting,
    /// One attribute of a gigabyte.
    Attribute,
    /// One text of a gigabyte.
    Text,
    /// Millions of attributes on one element.
    Attributes,
}

/// How an error answer looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorForm {
    /// As the API that was asked words its errors.
    #[default]
    Usual,
    /// JFS's XML.
    Xml,
    /// The API host's JSON.
    Json,
    /// The page of a proxy on the way.
    Html,
    /// Nothing.
    Empty,
}

/// How the end of a `liststream` answer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stats {
    /// The answer ends, in good order for HTTP, where the `stats` would begin.
    Cut,
    /// The `stats` are left out and the document is closed as it should be.
    LeftOut,
    /// The `stats` count one entry that is not there, or another number.
    Wrong,
}

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

/// A name in a listing that is replaced by another, as a hostile or broken server could send it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// The entry's true name.
    pub instead_of: String,
    /// The name that is sent. Characters that XML forbids are sent as character references all the same.
    pub name: String,
}

/// Which requests go wrong, and how. Make one with [`Rule::on`] and the methods below, or from JSON.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// Only this method.
    pub method: Option<String>,
    /// Only this kind of request, as in `Counts::requests`.
    pub kind: Option<String>,
    /// Only paths that contain this; decoded, without `/jfs/<user>`.
    pub path: Option<String>,
    /// Lets this many matching requests pass first.
    pub after: u64,
    /// Strikes this many, then is spent; all without it.
    pub times: Option<u64>,

    /// Waits before the work, in milliseconds.
    pub delay_ms: Option<u64>,
    /// Sends the answer's body no faster.
    pub bytes_per_second: Option<u64>,
    /// Breaks the connection after this many bytes of the answer's body.
    pub cut_after: Option<u64>,
    /// Breaks the connection after this many bytes of the request's body; what came is kept as after any break.
    pub cut_upload_after: Option<u64>,
    /// Does the work, then breaks the connection without an answer.
    pub lose_answer: bool,
    /// Answers this status and does no work.
    pub status: Option<u16>,
    /// How that answer looks.
    pub form: ErrorForm,
    /// Its dotted class name, with an optional `: text`.
    pub message: Option<String>,
    /// Its `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// Adds this to the `Content-Length` of the answer.
    pub wrong_length: Option<i64>,
    /// Changes the first digit of every MD5 in the answer.
    pub wrong_hash: bool,
    /// Changes the byte at this place of the answer's body.
    pub flip_byte: Option<u64>,
    /// Answers 200 with this many bytes that mean nothing.
    pub garbage: Option<u64>,
    /// Answers 200 with such XML.
    pub bomb: Option<Bomb>,
    /// Spoils the end of a `liststream` answer.
    pub stats: Option<Stats>,
    /// Sends another name than an entry has.
    pub rename: Vec<Rename>,
    /// Replaces text of the answer, as it stands on the wire: pairs of old and new.
    pub replace: Vec<(String, String)>,
    /// Lets all access tokens expire before the work.
    pub expire_tokens: bool,
    /// Ends all sessions before the work.
    pub revoke_tokens: bool,
    /// Other writers.
    pub strikes: Vec<Strike>,
}

impl Rule {
    /// A rule for requests of one kind, such as `bin`, `liststream`, `allocate`, `upload`, `token`.
    pub fn on(kind: &str) -> Self {
        Self {
            kind: Some(kind.into()),
            ..Self::default()
        }
    }

    /// A rule for every request.
    pub fn on_all() -> Self {
        Self::default()
    }

    /// Only paths that contain `part`.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.into());
        self
    }

    /// Lets `count` matching requests pass first.
    #[must_use]
    pub fn after(mut self, count: u64) -> Self {
        self.after = count;
        self
    }

    /// Strikes `count` requests, then is spent.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        self.times = Some(count);
        self
    }

    /// Strikes one request.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    /// Waits before the work.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay_ms = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Sends the body no faster.
    #[must_use]
    pub fn bytes_per_second(mut self, rate: u64) -> Self {
        self.bytes_per_second = Some(rate);
        self
    }

    /// Breaks the connection after `bytes` of the answer's body.
    #[must_use]
    pub fn cut_after(mut self, bytes: u64) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// Breaks the connection after `bytes` of the request's body.
    #[must_use]
    pub fn cut_upload_after(mut self, bytes: u64) -> Self {
        self.cut_upload_after = Some(bytes);
        self
    }

    /// Does the work and never answers.
    #[must_use]
    pub fn lose_answer(mut self) -> Self {
        self.lose_answer = true;
        self
    }

    /// Answers this status as the API words its errors, and does no work.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// How an error answer looks.
    #[must_use]
    pub fn form(mut self, form: ErrorForm) -> Self {
        self.form = form;
        self
    }

    /// The error answer's class name, with an optional `: text`.
    #[must_use]
    pub fn message(mut self, message: &str) -> Self {
        self.message = Some(message.into());
        self
    }

    /// The error answer's `Retry-After`, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Adds `delta` to the `Content-Length`.
    #[must_use]
    pub fn wrong_length(mut self, delta: i64) -> Self {
        self.wrong_length = Some(delta);
        self
    }

    /// Lies about every MD5 in the answer.
    #[must_use]
    pub fn wrong_hash(mut self) -> Self {
        self.wrong_hash = true;
        self
    }

    /// Changes the byte at `place` of the answer's body.
    #[must_use]
    pub fn flip_byte(mut self, place: u64) -> Self {
        self.flip_byte = Some(place);
        self
    }

    /// Answers 200 with `bytes` that mean nothing.
    #[must_use]
    pub fn garbage(mut self, bytes: u64) -> Self {
        self.garbage = Some(bytes);
        self
    }

    /// Answers 200 with XML that is made to hurt.
    #[must_use]
    pub fn bomb(mut self, bomb: Bomb) -> Self {
        self.bomb = Some(bomb);
        self
    }

    /// Spoils the end of a `liststream` answer.
    #[must_use]
    pub fn stats(mut self, stats: Stats) -> Self {
        self.stats = Some(stats);
        self
    }

    /// Sends `name` in listings where an entry has the name `instead_of`.
    #[must_use]
    pub fn rename(mut self, instead_of: &str, name: &str) -> Self {
        self.rename.push(Rename {
            instead_of: instead_of.into(),
            name: name.into(),
        });
        self
    }

    /// Replaces text of the answer as it stands on the wire.
    #[must_use]
    pub fn replace(mut self, old: &str, new: &str) -> Self {
        self.replace.push((old.into(), new.into()));
        self
    }

    /// Lets all access tokens expire before the work.
    #[must_use]
    pub fn expire_tokens(mut self) -> Self {
        self.expire_tokens = true;
        self
    }

    /// Ends all sessions before the work.
    #[must_use]
    pub fn revoke_tokens(mut self) -> Self {
        self.revoke_tokens = true;
        self
    }

    /// Lets another writer strike.
    #[must_use]
    pub fn strike(
        mut self,
        moment: Moment,
        call: impl Fn(&Writer) + Send + Sync + 'static,
    ) -> Self {
        self.strikes.push(Strike {
            moment,
            ops: Vec::new(),
            call: Some(Arc::new(call)),
        });
        self
    }

    fn matches(&self, method: &Method, kind: &str, path: &str) -> bool {
        let method_fits = |wanted: &String| wanted.eq_ignore_ascii_case(method.as_str());
        self.method.as_ref().is_none_or(method_fits)
            && self.kind.as_ref().is_none_or(|wanted| wanted == kind)
            && self
                .path
                .as_ref()
                .is_none_or(|part| path.contains(part.as_str()))
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub struct Trouble(Mutex<Vec<Rule>>);

impl Trouble {
    fn with<R>(&self, work: impl FnOnce(&mut Vec<Rule>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a rule after the ones in force.
    pub fn add(&self, rule: Rule) {
        self.with(|rules| rules.push(rule));
    }

    /// Ends all trouble.
    pub fn clear(&self) {
        self.with(Vec::clear);
    }

    /// How many rules are not spent.
    pub fn len(&self) -> usize {
        self.with(|rules| rules.len())
    }

    /// Whether every rule is spent.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The plan for one request; `kind` as in `Counts::requests`, `path` decoded and without `/jfs/<user>`.
    pub fn plan_for(&self, method: &Method, kind: &str, path: &str) -> Plan {
        self.with(|rules| {
            let mut struck = Vec::new();
            for rule in rules
                .iter_mut()
                .filter(|rule| rule.matches(method, kind, path))
            {
                if rule.after > 0 {
                    rule.after -= 1;
                    continue;
                }
                if let Some(times) = &mut rule.times {
                    if *times == 0 {
                        continue;
                    }
                    *times -= 1;
                }
                struck.push(rule.clone());
            }
            rules.retain(|rule| rule.times != Some(0));
            Plan(struck)
        })
    }
}

/// What goes wrong with one request; mostly nothing.
#[derive(Clone, Debug, Default)]
pub struct Plan(Vec<Rule>);

impl Plan {
    fn first<T>(&self, effect: impl Fn(&Rule) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(effect)
    }

    fn any(&self, effect: impl Fn(&Rule) -> bool) -> bool {
        self.0.iter().any(effect)
    }

    /// After how many bytes of the request's body to break the connection.
    pub fn cut_upload_after(&self) -> Option<u64> {
        self.first(|rule| rule.cut_upload_after)
    }

    /// Whether the connection is broken after the work.
    pub fn loses_answer(&self) -> bool {
        self.any(|rule| rule.lose_answer)
    }

    /// What comes before the work: waiting, dying tokens, other writers.
    pub async fn before_work(&self, state: &Arc<State>) {
        if let Some(time) = self.first(|rule| rule.delay_ms) {
            tokio::time::sleep(Duration::from_millis(time)).await;
        }
        let (expire, revoke) = (self.any(|r| r.expire_tokens), self.any(|r| r.revoke_tokens));
        if expire && let Err(error) = state.auth.expire_access_tokens() {
            eprintln!("local-cloud: trouble could not expire tokens: {error}");
        }
        if revoke && let Err(error) = state.auth.revoke_all() {
            eprintln!("local-cloud: trouble could not revoke tokens: {error}");
        }
        self.strike(state, Moment::BeforeWork).await;
    }

    /// What comes between the work and the answer.
    pub async fn before_answer(&self, state: &Arc<State>) {
        self.strike(state, Moment::BeforeAnswer).await;
    }

    async fn strike(&self, state: &Arc<State>, moment: Moment) {
        for strike in self.0.iter().flat_map(|rule| &rule.strikes) {
            if strike.moment == moment {
                let (strike, writer) = (strike.clone(), Writer::new(state.clone()));
                let done = tokio::task::spawn_blocking(move || strike.run(&writer)).await;
                if let Err(error) = done {
                    eprintln!("local-cloud: another writer failed: {error}");
                }
            }
        }
    }

    /// The answer that stands in for the work, if the work is not to be done.
    pub fn instead(&self, usual: impl Fn(Refusal) -> Reply) -> Option<Reply> {
        if let Some(bytes) = self.first(|rule| rule.garbage) {
            return Some(filled(Filler::garbage(bytes)));
        }
        if let Some(bomb) = self.first(|rule| rule.bomb) {
            return Some(filled(Filler::bomb(bomb)));
        }
        let rule = self.0.iter().find(|rule| rule.status.is_some())?;
        let status = rule.status?;
        let message = rule
            .message
            .as_deref()
            .unwrap_or("java.lang.RuntimeException: trouble on demand");
        let (class, text) = message.split_once(": ").unwrap_or((message, ""));
        let refusal = Refusal::new(status, class.to_owned(), text);
        let mut reply = match rule.form {
            ErrorForm::Usual => usual(refusal),
            ErrorForm::Xml => refusal.as_xml(),
            ErrorForm::Json => refusal.as_json(),
            ErrorForm::Html => body::reply(
                status,
                "text/html",
                Body::whole(format!(
                    "<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center><hr></body></html>\r\n"
                )),
            ),
            ErrorForm::Empty => body::reply(status, "text/plain", Body::whole("")),
        };
        if let Some(seconds) = rule.retry_after {
            reply
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        Some(reply)
    }

    /// Makes the answer go wrong.
    pub fn spoil(&self, state: &Arc<State>, mut reply: Reply) -> Reply {
        if self.0.is_empty() {
            return reply;
        }
        let is_content = reply.body().is_content();
        let spoil = Spoil::of(&self.0, state, is_content);
        if spoil.changes_length() {
            reply.headers_mut().remove(hyper::header::CONTENT_LENGTH);
        }
        body::broken(
            reply,
            body::Break {
                cut_after: self.first(|rule| rule.cut_after),
                bytes_per_second: self.first(|rule| rule.bytes_per_second),
                wrong_length: self.first(|rule| rule.wrong_length),
                spoil,
            },
        )
    }
}

fn filled(filler: Filler) -> Reply {
    let length = filler.length();
    let produce = move |out: &mut body::Outlet| {
        filler
            .into_iter()
            .try_for_each(|piece| out.write_all(&piece))
    };
    body::reply(
        200,
        "text/xml;charset=UTF-8",
        Body::produced(Some(length), produce),
    )
}
