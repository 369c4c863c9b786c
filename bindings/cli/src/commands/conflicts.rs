//! `lomme conflicts`

use super::{outbox, time};
use crate::args::{Conflicts, Which};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::Place;
use crate::shapes::ConflictShape;
use lomme::CancelToken;
use lomme::edits::{ConflictKind, Resolution};

pub async fn run(
    args: &Conflicts,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let edits = drive.edits();
    if let (Some(number), Some(which)) = (args.resolve, args.which) {
        let resolution = match which {
            Which::Mine => Resolution::KeepMine,
            Which::Theirs => Resolution::KeepTheirs,
            Which::Both => Resolution::KeepBoth,
        };
        edits.resolve(number, resolution)?;
        output.remark(format!("Conflict {number} is decided."));
        return outbox::push(&drive, output, cancel).await;
    }
    let conflicts = edits.conflicts(true)?;
    if output.is_json() {
        output.start_list()?;
        for conflict in &conflicts {
            output.list_item(&ConflictShape::from(conflict))?;
        }
        return output.end_list(&serde_json::json!({}));
    }
    if conflicts.is_empty() {
        output.remark("There are no conflicts.");
    }
    for conflict in &conflicts {
        output.line(format!(
            "{:>4}  {}  {}: {}",
            conflict.number,
            time(Some(conflict.at_ms)),
            shown(&conflict.name),
            told(conflict.kind)
        ))?;
    }
    if !conflicts.is_empty() {
        output.remark("'lomme conflicts --resolve N mine', 'theirs' or 'both' decides one.");
    }
    Ok(())
}

fn told(kind: ConflictKind) -> &'static str {
    match kind {
        ConflictKind::BothEdited => {
            "somebody else changed it too; this is yours, theirs is the file"
        }
        ConflictKind::SlippedIn => {
            "somebody else changed it in between; yours is the file, this is theirs"
        }
        ConflictKind::HistoryOnly => {
            "somebody else changed it in between; theirs is among its versions only"
        }
        ConflictKind::EditedButDeleted => "somebody deleted it; yours was stored again",
        ConflictKind::DeletedButEdited => "somebody changed what you deleted; it stays",
        ConflictKind::ChangedButDeleted => "somebody deleted it; it is gone",
        ConflictKind::NameTaken => "something else had the name; yours is this",
        ConflictKind::FolderRestored => "somebody deleted its folder; it was made again",
    }
}
