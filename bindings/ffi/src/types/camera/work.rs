//! Slices of work, what the platform gives for them, and uploads that it sends itself.

use super::AssetRole;
use crate::{AccountHold, LommeError, WaitReason};
use lomme::camera as core;
use std::fmt;
use std::path::Path;

/// A path as it crosses. Those of the camera are text: a source's folder came in as text, and a scan passes over a name
/// that is none.
pub(super) fn path_text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Room for one slice of work.
#[derive(Clone, Debug, Default, PartialEq, Eq, uniffi::Record)]
pub struct CameraBudget {
    /// How long it may take, in milliseconds; until nothing is left if absent.
    #[uniffi(default = None)]
    pub time_ms: Option<u64>,
    /// About how many bytes it may send.
    #[uniffi(default = None)]
    pub bytes: Option<u64>,
}

impl From<CameraBudget> for core::Budget {
    fn from(budget: CameraBudget) -> Self {
        Self {
            time_ms: budget.time_ms,
            bytes: budget.bytes,
        }
    }
}

/// What a slice has done, and when to come back.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CameraBatch {
    /// Contents that are proven in the cloud since it began.
    pub done: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Files whose bytes were read.
    pub read: u64,
    /// Files moved to the cloud's trash because a mirrored folder has them no more.
    pub trashed: u64,
    /// What is left, files that are to be read or provided included.
    pub remaining: u64,
    /// Bytes that are left, as far as known.
    pub bytes_left: u64,
    /// When to call again.
    pub next: CameraNext,
    /// The one reason why what is left waits, if it is one.
    pub hold: Option<CameraHold>,
}

impl From<core::Batch> for CameraBatch {
    fn from(batch: core::Batch) -> Self {
        Self {
            done: batch.done,
            sent_bytes: batch.sent_bytes,
            read: batch.read,
            trashed: batch.trashed,
            remaining: batch.remaining,
            bytes_left: batch.bytes_left,
            next: batch.next.into(),
            hold: batch.hold.map(CameraHold::from),
        }
    }
}

/// When to call `runBatch` again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CameraNext {
    /// At once: the budget was used up.
    Now,
    /// After a time.
    After {
        /// Milliseconds from now.
        delay_ms: u64,
    },
    /// When there is a network.
    WhenOnline,
    /// When there is an unmetered network.
    WhenUnmetered,
    /// When the device is charging.
    WhenCharging,
    /// After the platform has provided bytes: see `exportRequests`.
    WhenProvided,
    /// After a person has done something.
    NeedsUser,
    /// When there is something new.
    Idle,
}

impl From<core::Next> for CameraNext {
    fn from(next: core::Next) -> Self {
        use core::Next as Core;
        match next {
            Core::Now => Self::Now,
            Core::After { ms } => Self::After { delay_ms: ms },
            Core::WhenOnline => Self::WhenOnline,
            Core::WhenUnmetered => Self::WhenUnmetered,
            Core::WhenCharging => Self::WhenCharging,
            Core::WhenProvided => Self::WhenProvided,
            Core::NeedsUser => Self::NeedsUser,
            Core::Idle => Self::Idle,
        }
    }
}

/// Why something of the camera waits, and with it what would release it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum CameraHold {
    /// No device was chosen to back up to: `createDevice` or `claimDevice`.
    NoDevice,
    /// The person has paused the backup.
    Paused,
    /// Outside the hours of the schedule.
    OutsideHours {
        /// When the hours begin, in milliseconds since 1970; the largest number if they never do.
        from_ms: i64,
    },
    /// The account waits: no sign-in, no space, locked, or a service that is busy until a time.
    AccountWide {
        /// Why.
        reason: AccountHold,
    },
    /// The network, the power or the person's rules do not allow it.
    Conditions {
        /// Which.
        reason: WaitReason,
    },
    /// It may still change.
    Settling {
        /// When it is looked at, in milliseconds since 1970.
        until_ms: i64,
    },
    /// The platform must provide its bytes: see `exportRequests`.
    ToProvide,
    /// The platform could not provide its bytes; it is asked again.
    NotProvided {
        /// Why not.
        why: ExportFailure,
        /// When it is asked again, in milliseconds since 1970.
        until_ms: i64,
    },
    /// It failed, and is tried again.
    TriedAgain {
        /// When, in milliseconds since 1970.
        until_ms: i64,
        /// How it failed.
        error: LommeError,
    },
    /// A person must see to it; then `retry`.
    NeedsDecision {
        /// To what.
        question: CameraQuestion,
    },
}

impl From<core::CameraHold> for CameraHold {
    fn from(hold: core::CameraHold) -> Self {
        use core::CameraHold as Core;
        match hold {
            Core::NoDevice => Self::NoDevice,
            Core::Paused => Self::Paused,
            Core::Schedule { from_ms } => Self::OutsideHours { from_ms },
            Core::Account(hold) => Self::AccountWide {
                reason: hold.into(),
            },
            Core::Conditions(waiting) => Self::Conditions {
                reason: waiting.into(),
            },
            Core::Settling { until_ms } => Self::Settling { until_ms },
            Core::ToProvide => Self::ToProvide,
            Core::NotProvided { why, until_ms } => Self::NotProvided {
                why: why.into(),
                until_ms,
            },
            Core::Retry { until_ms, error } => Self::TriedAgain {
                until_ms,
                error: error.into(),
            },
            Core::NeedsUser(park) => Self::NeedsDecision {
                question: park.into(),
            },
        }
    }
}

