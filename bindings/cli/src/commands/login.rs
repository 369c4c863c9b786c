//! `lomme login`

use crate::args::Login;
use crate::cloud_url;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::Place;
use crate::shapes::AccountShape;
use lomme::account::{AccountInfo, Secret, Service, SignIn, services};
use lomme::{CancelToken, Drive, Error};
use std::io::{self, BufRead, IsTerminal, Read};

/// Login tokens are a few hundred characters; nobody gets to fill the memory.
const LONGEST_TOKEN: u64 = 64 * 1024;

pub async fn run(
    args: &Login,
    cloud: Option<&str>,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open()?;
    let info = match &args.browser {
        Some(name) => {
            let service = service_at(service(name)?, cloud);
            by_browser(&service, &drive, output, cancel).await?
        }
        None => by_token(&drive, output, cancel).await?,
    };
    if output.is_json() {
        return output.document(&AccountShape::new(&SignIn::In(info)));
    }
    let who = info.email.as_deref().unwrap_or(&info.username);
    output.line(format!(
        "Signed in as {} at {}.",
        shown(who),
        shown(&info.service)
    ))
}

async fn by_token(
    drive: &Drive,
    output: &Output,
    cancel: &CancelToken,
) -> Result<AccountInfo, Failure> {
    // It shows while it is typed: it works once and is used at once, and a person sees a bad paste.
    if io::stdin().is_terminal() {
        output.notice(
            "Make a personal login token (Jottacloud: https://www.jottacloud.com/web/secure),",
        );
        output.notice("paste it here and press Enter:");
    }
    let reading = tokio::task::spawn_blocking(read_token);
    let token = tokio::select! {
        token = reading => token.map_err(io::Error::other)??,
        () = cancel.cancelled() => return Err(Error::Cancelled.into()),
    };
    Ok(drive.account().sign_in(&token, cancel).await?)
}

fn read_token() -> Result<Secret, Failure> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(LONGEST_TOKEN)
        .read_line(&mut line)?;
    let token = Secret::new(line.trim());
    if token.reveal().is_empty() {
        return Err(Failure::usage("no login token came on stdin"));
    }
    Ok(token)
}

async fn by_browser(
    service: &Service,
    drive: &Drive,
    output: &Output,
    cancel: &CancelToken,
) -> Result<AccountInfo, Failure> {
    let sign_in = drive.account().sign_in_by_browser(service, cancel).await?;
    output.notice(sign_in.warning());
    output.notice(format!(
        "\nTo go on, open this page in a browser on this machine:\n\n  {}\n",
        shown(sign_in.url())
    ));
    Ok(sign_in.finish(cancel).await?)
}

/// By domain, name or realm; a realm that two services share names neither.
fn service(asked: &str) -> Result<&'static Service, Failure> {
    let asked = asked.to_lowercase();
    let fits = |s: &&Service| {
        [s.domain, s.name, s.realm]
            .iter()
            .any(|n| n.to_lowercase() == asked)
    };
    let found: Vec<_> = services().iter().filter(fits).collect();
    if let [service] = found[..] {
        return Ok(service);
    }
    let known: String = services()
        .iter()
        .map(|s| format!("\n  {:28} {}", s.domain, s.name))
        .collect();
    Err(Failure::usage(format!(
        "'{}' names {} service; take one of these domains or names:{known}",
        shown(&asked),
        if found.is_empty() {
            "no"
        } else {
            "more than one"
        },
    )))
}

/// The same service, where `--cloud` says that it is.
fn service_at(service: &Service, cloud: Option<&str>) -> Service {
    let mut service = *service;
    if let Some(host) = cloud.and_then(cloud_url::host) {
        // Once in a process, which ends soon.
        service.domain = String::leak(host.to_owned());
    }
    service
}
