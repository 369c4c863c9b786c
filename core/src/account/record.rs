//! The account in the journal: who it is, how full, and which hosts. No secrets.

use super::AccountInfo;
use crate::remote::{Customer, Endpoints};
use crate::store::Store;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

const KEY: &str = "account";

/// The account that the directory belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub username: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub service: String,
    pub used: u64,
    pub capacity: Option<u64>,
    pub write_locked: bool,
    pub checked_ms: i64,
    pub jfs: String,
    pub api: String,
    pub www: String,
    /// The tokens are dead.
    pub again: bool,
    /// A sign-out by choice was begun.
    pub leaving: bool,
}

impl Record {
    pub fn new(customer: Customer, service: String, endpoints: &Endpoints, now_ms: i64) -> Self {
        let mut record = Self {
            username: customer.username.clone(),
            email: None,
            name: None,
            service,
            used: 0,
            capacity: None,
            write_locked: false,
            checked_ms: 0,
            jfs: endpoints.jfs.clone(),
            api: endpoints.api.clone(),
            www: endpoints.www.clone(),
            again: false,
            leaving: false,
        };
        record.tell(customer, now_ms);
        record
    }

    /// Takes what the service has just said.
    pub fn tell(&mut self, customer: Customer, now_ms: i64) {
        self.email = customer.email;
        self.name = customer.name;
        self.used = customer.usage;
        self.capacity = customer.quota;
        self.write_locked = customer.write_locked;
        self.checked_ms = now_ms;
    }

    pub fn endpoints(&self) -> Endpoints {
        Endpoints {
            jfs: self.jfs.clone(),
            api: self.api.clone(),
            www: self.www.clone(),
            extra_roots_pem: None,
        }
    }

    pub fn info(self) -> AccountInfo {
        AccountInfo {
            username: self.username,
            email: self.email,
            name: self.name,
            service: self.service,
            used: self.used,
            capacity: self.capacity,
            write_locked: self.write_locked,
            checked_ms: self.checked_ms,
        }
    }

    /// What the journal has.
    pub fn load(store: &Store) -> Result<Option<Self>> {
        store.setting(KEY)?.map(read).transpose()
    }

    /// Replaces what the journal has by what `change` makes of it, in one transaction; gives that back.
    pub fn update(
        store: &Store,
        change: impl FnOnce(Option<Self>) -> Result<Option<Self>>,
    ) -> Result<Option<Self>> {
        store.update_setting(KEY, |text| {
            let record = change(text.map(read).transpose()?)?;
            let text = record.as_ref().map(serde_json::to_string).transpose();
            let text = text.map_err(|_| Error::bug("an account that cannot be written"))?;
            Ok((text, record))
        })
    }
}

fn read(text: String) -> Result<Record> {
    serde_json::from_str(&text).map_err(|_| Error::StoreDamaged {
        detail: "the account".into(),
    })
}
