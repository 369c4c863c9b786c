//! What no fact settles (protocol facts §13), each with its plausible answers.

/// The answers in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switches {}
