//! The ledger is compared with the cloud, a little each day (complaint no. 9).

use super::Camera;
use crate::runtime::blocking;
use crate::{CancelToken, Result};

impl Camera {
    pub(super) async fn audit_some(&self, most: u32, cancel: &CancelToken) -> Result<(u64, u64)> {
        let store = self.store.clone();
        let entries =
            blocking(move || store.camera_read(|ledger| ledger.oldest_proofs(most))).await?;
        let (mut read, mut wrong) = (0, 0);
        for entry in entries {
            cancel.check()?;
            read += 1;
            wrong += u64::from(!self.check_entry(&entry, cancel).await?);
        }
        Ok((read, wrong))
    }
}
