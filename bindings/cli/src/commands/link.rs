//! `lomme link`

use super::sending;
use crate::args::Link;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::LinkShape;
use lomme::CancelToken;
use lomme::catalog::Action;

pub async fn run(
    args: &Link,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let edits = drive.edits();
    let Some(path) = &args.path else {
        let links = edits.links(cancel).await?;
        if output.is_json() {
            output.start_list()?;
            for link in &links {
                output.list_item(&LinkShape::from(link))?;
            }
            return output.end_list(&serde_json::json!({}));
        }
        if links.is_empty() {
            output.remark("There are no links.");
        }
        for link in &links {
            output.line(format!("{}  {}", shown(&link.name), shown(&link.url)))?;
        }
        return Ok(());
    };
    let item = place::find(drive.catalog(), path, false, cancel).await?;
    if !args.remove {
        sending::tell(&item, Action::Link, output);
    }
    edits.set_link(&item.id, !args.remove, None)?;
    // A link that is not there yet cannot be shown, so there is no later.
    let settled = edits.settle(&item.id, None, cancel).await;
    settled.map_err(|error| Failure::from(error).of_change())?;
    let link = edits.link(&item.id, cancel).await?;
    if output.is_json() {
        return output.document(&link.as_ref().map(LinkShape::from));
    }
    match link {
        Some(link) => output.line(shown(&link.url)),
        None => output.line(format!("{}: there is no link", shown(path))),
    }
}
