//! `lomme login`

use crate::args::Login;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::Place;
use crate::shapes::AccountShape;
use lomme::account::{AccountInfo, Secret, Service, SignIn, services};
use lomme::{CancelToken, Drive, Endpoints, Error};
use std::io::{self, BufRead, IsTerminal, Read};

/// Login tokens are a few hundred characters; nobody gets to fill the memory.
const LONGEST_TOKEN: u64 = 64 * 1024;

pub async fn run(
    args: &Login,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let endpoints = args.cloud.as_deref().map(endpoints).transpose()?;
    let drive = place.open(endpoints)?;
    let info = match &args.browser {
        Some(service) => by_browser(service, &drive, output, cancel).await?,
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
            "Make a personal login token on your service's web site, under Settings, Security,",
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
    asked: &str,
    drive: &Drive,
    output: &Output,
    cancel: &CancelToken,
) -> Result<AccountInfo, Failure> {
    let service = service(asked)?;
    let sign_in = drive.account().sign_in_by_browser(service, cancel).await?;
    output.notice(sign_in.warning());
    output.notice(format!(
        "\nTo go on, open this page in a browser on this machine:\n\n  {}\n",
        shown(sign_in.url())
    ));
    Ok(sign_in.finish(cancel).await?)
}

fn service(asked: &str) -> Result<&'static Service, Failure> {
    let fits = |s: &&Service| {
        s.realm.eq_ignore_ascii_case(asked) || s.name.to_lowercase() == asked.to_lowercase()
    };
    services().iter().find(fits).ok_or_else(|| {
        let known: Vec<_> = services()
            .iter()
            .map(|s| format!("{} ({})", s.realm, s.name))
            .collect();
        Failure::usage(format!(
            "no service is called '{}'; known: {}",
            shown(asked),
            known.join(", ")
        ))
    })
}

/// Tokens and content go only through TLS, except within this machine.
fn endpoints(url: &str) -> Result<Endpoints, Failure> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || rest.contains(['@', '?', '#']) || rest.chars().any(char::is_whitespace) {
        return Err(Failure::usage(
            "--cloud takes a URL such as https://cloud.example",
        ));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(Endpoints::at(url)),
        "http" if is_loopback(host) => Ok(Endpoints::at(url)),
        "http" => Err(Failure::usage(
            "--cloud takes http only for this machine (127.0.0.1, ::1, localhost); use https",
        )),
        _ => Err(Failure::usage("--cloud takes an https or http URL")),
    }
}

fn is_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<std::net::SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::endpoints;

    #[test]
    fn plain_http_is_taken_only_within_this_machine() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost:1/",
            "http://[::1]:9",
            "http://127.9.9.9",
            "https://cloud.example",
            "HTTPS://cloud.example:8443/",
        ] {
            assert!(endpoints(url).is_ok(), "{url}");
        }
        for url in [
            "http://cloud.example",
            "http://localhost.example:80",
            "http://127.0.0.1.example",
            "http://127.0.0.1@cloud.example",
            "http://10.0.0.1",
            "http://",
            "ftp://127.0.0.1",
            "127.0.0.1:80",
            "",
        ] {
            assert!(endpoints(url).is_err(), "{url}");
        }
    }
}
