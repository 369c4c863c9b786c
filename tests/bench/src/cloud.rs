//! The local cloud's control and rclone, as the suite uses them.

use crate::measure::{Measured, measure};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);

/// Where everything is.
pub struct Stage {
    pub rclone: PathBuf,
    pub work: PathBuf,
}

/// One measured run of one side.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Run {
    #[serde(flatten)]
    pub took: Measured,
    /// Requests that the cloud has answered, of all kinds.
    pub requests: u64,
    /// The same, by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Bytes of content that the cloud has sent.
    pub content_mib: f64,
    /// Bytes of content that have come to the cloud, those of uploads that broke included.
    pub received: u64,
    /// Bytes that went over the loopback device, TLS and headers included, both ways.
    pub wire_mib: f64,
    /// What the job says of itself.
    pub says: Value,
}

impl Stage {
    pub fn ca(&self) -> PathBuf {
        self.work.join("tls/ca.pem")
    }

    /// rclone, with its configuration.
    pub fn rclone(&self) -> Command {
        let mut command = Command::new(&self.rclone);
        command
            .arg("--config")
            .arg(self.work.join("rclone.conf"))
            .arg("--cache-dir")
            .arg(self.work.join("cache"));
        command
    }

    /// A job of Lomme's on a directory.
    pub fn job(&self, name: &str, directory: &Path, rest: &[&str]) -> Command {
        #[allow(clippy::expect_used, reason = "nothing works without it")]
        let mut command = Command::new(std::env::current_exe().expect("this program's path"));
        command.args(["job", name]).arg(directory).arg(self.ca());
        command.args(rest);
        command
    }

    /// One call to the cloud's control, with rclone as the HTTP client.
    pub fn control(&self, name: &str, parameters: &Value) -> Result<Value, String> {
        let mut command = self.rclone();
        command
            .args(["rc", "--timeout", "5m", "--url", "https://localhost/"])
            .arg(format!("_local/{name}"))
            .args(["--json", &parameters.to_string()]);
        let done = measure(command, LIMIT).map_err(|why| format!("control {name}: {why}"))?;
        serde_json::from_str(&done.printed).map_err(|error| format!("control {name}: {error}"))
    }

    /// Every request takes so much longer.
    pub fn latency(&self, milliseconds: u64) -> Result<(), String> {
        self.control("trouble/clear", &json!({}))?;
        if milliseconds > 0 {
            self.control("trouble", &json!({ "delay_ms": milliseconds }))?;
        }
        Ok(())
    }

    /// A directory of Lomme's that is signed in and empty. Not measured.
    pub fn signed_in(&self, name: &str) -> Result<PathBuf, String> {
        let directory = self.work.join(name);
        remove(&directory)?;
        let told = self.control(
            "login-token",
            &json!({"origin": "https://id.jottacloud.com"}),
        )?;
        let token = told["login_token"].as_str().unwrap_or_default();
        measure(self.job("sign-in", &directory, &[token]), LIMIT)?;
        Ok(directory)
    }

    /// Runs a command, and asks the cloud what it was asked.
    pub fn run(&self, command: Command) -> Result<Run, String> {
        self.counted(|| measure(command, LIMIT))
    }

    /// Counts what `work` makes the cloud do.
    pub fn counted(&self, work: impl FnOnce() -> Result<Measured, String>) -> Result<Run, String> {
        self.control("counts/reset", &json!({}))?;
        let wire = loopback();
        let took = work()?;
        let wire = loopback() - wire;
        let counts = self.control("counts", &json!({}))?;
        let sum = |of: &Value| -> u64 {
            let rows = of.as_object();
            rows.map_or(0, |rows| rows.values().filter_map(Value::as_u64).sum())
        };
        Ok(Run {
            requests: sum(&counts["requests"]),
            kinds: serde_json::from_value(counts["requests"].clone()).unwrap_or_default(),
            content_mib: mib(sum(&counts["content_bytes"])),
            received: counts["received_bytes"].as_u64().unwrap_or(0),
            wire_mib: mib(wire),
            says: serde_json::from_str(&took.printed).unwrap_or(Value::Null),
            took,
        })
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Bytes that the loopback device has carried; it is nobody else's here.
fn loopback() -> u64 {
    let devices = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    devices
        .lines()
        .find_map(|line| line.trim().strip_prefix("lo:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Removes a file or directory, if it is there.
pub fn remove(path: &Path) -> Result<(), String> {
    let done = if path.is_dir() {
        fs::remove_dir_all(path)
    } else if path.exists() {
        fs::remove_file(path)
    } else {
        Ok(())
    };
    done.map_err(|error| format!("{}: {error}", path.display()))
}