twin! {
    /// Why something of the camera needs a person.
    CameraQuestion = lomme::camera::CameraPark {
        /// The app may not read it.
        NoPermission,
        /// The platform cannot give its original bytes.
        Unsupported,
        /// Its bytes are other ones each time they are read.
        UnstableSource,
        /// The device cannot read it.
        Unreadable,
        /// The service refuses it.
        Refused,
        /// It failed many times.
        ManyFailures,
    }
}

/// What the platform is asked for: the original bytes of an asset's file, as a file.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ExportRequest {
    /// Its number, for `provide` and `exportFailed`.
    pub id: u64,
    /// The source.
    pub source: u64,
    /// The asset's key.
    pub asset: String,
    /// The key of the file, within the asset.
    pub file: String,
    /// What the file is.
    pub role: AssetRole,
    /// Bytes, if known.
    pub size: Option<u64>,
}

impl From<core::ExportRequest> for ExportRequest {
    fn from(request: core::ExportRequest) -> Self {
        Self {
            id: request.id,
            source: request.source,
            asset: request.asset,
            file: request.resource,
            role: request.role.into(),
            size: request.size,
        }
    }
}

twin! {
    /// Why the platform could not provide bytes.
    ExportFailure = lomme::camera::ExportFailure {
        /// They are in the platform's own cloud, and cannot be had now. It is asked again in an hour.
        NotLocal,
        /// The app may not read them, or not without leaving something out (such as the place).
        NoPermission,
        /// The asset has changed meanwhile.
        Changed,
        /// The asset is gone.
        Gone,
        /// There are no original bytes.
        Unsupported,
    }
}

twin! {
    /// What became of provided bytes.
    ProvideOutcome = lomme::camera::Provided {
        /// They wait here to be sent.
        Queued,
        /// The cloud has them.
        AlreadyThere,
        /// Nobody wants them any more.
        NotWanted,
    }
}

/// An upload that the operating system is to send: a POST of a file, which must stay until it has ended.
///
/// As text it tells its id and its bytes: `url` and `headers` are secrets, never to be logged.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Display)]
pub struct UploadPlan {
    /// For `settleUpload`: what the system's task is called.
    pub id: String,
    /// Where to. A secret.
    pub url: String,
    /// To be sent with it as they are, the authorization among them. Secrets, stored nowhere, and good for about an hour.
    pub headers: Vec<UploadHeader>,
    /// The path of the body: all of this file.
    pub file: String,
    /// Bytes of the body.
    pub bytes: u64,
    /// When it is not worth beginning any more, in milliseconds since 1970: plan again.
    pub not_after_ms: i64,
}

impl fmt::Debug for UploadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadPlan")
            .field("id", &self.id)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for UploadPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<core::UploadPlan> for UploadPlan {
    fn from(plan: core::UploadPlan) -> Self {
        let headers = plan.headers.into_iter();
        Self {
            id: plan.id,
            url: plan.url,
            headers: headers
                .map(|(name, value)| UploadHeader { name, value })
                .collect(),
            file: path_text(&plan.file),
            bytes: plan.bytes,
            not_after_ms: plan.not_after_ms,
        }
    }
}

/// A header of an upload. As text it tells its name only.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Display)]
pub struct UploadHeader {
    /// Its name.
    pub name: String,
    /// Its value: a secret.
    pub value: String,
}

impl fmt::Debug for UploadHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadHeader")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for UploadHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// How the operating system's task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum UploadEnd {
    /// There was an answer.
    Answered {
        /// Its HTTP status.
        status: u16,
    },
    /// There was none.
    NoAnswer,
    /// The system or the app has cancelled it.
    Cancelled,
}

impl From<UploadEnd> for core::UploadEnd {
    fn from(end: UploadEnd) -> Self {
        match end {
            UploadEnd::Answered { status } => Self::Answered { status },
            UploadEnd::NoAnswer => Self::NoAnswer,
            UploadEnd::Cancelled => Self::Cancelled,
        }
    }
}

twin! {
    /// What follows from the end of an upload.
    AfterUpload = lomme::camera::AfterUpload {
        /// Nothing: it is known to be settled.
        Settled,
        /// The next `runBatch` reads it in the cloud, which proves it.
        ToVerify,
        /// It is planned again by the next `planUploads`, or sent by a run.
        ToPlan,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_of_the_camera_crosses_with_its_time_and_its_error() {
        let core = core::CameraHold::Retry {
            until_ms: 7,
            error: lomme::Error::QuotaExceeded,
        };
        let CameraHold::TriedAgain { until_ms, error } = core.into() else {
            panic!("another hold");
        };
        assert_eq!(until_ms, 7);
        assert!(matches!(error, LommeError::QuotaExceeded { .. }));
    }

    #[test]
    fn a_plan_as_text_tells_no_secret() {
        let plan = UploadPlan::from(core::UploadPlan {
            id: "plan".into(),
            url: "https://up.example/ticket".into(),
            headers: vec![("Authorization".into(), "Bearer abc".into())],
            file: "/private/photo.jpg".into(),
            bytes: 3,
            not_after_ms: 0,
        });
        assert_eq!(plan.headers[0].value, "Bearer abc");
        let texts = format!("{plan} {plan:?} {:?} {}", plan.headers, plan.headers[0]);
        assert!(texts.contains("plan") && texts.contains("Authorization"));
        for secret in ["ticket", "abc", "photo"] {
            assert!(!texts.contains(secret), "{texts}");
        }
    }
}
