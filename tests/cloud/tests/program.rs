//! The program: how it announces itself and ends; and that README.md tells the truth.
#![allow(clippy::unwrap_used, missing_docs)]

use local_cloud::Switches;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_local-cloud"))
        .args(["--json", "--seed", "none"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let ready = serde_json::from_str(&line).unwrap();
    (child, ready)
}

fn ends(child: &mut Child) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(10) {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    false
}

#[test]
fn the_program_says_in_one_line_how_to_reach_it_and_ends_with_its_standard_input() {
    let (mut child, ready) = start(&["--until-stdin-closes"]);
    let url = ready["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert!(!ready["login_token"].as_str().unwrap().is_empty());
    assert!(!ready["user"].as_str().unwrap().is_empty());
    assert_eq!(ready["ca"], Value::Null);
    drop(child.stdin.take());
    assert!(ends(&mut child), "it ends when standard input is closed");
}

#[cfg(unix)]
#[test]
fn the_program_ends_on_a_signal_in_good_order() {
    for signal in ["TERM", "INT"] {
        let (mut child, _) = start(&[]);
        let kill = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        assert!(ends(&mut child), "{signal}");
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[tokio::test]
async fn a_throw_away_authority_vouches_for_this_machine_and_the_services_names() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let (mut child, ready) = start(&["--until-stdin-closes", "--tls-self-signed", path]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let pem = std::fs::read(ready["ca"].as_str().unwrap()).unwrap();
    let authority = reqwest::Certificate::from_pem(&pem).unwrap();
    let url = ready["url"].as_str().unwrap();
    let address: std::net::SocketAddr = url.trim_start_matches("https://").parse().unwrap();
    let mut client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([authority]);
    let hosts = [
        "localhost",
        "jfs.jottacloud.com",
        "api.jottacloud.com",
        "id.jottacloud.com",
        "www.jottacloud.com",
    ];
    for host in hosts {
        client = client.resolve(host, address);
    }
    let client = client.build().unwrap();
    for host in hosts.into_iter().chain(["127.0.0.1"]) {
        let url = format!("https://{host}:{}/_local/state", address.port());
        assert_eq!(
            client.get(url).send().await.unwrap().status(),
            200,
            "{host}"
        );
    }
    let strict = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(
        strict
            .get(format!("{url}/_local/state"))
            .send()
            .await
            .is_err(),
        "nobody else vouches for it"
    );
    drop(child.stdin.take());
    assert!(ends(&mut child));
}

#[test]
fn a_switch_that_there_is_not_is_refused() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_local-cloud"))
        .args(["--switch", "nonsense=1"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    child
        .stderr
        .as_mut()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(!child.wait().unwrap().success());
    assert!(said.contains("nonsense"), "{said}");
}

/// The rows of README.md's table of switches, from the code.
fn rows() -> String {
    let mut rows = String::new();
    for info in Switches::all() {
        let answers: Vec<_> = info
            .answers
            .iter()
            .map(|(answer, means)| format!("`{answer}`: {}", means.trim()))
            .collect();
        let about = info.about.trim();
        rows.push_str(&format!(
            "| `{}` | {about} | {} |\n",
            info.name,
            answers.join("<br>")
        ));
    }
    rows
}

#[test]
fn the_readme_lists_every_switch_with_all_its_answers() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let rows = rows();
    assert!(
        readme.contains(&rows),
        "README.md's table of switches should be:\n{rows}"
    );
}
