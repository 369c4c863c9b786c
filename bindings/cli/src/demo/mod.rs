//! `lomme demo`: what the product does, shown against a local cloud on this machine.
//!
//! The promise that it proves is counted twice: by the drive's byte ledger, and by the cloud, which
//! counts every content byte that it sends. What the walk-through asked for is known, because each
//! file is asked for once; what is beyond that in either count was fetched unasked.

mod plant;
mod report;
mod stage;
mod walk;

use crate::args::Demo;
use crate::failure::Failure;
use crate::output::Output;
use lomme::CancelToken;
use report::Report;
use stage::Stage;

pub async fn run(args: &Demo, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let mut report = Report::new(output);
    report.opening()?;
    let stage = Stage::set(&mut report)?;
    let asked = walk::through(&stage, &mut report, cancel).await?;
    if args.plant_a_byte {
        plant::fetch_one_sync_byte(&stage.cloud)?;
    }
    let unasked = report.balance(&asked, &stage)?;
    report.end(unasked)
}
