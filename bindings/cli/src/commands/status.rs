//! `lomme status`

use super::{rules, size, time, usage};
use crate::args::Status;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::Place;
use crate::shapes::{
    self, AccountShape, LedgerShape, RulesShape, SituationShape, StatusShape, UnsentShape,
    UsageShape, WaitingShape,
};
use lomme::CancelToken;
use lomme::account::{AccountInfo, SignIn};
use lomme::catalog::Space;

pub async fn run(
    args: &Status,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = if args.refresh {
        place.open_signed_in()?
    } else {
        place.open()?
    };
    if args.refresh {
        drive.account().refresh(cancel).await?;
    }
    let status = drive.status()?;
    let (unsent, conflicts) = (drive.edits().outbox()?, drive.edits().conflicts(false)?);
    let unsent = UnsentShape::new(&unsent, conflicts.len());
    let directory = place.directory().display().to_string();
    if output.is_json() {
        return output.document(&StatusShape {
            directory,
            account: AccountShape::new(&status.sign_in),
            items: Space::ALL
                .iter()
                .map(|space| space.name())
                .zip(status.items)
                .collect(),
            ledger: status.ledger.iter().map(LedgerShape::from).collect(),
            situation: SituationShape::from(&status.situation),
            rules: RulesShape::from(&status.rules),
            waiting: status.waiting.as_ref().map(WaitingShape::from),
            usage: UsageShape::from(&status.usage),
            unsent,
        });
    }
    match &status.sign_in {
        SignIn::Out => output.line("Nobody is signed in.")?,
        SignIn::In(info) => print_account("Signed in", info, output)?,
        SignIn::Again(info) => print_account("Sign-in has ended, sign in again", info, output)?,
    }
    output.line(format!("Directory       {}", shown(&directory)))?;
    output.line("\nKnown here      items")?;
    for (space, items) in Space::ALL.iter().zip(status.items) {
        output.line(format!("  {:12} {items:>7}", space.name()))?;
    }
    output.line(format!("\nNot sent yet    {}", unsent.told()))?;
    output.line("\nContent fetched, by space and purpose")?;
    if status.ledger.is_empty() {
        output.line("  nothing, ever")?;
    }
    for row in &status.ledger {
        output.line(format!(
            "  {:12} {:10} {}",
            row.space.name(),
            shapes::purpose(row.purpose),
            size(row.bytes)
        ))?;
    }
    output.line("\nContent on this machine")?;
    usage::tell(&status.usage, output)?;
    output.line("\nWhat is pinned is fetched")?;
    rules::tell(&status.rules, output)?;
    let roaming = if status.situation.roaming {
        ", roaming"
    } else {
        ""
    };
    output.line(format!(
        "  {:21} {}{roaming}",
        "the network now",
        shapes::network(status.situation.network)
    ))?;
    if let Some(waiting) = status.waiting {
        output.line(format!("Pinned content waits: {waiting}"))?;
    }
    Ok(())
}

fn print_account(state: &str, info: &AccountInfo, output: &mut Output) -> Result<(), Failure> {
    let who = info.email.as_deref().unwrap_or(&info.username);
    output.line(format!(
        "{state}: {} at {}",
        shown(who),
        shown(&info.service)
    ))?;
    let capacity = info.capacity.map_or_else(|| "unlimited".into(), size);
    output.line(format!(
        "Space used      {} of {capacity} (as of {} UTC)",
        size(info.used),
        time(Some(info.checked_ms))
    ))?;
    if info.write_locked {
        output.line("The service takes no changes for now.")?;
    }
    Ok(())
}
