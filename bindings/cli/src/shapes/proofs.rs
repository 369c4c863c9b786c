//! The shapes of what is said of one photo of the camera backup, and of its proof.

use super::{HoldShape, skip};
use lomme::camera::{AssetState, AssetWhy, Proof, Receipt, Role};
use serde::Serialize;

/// `camera why`.
#[derive(Serialize)]
pub struct AssetWhyShape<'a> {
    /// `seen`, `placed`, `listed`, `verified`, `skipped`, `deleted_in_cloud` or `gone`.
    state: &'static str,
    /// Which rule leaves it out, as in `preview`.
    skipped: Option<&'static str>,
    hold: Option<HoldShape>,
    /// Below the mount point.
    paths: &'a [String],
    explanation: &'a str,
}

impl<'a> From<&'a AssetWhy> for AssetWhyShape<'a> {
    fn from(why: &'a AssetWhy) -> Self {
        Self {
            state: match why.state {
                AssetState::Seen => "seen",
                AssetState::Placed => "placed",
                AssetState::Listed => "listed",
                AssetState::Verified => "verified",
                AssetState::Skipped => "skipped",
                AssetState::DeletedInCloud => "deleted_in_cloud",
                AssetState::Gone => "gone",
            },
            skipped: why.skipped.map(skip),
            hold: why.hold.as_ref().map(HoldShape::from),
            paths: &why.paths,
            explanation: &why.explanation,
        }
    }
}

/// A row of `camera receipts`.
#[derive(Serialize)]
pub struct ReceiptShape<'a> {
    source: u64,
    asset: &'a str,
    resource: &'a str,
    role: &'static str,
    name: &'a str,
    path: &'a str,
    size: u64,
    md5: &'a str,
    blake3: Option<&'a str>,
    uuid: Option<&'a str>,
    revision: Option<u64>,
    verified_ms: i64,
}

impl<'a> From<&'a Receipt> for ReceiptShape<'a> {
    fn from(receipt: &'a Receipt) -> Self {
        Self {
            source: receipt.source,
            asset: &receipt.asset,
            resource: &receipt.resource,
            role: match receipt.role {
                Role::Photo => "photo",
                Role::Video => "video",
                Role::PairedVideo => "paired_video",
                Role::Raw => "raw",
                Role::EditedPhoto => "edited_photo",
                Role::EditedVideo => "edited_video",
                Role::Adjustment => "adjustment",
                Role::Other => "other",
            },
            name: &receipt.name,
            path: &receipt.path,
            size: receipt.size,
            md5: &receipt.md5,
            blake3: receipt.blake3.as_deref(),
            uuid: receipt.uuid.as_deref(),
            revision: receipt.revision,
            verified_ms: receipt.verified_ms,
        }
    }
}

/// A row of `camera free-up`.
#[derive(Serialize)]
pub struct FreeUpShape<'a> {
    pub source: u64,
    pub asset: &'a str,
    pub bytes: u64,
    /// `proven`, `not_there`, `changed` or `unreadable`.
    pub proof: &'static str,
    /// Where its files were moved to, with `--remove`.
    pub moved_to: Vec<String>,
}

pub fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Proven => "proven",
        Proof::NotThere => "not_there",
        Proof::Changed => "changed",
        Proof::Unreadable => "unreadable",
    }
}

/// What follows the items of `camera free-up`.
#[derive(Serialize)]
pub struct FreedShape {
    pub proven: u64,
    pub bytes: u64,
}

/// `camera audit`.
#[derive(Serialize)]
pub struct AuditShape {
    pub read: u64,
    pub wrong: u64,
}
