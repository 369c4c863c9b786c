//! The phone's own device in Backup.
//!
//! Making a device that is there answers as if it were new (protocol facts §2.5), so it is listed first: two phones that
//! share a device would mix their photos. Which device is ours is the person's word, and stored.

use super::{Adopted, Camera, Device, DeviceKind};
use crate::catalog::fold;
use crate::remote::{Entry, RemotePath, names};
use crate::runtime::blocking;
use crate::store::Store;
use crate::{CancelToken, Error, Result};

pub(super) const DEVICE: &str = "camera device";
/// Sync's and Archive's, and no backup.
const BUILT_IN: &str = "jotta";
/// Longest name, in bytes.
const LONGEST: usize = 100;

pub(super) fn chosen(store: &Store) -> Result<Option<String>> {
    store.setting(DEVICE)
}

impl Camera {
    pub(super) async fn list_devices(&self, cancel: &CancelToken) -> Result<Vec<Device>> {
        let ours = chosen(&self.store)?.map(|name| fold(&name));
        let mut devices = Vec::new();
        let mut list = self
            .remote
            .list(&RemotePath::new(Vec::new()), cancel)
            .await?;
        while let Some(batch) = list.next(cancel).await? {
            for entry in batch {
                if let Entry::Folder(folder) = entry
                    && fold(&folder.name) != BUILT_IN
                {
                    let ours = ours.as_deref() == Some(&fold(&folder.name));
                    devices.push(Device {
                        name: names::decode(&folder.name),
                        ours,
                    });
                }
            }
        }
        Ok(devices)
    }

    pub(super) async fn make_device(
        &self,
        name: &str,
        kind: DeviceKind,
        cancel: &CancelToken,
    ) -> Result<()> {
        let name = names::encode(name.trim());
        if names::check(&name).is_err() || name.len() > LONGEST || fold(&name) == BUILT_IN {
            return Err(Error::NameRefused {
                detail: "no name for a device".into(),
            });
        }
        let all = self.list_devices(cancel).await?;
        if all
            .iter()
            .any(|device| fold(&names::encode(&device.name)) == fold(&name))
        {
            return Err(Error::NameTaken);
        }
        let kind = match kind {
            DeviceKind::Android => "ANDROID",
            DeviceKind::Iphone => "IPHONE",
            DeviceKind::Ipad => "IPAD",
            DeviceKind::Workstation => "WORKSTATION",
        };
        self.remote.make_device(&name, kind, cancel).await?;
        self.choose(name).await
    }

    pub(super) async fn take_device(&self, name: &str, cancel: &CancelToken) -> Result<Adopted> {
        let wanted = fold(&names::encode(name));
        let all = self.list_devices(cancel).await?;
        let found = all
            .into_iter()
            .find(|device| fold(&names::encode(&device.name)) == wanted);
        let found = found.ok_or_else(|| Error::NoSuchItem {
            detail: "no device of this name".into(),
        })?;
        self.choose(names::encode(&found.name)).await?;
        self.adopt_all(cancel).await
    }

    /// Another device is another destination: what was proven elsewhere proves nothing there.
    async fn choose(&self, name: String) -> Result<()> {
        // A run would prove in the old device what counts in the new one.
        let _lock = self.lock().await?.ok_or(Error::StoreBusy)?;
        let store = self.store.clone();
        blocking(move || {
            let same = chosen(&store)?.is_some_and(|before| fold(&before) == fold(&name));
            if !same {
                store.camera(|ledger| ledger.forget_entries())?;
            }
            store.update_setting(DEVICE, |_| Ok((Some(name), ())))
        })
        .await
    }

    /// A path below a mount point of the device.
    pub(super) fn remote_path(&self, mount: &str, path: &str) -> Result<RemotePath> {
        let device = chosen(&self.store)?.ok_or_else(no_device)?;
        let mut segments = vec![device, mount.to_owned()];
        segments.extend(
            path.split('/')
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        );
        Ok(RemotePath::new(segments))
    }
}

pub(super) fn no_device() -> Error {
    Error::invalid("no device to back up to was chosen")
}
