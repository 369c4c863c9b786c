//! Runs a command and says what it took.
//!
//! Everything is read in /proc: processor time (its own and that of its threads, to 10 ms) when it has ended and before it is
//! reaped, and the most memory it had resident. That is asked every 2 ms, because it goes with the process; what the
//! system keeps for the parent (`ru_maxrss`) would include the parent's own memory from before the `exec`.

use serde::Serialize;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ASK_EVERY: Duration = Duration::from_millis(2);
/// The kernel tells times in hundredths of a second, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a command took.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measured {
    pub wall_s: f64,
    pub cpu_s: f64,
    pub peak_mib: f64,
    #[serde(skip)]
    pub printed: String,
}

/// Runs `command` to its end. `Err` says how it failed.
pub fn measure(mut command: Command, limit: Duration) -> Result<Measured, String> {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let printed = gather(child.stdout.take());
    let complaints = gather(child.stderr.take());
    let mut peak_kib = 0;
    let mut ended = None;
    while ended.is_none() {
        let (state, cpu_s) = stat(child.id());
        peak_kib = peak_kib.max(status_kib(child.id(), "VmHWM:"));
        match state {
            'Z' | 'X' => ended = Some((start.elapsed(), cpu_s)),
            _ if start.elapsed() > limit => {
                end(&mut child);
                return Err(format!("took longer than {limit:?}"));
            }
            _ => std::thread::sleep(ASK_EVERY),
        }
    }
    let (wall, cpu_s) = ended.unwrap_or_default();
    let status = child.wait().map_err(|error| error.to_string())?;
    let printed = printed.join().unwrap_or_default();
    let complaints = complaints.join().unwrap_or_default();
    if !status.success() {
        let last: Vec<_> = complaints.trim().lines().rev().take(3).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        return Err(format!("{status}: {}", last.join(" | ")));
    }
    Ok(Measured {
        wall_s: wall.as_secs_f64(),
        cpu_s,
        peak_mib: peak_kib as f64 / 1024.0,
        printed,
    })
}

fn gather(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    })
}

/// A server that is measured while it serves.
pub struct Served {
    child: Child,
    start: Instant,
    cpu_s: f64,
}

impl Served {
    /// Begins to count now.
    pub fn new(child: Child) -> Self {
        let (_, cpu_s) = stat(child.id());
        Self {
            child,
            start: Instant::now(),
            cpu_s,
        }
    }

    /// Counts until now, and ends the server.
    pub fn end(self) -> Measured {
        let mut child = self.child;
        let measured = Measured {
            wall_s: self.start.elapsed().as_secs_f64(),
            cpu_s: stat(child.id()).1 - self.cpu_s,
            peak_mib: status_kib(child.id(), "VmHWM:") as f64 / 1024.0,
            printed: String::new(),
        };
        end(&mut child);
        measured
    }
}

/// Ends a process that this one has started.
pub fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// State and processor seconds.
fn stat(pid: u32) -> (char, f64) {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before it may hold anything, spaces and brackets too.
    let mut fields = text
        .rsplit_once(')')
        .map_or("X", |(_, rest)| rest)
        .split_whitespace();
    let state = fields.next().and_then(|s| s.chars().next()).unwrap_or('X');
    let ticks: f64 = fields
        .skip(10)
        .take(2)
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum();
    (state, ticks / TICKS_PER_SECOND)
}

/// A line of /proc/PID/status that is told in KiB; 0 when there is none.
pub fn status_kib(pid: u32, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status
        .lines()
        .find_map(|text| text.strip_prefix(line))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Measured, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        measure(command, Duration::from_secs(20))
    }

    #[test]
    fn a_command_is_told_by_its_time_its_memory_and_its_output() {
        let waited = shell("sleep 0.3; echo done").unwrap();
        assert_eq!(waited.printed, "done\n");
        assert!((0.3..5.0).contains(&waited.wall_s), "{waited:?}");
        assert!(waited.cpu_s < 0.2 && waited.peak_mib < 20.0, "{waited:?}");
        let worked = shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done").unwrap();
        assert!(worked.cpu_s > 0.05, "{worked:?}");
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let failed = shell("echo no such luck >&2; exit 3").unwrap_err();
        assert!(
            failed.contains("no such luck") && failed.contains('3'),
            "{failed}"
        );
    }
}
