//! How the demo tells its story: text as it happens, or one JSON document in the end.

use super::stage::Stage;
use crate::failure::Failure;
use crate::output::Output;
use indicatif::HumanCount;
use lomme::catalog::Space;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Content bytes that the walk-through asked for, by space.
pub type Asked = BTreeMap<Space, u64>;

/// The document of `lomme demo --json`.
#[derive(Default, Serialize)]
struct DemoShape {
    /// What happened, in order, with the numbers of each step.
    steps: Vec<StepShape>,
    /// Content bytes by space.
    counts: Vec<CountShape>,
    sync_bytes_unasked: i128,
}

#[derive(Serialize)]
struct StepShape {
    step: &'static str,
    #[serde(flatten)]
    facts: Map<String, Value>,
}

#[derive(Serialize)]
struct CountShape {
    space: &'static str,
    /// What the walk-through asked for.
    asked: u64,
    /// What Lomme's own ledger has.
    ledger: u64,
    /// What the cloud says that it sent.
    served: u64,
}

/// The story so far.
pub struct Report<'a> {
    output: &'a mut Output,
    document: DemoShape,
}

impl<'a> Report<'a> {
    pub fn new(output: &'a mut Output) -> Self {
        Self {
            output,
            document: DemoShape::default(),
        }
    }

    pub fn opening(&mut self) -> Result<(), Failure> {
        self.say("Lomme is a pocket for Jottacloud: the core of a phone companion.")?;
        self.say("This shows what it does, against a cloud of its own on this machine.")?;
        self.say("No account is needed, and nothing leaves the machine.")
    }

    /// Begins a step: `step` for programs, `title` for people.
    pub fn step(&mut self, step: &'static str, title: &str) -> Result<(), Failure> {
        self.document.steps.push(StepShape {
            step,
            facts: Map::new(),
        });
        let number = self.document.steps.len();
        self.say(format!("\n{number}. {title}"))
    }

    /// A line for people, shown at once.
    pub fn say(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        if self.output.is_json() {
            return Ok(());
        }
        self.output.line(text)?;
        self.output.flush()
    }

    /// A number for programs, in the present step.
    pub fn fact(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(step) = self.document.steps.last_mut() {
            step.facts.insert(name.to_owned(), value.into());
        }
    }

    /// Sets the three counts side by side. What is unasked is the larger surplus of the two counts
    /// over what was asked for; fewer bytes than asked for are as wrong and come out negative.
    pub fn balance(&mut self, asked: &Asked, stage: &Stage) -> Result<i128, Failure> {
        self.step("ledger", "Count the bytes of content, twice")?;
        self.say("              asked for    Lomme's ledger    the cloud's count")?;
        let rows = stage.drive.content().ledger()?;
        let served = stage.cloud.counts();
        let mut unasked = 0;
        for space in [Space::Sync, Space::Backup, Space::Archive] {
            let count = CountShape {
                space: space.name(),
                asked: asked.get(&space).copied().unwrap_or(0),
                ledger: rows
                    .iter()
                    .filter(|row| row.space == space)
                    .map(|row| row.bytes)
                    .sum(),
                served: served.content_of(space.name()),
            };
            self.say(format!(
                "   {:8} {:>12} {:>17} {:>20}",
                count.space,
                HumanCount(count.asked).to_string(),
                HumanCount(count.ledger).to_string(),
                HumanCount(count.served).to_string()
            ))?;
            if space == Space::Sync {
                let surplus = |counted: u64| i128::from(counted) - i128::from(count.asked);
                let both = [surplus(count.ledger), surplus(count.served)];
                unasked = both.into_iter().max_by_key(|n| n.abs()).unwrap_or(0);
            }
            self.document.counts.push(count);
        }
        Ok(unasked)
    }

    /// The last line, and whether the demo has proved its point.
    pub fn end(mut self, unasked: i128) -> Result<(), Failure> {
        self.document.sync_bytes_unasked = unasked;
        if self.output.is_json() {
            self.output.document(&self.document)?;
        } else {
            self.say("")?;
            self.say(format!("Sync bytes fetched unasked: {unasked}"))?;
        }
        if unasked != 0 {
            return Err(Failure::demo(format!(
                "{unasked} bytes of Sync moved unasked"
            )));
        }
        match self.document.counts.iter().find(|c| c.ledger != c.served) {
            Some(count) => Err(Failure::demo(format!(
                "{}: the ledger has {} bytes, the cloud counted {}",
                count.space, count.ledger, count.served
            ))),
            None => Ok(()),
        }
    }
}
