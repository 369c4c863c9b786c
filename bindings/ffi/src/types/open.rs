//! How a drive is opened.

use crate::LommeError;
use crate::call::guarded;
use crate::foreign::VaultBridge;
use std::sync::Arc;

twin! {
    /// In which kind of process the drive lives; sets how much memory it may use.
    DriveProfile = lomme::Profile {
        /// An app.
        App,
        /// An extension with a small memory limit: smaller caches and buffers.
        Extension,
    }
}

/// The hosts of a service, when they are not those of the sign-in: for tests and local clouds.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CloudEndpoints {
    /// Root of the file API (JFS), with a slash at the end.
    pub jfs: String,
    /// Root of the JSON API, with a slash at the end.
    pub api: String,
    /// Root of the web site (public links), with a slash at the end.
    pub www: String,
    /// PEM certificates to trust beside the built-in public roots: for a local cloud over TLS, or a company's
    /// own authority. Never stored.
    #[uniffi(default = None)]
    pub extra_roots_pem: Option<String>,
}

/// The hosts of a service that has everything at one origin, such as a local cloud at
/// `http://127.0.0.1:8080`.
#[uniffi::export]
pub fn cloud_endpoints_at(origin: String) -> Result<CloudEndpoints, LommeError> {
    guarded(|| {
        let hosts = lomme::Endpoints::at(&origin);
        Ok(CloudEndpoints {
            jfs: hosts.jfs,
            api: hosts.api,
            www: hosts.www,
            extra_roots_pem: hosts.extra_roots_pem,
        })
    })
}

/// How to open a drive.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DriveOptions {
    /// Path of a directory of the drive's own, made if missing. Two processes may open the same one.
    pub directory: String,
    /// The kind of process; an app if left out.
    #[uniffi(default = None)]
    pub profile: Option<DriveProfile>,
    /// The service's hosts; those of the sign-in if left out.
    #[uniffi(default = None)]
    pub endpoints: Option<CloudEndpoints>,
}

impl DriveOptions {
    pub(crate) fn for_core(self, vault: Arc<VaultBridge>) -> lomme::DriveOptions {
        let mut options = lomme::DriveOptions::new(self.directory, vault);
        if let Some(profile) = self.profile {
            options.profile = profile.into();
        }
        options.endpoints = self.endpoints.map(|hosts| lomme::Endpoints {
            jfs: hosts.jfs,
            api: hosts.api,
            www: hosts.www,
            extra_roots_pem: hosts.extra_roots_pem,
        });
        options
    }
}
