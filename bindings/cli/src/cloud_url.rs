//! Where `--cloud` points.

use crate::failure::Failure;
use lomme::Endpoints;
use std::path::Path;

/// The hosts at `url`. Tokens and content go only through TLS, except within this machine.
pub fn endpoints(url: &str, ca_file: Option<&Path>) -> Result<Endpoints, Failure> {
    let mut endpoints = checked(url)?;
    if let Some(file) = ca_file {
        let pem = std::fs::read_to_string(file).map_err(|error| {
            Failure::usage(format!("--ca-file cannot be read: {}", error.kind()))
        })?;
        endpoints.extra_roots_pem = Some(pem);
    }
    Ok(endpoints)
}

/// Host and port, if `url` is one.
pub fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|host| !host.is_empty())
}

fn checked(url: &str) -> Result<Endpoints, Failure> {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let odd = url.contains(['@', '?', '#']) || url.chars().any(char::is_whitespace);
    let Some(host) = host(url).filter(|_| !odd) else {
        return Err(Failure::usage(
            "--cloud takes a URL such as https://cloud.example",
        ));
    };
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
    use super::checked;

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
            assert!(checked(url).is_ok(), "{url}");
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
            assert!(checked(url).is_err(), "{url}");
        }
    }
}
