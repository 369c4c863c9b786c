//! `lomme rm`, `lomme trash` and `lomme restore`

use super::{count, ls, sending};
use crate::args::{Ls, Network, Restore, Rm, Trash};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::EmptiedShape;
use lomme::catalog::{Action, Freshness, Item, Kind, Space};
use lomme::{CancelToken, Drive};

pub async fn run(
    args: &Rm,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let mut items = Vec::new();
    for path in &args.paths {
        let item = place::find(drive.catalog(), path, false, cancel).await?;
        if (item.space == Space::Trash) != args.for_good {
            return Err(Failure::usage(if args.for_good {
                format!("'{}' is not in the trash", shown(path))
            } else {
                format!(
                    "'{}' is in the trash; --for-good deletes it for ever",
                    shown(path)
                )
            }));
        }
        // Whether a folder is empty is known only once it was listed.
        let folder = item.kind != Kind::File && !args.for_good && !args.recursive;
        if folder && place::freshness(drive.catalog(), &item.id)? == Freshness::Never {
            drive.catalog().refresh(&item.id, cancel).await?;
        }
        items.push((path, item));
    }
    ask(args, &items, output)?;
    sending::start(output)?;
    let outcome = remove_all(args, &drive, items, output, cancel).await;
    sending::end(outcome, output)
}

async fn remove_all(
    args: &Rm,
    drive: &Drive,
    items: Vec<(&String, Item)>,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    for (path, item) in items {
        let edits = drive.edits();
        if args.for_good {
            edits.purge(&item.id, None)?;
        } else {
            let base = item.content_version.as_deref();
            edits.trash(&item.id, base, args.recursive, None)?;
        }
        sending::send(drive, &item.id, &shown(path), &args.when, output, cancel).await?;
    }
    Ok(())
}

/// Once for all of them, with each consequence told once.
fn ask(args: &Rm, items: &[(&String, Item)], output: &mut Output) -> Result<(), Failure> {
    let action = if args.for_good {
        Action::Purge
    } else {
        Action::Trash
    };
    let mut told = Vec::new();
    for (_, item) in items {
        if let Some(text) = sending::leads_to(item, action).and_then(sending::warning)
            && !told.contains(&text)
        {
            told.push(text);
        }
    }
    for text in &told {
        output.remark(text);
    }
    if args.yes || (told.is_empty() && !args.for_good) {
        return Ok(());
    }
    let what = match items {
        [(path, _)] => format!("'{}'", shown(path)),
        many => count(many.len() as u64, "item"),
    };
    sending::confirm(
        &if args.for_good {
            format!("Delete {what} for ever?")
        } else {
            format!("Move {what} to the trash?")
        },
        output,
    )
}

pub async fn trash(
    args: &Trash,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    if !args.empty {
        let args = Ls {
            path: Some("Trash".into()),
            long: true,
            capabilities: false,
            network: Network {
                offline: false,
                refresh: false,
            },
        };
        return ls::run(&args, place, output, cancel)
            .await
            .map_err(Failure::of_listing);
    }
    let drive = place.open_signed_in()?;
    if !args.yes {
        sending::confirm(
            "Delete all of the trash for ever, of all spaces and computers?",
            output,
        )?;
    }
    let emptied = drive.edits().empty_trash(cancel).await?;
    if output.is_json() {
        return output.document(&EmptiedShape::from(emptied));
    }
    output.line(format!(
        "Deleted for ever: {} and {}",
        count(emptied.files, "file"),
        count(emptied.folders, "folder")
    ))
}

pub async fn restore(
    args: &Restore,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let mut items = Vec::new();
    for path in &args.paths {
        let item = place::find(drive.catalog(), path, false, cancel).await?;
        if item.space != Space::Trash {
            return Err(Failure::usage(format!(
                "'{}' is not in the trash",
                shown(path)
            )));
        }
        items.push((path, item));
    }
    sending::start(output)?;
    let outcome = restore_all(args, &drive, items, output, cancel).await;
    sending::end(outcome, output)
}

async fn restore_all(
    args: &Restore,
    drive: &Drive,
    items: Vec<(&String, Item)>,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    for (path, item) in items {
        sending::tell(&item, Action::Restore, output);
        let restored = drive.edits().restore(&item.id, None)?;
        sending::send(
            drive,
            &restored.id,
            &shown(path),
            &args.when,
            output,
            cancel,
        )
        .await?;
    }
    Ok(())
}
