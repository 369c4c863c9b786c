//! A thousand changes that were made without a network, and how often the service is asked for them.
//!
//! What is the least? Each change that is left after coalescing takes one request of its own, because the protocol has no
//! way to ask for two; new bytes take two, as they must be announced before they are sent. Looks are the other part. The
//! protocol has no precondition, so a change can be checked only by looking before it, and again after it where its own
//! answer does not show what came of it:
//!
//! - A new file is announced as new, so the service refuses what is taken: no look before. The answer to an upload tells
//!   neither the file's id nor its revision: one look after.
//! - New content of a file: one look before (is it still what was changed?), one look after (has anybody slipped in?).
//! - A move: one look at the item, one at the place, because it is not known what the service does with a place that is taken.
//!   Its answer is the file.
//! - To the trash: one look before (it may have been changed since). Its answer is the file.
//! - A new folder: one look, because the answer does not tell whether it was there already.
//!
//! A listing can look at a whole folder at once. It would save most looks, and widen the gap between the look and the change
//! from one round trip to all that is done with the listing. The last column of the notes is a client that does that, and
//! leaves the folders to the announcements of what is in them: nobody could do with less.

use super::Suite;
use super::files::text;
use super::uploads::{Load, settle};
use crate::cloud::remove;
use crate::job::drain::MIX;
use crate::report::Benchmark;
use serde_json::json;
use std::collections::BTreeMap;

const FOLDER: &str = "Archive/drained";
/// What is asked without changing anything.
const LOOKS: [&str; 3] = ["get", "list", "liststream"];

pub fn run(suite: &Suite) -> Result<Vec<Benchmark>, String> {
    let stage = &suite.stage;
    let mut bench = Benchmark::new(format!(
        "10. {} changes queued offline, sent by another process",
        MIX.calls()
    ));
    // Nothing is removed between the rounds: it would slow down who makes files next.
    let mut left = Vec::new();
    for round in 0..suite.rounds {
        let folder = format!("{FOLDER}-{round}");
        suite.fill(&format!("/Jotta/{folder}/here"), MIX.before() as u64, 64)?;
        stage.control("mkdir", &json!({"path": format!("/Jotta/{folder}/there")}))?;
        let load = Load::new(stage, MIX.contents() as u64, 4 << 10)?;
        let directory = stage.signed_in(&format!("drain-{round}"))?;
        let job = stage.job("queue", &directory, &[text(&load.source), &folder]);
        bench.add("lomme, queueing", stage.run(job)?);
        settle()?;
        bench.add("lomme", stage.run(stage.job("drain", &directory, &[]))?);
        left.extend([directory, load.source]);
    }
    left.iter().try_for_each(|path| remove(path))?;
    let Some(run) = bench.sides.last().and_then(|side| side.runs.last()) else {
        return Ok(vec![bench]);
    };
    let (asked, done) = (run.kinds.clone(), run.says["done"].clone());
    let (safe, bare) = (least(), bare());
    let mut kinds: Vec<&str> = asked.keys().map(String::as_str).collect();
    kinds.extend(
        safe.keys()
            .copied()
            .filter(|kind| !asked.contains_key(*kind)),
    );
    bench.note(format!("items whose changes were sent: {done}"));
    for kind in kinds {
        let of = |all: &BTreeMap<&str, usize>| all.get(kind).copied().unwrap_or(0);
        bench.note(format!(
            "{kind}: {}; least with a look at each change: {}; least of all: {}",
            asked.get(kind).copied().unwrap_or(0),
            of(&safe),
            of(&bare),
        ));
    }
    let sum = |looks: bool| -> u64 {
        let of_kind = |kind: &str| LOOKS.contains(&kind) == looks && !OTHERS.contains(&kind);
        let kinds = asked.iter().filter(|(kind, _)| of_kind(kind));
        kinds.map(|(_, count)| count).sum()
    };
    let ratio = |looks: bool| {
        let kinds = safe
            .iter()
            .filter(|(kind, _)| LOOKS.contains(kind) == looks);
        sum(looks) as f64 / kinds.map(|(_, count)| *count as f64).sum::<f64>()
    };
    let (changing, looking) = (ratio(false), ratio(true));
    bench.target("requests that change something ÷ least", changing, 1.0);
    bench.target("looks ÷ least with a look at each change", looking, 1.0);
    Ok(vec![bench])
}

/// Signing in, and what the account is.
const OTHERS: [&str; 3] = ["token", "customer", "userinfo"];

/// With a look at each change that could meet another's.
fn least() -> BTreeMap<&'static str, usize> {
    let moves = MIX.renames + MIX.moves;
    let trashes = MIX.trashes + MIX.edited_and_trashed;
    BTreeMap::from([
        ("allocate", MIX.new + MIX.edits),
        ("upload", MIX.new + MIX.edits),
        ("mkDir", MIX.folders),
        ("mv", moves),
        ("dl", trashes),
        (
            "get",
            MIX.folders + MIX.new + 2 * moves + trashes + 2 * MIX.edits,
        ),
    ])
}

/// The folders with what is to change are listed before, all of them after; new ones come with what is announced in them.
fn bare() -> BTreeMap<&'static str, usize> {
    let mut least = least();
    least.remove("mkDir");
    least.insert("get", 2 + MIX.folders + 2);
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_a_thousand_calls() {
        assert_eq!(MIX.calls(), 1_000);
        let of = |all: BTreeMap<&str, usize>| all.values().sum::<usize>();
        assert_eq!((of(least()), of(bare())), (2_550, 1_279));
    }
}
