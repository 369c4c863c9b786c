//! Rules: which requests go wrong, and how.

use super::strike::{Moment, Strike};
use crate::writer::Writer;
use hyper::Method;
use serde::Deserialize;
use std::sync::Arc;
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
    /// Answers as if no range had been asked for.
    pub ignore_range: bool,
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

    /// Answers as if no range had been asked for.
    #[must_use]
    pub fn ignore_range(mut self) -> Self {
        self.ignore_range = true;
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

    pub(super) fn matches(&self, method: &Method, kind: &str, path: &str) -> bool {
        let method_fits = |wanted: &String| wanted.eq_ignore_ascii_case(method.as_str());
        self.method.as_ref().is_none_or(method_fits)
            && self.kind.as_ref().is_none_or(|wanted| wanted == kind)
            && self
                .path
                .as_ref()
                .is_none_or(|part| path.contains(part.as_str()))
    }
}
