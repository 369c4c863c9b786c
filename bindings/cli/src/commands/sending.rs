//! What the commands that change something have in common: the consequence is told first, the change is queued, and then
//! it is sent at once, because a person asked for it now. What cannot be sent now stays queued, and that is said.

use crate::args::When;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place;
use crate::progress::Shown;
use crate::shapes::{self, ChangedShape, ItemShape};
use lomme::catalog::{Action, Catalog, Consequence, Freshness, Item, ItemId, Kind, Lookup};
use lomme::edits::{Outcome, Settled};
use lomme::{CancelToken, Drive, Error};
use std::io::BufRead;
use std::sync::Arc;

/// Where something is to go: into a folder, under a name or its own; `there` is what has that name now.
pub struct Target {
    pub folder: ItemId,
    pub name: Option<String>,
    pub there: Option<Item>,
}

/// What `path` means as a destination: an existing folder is gone into; else its last name is a new one.
pub async fn target(
    catalog: &Catalog,
    path: &str,
    cancel: &CancelToken,
) -> Result<Target, Failure> {
    let into = |item: Item| Target {
        folder: item.id,
        name: None,
        there: None,
    };
    let path = path.trim_end_matches('/');
    let Some((parent, name)) = path.rsplit_once('/').filter(|_| !path.starts_with("id:")) else {
        let item = place::find(catalog, path, false, cancel).await?;
        return folder(item, path).map(into);
    };
    let parent = folder(place::find(catalog, parent, false, cancel).await?, parent)?;
    match child(catalog, &parent, name, cancel).await? {
        Some(item) if item.kind != Kind::File => Ok(into(item)),
        there => Ok(Target {
            folder: parent.id,
            name: Some(name.to_owned()),
            there,
        }),
    }
}

/// The item of that name in a folder. A folder that was never listed is asked for, if there is a network.
pub async fn child(
    catalog: &Catalog,
    parent: &Item,
    name: &str,
    cancel: &CancelToken,
) -> Result<Option<Item>, Failure> {
    if place::freshness(catalog, &parent.id)? == Freshness::Never {
        match catalog.refresh(&parent.id, cancel).await {
            // A folder made here is not on the service yet.
            Ok(_)
            | Err(Error::Offline { .. } | Error::ServerBusy { .. } | Error::NoSuchItem { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let path = catalog.path_of(&parent.id)?;
    let mut names: Vec<&str> = path.iter().map(|item| item.name.as_str()).collect();
    names.push(name);
    match catalog.find(&names)? {
        Lookup::Found(item) => Ok(Some(item)),
        Lookup::Gone | Lookup::Unknown => Ok(None),
    }
}

fn folder(item: Item, path: &str) -> Result<Item, Failure> {
    if item.kind == Kind::File {
        return Err(Failure::usage(format!("'{}' is no folder", shown(path))));
    }
    Ok(item)
}

/// Where an action on an item leads; nothing if it is not allowed, which the core says better.
pub fn leads_to(item: &Item, action: Action) -> Option<Consequence> {
    let allowed = item.capabilities.iter().find(|c| c.action == action)?;
    Some(allowed.consequence)
}

/// A consequence in words.
pub fn warning(consequence: Consequence) -> Option<&'static str> {
    match consequence {
        Consequence::None | Consequence::CloudOnly => None,
        Consequence::ReachesAllComputers => {
            Some("This reaches every computer, and anyone the folder is shared with.")
        }
        Consequence::DeletedOnAllComputers => Some(
            "This reaches all computers: it disappears from each of them, and for anyone it is shared with. It stays in the trash for 30 days.",
        ),
        Consequence::NotCarriedBack => {
            Some("This is not carried back to the computer, whose next backup may replace it.")
        }
        Consequence::MayBeLastCopy => Some("This may be the last copy there is."),
        Consequence::Public => Some("Anyone who has the link can read it."),
    }
}

/// Tells where an action leads, before it is done.
pub fn tell(item: &Item, action: Action, output: &Output) {
    if let Some(text) = leads_to(item, action).and_then(warning) {
        output.remark(text);
    }
}

/// Asks for a yes on stdin. A program says `--yes`.
pub fn confirm(question: &str, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        return Err(Failure::not_confirmed());
    }
    output.flush()?;
    output.notice(format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::not_confirmed()),
    }
}

/// Starts the list of what a command on many items changes; see [`end`].
pub fn start(output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.start_list()?;
    }
    Ok(())
}

/// Ends the list, of a failed command too: what was changed before is changed.
pub fn end(outcome: Result<(), Failure>, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.end_list(&serde_json::json!({}))?;
    }
    outcome
}

