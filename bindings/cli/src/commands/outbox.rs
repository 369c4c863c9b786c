//! `lomme outbox`: what waits to be sent, and why.

use super::{count, size, time};
use crate::args::Outbox;
use crate::failure::Failure;
use crate::landing::{Landing, destination};
use crate::names::{local, shown};
use crate::output::Output;
use crate::place::{self, Place};
use crate::progress::Shown;
use crate::shapes::{self, DiscardedShape, PendingShape, PushShape};
use lomme::edits::{AccountHold, Hold, Park, Pending};
use lomme::{CancelToken, Drive};
use std::path::Path;
use std::sync::Arc;

pub async fn run(
    args: &Outbox,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let edits = drive.edits();
    if args.push {
        return push(&drive, output, cancel).await;
    }
    if let Some(path) = &args.retry {
        let item = match path {
            Some(path) => Some(place::find(drive.catalog(), path, true, cancel).await?),
            None => None,
        };
        edits.retry(item.as_ref().map(|item| &item.id))?;
        return push(&drive, output, cancel).await;
    }
    if let Some(path) = &args.discard {
        let item = place::find(drive.catalog(), path, true, cancel).await?;
        edits.discard(&item.id)?;
        output.remark("Given up. Bytes that were not sent are kept: 'lomme outbox --discarded'.");
        return list(&drive, output);
    }
    if let Some([key, dest]) = args.export.as_deref() {
        let dest = destination(Some(Path::new(dest)), local(key))?;
        let landing = Landing::at(dest, false)?;
        edits.export_discarded(key, landing.file())?;
        let saved_as = landing.take()?;
        if output.is_json() {
            return output.document(&serde_json::json!({ "saved_as": saved_as }));
        }
        return output.line(shown(&saved_as));
    }
    if let Some(key) = &args.forget {
        edits.forget_discarded(key)?;
        return discarded(&drive, output);
    }
    if args.discarded {
        return discarded(&drive, output);
    }
    list(&drive, output)
}

/// Sends what waits, and says what is left and why. What only time or a network releases is no failure.
pub async fn push(drive: &Drive, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let bar = Arc::new(Shown::bytes(output));
    let run = drive.edits().push(Some(bar.clone()), cancel).await;
    drop(bar);
    let run = run.map_err(|error| Failure::from(error).of_change())?;
    if output.is_json() {
        return output.document(&PushShape::from(&run));
    }
    output.line(format!(
        "{} sent, {}",
        count(run.done, "change"),
        size(run.sent_bytes)
    ))?;
    if run.conflicts > 0 {
        output.line(format!(
            "{}: 'lomme conflicts' tells more",
            count(run.conflicts, "conflict")
        ))?;
    }
    if run.left > 0 {
        let why = run
            .hold
            .as_ref()
            .map_or_else(String::new, |hold| format!(": {}", because(hold)));
        output.line(format!("{} not sent yet{why}", count(run.left, "change")))?;
    }
    Ok(())
}

fn list(drive: &Drive, output: &mut Output) -> Result<(), Failure> {
    let pending = drive.edits().outbox()?;
    if output.is_json() {
        output.start_list()?;
        for pending in &pending {
            output.list_item(&PendingShape::new(pending, path(drive, pending)?))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    if pending.is_empty() {
        output.remark("Nothing waits: the service has every change.");
    }
    for pending in &pending {
        let wishes: Vec<&str> = pending.wishes.iter().map(|w| shapes::wish(*w)).collect();
        let why = pending
            .hold
            .as_ref()
            .map_or_else(String::new, |hold| format!("; waits: {}", because(hold)));
        output.line(format!(
            "{}  {}, {}{why}",
            shown(&path(drive, pending)?),
            wishes.join(", "),
            size(pending.bytes)
        ))?;
    }
    Ok(())
}

/// Where it is shown; what is wanted gone is shown nowhere any more.
fn path(drive: &Drive, pending: &Pending) -> Result<String, Failure> {
    match &pending.item {
        Some(item) => place::path_of(drive.catalog(), &item.id),
        None => Ok(format!("id:{}", pending.id)),
    }
}

fn discarded(drive: &Drive, output: &mut Output) -> Result<(), Failure> {
    let all = drive.edits().discarded()?;
    if output.is_json() {
        output.start_list()?;
        for one in &all {
            output.list_item(&DiscardedShape::from(one))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    if all.is_empty() {
        output.remark("Nothing was given up.");
    }
    for one in &all {
        output.line(format!(
            "{}  {}  {}  {}",
            shown(&one.key),
            time(Some(one.at_ms)),
            size(one.size),
            shown(&one.name)
        ))?;
    }
    Ok(())
}

/// Why a change waits, and with it what would release it.
fn because(hold: &Hold) -> String {
    let at = |ms: i64| format!("until {} UTC", time(Some(ms)));
    match hold {
        Hold::Conditions(waiting) => waiting.to_string(),
        Hold::Account(AccountHold::SignIn) => "sign in with 'lomme login'".into(),
        Hold::Account(AccountHold::Full) => "the account's space is used up".into(),
        Hold::Account(AccountHold::Locked) => "the account is locked for changes".into(),
        Hold::Account(AccountHold::Busy { until_ms }) => {
            format!("the service is busy or out of reach, {}", at(*until_ms))
        }
        Hold::After(id) => format!("id:{id} must come first"),
        Hold::Settling { until_ms } => format!("more saves may follow, {}", at(*until_ms)),
        Hold::BeingWritten => "it is being written".into(),
        Hold::Retry { until_ms, error } => format!(
            "{}; tried again, {}",
            Failure::from(error.clone()).detail(),
            at(*until_ms)
        ),
        Hold::NeedsUser(park) => format!("your decision: {}", question(*park)),
    }
}

fn question(park: Park) -> &'static str {
    match park {
        Park::NameRefused => "the service refuses the name; choose another with 'lomme mv'",
        Park::NotAllowed => "it is not allowed",
        Park::HistoryOnly => {
            "somebody else's content is among its versions only; see 'lomme conflicts'"
        }
        Park::SourceGone => "what it was to be made from is gone",
        Park::PlaceTaken => "something else is in its place",
        Park::BytesLost => "its bytes on this machine are missing or damaged",
        Park::Recovered => {
            "the program ended while it was written; --retry publishes what is there"
        }
        Park::ManyFailures => "it failed again and again; --retry tries it once more",
    }
}
