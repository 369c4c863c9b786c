//! The control endpoints below `/_local/`, for tests in any language. README.md describes them all.
//!
//! They need no token, so they are for this machine only: the server listens on the loopback
//! interface, and a request that a web page made (it carries `Origin`) is refused.

use crate::auth::{Fields, origin};
use crate::body::{self, Body, Reply};
use crate::refusal::Refusal;
use crate::seed;
use crate::state::State;
use crate::tree::{Told, TreeError};
use crate::trouble::Rule;
use crate::writer::{Entry, Writer};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Larger files come in through the API, or are generated.
const BODY_LIMIT: usize = 64 << 20;

/// The parameters of one call: of the query, or of a JSON object in the body.
struct Call {
    query: Fields,
    object: Value,
    body: Bytes,
    origin: String,
}

impl Call {
    fn text(&self, name: &str) -> Option<String> {
        if let Some(value) = self.query.get(name) {
            return Some(value.to_owned());
        }
        match self.object.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    }

    fn need(&self, name: &str) -> Result<String, Refusal> {
        self.text(name)
            .ok_or_else(|| Refusal::invalid(format!("the parameter {name} is missing")))
    }

    fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let wrong = |_| Refusal::invalid(format!("the parameter {name} is no good: {text:?}"));
        text.parse().map(Some).map_err(wrong)
    }
}

/// Everything below `/_local/`.
pub async fn handle(
    state: &Arc<State>,
    request: Request<Incoming>,
    scheme: &'static str,
) -> Result<Reply, Refusal> {
    let (head, body) = request.into_parts();
    if head.headers.contains_key("origin") {
        let text = "control is not for web pages";
        return Err(Refusal::new(403, "local.ForbiddenException", text));
    }
    let body = Limited::new(body, BODY_LIMIT).collect().await;
    let body = body
        .map_err(|error| Refusal::invalid(error.to_string()))?
        .to_bytes();
    let call = Call {
        query: Fields::parse(head.uri.query().unwrap_or_default()),
        object: object(&head.headers, &body)?,
        body,
        origin: origin(&head.headers, scheme),
    };
    let name = head.uri.path().trim_start_matches("/_local/").to_owned();
    let method = head.method.as_str().to_owned();
    let shared = state.clone();
    // Handlers may seed thousands of files.
    let done = tokio::task::spawn_blocking(move || answer(&shared, &method, &name, &call)).await;
    done.unwrap_or_else(|error| {
        Err(Refusal::new(
            500,
            "java.lang.RuntimeException",
            error.to_string(),
        ))
    })
}

fn object(headers: &HeaderMap, body: &[u8]) -> Result<Value, Refusal> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json || body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(body).map_err(|error| Refusal::invalid(error.to_string()))
}

fn answer(state: &Arc<State>, method: &str, name: &str, call: &Call) -> Result<Reply, Refusal> {
    let writer = Writer::new(state.clone());
    match (method, name) {
        ("POST", "login-token") => {
            let origin = call.text("origin").unwrap_or_else(|| call.origin.clone());
            let realm = call.text("realm").unwrap_or_else(|| "jottacloud".into());
            let token = state
                .auth
                .new_login_token(&origin, &realm)
                .map_err(TreeError::from)?;
            Ok(body::json(200, &json!({"login_token": token})))
        }
        ("POST", "tokens/expire") => {
            state.auth.expire_access_tokens().map_err(TreeError::from)?;
            done()
        }
        ("POST", "tokens/revoke") => {
            state.auth.revoke_all().map_err(TreeError::from)?;
            done()
        }
        ("POST", "tokens/ttl") => {
            let ms = call
                .parsed("ms")?
                .ok_or_else(|| Refusal::invalid("how many ms?"))?;
            state.auth.set_access_token_ttl(Duration::from_millis(ms));
            done()
        }
        ("GET" | "POST", "counts") => Ok(body::json(200, &value(&state.counts.snapshot())?)),
        ("POST", "counts/reset") => {
            state.counts.reset();
            done()
        }
        ("GET" | "POST", "state") => Ok(body::json(200, &describe(state, &call.origin)?)),
        ("POST", "trouble") => {
            let rules = rules(&call.body)?;
            let count = rules.len();
            rules.into_iter().for_each(|rule| state.trouble.add(rule));
            Ok(body::json(200, &json!({"rules": count})))
        }
        ("DELETE", "trouble") | ("POST", "trouble/clear") => {
            state.trouble.clear();
            done()
        }
        ("POST", "switch") => {
            let mut switches = state.switches();
            let (name, answer) = (call.need("name")?, call.need("value")?);
            let unknown = |error: crate::UnknownSwitch| Refusal::invalid(error.to_string());
            switches.set(&name, &answer).map_err(unknown)?;
            state.set_switches(switches)?;
            done()
        }
        ("POST", "account") => account(state, call),
        ("POST", "events/send") => {
            state.tree.say(Told::Frame(call.body.clone()));
            done()
        }
        ("POST", "events/cut") => {
            state.tree.say(Told::Cut);
            done()
        }
        _ => files(&writer, method, name, call),
    }
}

