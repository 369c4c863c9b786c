//! `local-cloud`: the local cloud as a program. It prints how to reach it, serves, and ends on a signal.
#![allow(
    clippy::print_stdout,
    reason = "standard output is the program's interface"
)]

use clap::Parser;
use local_cloud::{Cloud, CloudOptions, Plan, Switches, ThrowAway, Tls, throw_away};
use serde_json::json;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Serves a local Jottacloud on the loopback interface.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// Keep the data in this directory, and go on with what is there; without it, it is temporary.
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
    /// Listen on this port; 0 picks a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve TLS with this certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Serve TLS with a throw-away certificate, and write its authority to ca.pem in this directory.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "tls_cert")]
    tls_self_signed: Option<PathBuf>,
    /// What to fill an empty cloud with: demo, none, scale:FILES or scale:FILES:FOLDERS.
    #[arg(long, default_value = "demo", value_name = "PLAN")]
    seed: Plan,
    /// How many seconds access tokens live.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    access_token_ttl: u64,
    /// Set a switch, NAME=VALUE; may be repeated. `help` lists them.
    #[arg(long, value_name = "NAME=VALUE")]
    switch: Vec<String>,
    /// Where the login token's links lead, when clients reach this cloud under another name.
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Print one line of JSON when ready: url, user, login_token, ca.
    #[arg(long)]
    json: bool,
    /// End when standard input is closed, so that nothing is left behind when the parent dies.
    #[arg(long)]
    until_stdin_closes: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local-cloud: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    if options.switch.iter().any(|switch| switch == "help") {
        list_switches();
        return Ok(());
    }
    let certificate = options
        .tls_self_signed
        .as_deref()
        .map(throw_away)
        .transpose()?;
    let cloud = Cloud::start(CloudOptions {
        directory: options.dir.clone(),
        port: options.port,
        tls: tls(options, certificate.as_ref()),
        access_token_ttl: Duration::from_secs(options.access_token_ttl),
        switches: switches(&options.switch)?,
    })?;
    cloud.seed_if_empty(options.seed)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Whoever reads the announcement may send a signal at once.
    let end = {
        let _inside = runtime.enter();
        End::new(options.until_stdin_closes)?
    };
    announce(options, &cloud, certificate.as_ref())?;
    runtime.block_on(end.wait())?;
    cloud.stop();
    Ok(())
}

fn tls(options: &Options, made: Option<&ThrowAway>) -> Option<Tls> {
    let given = options.tls_cert.clone().zip(options.tls_key.clone());
    let given = given.map(|(certificate, key)| Tls { certificate, key });
    given.or_else(|| made.map(|made| made.tls.clone()))
}

fn switches(given: &[String]) -> Result<Switches, Box<dyn Error>> {
    let mut switches = Switches::default();
    for text in given {
        let (name, value) = text.split_once('=').ok_or("a switch is NAME=VALUE")?;
        switches.set(name, value)?;
    }
    Ok(switches)
}

fn list_switches() {
    for info in Switches::all() {
        println!("{}: {}", info.name, info.about);
        println!("    {:?}, the first by default", info.answers);
    }
}

fn announce(
    options: &Options,
    cloud: &Cloud,
    certificate: Option<&ThrowAway>,
) -> Result<(), Box<dyn Error>> {
    let url = cloud.url();
    let origin = options
        .origin
        .as_deref()
        .unwrap_or(&url)
        .trim_end_matches('/');
    let token = cloud.login_token_at(origin, "jottacloud")?;
    let authority = certificate.map(|made| &made.authority);
    if options.json {
        println!(
            "{}",
            json!({"url": url, "user": cloud.user(), "login_token": token, "ca": authority})
        );
        return Ok(());
    }
    println!("A local cloud is at {url}");
    println!("  user         {}", cloud.user());
    println!("  login token  {token}");
    println!("  another one  POST {url}/_local/login-token");
    if let Some(authority) = authority {
        println!("  trust        {}", authority.display());
    }
    println!("It runs until Ctrl-C.");
    Ok(())
}

/// What ends the program.
struct End {
    input: tokio::sync::oneshot::Receiver<std::io::Result<()>>,
    /// Keeps `input` from ending when nobody watches standard input.
    _watch: Option<tokio::sync::oneshot::Sender<std::io::Result<()>>>,
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
}

impl End {
    fn new(until_stdin_closes: bool) -> std::io::Result<Self> {
        let (sender, input) = tokio::sync::oneshot::channel();
        let mut watch = Some(sender);
        if let Some(sender) = watch.take_if(|_| until_stdin_closes) {
            // A thread of its own: it may wait for ever, and the process ends all the same.
            std::thread::spawn(move || {
                let end = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
                sender.send(end.map(drop))
            });
        }
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            input,
            _watch: watch,
            #[cfg(unix)]
            signals: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
            ],
        })
    }

    #[cfg(unix)]
    async fn wait(self) -> std::io::Result<()> {
        let [mut terminate, mut interrupt] = self.signals;
        tokio::select! {
            ended = self.input => ended.unwrap_or(Ok(())),
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
        }
    }

    #[cfg(not(unix))]
    async fn wait(self) -> std::io::Result<()> {
        tokio::select! {
            ended = self.input => ended.unwrap_or(Ok(())),
            ended = tokio::signal::ctrl_c() => ended,
        }
    }
}
