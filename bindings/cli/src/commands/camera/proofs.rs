//! `lomme camera why`, `retry`, `again`, `receipts` and `audit`

use super::{Desk, send};
use crate::args::{CameraAudit, OneAsset, SomeAsset};
use crate::commands::{count, size, time};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::shapes::{AssetWhyShape, AuditShape, ReceiptShape};
use lomme::CancelToken;

/// Receipts of a page.
const PAGE: u32 = 500;

pub fn why(args: &OneAsset, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let source = desk.source(&args.source)?;
    let why = desk.camera().why(source.id, &args.key)?;
    if output.is_json() {
        return output.document(&AssetWhyShape::from(&why));
    }
    output.line(shown(&why.explanation))?;
    for path in &why.paths {
        output.line(format!("  {}/{}", shown(&source.mount), shown(path)))?;
    }
    Ok(())
}

pub fn retry(args: &SomeAsset, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    match (&args.source, &args.key) {
        (Some(source), Some(key)) => {
            let source = desk.source(source)?;
            desk.camera().retry(Some((source.id, key)))?;
        }
        _ => desk.camera().retry(None)?,
    }
    output.remark("It is tried again with the next run.");
    send::status(desk, output)
}

pub fn again(args: &OneAsset, desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    let source = desk.source(&args.source)?;
    desk.camera().upload_again(source.id, &args.key)?;
    why(args, desk, output)
}

pub fn receipts(desk: &Desk, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.start_list()?;
    }
    let (mut after, mut any) = (0, false);
    loop {
        let (receipts, last) = desk.camera().receipts(after, PAGE)?;
        if receipts.is_empty() {
            break;
        }
        any = true;
        for receipt in &receipts {
            if output.is_json() {
                output.list_item(&ReceiptShape::from(receipt))?;
                continue;
            }
            output.line(format!(
                "{}  {}  {:>10}  {}",
                receipt.md5,
                time(Some(receipt.verified_ms)),
                size(receipt.size),
                shown(&receipt.path)
            ))?;
        }
        after = last;
    }
    if output.is_json() {
        return output.end_list(&serde_json::json!({}));
    }
    if !any {
        output.remark("Nothing is proven in the cloud yet.");
    }
    Ok(())
}

pub async fn audit(
    args: &CameraAudit,
    desk: &Desk,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let (read, wrong) = desk.camera().audit(args.most, cancel).await?;
    if output.is_json() {
        return output.document(&AuditShape { read, wrong });
    }
    output.line(format!(
        "{} read in the cloud; {} not what was believed",
        count(read, "file"),
        match wrong {
            1 => "1 was".to_owned(),
            many => format!("{many} were"),
        }
    ))
}
