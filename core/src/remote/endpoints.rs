//! The hosts of a service.

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
}
