//! The vault of the jobs: a file for each secret, so that one process signs in and another uses it.

use lomme::account::{Secret, Vault};
use lomme::{Error, Result};
use std::io::ErrorKind;
use std::path::PathBuf;

/// Secrets in a directory.
pub struct FileVault(pub PathBuf);

impl Vault for FileVault {
    fn get(&self, name: &str) -> Result<Option<Secret>> {
        match std::fs::read_to_string(self.0.join(name)) {
            Ok(secret) => Ok(Some(Secret::new(secret))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<()> {
        std::fs::create_dir_all(&self.0)
            .and_then(|()| std::fs::write(self.0.join(name), secret.reveal()))
            .map_err(|error| failed(&error))
    }

    fn delete(&self, name: &str) -> Result<()> {
        std::fs::remove_file(self.0.join(name)).map_err(|error| failed(&error))
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::VaultFailed {
        detail: error.kind().to_string(),
    }
}
