//! The JSON API's answers.

use crate::{Error, Result};
use serde::Deserialize;

/// `account/v1/customer`, the fields that are used (protocol facts §2.1).
#[derive(Debug, Deserialize)]
pub(crate) struct CustomerJson {
    pub username: String,
    pub email: Option<String>,
    pub name: Option<String>,
    /// Bytes.
    pub usage: Option<i64>,
    /// Bytes; -1 is unlimited.
    pub quota: Option<i64>,
    pub write_locked: Option<bool>,
}

pub(crate) fn customer(body: &[u8]) -> Result<CustomerJson> {
    let customer: CustomerJson = serde_json::from_slice(body)
        .map_err(|_| Error::bad_answer("a customer that is not JSON"))?;
    super::names::check(&customer.username)?;
    Ok(customer)
}
