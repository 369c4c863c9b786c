//! Where tokens live: the platform's vault (Keychain, Keystore), behind a trait. The core writes
//! them nowhere else.

use crate::Result;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// A secret text. It never shows in `Debug`, and is overwritten when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself. Do not log it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0).into_bytes();
        bytes.fill(0);
        std::hint::black_box(&bytes);
    }
}

/// A place for secrets, by name. Both processes of an app must see the same one. Make items
/// readable after first unlock, on this device only, and in no backup.
///
/// A directory has one secret, named `lomme.tokens.` and an id that is random and as old as the directory, so several
/// directories may share one vault. Names have only letters, digits, `.`, `-` and `_`. A directory that was
/// deleted without a sign-out leaves its secret behind.
///
/// The methods may block: they are called on threads made for that, and in
/// [`Drive::sign_out`](crate::Drive::sign_out) and at its unfinished end in
/// [`Drive::open`](crate::Drive::open) on the caller's. They must not call into the drive, nor wait for a
/// thread that does.
pub trait Vault: Send + Sync {
    /// The secret under `name`, `None` if there is none.
    fn get(&self, name: &str) -> Result<Option<Secret>>;
    /// Stores durably before it returns.
    fn put(&self, name: &str, secret: &Secret) -> Result<()>;
    /// Removes; fine if there is none.
    fn delete(&self, name: &str) -> Result<()>;
}

/// A vault that lasts as long as the process: for tests and the demo.
#[derive(Default)]
pub struct MemoryVault(Mutex<HashMap<String, Secret>>);

impl Vault for MemoryVault {
    fn get(&self, name: &str) -> Result<Option<Secret>> {
        Ok(self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned())
    }

    fn put(&self, name: &str, secret: &Secret) -> Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), secret.clone());
        Ok(())
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(name);
        Ok(())
    }
}
