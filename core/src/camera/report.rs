//! Where the backup stands: counts of the ledger, never a counter (complaint no. 9).

use super::device::chosen;
use super::{Camera, CameraStatus};
use crate::Result;
use crate::store::{ADOPTED, DELETED, EXPORT, PLACED, READ, VERIFIED};

impl Camera {
    pub(super) fn report(&self) -> Result<CameraStatus> {
        let mut status = self.store.camera_read(|ledger| {
            Ok(CameraStatus {
                to_read: ledger.resources_wanted(READ)?.into(),
                to_provide: ledger.resources_wanted(EXPORT)?.into(),
                to_send: ledger.entries(&[PLACED])?.into(),
                listed: ledger.entries(&[ADOPTED])?.into(),
                verified: ledger.entries(&[VERIFIED])?.into(),
                deleted_in_cloud: ledger.entries(&[DELETED])?.into(),
                skipped: ledger.skipped()?.into(),
                needs_user: ledger.parked()?,
                ..CameraStatus::default()
            })
        })?;
        status.device = chosen(&self.store)?.map(|name| crate::remote::names::decode(&name));
        status.moving_bytes = self.moving.bytes();
        let weather = self.weather(0)?;
        status.hold = self.held_all(&weather)?;
        let left = status.to_send.bytes + status.to_read.bytes + status.to_provide.bytes;
        if let (None, Some(speed)) = (&status.hold, self.moving.speed())
            && speed > 0.0
            && left > 0
        {
            let seconds = left.saturating_sub(status.moving_bytes) as f64 / speed;
            status.seconds_left = Some(((seconds * 0.7) as u64, (seconds * 1.5) as u64 + 1));
        }
        Ok(status)
    }
}
