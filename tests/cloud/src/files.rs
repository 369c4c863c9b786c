//! `files/v1`: allocate, upload, purge_trash (protocol facts §5, §6.6).

mod allocate;
mod turns;
mod upload;

pub use turns::Turns;

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request};

use crate::account::Account;
use crate::body::{Reply, json};
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::{QuotaAnswer, WriteLocked};
use crate::tree::{TreeError, View};
use crate::trouble::Plan;

/// What the request is counted as.
pub fn kind_of(path: &str) -> &'static str {
    match path.strip_prefix("/files/v1/") {
        Some("allocate") => "allocate",
        Some("purge_trash") => "purge_trash",
        Some(rest) if rest.starts_with("upload/") => "upload",
        _ => "other",
    }
}

/// One request.
pub async fn handle(
    state: &Arc<State>,
    request: Request<Incoming>,
    scheme: &'static str,
    plan: &Plan,
) -> Result<Reply, Refusal> {
    writable(state, &state.account())?;
    let kind = kind_of(request.uri().path());
    match (request.method(), kind) {
        (&Method::POST, "allocate") => allocate::allocate(state, request, scheme).await,
        (&Method::POST, "upload") => upload::upload(state, request, plan.cut_upload_after()).await,
        (&Method::POST, "purge_trash") => {
            let (files, folders) = state
                .on_tree(|tree| tree.write(|view| view.purge_trash()))
                .await?;
            Ok(json(
                200,
                &serde_json::json!({"files": files, "folders": folders}),
            ))
        }
        _ => Err(Refusal::new(
            404,
            "NotFoundOpenApiException",
            "No such call",
        )),
    }
}

/// Whether the account takes changes.
pub fn writable(state: &State, account: &Account) -> Result<(), Refusal> {
    if !account.write_locked {
        return Ok(());
    }
    let status = match state.switches().write_locked {
        WriteLocked::Forbidden => 403,
        WriteLocked::Locked => 423,
        WriteLocked::Internal => 500,
    };
    Err(Refusal::new(
        status,
        "no.jotta.backup.errors.WriteLockedException",
        "The account is write locked",
    ))
}

/// Refuses work that made the account hold more than it may; `before` is the usage when it began, `pending` what is
/// still to come.
pub fn within_quota(
    view: &View<'_>,
    account: &Account,
    before: i64,
    pending: u64,
) -> Result<(), TreeError> {
    if account.capacity < 0 {
        return Ok(());
    }
    let pending = i64::try_from(pending).unwrap_or(i64::MAX);
    let after = view.usage()?.saturating_add(pending);
    if after <= account.capacity || after <= before {
        return Ok(());
    }
    let status = match view.switches.quota {
        QuotaAnswer::Payment => 402,
        QuotaAnswer::Forbidden => 403,
        QuotaAnswer::Insufficient => 507,
    };
    Err(Refusal::new(
        status,
        "no.jotta.backup.errors.QuotaExceededException",
        "The account is full",
    )
    .into())
}

/// The usage before work that `within_quota` judges; not counted when there is no quota.
pub fn usage_before(view: &View<'_>, account: &Account) -> Result<i64, TreeError> {
    if account.capacity < 0 {
        Ok(0)
    } else {
        view.usage()
    }
}

/// An md5 as a client spelled it, if it is one.
pub fn md5_of(text: &str) -> Result<String, Refusal> {
    if text.is_empty() {
        return Err(Refusal::invalid(
            "Upload without md5 no longer supported. Use header JMd5.",
        ));
    }
    if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err(Refusal::invalid("md5 is not 32 hex digits"))
    }
}
