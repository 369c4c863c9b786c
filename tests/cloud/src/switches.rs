//! What no fact settles (protocol facts §13), each with its plausible answers.

/// The answers in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches {}

/// One switch and what it may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchInfo {
    /// As `Switches::set` takes it.
    pub name: &'static str,
    /// What it decides.
    pub about: &'static str,
    /// The answers, the default first.
    pub answers: &'static [&'static str],
}

/// No such switch, or no such answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no switch {name:?} with the answer {answer:?}")]
pub struct UnknownSwitch {
    /// The name asked for.
    pub name: String,
    /// The answer asked for.
    pub answer: String,
}

impl Switches {
    /// All switches.
    pub fn all() -> &'static [SwitchInfo] {
        &[]
    }

    /// Sets one by its name.
    pub fn set(&mut self, name: &str, answer: &str) -> Result<(), UnknownSwitch> {
        Err(UnknownSwitch {
            name: name.to_owned(),
            answer: answer.to_owned(),
        })
    }

    /// Reads one by its name.
    pub fn get(&self, _name: &str) -> Option<&'static str> {
        None
    }

    /// The default, then every switch at each of its other answers, one at a time; each with its `name=answer`.
    pub fn each_alternative() -> Vec<(String, Self)> {
        vec![("defaults".into(), Self::default())]
    }
}
