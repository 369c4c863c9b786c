//! The one account of a cloud, and `account/v1/customer`.

use std::sync::Arc;

use crate::body::{Reply, json};
use crate::refusal::Refusal;
use crate::state::State;

/// The account's settings. Tests change them to fill the quota or to lock the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Shown to people.
    pub email: String,
    /// Shown to people.
    pub name: String,
    /// `free`, `unlimited`, …
    pub account_type: String,
    /// Bytes the account may hold; -1 is unlimited.
    pub capacity: i64,
    /// No change is accepted.
    pub write_locked: bool,
    /// Nothing is shown.
    pub read_locked: bool,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            email: "kari@example.com".into(),
            name: "Kari Nordmann".into(),
            account_type: "unlimited".into(),
            capacity: -1,
            write_locked: false,
            read_locked: false,
        }
    }
}

/// `GET account/v1/customer`.
pub async fn customer(state: &Arc<State>) -> Result<Reply, Refusal> {
    let account = state.account();
    let usage = state.on_tree(|tree| tree.usage()).await?;
    Ok(json(
        200,
        &serde_json::json!({
            "username": state.user,
            "email": account.email,
            "name": account.name,
            "country_code": "NO",
            "language_code": "nb",
            "customer_group_code": "",
            "brand_code": "jotta",
            "account_type": account.account_type,
            "subscription_type": "MONTHLY",
            "usage": usage,
            "quota": account.capacity,
            "business_usage": 0,
            "business_quota": 0,
            "write_locked": account.write_locked,
            "read_locked": account.read_locked,
            "locked_cause": null,
            "web_hash": "",
            "android_hash": "",
            "ios_hash": "",
        }),
    ))
}
