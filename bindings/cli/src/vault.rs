//! The vault of the command line: a file for each secret, in a directory of its own.
//!
//! On a phone, secrets live in the platform's vault, behind a key that the disk does not hold.
//! A command that must run without a desktop session has no such place, so this keeps them as
//! other command-line clients do: in the clear, readable by their owner alone (files 0600,
//! directory 0700). Whoever can read the owner's files, or a backup of them, can use the sign-in.
//!
//! A file for each secret, replaced by a rename after a sync: two processes never merge each
//! other's changes, and a crash leaves the old secret or the new one, never half of one.

use lomme::account::{Secret, Vault};
use lomme::{Error, Result};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Secrets in a directory.
pub struct FileVault {
    directory: PathBuf,
}

impl FileVault {
    /// A vault in `directory`, made at the first `put`.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    fn path(&self, name: &str) -> Result<PathBuf> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(Error::VaultFailed {
                detail: "a secret's name is not plain ASCII".into(),
            });
        }
        Ok(self.directory.join(name))
    }
}

impl Vault for FileVault {
    fn get(&self, name: &str) -> Result<Option<Secret>> {
        match fs::read_to_string(self.path(name)?) {
            Ok(secret) => Ok(Some(Secret::new(secret))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<()> {
        let path = self.path(name)?;
        private_dir(&self.directory)
            .and_then(|()| replace(&self.directory, &path, secret.reveal().as_bytes()))
            .map_err(|error| failed(&error))
    }

    fn delete(&self, name: &str) -> Result<()> {
        let removed = match fs::remove_file(self.path(name)?) {
            Ok(()) => File::open(&self.directory).and_then(|dir| dir.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        removed.map_err(|error| failed(&error))
    }
}

/// Makes a directory of ours that only its owner can enter, and closes one that others could. Its
/// parents may be the owner's own: those are made if missing, never changed.
pub fn private_dir(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let mut permissions = fs::metadata(directory)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(permissions.mode() & !0o077);
        fs::set_permissions(directory, permissions)?;
    }
    Ok(())
}

pub fn replace(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let new = directory.join(format!(".new-{}-{number}", std::process::id()));
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&new, path))
        .and_then(|()| File::open(directory)?.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}

fn failed(error: &io::Error) -> Error {
    Error::VaultFailed {
        detail: error.kind().to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_secret_is_kept_for_its_owner_alone_and_replaced_whole() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("vault");
        let vault = FileVault::new(directory.clone());
        assert_eq!(vault.get("tokens").unwrap(), None);
        vault
            .put("tokens", &Secret::new("first, the longer one"))
            .unwrap();
        vault.put("tokens", &Secret::new("second")).unwrap();
        let again = FileVault::new(directory.clone());
        assert_eq!(again.get("tokens").unwrap(), Some(Secret::new("second")));
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join("tokens")), 0o600);
        assert_eq!(
            fs::read_dir(&directory).unwrap().count(),
            1,
            "nothing half-written stays"
        );
    }

    #[test]
    fn a_directory_open_to_others_is_closed() {
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let vault = FileVault::new(home.path().into());
        vault.put("tokens", &Secret::new("secret")).unwrap();
        assert_eq!(mode(home.path()), 0o700);
    }

    #[test]
    fn a_deleted_secret_is_gone_and_deleting_it_again_is_fine() {
        let home = tempfile::tempdir().unwrap();
        let vault = FileVault::new(home.path().join("vault"));
        vault.put("tokens", &Secret::new("secret")).unwrap();
        vault.delete("tokens").unwrap();
        vault.delete("tokens").unwrap();
        assert_eq!(vault.get("tokens").unwrap(), None);
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_vault() {
        let home = tempfile::tempdir().unwrap();
        let vault = FileVault::new(home.path().join("vault"));
        for name in ["../tokens", "/tmp/tokens", "", ".", "a/b"] {
            assert!(vault.put(name, &Secret::new("secret")).is_err(), "{name:?}");
            assert!(vault.get(name).is_err(), "{name:?}");
        }
    }
}
