//! The pair of tokens in the vault: one entry, so that a new pair is stored whole or not at all.

use super::oauth::Grant;
use super::{Secret, Vault};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The entry's name in the vault.
pub(crate) const VAULT_NAME: &str = "lomme.tokens";

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

    /// The pair in the vault; `None` when there is none that this code can read.
    pub fn load(vault: &dyn Vault) -> Result<Option<Self>> {
        let Some(entry) = vault.get(VAULT_NAME)? else {
            return Ok(None);
        };
        let Ok(written) = serde_json::from_str::<Written>(entry.reveal()) else {
            return Ok(None);
        };
        Ok((written.version == 1).then(|| Self {
            username: written.username,
            access: Secret::new(written.access),
            refresh: Secret::new(written.refresh),
            renew_ms: written.renew_ms,
            token_endpoint: written.token_endpoint,
            client_id: written.client_id,
        }))
    }

    pub fn save(&self, vault: &dyn Vault) -> Result<()> {
        let written = Written {
            version: 1,
            username: self.username.clone(),
            access: self.access.reveal().to_owned(),
            refresh: self.refresh.reveal().to_owned(),
            renew_ms: self.renew_ms,
            token_endpoint: self.token_endpoint.clone(),
            client_id: self.client_id.clone(),
        };
        let entry = serde_json::to_string(&written)
            .map_err(|_| Error::bug("tokens that cannot be written"))?;
        vault.put(VAULT_NAME, &Secret::new(entry))
    }
}

/// A minute before the end, or a quarter of a short life.
pub(crate) fn renew_ms(lifetime_s: i64, now_ms: i64) -> i64 {
    let lifetime_ms = lifetime_s.clamp(0, 365 * 24 * 3600) * 1000;
    now_ms + lifetime_ms - (lifetime_ms / 4).min(60_000)
}
