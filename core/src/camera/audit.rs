//! The ledger is compared with the cloud, a little each day (complaint no. 9).
//!
//! If much is not there at once, it is told and nothing more is concluded (complaint no. 22).

use super::Camera;
use crate::runtime::blocking;
use crate::{CancelToken, Error, Result};

/// So many may be wrong, or a part of what is read.
const MANY: u64 = 50;
const MANY_PART: u64 = 10;

impl Camera {
    pub(super) async fn audit_some(&self, most: u32, cancel: &CancelToken) -> Result<(u64, u64)> {
        let store = self.store.clone();
        let entries =
            blocking(move || store.camera_read(|ledger| ledger.oldest_proofs(most))).await?;
        let all = entries.len() as u64;
        let (mut read, mut wrong) = (0, 0);
        for entry in entries {
            cancel.check()?;
            read += 1;
            wrong += u64::from(!self.check_entry(&entry, cancel).await?);
            if wrong > MANY.max(all / MANY_PART) {
                return Err(Error::ManyGone {
                    gone: wrong,
                    of: all,
                });
            }
        }
        Ok((read, wrong))
    }
}
