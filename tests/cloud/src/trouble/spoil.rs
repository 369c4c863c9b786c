//! What happens to an answer's body on its way out.

use super::rewrite::{Change, Rewriter};
use super::{Moment, Rule, Stats, Strike};
use crate::auth::escape;
use crate::state::State;
use crate::writer::Writer;
use bytes::Bytes;
use std::sync::Arc;

/// Changes a body piece by piece.
pub struct Spoil {
    rewriter: Option<Rewriter>,
    flip: Option<u64>,
    strikes: Vec<(u64, Strike)>,
    writer: Writer,
    /// Bytes that came so far.
    offset: u64,
    /// Bytes that went so far.
    sent: u64,
}

impl Spoil {
    /// What `rules` do to a body. Content of files is not searched for text.
    pub(super) fn of(rules: &[Rule], state: &Arc<State>, is_content: bool) -> Self {
        let changes: Vec<_> = rules.iter().flat_map(changes).collect();
        let strikes = rules.iter().flat_map(|rule| &rule.strikes);
        let timed = strikes.filter_map(|strike| match strike.moment {
            Moment::AtByte(at) => Some((at, strike.clone())),
            _ => None,
        });
        Self {
            rewriter: (!is_content && !changes.is_empty()).then(|| Rewriter::new(changes)),
            flip: rules.iter().find_map(|rule| rule.flip_byte),
            strikes: timed.collect(),
            writer: Writer::new(state.clone()),
            offset: 0,
            sent: 0,
        }
    }

    /// Whether the length that was announced no longer holds.
    pub(super) fn changes_length(&self) -> bool {
        self.rewriter.is_some()
    }

    /// Whether the body is to end now.
    pub fn stopped(&self) -> bool {
        self.rewriter.as_ref().is_some_and(Rewriter::stopped)
    }

    /// About to send `bytes`: lets those strike who are due, and says how many bytes may go before
    /// the next is.
    pub fn sending(&mut self, bytes: u64) -> u64 {
        let sent = self.sent;
        for (_, strike) in self.strikes.extract_if(.., |(at, _)| *at <= sent) {
            tokio::task::block_in_place(|| strike.run(&self.writer));
        }
        let next = self.strikes.iter().map(|(at, _)| at - sent).min();
        let bytes = next.map_or(bytes, |next| bytes.min(next));
        self.sent += bytes;
        bytes
    }

    /// Takes the next piece and gives what is sent for it.
    pub fn piece(&mut self, piece: Bytes) -> Bytes {
        let begin = self.offset;
        self.offset += piece.len() as u64;
        let mut piece = piece;
        if let Some(at) = self.flip
            && (begin..self.offset).contains(&at)
        {
            let mut changed = piece.to_vec();
            changed[(at - begin) as usize] ^= 0x20;
            piece = changed.into();
        }
        match &mut self.rewriter {
            Some(rewriter) => rewriter.push(&piece).into(),
            None => piece,
        }
    }

    /// The rest, when the body has ended.
    pub fn rest(&mut self) -> Bytes {
        let rewriter = self.rewriter.as_mut();
        rewriter.map_or_else(Bytes::new, |rewriter| rewriter.finish().into())
    }
}

fn changes(rule: &Rule) -> Vec<(Vec<u8>, Change)> {
    let replace = |old: String, new: String| (old.into_bytes(), Change::Replace(new.into_bytes()));
    let mut all = Vec::new();
    if rule.wrong_hash {
        for marker in ["<md5>", "\"md5\":\"", "\"md5\": \""] {
            all.push((marker.as_bytes().to_vec(), Change::FlipNextDigit));
        }
    }
    let stats = b"<stats>".to_vec();
    match rule.stats {
        Some(Stats::Cut) => all.push((stats, Change::Stop)),
        Some(Stats::LeftOut) => all.push((stats, Change::SkipThrough(b"</stats>".to_vec()))),
        Some(Stats::Wrong) => all.push(replace(
            "<stats>".into(),
            "<file><path>/Sync</path><filename>phantom</filename></file><stats>".into(),
        )),
        None => {}
    }
    for rename in &rule.rename {
        let (old, new) = (escape(&rename.instead_of), hostile(&rename.name));
        for (before, after) in [
            (" name=\"", "\""),
            ("<filename>", "</filename>"),
            ("<name>", "</name>"),
        ] {
            all.push(replace(
                format!("{before}{old}{after}"),
                format!("{before}{new}{after}"),
            ));
        }
        let json = |name: &str| serde_json::Value::from(name).to_string();
        let (old, new) = (json(&rename.instead_of), json(&rename.name));
        all.push(replace(
            format!("\"name\":{old}"),
            format!("\"name\":{new}"),
        ));
    }
    for (old, new) in &rule.replace {
        all.push(replace(old.clone(), new.clone()));
    }
    all
}

/// A name as XML, even if it has characters that XML cannot hold.
fn hostile(name: &str) -> String {
    let mut out = String::new();
    for character in escape(name).chars() {
        if character.is_control() {
            out.push_str(&format!("&#{};", u32::from(character)));
        } else {
            out.push(character);
        }
    }
    out
}