/// What another client of the account does.
fn files(writer: &Writer, method: &str, name: &str, call: &Call) -> Result<Reply, Refusal> {
    match (method, name) {
        ("PUT", "file") => {
            let path = call.need("path")?;
            let modified = call.parsed("modified")?;
            let created = call.parsed("created")?;
            let entry = match modified.or(created) {
                None => writer.put(&path, &call.body)?,
                Some(one) => {
                    let (created, modified) = (created.unwrap_or(one), modified.unwrap_or(one));
                    writer.put_at(&path, &call.body, created, modified)?
                }
            };
            Ok(body::json(200, &value(&entry)?))
        }
        ("DELETE", "file") => {
            let path = call.need("path")?;
            if call.parsed("for_good")?.unwrap_or(false) {
                writer.remove(&path)?;
            } else {
                writer.trash(&path)?;
            }
            done()
        }
        ("GET" | "POST", "entry") => {
            let entry = writer.entry(&call.need("path")?)?;
            let entry = entry.ok_or_else(|| Refusal::not_found("nothing is there"))?;
            Ok(body::json(200, &value(&entry)?))
        }
        ("GET" | "POST", "tree") => {
            let entries = writer.paths(&call.text("path").unwrap_or_default())?;
            let lines: String = entries.iter().map(line).collect();
            Ok(body::reply(
                200,
                "text/plain;charset=UTF-8",
                Body::whole(lines),
            ))
        }
        ("POST", "mkdir") => {
            writer.mkdir(&call.need("path")?)?;
            done()
        }
        ("POST", "device") => {
            let kind = call.text("type").unwrap_or_else(|| "WORKSTATION".into());
            writer.device(&call.need("name")?, &kind)?;
            done()
        }
        ("POST", "move") => {
            writer.move_(&call.need("from")?, &call.need("to")?)?;
            done()
        }
        ("POST", "touch") => {
            let modified = call.parsed("modified")?;
            let modified = modified.ok_or_else(|| Refusal::invalid("modified when?"))?;
            writer.touch(&call.need("path")?, modified)?;
            done()
        }
        ("POST", "seed") => {
            let plan = call.need("plan")?;
            let plan: seed::Plan = plan
                .parse()
                .map_err(|error: seed::UnknownPlan| Refusal::invalid(error.to_string()))?;
            Ok(body::json(200, &json!({"files": plan.fill(writer)?})))
        }
        ("POST", "folder") => {
            let count = call.parsed("files")?.unwrap_or(100);
            let bytes = call.parsed("bytes")?.unwrap_or(64);
            let path = call.need("path")?;
            let files = seed::folder(&path, count, bytes);
            Ok(body::json(200, &json!({"files": writer.put_many(files)?})))
        }
        _ => Err(Refusal::not_found(format!(
            "no control endpoint {method} {name}"
        ))),
    }
}

fn done() -> Result<Reply, Refusal> {
    Ok(body::json(200, &json!({})))
}

fn value(of: &impl serde::Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(of).map_err(|error| Refusal::invalid(error.to_string()))
}

/// One rule or a list of them.
fn rules(body: &[u8]) -> Result<Vec<Rule>, Refusal> {
    let wrong = |error: serde_json::Error| Refusal::invalid(error.to_string());
    let value: Value = serde_json::from_slice(body).map_err(wrong)?;
    if value.is_array() {
        return serde_json::from_value(value).map_err(wrong);
    }
    Ok(vec![serde_json::from_value(value).map_err(wrong)?])
}

fn account(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let capacity = call.parsed("capacity")?;
    let write_locked = call.parsed("write_locked")?;
    let read_locked = call.parsed("read_locked")?;
    state.set_account(|account| {
        account.capacity = capacity.unwrap_or(account.capacity);
        account.write_locked = write_locked.unwrap_or(account.write_locked);
        account.read_locked = read_locked.unwrap_or(account.read_locked);
    });
    done()
}

fn describe(state: &State, origin: &str) -> Result<Value, Refusal> {
    let switches = state.switches();
    let all = crate::Switches::all().iter();
    let answers: serde_json::Map<_, _> = all
        .map(|info| (info.name.to_owned(), switches.get(info.name).into()))
        .collect();
    let account = state.account();
    Ok(json!({
        "url": origin,
        "user": state.user,
        "switches": answers,
        "sessions": state.auth.live_sessions().map_err(TreeError::from)?,
        "rules": state.trouble.len(),
        "listeners": state.tree.listeners(),
        "usage": state.tree.usage()?,
        "capacity": account.capacity,
        "write_locked": account.write_locked,
        "read_locked": account.read_locked,
    }))
}

/// `md5  size  path`, or `-  -  path/` for what is no file.
fn line(entry: &Entry) -> String {
    if entry.is_file {
        format!("{}  {}  {}\n", entry.md5, entry.size, entry.path)
    } else {
        format!("-  -  {}/\n", entry.path)
    }
}
