//! The hosts of a service.

use super::transport::safe_url;
use crate::{Error, Result};
use reqwest::Url;

/// Where the service's APIs are. White-label services share Jottacloud's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// Root of JFS, with a slash at the end.
    pub jfs: String,
    /// Root of the JSON API, with a slash at the end.
    pub api: String,
    /// Root of the web site (public links), with a slash at the end.
    pub www: String,
    /// PEM certificates to trust beside the built-in public roots: for a local cloud over TLS, or a
    /// company's own authority. Never stored.
    pub extra_roots_pem: Option<String>,
}

impl Default for Endpoints {
    /// The real service.
    fn default() -> Self {
        Self {
            jfs: "https://jfs.jottacloud.com/jfs/".into(),
            api: "https://api.jottacloud.com/".into(),
            www: "https://www.jottacloud.com/".into(),
            extra_roots_pem: None,
        }
    }
}

impl Endpoints {
    /// A service that has everything on one host, such as a local cloud at `origin`.
    pub fn at(origin: &str) -> Self {
        let origin = origin.trim_end_matches('/');
        Self {
            jfs: format!("{origin}/jfs/"),
            api: format!("{origin}/"),
            www: format!("{origin}/"),
            extra_roots_pem: None,
        }
    }

    /// Root of the change events' websocket, with a slash at the end: on the host beside `jfs.`, or on the one host
    /// that has everything.
    pub(crate) fn websocket(&self) -> Result<Url> {
        let mut url = safe_url(&self.jfs)?;
        let wrong = || Error::invalid("hosts that can have no events");
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        url.set_scheme(scheme).map_err(|()| wrong())?;
        let beside = url.host_str().and_then(|host| host.strip_prefix("jfs."));
        if let Some(host) = beside.map(|domain| format!("websocket.{domain}")) {
            url.set_host(Some(&host)).map_err(|_| wrong())?;
        }
        url.set_query(None);
        url.set_path("/ws/");
        Ok(url)
    }

    /// Whether a file's bytes, and a token with them, may go to a URL that the service named: over TLS to a host beside
    /// `jfs.` or `api.`, or to the one host that has everything.
    pub(crate) fn may_take_uploads(&self, url: &Url) -> bool {
        [&self.jfs, &self.api].into_iter().any(|own| {
            let Ok(own) = safe_url(own) else {
                return false;
            };
            let (Some(host), Some(own_host)) = (url.host_str(), own.host_str()) else {
                return false;
            };
            let named = own_host
                .strip_prefix("jfs.")
                .or_else(|| own_host.strip_prefix("api."));
            let beside = named.is_some_and(|domain| {
                let before = host.strip_suffix(domain);
                domain.contains('.') && before.is_some_and(|b| b.is_empty() || b.ends_with('.'))
            });
            url.scheme() == own.scheme()
                && url.port_or_known_default() == own.port_or_known_default()
                && (host == own_host || beside)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Endpoints;

    #[test]
    fn the_events_are_beside_jfs_or_where_everything_is() {
        let at = |endpoints: Endpoints| endpoints.websocket().unwrap().to_string();
        assert_eq!(
            at(Endpoints::default()),
            "wss://websocket.jottacloud.com/ws/"
        );
        for (origin, expected) in [
            ("http://127.0.0.1:80", "ws://127.0.0.1/ws/"),
            ("http://[::1]:8080/", "ws://[::1]:8080/ws/"),
            ("https://cloud.example:8443", "wss://cloud.example:8443/ws/"),
        ] {
            assert_eq!(at(Endpoints::at(origin)), expected);
        }
        assert!(Endpoints::at("http://cloud.example").websocket().is_err());
    }

    #[test]
    fn bytes_go_only_to_the_services_own_hosts() {
        let may = |endpoints: &Endpoints, url: &str| {
            endpoints.may_take_uploads(&reqwest::Url::parse(url).unwrap())
        };
        let real = Endpoints::default();
        for url in [
            "https://up.jottacloud.com/x",
            "https://jfs.jottacloud.com/x",
            "https://uc-7.eu.jottacloud.com/x?y",
            "https://jottacloud.com:443/",
        ] {
            assert!(may(&real, url), "{url}");
        }
        for url in [
            "https://evil.example/x",
            "https://evil-jottacloud.com/x",
            "https://jottacloud.com.evil.example/x",
            "https://up.jottacloud.com:8443/x",
            "http://up.jottacloud.com/x",
            "http://127.0.0.1/x",
            "ftp://up.jottacloud.com/x",
        ] {
            assert!(!may(&real, url), "{url}");
        }
        let local = Endpoints::at("http://127.0.0.1:8080");
        assert!(may(&local, "http://127.0.0.1:8080/files/v1/upload/1"));
        let custom = Endpoints::at("https://cloud.co.uk");
        assert!(may(&custom, "https://cloud.co.uk/x"));
        for url in ["https://up.cloud.co.uk/x", "https://co.uk/x"] {
            assert!(!may(&custom, url), "{url}");
        }
        for url in [
            "http://127.0.0.1:8081/x",
            "https://127.0.0.1:8080/x",
            "http://localhost:8080/x",
            "https://up.jottacloud.com/x",
        ] {
            assert!(!may(&local, url), "{url}");
        }
        // `jfs.` before a bare top-level domain names no family of hosts.
        assert!(!may(
            &Endpoints::at("https://jfs.com"),
            "https://evil.com/x"
        ));
    }
}
