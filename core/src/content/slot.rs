//! Under way.
#![allow(dead_code, reason = "under way")]

use crate::Result;
use crate::catalog::ItemId;
use crate::disk::Disk;
use std::path::Path;

/// Which content a slot has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SlotName {
    pub id: ItemId,
    pub version: String,
}

/// What a slot's files say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotFacts {
    /// The length of the content.
    pub size: u64,
    /// Bytes of it that are here.
    pub bytes: u64,
    /// All of it is here, and proven.
    pub whole: bool,
}

/// Removes a slot that nobody has open; `false` if somebody has.
pub(super) fn remove_unused(_disk: &dyn Disk, _dir: &Path, _name: &SlotName) -> Result<bool> {
    todo!()
}

/// All slots there are.
pub(super) fn all(_disk: &dyn Disk, _dir: &Path) -> Result<Vec<SlotName>> {
    Ok(Vec::new())
}

/// What is in a slot; `None` if there is none.
pub(super) fn facts(_disk: &dyn Disk, _dir: &Path, _name: &SlotName) -> Result<Option<SlotFacts>> {
    Ok(None)
}
