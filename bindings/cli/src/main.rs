//! `lomme`: the companion on the command line.
//!
//! Text is for people and may change; `--json` is for programs and is stable ([`shapes`]). Whatever
//! a server chose (names, media types) goes through [`names`] before it reaches a terminal or a
//! local path. Results go to stdout, everything else to stderr. Ctrl-C cancels in-band, so that a
//! download keeps what it has; a second Ctrl-C ends the process at once.

mod amounts;
mod args;
mod bug;
mod cloud_url;
mod commands;
mod demo;
mod failure;
mod landing;
mod names;
mod output;
mod part;
mod place;
mod play;
mod pour;
mod progress;
mod roll;
mod shapes;
mod vault;

use args::{Args, Command};
use clap::Parser;
use failure::Failure;
use lomme::CancelToken;
use lomme::conditions::Situation;
use lomme::content::Network;
use output::Output;
use place::Place;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let mut output = Output::new(args.json, args.quiet);
    let cancel = CancelToken::new();
    let outcome = bug::caught(AssertUnwindSafe(|| {
        lomme::runtime().block_on(async {
            let _listening = tokio::spawn(cancel_on_ctrl_c(cancel.clone()));
            run(args, &mut output, &cancel).await
        })
    }));
    match outcome.and_then(|()| output.finish()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // What was printed before the failure is still true.
            let _ = output.finish();
            output.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

async fn run(args: Args, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let endpoints = match (&args.cloud, &args.ca_file) {
        (Some(url), ca_file) => Some(cloud_url::endpoints(url, ca_file.as_deref())?),
        (None, Some(_)) => return Err(Failure::usage("--ca-file goes with --cloud")),
        (None, None) => None,
    };
    let situation = situation(args.metered, args.roaming);
    let place = Place::new(args.dir, endpoints, situation);
    match args.command {
        Command::Demo(demo) => demo::run(&demo, output, cancel).await,
        Command::Login(login) => {
            commands::login::run(&login, args.cloud.as_deref(), &place?, output, cancel).await
        }
        Command::Logout => commands::logout::run(&place?, output),
        Command::Status(status) => commands::status::run(&status, &place?, output, cancel).await,
        Command::Ls(ls) => commands::ls::run(&ls, &place?, output, cancel)
            .await
            .map_err(Failure::of_listing),
        Command::Tree(tree) => commands::tree::run(&tree, &place?, output, cancel)
            .await
            .map_err(Failure::of_listing),
        Command::Index(index) => commands::index::run(&index, &place?, output, cancel).await,
        Command::Get(get) => commands::get::run(&get, &place?, output, cancel).await,
        Command::Cat(cat) => commands::cat::run(&cat, &place?, output, cancel).await,
        Command::Serve(serve) => commands::serve::run(&serve, &place?, output, cancel).await,
        Command::Thumb(thumb) => commands::thumb::run(&thumb, &place?, output, cancel).await,
        Command::Pin(pin) => commands::pin::run(&pin, &place?, output, cancel).await,
        Command::Unpin(unpin) => commands::pin::unpin(&unpin, &place?, output, cancel).await,
        Command::Keep => commands::keep::run(&place?, output, cancel).await,
        Command::Evict(evict) => commands::evict::run(&evict, &place?, output, cancel).await,
        Command::Usage(usage) => commands::usage::run(&usage, &place?, output),
        Command::Put(put) => commands::put::run(&put, &place?, output, cancel).await,
        Command::Edit(edit) => commands::edit::run(&edit, &place?, output, cancel).await,
        Command::Mkdir(mkdir) => commands::arrange::mkdir(&mkdir, &place?, output, cancel).await,
        Command::Mv(mv) => commands::arrange::mv(&mv, &place?, output, cancel).await,
        Command::Cp(cp) => commands::arrange::cp(&cp, &place?, output, cancel).await,
        Command::Rm(rm) => commands::rm::run(&rm, &place?, output, cancel).await,
        Command::Trash(trash) => commands::rm::trash(&trash, &place?, output, cancel).await,
        Command::Restore(restore) => commands::rm::restore(&restore, &place?, output, cancel).await,
        Command::Versions(versions) => {
            commands::versions::run(&versions, &place?, output, cancel).await
        }
        Command::Link(link) => commands::link::run(&link, &place?, output, cancel).await,
        Command::Conflicts(conflicts) => {
            commands::conflicts::run(&conflicts, &place?, output, cancel).await
        }
        Command::Outbox(outbox) => commands::outbox::run(&outbox, &place?, output, cancel).await,
        Command::Camera(camera) => {
            commands::camera::run(&camera.command, &place?, output, cancel).await
        }
        Command::Find(find) => commands::find::run(&find, &place?, output, cancel),
        Command::Recent(recent) => commands::find::recent(&recent, &place?, output),
        Command::Favourite(favourite) => {
            commands::favourite::run(&favourite, &place?, output, cancel).await
        }
        Command::Watch => commands::watch::run(&place?, output, cancel).await,
        Command::Rules(rules) => commands::rules::run(&rules, &place?, output),
        Command::Why(why) => commands::why::run(&why, &place?, output, cancel).await,
        Command::Cloud(cloud) => commands::cloud::run(&cloud, output, cancel).await,
        Command::Completions { shell } => commands::completions::run(shell, output),
    }
}

/// A command line is told by nobody what its network costs, so the person tells it.
fn situation(metered: bool, roaming: bool) -> Situation {
    Situation {
        network: if metered || roaming {
            Network::Metered
        } else {
            Network::Unmetered
        },
        roaming,
        zone_minutes: jiff::Zoned::now().offset().seconds() / 60,
        ..Situation::default()
    }
}

async fn cancel_on_ctrl_c(cancel: CancelToken) {
    while tokio::signal::ctrl_c().await.is_ok() {
        if cancel.is_cancelled() {
            std::process::exit(i32::from(failure::INTERRUPTED));
        }
        cancel.cancel();
    }
}

/// Help and version are answers; the rest is a usage error, in JSON too if that was asked for.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let asked_for_json = std::env::args_os()
        .take_while(|arg| arg != "--")
        .any(|arg| arg == "--json");
    if asked_for_json {
        let text = error.to_string();
        let detail = text.lines().next().unwrap_or_default();
        let failure = Failure::usage(detail.trim_start_matches("error: "));
        Output::new(true, false).failure(&failure);
    } else {
        let _ = error.print();
    }
    ExitCode::from(failure::USAGE)
}
