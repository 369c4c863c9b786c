//! `lomme completions`

use crate::args::Args;
use crate::failure::Failure;
use crate::output::Output;
use clap::CommandFactory;

pub fn run(shell: clap_complete::Shell, output: &mut Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "lomme", &mut script);
    output.raw(&script)
}
