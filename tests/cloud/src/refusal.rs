//! How the service says no: XML on JFS, JSON on the API host (protocol facts §10).

use std::borrow::Cow;

use crate::body::{Reply, json, xml};
use crate::tree::TreeError;

/// An answer that is an error. Which form it takes depends on the API that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Java class name, dotted.
    pub class: Cow<'static, str>,
    /// What follows the class name; may be empty.
    pub text: String,
    /// Answer the bare status line and no XML, as the service does for some bad paths.
    pub plain: bool,
}

impl Refusal {
    /// Any refusal.
    pub fn new(status: u16, class: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            status,
            class: class.into(),
            text: text.into(),
            plain: false,
        }
    }

    /// 401 for a token that is missing, unknown or dead.
    pub fn bad_credentials() -> Self {
        Self::new(
            401,
            "org.springframework.security.authentication.BadCredentialsException",
            "Bad credentials",
        )
    }

    /// 404 for a path of the server itself.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::new(404, "no.jotta.backup.errors.NoSuchPathException", text)
    }

    /// 400 for an argument that makes no sense.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(400, "no.jotta.backup.errors.InvalidArgumentException", text)
    }

    /// 400 that never reached the service's own code.
    pub fn plain_bad_request() -> Self {
        Self {
            plain: true,
            ..Self::new(400, "", "")
        }
    }

    fn message(&self) -> String {
        if self.text.is_empty() {
            self.class.to_string()
        } else {
            format!("{}: {}", self.class, self.text)
        }
    }

    /// As JFS says it.
    pub fn as_xml(&self) -> Reply {
        if self.plain {
            return crate::body::text(self.status, &format!("{} Bad request", self.status));
        }
        let reason = hyper::StatusCode::from_u16(self.status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .unwrap_or("Error");
        let mut out = crate::jfs::xml::Xml::document();
        out.open("error", &[])
            .leaf("code", &self.status.to_string())
            .leaf("message", &self.message())
            .leaf("reason", reason)
            .leaf("cause", "")
            .leaf("hostname", crate::jfs::xml::HOST)
            .leaf("x-id", "000000000000")
            .close("error");
        xml(self.status, out.into_string())
    }

    /// As the API host says it.
    pub fn as_json(&self) -> Reply {
        if self.plain {
            return crate::body::text(self.status, &format!("{} Bad request", self.status));
        }
        let error_id = self.class.rsplit('.').next().unwrap_or(&self.class);
        json(
            self.status,
            &serde_json::json!({
                "code": self.status,
                "message": if self.text.is_empty() { error_id } else { &self.text },
                "cause": "",
                "error_id": error_id,
                "x-id": "000000000000",
            }),
        )
    }
}

impl From<TreeError> for Refusal {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Refused(refusal) => *refusal,
            other => Self::new(
                500,
                "java.lang.RuntimeException",
                format!("local cloud: {other}"),
            ),
        }
    }
}
