//! The real binary against a local cloud.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part; a helper that fails should fail its test"
)]

use local_cloud::{Cloud, CloudOptions};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

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

/// Runs to the end; the exit code and the bytes on stdout, which need not be text.
pub fn stdout_of(mut command: Command) -> (i32, Vec<u8>) {
    ended_raw(command.spawn().unwrap())
}

/// Waits for the end of a started command whose output need not be text.
pub fn ended_raw(child: Child) -> (i32, Vec<u8>) {
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap_or(-1), output.stdout)
}

/// Waits for what comes soon, or fails.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "no {what} came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A command that runs until it is stopped, and is stopped with the test.
pub struct Running {
    child: Child,
    lines: Mutex<Receiver<String>>,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (line, lines) = channel();
        std::thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.send(text).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines: Mutex::new(lines),
        }
    }

    /// The next line that it prints.
    #[track_caller]
    pub fn line(&self) -> String {
        self.line_within(Duration::from_secs(20)).unwrap()
    }

    /// The next line, if one comes in time.
    pub fn line_within(&self, time: Duration) -> Option<String> {
        self.lines.lock().unwrap().recv_timeout(time).ok()
    }

    /// Its exit code once it has ended by itself.
    #[track_caller]
    pub fn code(&mut self) -> i32 {
        let mut code = None;
        wait_until("end", || {
            code = self.child.try_wait().unwrap();
            code.is_some()
        });
        code.unwrap().code().unwrap_or(-1)
    }

    /// What it said on stderr, after its end.
    pub fn stderr(&mut self) -> String {
        let mut text = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut text).unwrap();
        text
    }

    /// Its exit code after Ctrl-C.
    #[track_caller]
    pub fn stop(mut self) -> i32 {
        interrupt(&self.child);
        self.code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
