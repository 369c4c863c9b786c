//! The pair of tokens in the vault: one entry, so that a new pair is stored whole or not at all, and
//! an entry for each directory, because several may share one vault.

use super::oauth::Grant;
use super::{Secret, Vault};
use crate::store::Store;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The key of the entry's name in the journal: with the directory, every process has the same.
const NAME_KEY: &str = "vault-name";

/// The vault's entry of one directory.
pub(crate) struct Entry {
    vault: Arc<dyn Vault>,
    name: String,
}

/// A pair of tokens and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub username: String,
    pub access: Secret,
    /// Works once: using it kills it, and using it twice kills the sign-in.
    pub refresh: Secret,
    /// From this moment on a new pair is fetched before use, in ms since the epoch.
    pub renew_ms: i64,
    pub token_endpoint: String,
    pub client_id: String,
}

/// How it is written in the vault.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    username: String,
    access: String,
    refresh: String,
    renew_ms: i64,
    token_endpoint: String,
    client_id: String,
}

impl Tokens {
    /// The pair that follows this one.
    pub fn renewed(&self, grant: Grant, now_ms: i64) -> Self {
        Self {
            access: grant.access,
            refresh: grant.refresh.unwrap_or_else(|| self.refresh.clone()),
            renew_ms: renew_ms(grant.lifetime_s, now_ms),
            ..self.clone()
        }
    }
}

impl Entry {
    /// The entry of the directory of `store`. Does not ask the vault.
    pub fn of(store: &Store, vault: Arc<dyn Vault>) -> Result<Self> {
        let name = match store.setting(NAME_KEY)? {
            Some(name) => name,
            None => store.update_setting(NAME_KEY, |name| {
                let name = match name {
                    Some(name) => name,
                    None => format!("lomme.tokens.{}", super::random_text()?),
                };
                Ok((Some(name.clone()), name))
            })?,
        };
        Ok(Self { vault, name })
    }

    /// The pair; `None` when there is none that this code can read.
    pub fn load(&self) -> Result<Option<Tokens>> {
        let Some(entry) = self.vault.get(&self.name)? else {
            return Ok(None);
        };
        let Ok(written) = serde_json::from_str::<Written>(entry.reveal()) else {
            return Ok(None);
        };
        Ok((written.version == 1).then(|| Tokens {
            username: written.username,
            access: Secret::new(written.access),
            refresh: Secret::new(written.refresh),
            renew_ms: written.renew_ms,
            token_endpoint: written.token_endpoint,
            client_id: written.client_id,
        }))
    }

    /// Stores a pair over what was there.
    pub fn save(&self, tokens: &Tokens) -> Result<()> {
        let written = Written {
            version: 1,
            username: tokens.username.clone(),
            access: tokens.access.reveal().to_owned(),
            refresh: tokens.refresh.reveal().to_owned(),
            renew_ms: tokens.renew_ms,
            token_endpoint: tokens.token_endpoint.clone(),
            client_id: tokens.client_id.clone(),
        };
        let entry = serde_json::to_string(&written)
            .map_err(|_| Error::bug("tokens that cannot be written"))?;
        self.vault.put(&self.name, &Secret::new(entry))
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub fn write_for_test(&self, text: &str) {
        self.vault.put(&self.name, &Secret::new(text)).unwrap();
    }

    /// Removes the pair.
    pub fn delete(&self) -> Result<()> {
        self.vault.delete(&self.name)
    }
}

/// A minute before the end, or a quarter of a short life.
pub(crate) fn renew_ms(lifetime_s: i64, now_ms: i64) -> i64 {
    let lifetime_ms = lifetime_s.clamp(0, 365 * 24 * 3600) * 1000;
    now_ms + lifetime_ms - (lifetime_ms / 4).min(60_000)
}
