//! `lomme watch`: the service's hints lead to listings, listings to changes, changes to lines.
//!
//! The anchor is read before anything else, so that no change between two reads is missed, whoever made it: another
//! process may refresh the same directory.

use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::shapes::{ChangeShape, ItemShape};
use lomme::catalog::{Catalog, Kind};
use lomme::{CancelToken, Error, Listener};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long what another process has learned may go unseen.
const LOOK: Duration = Duration::from_secs(2);
/// Rows of a page.
const PAGE: u32 = 500;

pub async fn run(place: &Place, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let mut anchor = drive.catalog().current_anchor()?;
    let ears = Arc::new(Ears(Notify::new()));
    let _subscription = drive.subscribe(ears.clone());
    let mut watching = tokio::spawn({
        let (drive, cancel) = (drive.clone(), cancel.clone());
        async move { drive.watch(&cancel).await }
    });
    output.remark("Watching; Ctrl-C ends it.");
    loop {
        anchor = tell(drive.catalog(), anchor, output)?;
        tokio::select! {
            ended = &mut watching => {
                tell(drive.catalog(), anchor, output)?;
                return match ended {
                    Ok(Ok(()) | Err(Error::Cancelled)) => Ok(()),
                    Ok(Err(error)) => Err(error.into()),
                    Err(_) => Err(Error::Bug { detail: "a watch that stopped".into() }.into()),
                };
            }
            () = ears.0.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Prints what changed since `anchor`; gives the next one.
fn tell(catalog: &Catalog, mut anchor: String, output: &mut Output) -> Result<String, Failure> {
    loop {
        let changes = match catalog.changes(&anchor, PAGE) {
            Err(Error::AnchorExpired) => {
                output.notice("The local tree was rebuilt; changes before this are not shown.");
                return Ok(catalog.current_anchor()?);
            }
            changes => changes?,
        };
        for item in &changes.updated {
            let path = match place::path_of(catalog, &item.id) {
                // It has gone since the page was read, and the next one says so.
                Err(failure) if matches!(failure.kind(), "not_known" | "no_such_item") => continue,
                path => path?,
            };
            if output.is_json() {
                let item = Box::new(ItemShape::new(item, path));
                output.document(&ChangeShape::Updated { item })?;
            } else {
                let mark = if item.kind == Kind::File { "" } else { "/" };
                output.line(format!("updated  {}{mark}", shown(&path)))?;
            }
        }
        for id in &changes.deleted {
            if output.is_json() {
                output.document(&ChangeShape::Deleted { id: id.as_str() })?;
            } else {
                output.line(format!("deleted  id:{}", shown(id.as_str())))?;
            }
        }
        output.flush()?;
        anchor = changes.anchor;
        if !changes.more {
            return Ok(anchor);
        }
    }
}

/// Wakes whoever waits.
struct Ears(Notify);

impl Listener for Ears {
    fn on_changed(&self) {
        self.0.notify_one();
    }

    fn on_account_changed(&self) {}
}
