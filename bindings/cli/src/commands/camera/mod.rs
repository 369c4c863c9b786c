//! `lomme camera`: the core's camera backup, with the command line in the part of the phone's platform.

mod device;
mod free_up;
mod proofs;
mod rules;
mod scan;
mod send;
mod sources;
mod watch;

use super::time;
use crate::args::{CameraCommand, SomeSource};
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::Place;
use crate::roll::Rolls;
use lomme::camera::{Camera, CameraHold, Source};
use lomme::edits::AccountHold;
use lomme::{CancelToken, Drive};
use std::sync::Arc;

/// The open companion, and which folders its camera rolls are.
struct Desk {
    drive: Arc<Drive>,
    rolls: Rolls,
}

impl Desk {
    fn camera(&self) -> &Camera {
        self.drive.camera()
    }

    /// A source by its name or its number.
    fn source(&self, said: &str) -> Result<Source, Failure> {
        let sources = self.camera().sources()?;
        let named = sources.iter().find(|source| source.name == said);
        let number = said.parse().ok();
        let found = named.or_else(|| sources.iter().find(|source| Some(source.id) == number));
        found
            .cloned()
            .ok_or_else(|| Failure::no_such_item(format!("there is no source '{}'", shown(said))))
    }

    fn sources(&self, said: &SomeSource) -> Result<Vec<Source>, Failure> {
        match &said.source {
            Some(said) => Ok(vec![self.source(said)?]),
            None => Ok(self.camera().sources()?),
        }
    }
}

pub async fn run(
    command: &CameraCommand,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let desk = Desk {
        drive: place.open_signed_in()?,
        rolls: Rolls::read(place)?,
    };
    match command {
        CameraCommand::Device(device) => device::run(device, &desk, output, cancel).await,
        CameraCommand::Adopt => device::adopt(&desk, output, cancel).await,
        CameraCommand::Add(add) => sources::add(add, place, desk, output, cancel).await,
        CameraCommand::Sources => sources::list(&desk, output),
        CameraCommand::Remove(of) => sources::remove(&of.source, &desk, output),
        CameraCommand::Mirror(mirror) => sources::mirror(mirror, &desk, output, cancel).await,
        CameraCommand::Rules(rules) => rules::run(rules, &desk, output),
        CameraCommand::Preview(preview) => rules::preview(preview, &desk, output),
        CameraCommand::When(when) => rules::when(when, &desk, output),
        CameraCommand::Scan(of) => scan::run(of, &desk, output, cancel).await,
        CameraCommand::Run(run) => send::run(run, &desk, output, cancel).await,
        CameraCommand::Watch(watch) => watch::run(watch, &desk, output, cancel).await,
        CameraCommand::Status => send::status(&desk, output),
        CameraCommand::Why(of) => proofs::why(of, &desk, output),
        CameraCommand::Retry(of) => proofs::retry(of, &desk, output),
        CameraCommand::Again(of) => proofs::again(of, &desk, output),
        CameraCommand::Receipts => proofs::receipts(&desk, output),
        CameraCommand::Audit(audit) => proofs::audit(audit, &desk, output, cancel).await,
        CameraCommand::FreeUp(free) => free_up::run(free, &desk, output, cancel).await,
    }
}

/// `1,234`, as people count photos.
fn number(number: u64) -> String {
    indicatif::HumanCount(number).to_string()
}

fn items(many: u64) -> String {
    let s = if many == 1 { "" } else { "s" };
    format!("{} item{s}", number(many))
}

/// A hold in words, and with it what would release it.
fn because(hold: &CameraHold) -> String {
    let at = |ms: i64| format!("until {} UTC", time(Some(ms)));
    match hold {
        CameraHold::NoDevice => "no device to back up to was chosen".into(),
        CameraHold::Paused => "paused; 'lomme camera when --resume' goes on".into(),
        CameraHold::Schedule { from_ms } => {
            format!("outside the hours of the schedule, {}", at(*from_ms))
        }
        CameraHold::Account(AccountHold::SignIn) => "sign in with 'lomme login'".into(),
        CameraHold::Account(AccountHold::Full) => "the account's space is used up".into(),
        CameraHold::Account(AccountHold::Locked) => "the account is locked for changes".into(),
        CameraHold::Account(AccountHold::Busy { until_ms }) => {
            format!("the service is busy or out of reach, {}", at(*until_ms))
        }
        CameraHold::Conditions(waiting) => waiting.to_string(),
        CameraHold::Settling { until_ms } => format!("it may still change, {}", at(*until_ms)),
        CameraHold::ToProvide => "its bytes must be provided".into(),
        CameraHold::NotProvided { until_ms, .. } => {
            let at = time(Some(*until_ms));
            format!("its bytes could not be provided; tried again after {at} UTC")
        }
        CameraHold::Retry { until_ms, error } => format!(
            "{}; tried again after {} UTC",
            Failure::from(error.clone()).detail(),
            time(Some(*until_ms))
        ),
        CameraHold::NeedsUser(_) => "it needs you".into(),
    }
}