/// Tells that there was nothing to change.
pub fn tell_unchanged(drive: &Drive, id: &ItemId, output: &mut Output) -> Result<(), Failure> {
    if !output.is_json() {
        return output.line("Nothing was changed, and nothing is sent.");
    }
    let item = match drive.catalog().item(id)? {
        Lookup::Found(item) => Some(item),
        Lookup::Gone | Lookup::Unknown => None,
    };
    let path = place_of(drive, item.as_ref())?;
    output.document(&ChangedShape {
        item: item.as_ref().map(|item| ItemShape::new(item, path)),
        sent: false,
        outcome: None,
        copy: None,
        waiting: None,
    })
}

/// Sends what was queued of an item, unless that is to happen later, and tells what became of it.
pub async fn send(
    drive: &Drive,
    id: &ItemId,
    what: &str,
    when: &When,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    if when.later {
        return tell_queued(drive, id, what, "it was asked to wait", output);
    }
    match settle(drive, id, output, cancel).await? {
        Ok(settled) => tell_settled(drive, &settled, what, output),
        Err(why) => tell_queued(drive, id, what, why, output),
    }
}

/// Sends, or says why that is for later. What waiting does not mend is a failure, and the change is kept all the same.
pub async fn settle(
    drive: &Drive,
    id: &ItemId,
    output: &Output,
    cancel: &CancelToken,
) -> Result<Result<Settled, &'static str>, Failure> {
    let bar = Arc::new(Shown::bytes(output));
    let settled = drive.edits().settle(id, Some(bar.clone()), cancel).await;
    // Our content is safe only when the copy that holds it is there too.
    let settled = match settled {
        Ok(settled) => match &settled.outcome {
            Outcome::KeptBoth { copy } => {
                let sent = drive.edits().settle(copy, Some(bar.clone()), cancel).await;
                sent.map(|_| settled)
            }
            _ => Ok(settled),
        },
        failed => failed,
    };
    drop(bar);
    match settled {
        Ok(settled) => Ok(Ok(settled)),
        Err(Error::Offline { .. }) => Ok(Err("the service cannot be reached")),
        Err(Error::ServerBusy { .. }) => Ok(Err("the service is busy")),
        Err(Error::StoreBusy) => Ok(Err("another process is sending")),
        Err(error) => Err(Failure::from(error).of_change()),
    }
}

fn tell_queued(
    drive: &Drive,
    id: &ItemId,
    what: &str,
    why: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    let item = match drive.catalog().item(id)? {
        Lookup::Found(item) => Some(item),
        Lookup::Gone | Lookup::Unknown => None,
    };
    if output.is_json() {
        let path = place_of(drive, item.as_ref())?;
        return output.entry(&ChangedShape {
            item: item.as_ref().map(|item| ItemShape::new(item, path)),
            sent: false,
            outcome: None,
            copy: None,
            waiting: Some(why.to_owned()),
        });
    }
    output.line(format!("{what}: queued, and will be sent: {why}."))?;
    output.remark("'lomme outbox' shows what waits, 'lomme outbox --push' sends it.");
    Ok(())
}

fn tell_settled(
    drive: &Drive,
    settled: &Settled,
    what: &str,
    output: &mut Output,
) -> Result<(), Failure> {
    let path = place_of(drive, settled.item.as_ref())?;
    let copy = match &settled.outcome {
        Outcome::KeptBoth { copy } => Some(copy),
        _ => None,
    };
    if output.is_json() {
        return output.entry(&ChangedShape {
            item: settled
                .item
                .as_ref()
                .map(|item| ItemShape::new(item, path.clone())),
            sent: true,
            outcome: Some(shapes::outcome(&settled.outcome)),
            copy: copy.map(ToString::to_string),
            waiting: None,
        });
    }
    let rest = match &settled.outcome {
        Outcome::Done | Outcome::Gone => "done".into(),
        Outcome::Renamed => format!("done, as '{}', because the name was taken", shown(&path)),
        Outcome::KeptBoth { copy } => format!(
            "somebody else has changed it too, and both are kept: yours is '{}'",
            shown(&place::path_of(drive.catalog(), copy)?)
        ),
        Outcome::MergedInto { .. } => format!("it was there already, as '{}'", shown(&path)),
        Outcome::GivenUp => {
            "given up, because somebody else has changed it; 'lomme conflicts' tells more".into()
        }
    };
    output.line(format!("{what}: {rest}"))
}

/// Where an item is now, or nothing for one that is gone.
fn place_of(drive: &Drive, item: Option<&Item>) -> Result<String, Failure> {
    item.map_or_else(
        || Ok(String::new()),
        |item| place::path_of(drive.catalog(), &item.id),
    )
}
