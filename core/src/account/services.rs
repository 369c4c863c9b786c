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

impl Service {
    /// What to ask for when signing in.
    pub(crate) fn scope(&self) -> &'static str {
        match self.client_id {
            "desktop" => "openid jotta-default offline_access",
            _ => "openid offline_access",
        }
    }
}

const fn service(
    name: &'static str,
    domain: &'static str,
    realm: &'static str,
    client_id: &'static str,
) -> Service {
    Service {
        name,
        domain,
        realm,
        client_id,
    }
}

const SERVICES: &[Service] = &[
    service("Jottacloud", "id.jottacloud.com", "jottacloud", "desktop"),
    service(
        "Elgiganten (Denmark)",
        "cloud.elgiganten.dk",
        "elgiganten",
        "desktop",
    ),
    service(
        "Elgiganten (Sweden)",
        "cloud.elgiganten.se",
        "elgiganten",
        "desktop",
    ),
    service(
        "Elkj\u{f8}p (Norway)",
        "cloud.elkjop.no",
        "elkjop",
        "desktop",
    ),
    service("ELKO (Iceland)", "cloud.elko.is", "elko", "desktop"),
    service(
        "Gigantti (Finland)",
        "cloud.gigantti.fi",
        "gigantti",
        "desktop",
    ),
    service(
        "Let's Go Cloud (Germany)",
        "letsgo.jotta.cloud",
        "letsgo",
        "desktop-win",
    ),
    service(
        "MediaMarkt Cloud",
        "mediamarkt.jottacloud.com",
        "mediamarkt",
        "desktop",
    ),
    service(
        "Onlime (Denmark)",
        "cloud-auth.onlime.dk",
        "onlime_wl",
        "desktop",
    ),
    service(
        "Phonero Sky (Norway)",
        "sky.phonero.no",
        "phonero",
        "desktop-win",
    ),
    service(
        "Tele2 Cloud (Sweden)",
        "mittcloud-auth.tele2.se",
        "comhem",
        "desktop",
    ),
    service("Telia Sky (Norway)", "sky-auth.telia.no", "get", "desktop"),
    service(
        "Telia Cloud (Sweden)",
        "cloud-auth.telia.se",
        "telia_se",
        "desktop",
    ),
];

/// All known services.
pub fn services() -> &'static [Service] {
    SERVICES
}

/// The name of the service whose sign-in server is `host`, or the host itself.
pub(crate) fn name_of(host: &str) -> String {
    SERVICES
        .iter()
        .find(|service| service.domain == host)
        .map_or(host, |service| service.name)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_domains_are_unique() {
        for (at, one) in services().iter().enumerate() {
            for other in &services()[at + 1..] {
                assert_ne!(one.name, other.name);
                assert_ne!(one.domain, other.domain);
            }
        }
        assert_eq!(services().len(), 13);
    }

    #[test]
    fn the_scope_depends_on_the_client() {
        let windows = services().iter().filter(|s| s.client_id == "desktop-win");
        assert!(
            windows
                .clone()
                .all(|s| s.scope() == "openid offline_access")
        );
        assert_eq!(windows.count(), 2);
        assert_eq!(services()[0].scope(), "openid jotta-default offline_access");
    }

    #[test]
    fn an_unknown_host_is_its_own_name() {
        assert_eq!(name_of("sky-auth.telia.no"), "Telia Sky (Norway)");
        assert_eq!(name_of("127.0.0.1"), "127.0.0.1");
    }
}
