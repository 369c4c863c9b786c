//! Many lives at once, and what the environment asks for instead of the usual ones.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A life that has not ended by then never will: usually it takes less than a second.
const ENDLESS: Duration = Duration::from_secs(120);
/// After so many lives that broke no more are begun.
const ENOUGH: usize = 20;
/// Lives at once for each core: most of the time they wait for an answer or a thread.
const CROWD: usize = 3;

/// A random life, which a seed tells again.
#[derive(Clone, Copy)]
pub struct Lives {
    /// The test binary that it is in.
    pub test: &'static str,
    /// What picks its test out of all in there.
    pub filter: &'static str,
    /// Lives the life of a seed, told step by step if it is wished; the error says what was wrong in the end.
    pub live: fn(u64, bool) -> Result<(), String>,
}

impl Lives {
    /// The command that lives one life again.
    fn replay(self, seed: u64) -> String {
        let Self { test, filter, .. } = self;
        format!(
            "LOMME_SEED={seed} cargo test -p lomme-e2e --all-features --test {test} -- --nocapture {filter}"
        )
    }
}

/// Lives that are lived, and which one each worker is at.
struct Run {
    lives: Lives,
    next: AtomicU64,
    to: u64,
    stopped: AtomicBool,
    under_way: Mutex<Vec<(u64, Instant)>>,
}

/// Lives the lives from 0 to before `usual`, or those that `LOMME_SEED` or `LOMME_SEEDS` ask for, and fails with the seeds of those that broke.
pub fn live(lives: Lives, usual: u64) {
    if let Some(seed) = number("LOMME_SEED") {
        return one(lives, seed);
    }
    let (from, to) = span().unwrap_or((0, usual));
    let run = Arc::new(Run {
        lives,
        next: AtomicU64::new(from),
        to,
        stopped: AtomicBool::new(false),
        under_way: Mutex::default(),
    });
    let begun = Instant::now();
    let (told, hear) = channel();
    let mut workers = CROWD * std::thread::available_parallelism().map_or(2, usize::from);
    for _ in 0..workers {
        run.work(&told);
    }
    let (mut lived, mut broken) = (0, Vec::new());
    while workers > 0 {
        match hear.recv_timeout(Duration::from_secs(1)) {
            Ok(Told::Lived(_, Ok(()))) => lived += 1,
            Ok(Told::Lived(seed, Err(why))) => broken.push((seed, why)),
            Ok(Told::Ended) => workers -= 1,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for seed in run.endless() {
            broken.push((seed, format!("no end after {ENDLESS:?}")));
            // Its thread cannot be ended; another takes its place.
            run.work(&told);
        }
        if broken.len() >= ENOUGH {
            run.stopped.store(true, SeqCst);
        }
    }
    say(&format!(
        "{} of {lived} lives in {:.0?}\n",
        lives.filter,
        begun.elapsed()
    ));
    let list: Vec<String> = broken
        .iter()
        .map(|(seed, why)| format!("{}\n    {why}", lives.replay(*seed)))
        .collect();
    let count = list.len();
    assert!(list.is_empty(), "{count} broke:\n{}", list.join("\n"));
}

/// One life, told step by step.
fn one(lives: Lives, seed: u64) {
    let (told, hear) = channel();
    std::thread::spawn(move || told.send((lives.live)(seed, true)));
    match hear.recv_timeout(ENDLESS) {
        Ok(lived) => lived.unwrap(),
        Err(why) => panic!("life {seed}: {why}"),
    }
}

enum Told {
    Lived(u64, Result<(), String>),
    Ended,
}

impl Run {
    /// Begins a thread that lives one life after another.
    fn work(self: &Arc<Self>, told: &Sender<Told>) {
        let (run, told) = (self.clone(), told.clone());
        std::thread::spawn(move || {
            while !run.stopped.load(SeqCst) {
                let seed = run.next.fetch_add(1, SeqCst);
                if seed >= run.to {
                    break;
                }
                run.under_way().push((seed, Instant::now()));
                let lived = std::panic::catch_unwind(|| (run.lives.live)(seed, false));
                let lived = lived.unwrap_or_else(|why| Err(format!("a panic: {}", text(&*why))));
                let mut lives = run.under_way();
                let Some(at) = lives.iter().position(|(lived, _)| *lived == seed) else {
                    // Given up meanwhile, and so is this thread.
                    return;
                };
                lives.swap_remove(at);
                drop(lives);
                told.send(Told::Lived(seed, lived)).ok();
            }
            told.send(Told::Ended).ok();
        });
    }

    /// The lives that will not end; they are under way no more.
    fn endless(&self) -> Vec<u64> {
        let mut lives = self.under_way();
        let (endless, others) = lives
            .drain(..)
            .partition(|(_, begun)| begun.elapsed() > ENDLESS);
        *lives = others;
        endless
            .into_iter()
            .map(|(seed, _): (u64, _)| seed)
            .collect()
    }

    fn under_way(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Instant)>> {
        self.under_way.lock().unwrap()
    }
}

/// Past what keeps a test's output until it fails.
fn say(what: &str) {
    std::io::stderr().write_all(what.as_bytes()).ok();
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or(panic.downcast_ref::<&str>().map(|text| text.to_string()));
    text.unwrap_or_default()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// `LOMME_SEEDS=a..b`: from `a` to before `b`.
fn span() -> Option<(u64, u64)> {
    let text = std::env::var("LOMME_SEEDS").ok()?;
    let (from, to) = text.split_once("..")?;
    Some((from.parse().ok()?, to.parse().ok()?))
}
