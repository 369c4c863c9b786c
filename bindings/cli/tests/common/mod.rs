//! The real binary against a local cloud.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part; a helper that fails should fail its test"
)]

use local_cloud::{Cloud, CloudOptions};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A cloud, a person's data directory, and the directory they stand in.
pub struct World {
    pub cloud: Cloud,
    home: tempfile::TempDir,
}

/// What a run of the command left behind.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    /// An empty cloud, nobody signed in.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("here")).unwrap();
        Self {
            cloud: Cloud::start(CloudOptions::default()).unwrap(),
            home,
        }
    }

    /// Signed in, with these files of `Sync` in the cloud.
    pub fn with_sync_files(files: &[(&str, &[u8])]) -> Self {
        let world = Self::new();
        for (path, content) in files {
            let path = format!("/Jotta/Sync/{path}");
            world.cloud.writer().put(&path, content).unwrap();
        }
        world.login();
        world
    }

    pub fn login(&self) {
        let token = self.token();
        let ran = self.run_with(&["login"], &token);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }

    /// A fresh login token.
    pub fn token(&self) -> String {
        self.cloud.login_token().unwrap()
    }

    /// Where the person stands.
    pub fn here(&self) -> PathBuf {
        self.home.path().join("here")
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lomme"));
        command
            .args(args)
            .current_dir(self.here())
            .env_clear()
            .env("HOME", self.home.path())
            .env("LOMME_DIR", self.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    pub fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        // A command that does not read its input may be gone already.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        ended(child)
    }

    /// Runs with `--json` and reads what it printed, which must succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.json()
    }
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// The `error` object on stderr.
    pub fn error(&self) -> Value {
        let json: Value = serde_json::from_str(&self.stderr)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stderr));
        json["error"].clone()
    }

    #[track_caller]
    pub fn failed(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.stdout, self.stderr
        );
        self
    }
}

/// Waits for the end of a started command.
pub fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Ctrl-C.
pub fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
}

/// The names in a directory.
pub fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
