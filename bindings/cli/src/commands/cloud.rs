//! `lomme cloud`: a local cloud, for the developers of apps.

use crate::args::Cloud as Args;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use local_cloud::{Cloud, CloudOptions, Switches, ThrowAway, Tls, throw_away};
use lomme::CancelToken;
use serde::Serialize;
use std::time::Duration;

/// What `--json` prints once the cloud accepts connections.
#[derive(Serialize)]
struct CloudShape {
    url: String,
    user: String,
    login_token: String,
    directory: String,
    /// PEM file of the authority to trust, with `--tls-self-signed`.
    ca: Option<String>,
}

pub async fn run(args: &Args, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let made = args.tls_self_signed.as_deref().map(throw_away);
    let made = made.transpose().map_err(failed)?;
    let cloud = Cloud::start(options(args, made.as_ref())?).map_err(failed)?;
    cloud.seed_if_empty(args.seed).map_err(failed)?;
    let shape = CloudShape {
        url: cloud.url(),
        user: cloud.user().to_owned(),
        login_token: cloud.login_token().map_err(failed)?,
        directory: cloud.directory().display().to_string(),
        ca: made.map(|made| made.authority.display().to_string()),
    };
    if output.is_json() {
        output.document(&shape)?;
    } else {
        announce(&shape, output)?;
    }
    output.flush()?;
    cancel.cancelled().await;
    cloud.stop();
    Ok(())
}

fn announce(shape: &CloudShape, output: &mut Output) -> Result<(), Failure> {
    output.line(format!("A local cloud is at  {}", shape.url))?;
    output.line(format!("Its files are in     {}", shown(&shape.directory)))?;
    output.line("A login token, which works once:\n")?;
    output.line(&shape.login_token)?;
    output.line(format!(
        "\nAnother one:  POST {}/_local/login-token",
        shape.url
    ))?;
    let trust = shape.ca.as_ref().map(|ca| {
        let ca = shown(ca);
        format!(" --cloud {} --ca-file {ca}", shape.url)
    });
    output.line(format!(
        "Sign in from another terminal:  lomme --dir /tmp/pocket{} login",
        trust.unwrap_or_default()
    ))?;
    output.line("Ctrl-C stops it.")
}

fn options(args: &Args, made: Option<&ThrowAway>) -> Result<CloudOptions, Failure> {
    let mut switches = Switches::default();
    for switch in &args.switches {
        let (name, answer) = switch
            .split_once('=')
            .ok_or_else(|| Failure::usage("--switch takes NAME=ANSWER"))?;
        switches
            .set(name, answer)
            .map_err(|error| Failure::usage(error.to_string()))?;
    }
    let given = args.tls_cert.clone().zip(args.tls_key.clone());
    let given = given.map(|(certificate, key)| Tls { certificate, key });
    Ok(CloudOptions {
        directory: args.data.clone(),
        port: args.port,
        tls: given.or_else(|| made.map(|made| made.tls.clone())),
        access_token_ttl: Duration::from_secs(args.access_token_ttl),
        switches,
    })
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::machine(format!("the local cloud: {error}"))
}
