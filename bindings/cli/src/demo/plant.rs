//! The demo's own test: a byte of Sync fetched behind Lomme's back must make the demo fail.
//!
//! By hand and with a sign-in of its own, so that nothing of the core can hear of it.

use super::stage::{FILM_NOW, cloud_failed};
use crate::failure::Failure;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_cloud::Cloud;
use serde_json::Value;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Fetches one byte of the film, as any other program could.
pub fn fetch_one_sync_byte(cloud: &Cloud) -> Result<(), Failure> {
    let token = access_token(cloud)?;
    let path = FILM_NOW.replace(' ', "%20");
    let answer = exchange(
        cloud,
        &format!(
            "GET /jfs/{}{path}?mode=bin HTTP/1.1\r\nAuthorization: Bearer {token}\r\nRange: bytes=0-0\r\n",
            cloud.user()
        ),
        "",
    )?;
    if answer.starts_with("HTTP/1.1 206") {
        Ok(())
    } else {
        Err(cloud_failed("it did not serve the planted byte"))
    }
}

/// A session beside Lomme's: the cloud hands login tokens to whoever runs it.
fn access_token(cloud: &Cloud) -> Result<String, Failure> {
    let token = cloud.login_token().map_err(cloud_failed)?;
    let token = URL_SAFE_NO_PAD.decode(token).map_err(cloud_failed)?;
    let token: Value = serde_json::from_slice(&token).map_err(cloud_failed)?;
    let part = |name: &str| token[name].as_str().unwrap_or_default();
    let form = format!(
        "client_id=jottacli&grant_type=password&scope=openid%20offline_access&username={}&password={}",
        part("username"),
        part("auth_token")
    );
    let realm = part("realm");
    let answer = exchange(
        cloud,
        &format!(
            "POST /auth/realms/{realm}/protocol/openid-connect/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
            form.len()
        ),
        &form,
    )?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let json: Value = serde_json::from_str(body).map_err(cloud_failed)?;
    match json["access_token"].as_str() {
        Some(token) => Ok(token.to_owned()),
        None => Err(cloud_failed("it gave no access token")),
    }
}

fn exchange(cloud: &Cloud, head: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(cloud.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{head}Host: {}\r\nConnection: close\r\n\r\n{body}",
        cloud.address()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
