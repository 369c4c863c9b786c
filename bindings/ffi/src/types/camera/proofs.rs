//! Proofs of what is in the cloud, and what may be removed here for them.

use super::AssetRole;
use crate::types::into_records;
use lomme::camera as core;
use std::path::PathBuf;

/// A file's proof: what was sent, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct AssetReceipt {
    /// The source.
    pub source: u64,
    /// The asset's key.
    pub asset: String,
    /// The key of the file, within the asset.
    pub file: String,
    /// What the file is.
    pub role: AssetRole,
    /// Its own name.
    pub name: String,
    /// Device, mount point and path in the cloud, with `/` between.
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
    /// When it was last read there, in milliseconds since 1970.
    pub verified_ms: i64,
}

impl From<core::Receipt> for AssetReceipt {
    fn from(receipt: core::Receipt) -> Self {
        Self {
            source: receipt.source,
            asset: receipt.asset,
            file: receipt.resource,
            role: receipt.role.into(),
            name: receipt.name,
            path: receipt.path,
            size: receipt.size,
            md5: receipt.md5,
            blake3: receipt.blake3,
            uuid: receipt.uuid,
            revision: receipt.revision,
            verified_ms: receipt.verified_ms,
        }
    }
}

/// Receipts, in the order in which the files were first seen.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ReceiptPage {
    /// The receipts; none when there are no more.
    pub receipts: Vec<AssetReceipt>,
    /// What the next call takes as `after`.
    pub next: u64,
}

impl From<(Vec<core::Receipt>, u64)> for ReceiptPage {
    fn from((receipts, next): (Vec<core::Receipt>, u64)) -> Self {
        Self {
            receipts: into_records(receipts),
            next,
        }
    }
}

/// An asset that may be removed here, after it is proven.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct FreeUpProposal {
    /// The source.
    pub source: u64,
    /// The asset's key.
    pub asset: String,
    /// Bytes of all its files.
    pub bytes: u64,
    /// The keys of its files, so that the platform can give those that the core cannot read itself.
    pub files: Vec<String>,
}

impl From<core::FreeUp> for FreeUpProposal {
    fn from(proposal: core::FreeUp) -> Self {
        Self {
            source: proposal.source,
            asset: proposal.asset,
            bytes: proposal.bytes,
            files: proposal.resources,
        }
    }
}

/// A file that the platform gives for a proof.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ProofFile {
    /// The key of the asset's file.
    pub file: String,
    /// The path of its original bytes.
    pub path: String,
}

impl From<ProofFile> for core::ProofFile {
    fn from(given: ProofFile) -> Self {
        Self {
            resource: given.file,
            path: PathBuf::from(given.path),
        }
    }
}

twin! {
    /// What became of a proof.
    AssetProof = lomme::camera::Proof {
        /// The cloud has exactly these bytes, now. It may be moved to the platform's trash.
        Proven,
        /// The cloud does not have it, or not exactly it. It is sent again.
        NotThere,
        /// What is here has changed since it was sent.
        Changed,
        /// It cannot be read here.
        Unreadable,
    }
}

/// What an audit has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraAudit {
    /// Contents that were read again in the cloud.
    pub read: u64,
    /// Those that were not what the ledger says.
    pub wrong: u64,
}

impl From<(u64, u64)> for CameraAudit {
    fn from((read, wrong): (u64, u64)) -> Self {
        Self { read, wrong }
    }
}
