//! What there is to show: states, counts, receipts and proofs.

use super::{CameraHold, Role, Skip, SourceId};
use std::path::PathBuf;

/// Where an asset is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetState {
    /// Its bytes are still to be read.
    Seen,
    /// Its place in the cloud is chosen, and it waits to be sent.
    Placed,
    /// The cloud has it, by a listing.
    Listed,
    /// The cloud has it: it was read there by itself.
    Verified,
    /// A rule leaves it out.
    Skipped,
    /// Somebody has deleted it in the cloud, which is respected.
    DeletedInCloud,
    /// It is not here any more, and was not sent.
    Gone,
}

/// What an asset waits for.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetWhy {
    /// Where it is on its way.
    pub state: AssetState,
    /// The rule that leaves it out.
    pub skipped: Option<Skip>,
    /// The one reason why it waits; `None` if nothing holds it: it is done, or in its turn.
    pub hold: Option<CameraHold>,
    /// Where its files are, or will be, in the cloud: below the mount point.
    pub paths: Vec<String>,
    /// All of that in a sentence, for developers and support.
    pub explanation: String,
}

/// An asset that has failed or needs a person.
#[derive(Clone, Debug, PartialEq)]
pub struct TroubledAsset {
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// Why it waits.
    pub why: AssetWhy,
}

/// A photo's proof: what was sent, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// The file of the asset.
    pub resource: String,
    /// What it is.
    pub role: Role,
    /// Its own name.
    pub name: String,
    /// Device, mount point and path in the cloud.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Of the bytes, as the service knows them: 32 hexadecimal digits.
    pub md5: String,
    /// Of the bytes, as they were read here: 64 hexadecimal digits.
    pub blake3: Option<String>,
    /// The service's id of the file.
    pub uuid: Option<String>,
    /// The service's number of the revision.
    pub revision: Option<u64>,
    /// When it was last read there, in milliseconds since the epoch.
    pub verified_ms: i64,
}

/// Counts, from the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraStatus {
    /// The device that is backed up to.
    pub device: Option<String>,
    /// Files whose bytes are to be read, and their bytes as far as told.
    pub to_read: Amount,
    /// Files whose bytes the platform must provide.
    pub to_provide: Amount,
    /// Contents to be sent.
    pub to_send: Amount,
    /// Contents in the cloud, by a listing only.
    pub listed: Amount,
    /// Contents in the cloud, read there by themselves.
    pub verified: Amount,
    /// Contents that somebody has deleted in the cloud.
    pub deleted_in_cloud: Amount,
    /// Assets left out by rules.
    pub skipped: Amount,
    /// What needs a person.
    pub needs_user: u64,
    /// Bytes of what is being sent that have left.
    pub moving_bytes: u64,
    /// The one reason why nothing runs, if there is one.
    pub hold: Option<CameraHold>,
    /// How long the rest takes, at least and at most, in seconds: from the speed of the last minutes, if there is one.
    pub seconds_left: Option<(u64, u64)>,
}

/// How many, and how many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub items: u64,
    /// Bytes.
    pub bytes: u64,
}

impl From<crate::store::Tally> for Amount {
    fn from(tally: crate::store::Tally) -> Self {
        Self {
            items: tally.items,
            bytes: tally.bytes,
        }
    }
}

/// An asset that may be removed here, after it is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreeUp {
    /// The source.
    pub source: SourceId,
    /// The asset.
    pub asset: String,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Its files, so that the platform can give those that the core cannot read itself.
    pub resources: Vec<String>,
}

/// Files that the platform gives for a proof: of an asset's resource, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofFile {
    /// The resource's key.
    pub resource: String,
    /// Where its original bytes are.
    pub path: PathBuf,
}

/// What became of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The cloud has exactly these bytes, now. It may be moved to the platform's trash.
    Proven,
    /// The cloud does not have it, or not exactly it. It is sent again.
    NotThere,
    /// What is here has changed since it was sent.
    Changed,
    /// It cannot be read here.
    Unreadable,
}
