//! The services that share Jottacloud's protocol, from the protocol facts §1.3.

/// A service to sign in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name to show.
    pub name: &'static str,
    /// The host of its sign-in server.
    pub domain: &'static str,
    /// Its realm there.
    pub realm: &'static str,
    /// The client id that its sign-in server knows.
    pub client_id: &'static str,
}

/// All known services.
pub fn services() -> &'static [Service] {
    &[]
}
