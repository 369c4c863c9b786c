//! Trouble on demand: rules that say which requests go wrong, and how.
//!
//! A [`Rule`] picks requests by method, kind and path, lets some pass, strikes some, and is spent
//! then. All rules that strike a request make its [`Plan`]; where two name the same effect, the
//! older rule's counts. Control (`/_local/`) is never troubled.

mod filler;
mod rewrite;
mod rule;
mod spoil;
mod strike;

pub use rule::{Bomb, ErrorForm, Rename, Rule, Stats};
pub use spoil::Spoil;
pub use strike::{FileOp, Moment, Strike, StrikeCall};

use crate::body::{self, Body, Reply};
use crate::refusal::Refusal;
use crate::state::State;
use crate::writer::Writer;
use filler::Filler;
use hyper::Method;
use hyper::header::{HeaderValue, RETRY_AFTER};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

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

    /// Whether the request's range is overlooked.
    pub fn ignores_range(&self) -> bool {
        self.any(|rule| rule.ignore_range)
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
