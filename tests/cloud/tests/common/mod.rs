//! What the tests of the cloud's surroundings share: a running cloud and an HTTP client.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_cloud::{Cloud, CloudOptions};
use reqwest::{Client, Method};
use serde_json::Value;

pub const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// A running cloud and a client that follows no redirect.
pub struct Site {
    pub cloud: Cloud,
    pub http: Client,
}

impl Site {
    pub fn start() -> Self {
        Self::with(CloudOptions::default())
    }

    pub fn with(options: CloudOptions) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build();
        Self {
            cloud: Cloud::start(options).unwrap(),
            http: http.unwrap(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.cloud.url())
    }

    pub fn endpoint(&self, name: &str) -> String {
        self.url(&format!(
            "/auth/realms/jottacloud/protocol/openid-connect/{name}"
        ))
    }

    pub async fn token(&self, form: &[(&str, &str)]) -> (u16, Value) {
        let answer = self
            .http
            .post(self.endpoint("token"))
            .form(form)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub async fn refresh(&self, client: &str, token: &Value) -> (u16, Value) {
        let token = token.as_str().unwrap();
        self.token(&[
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", token),
        ])
        .await
    }

    /// Signs in and gives an access token.
    pub async fn sign_in(&self) -> String {
        let (status, pair) = login(self, &self.cloud.login_token().unwrap()).await;
        assert_eq!(status, 200);
        pair["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn customer(&self, access: &str) -> (u16, String) {
        let ask = self
            .http
            .get(self.url("/account/v1/customer"))
            .bearer_auth(access);
        let answer = ask.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A JFS request on a path below the user, which begins with a slash or is empty.
    pub async fn jfs(
        &self,
        method: &str,
        path: &str,
        authorization: Option<&str>,
    ) -> (u16, String) {
        let url = self.url(&format!("/jfs/{}{path}", self.cloud.user()));
        let mut ask = self
            .http
            .request(Method::from_bytes(method.as_bytes()).unwrap(), url);
        if let Some(value) = authorization {
            ask = ask.header("authorization", value);
        }
        let answer = ask.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Presses the button of the sign-in page and gives the code.
    pub async fn browse(&self, challenge: Option<&str>) -> String {
        let mut fields = vec![
            ("client_id", "desktop"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid jotta-default offline_access"),
            ("state", "xyz"),
        ];
        if let Some(challenge) = challenge {
            fields.extend([
                ("code_challenge", challenge),
                ("code_challenge_method", "S256"),
            ]);
        }
        let query: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+")))
            .collect();
        let url = format!("{}?{}", self.endpoint("auth"), query.join("&"));
        let page = self.http.get(url).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(
            page.text()
                .await
                .unwrap()
                .contains("<form method=\"post\">")
        );

        fields.push(("answer", "allow"));
        let answer = self
            .http
            .post(self.endpoint("auth"))
            .form(&fields)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 302);
        let location = answer.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(REDIRECT), "{location}");
        assert!(location.contains("state=xyz"), "{location}");
        let code = location.split("&code=").nth(1).unwrap();
        code.split('&').next().unwrap().to_owned()
    }

    pub async fn exchange(&self, code: &str, verifier: Option<&str>) -> (u16, Value) {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "desktop"),
            ("redirect_uri", REDIRECT),
            ("code", code),
        ];
        form.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        self.token(&form).await
    }
}

/// The password grant with a login token.
pub async fn login(site: &Site, token: &str) -> (u16, Value) {
    let parts: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
    site.token(&[
        ("grant_type", "password"),
        ("client_id", "jottacli"),
        ("username", parts["username"].as_str().unwrap()),
        ("password", parts["auth_token"].as_str().unwrap()),
        ("scope", "openid offline_access"),
    ])
    .await
}

/// What a token says of itself.
pub fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}
