//! `lomme cloud`: a local cloud, for the developers of apps.

use crate::args::Cloud as Args;
use crate::failure::Failure;
use crate::output::Output;
use local_cloud::{Cloud, CloudOptions, Switches, Tls};
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
}

pub async fn run(args: &Args, output: &mut Output, cancel: &CancelToken) -> Result<(), Failure> {
    let cloud = Cloud::start(options(args)?).map_err(failed)?;
    let shape = CloudShape {
        url: cloud.url(),
        user: cloud.user().to_owned(),
        login_token: cloud.login_token().map_err(failed)?,
        directory: cloud.directory().display().to_string(),
    };
    if output.is_json() {
        output.document(&shape)?;
    } else {
        output.line(format!("A local cloud is at  {}", shape.url))?;
        output.line(format!("Its files are in     {}", shape.directory))?;
        output.line(format!(
            "A login token, which works once:\n\n{}\n",
            shape.login_token
        ))?;
        output.line("Sign in from another terminal:  lomme --dir /tmp/pocket login")?;
        output.line("Ctrl-C stops it.")?;
    }
    output.flush()?;
    cancel.cancelled().await;
    cloud.stop();
    Ok(())
}

fn options(args: &Args) -> Result<CloudOptions, Failure> {
    let mut switches = Switches::default();
    for switch in &args.switches {
        let (name, answer) = switch
            .split_once('=')
            .ok_or_else(|| Failure::usage("--switch takes NAME=ANSWER"))?;
        switches
            .set(name, answer)
            .map_err(|error| Failure::usage(error.to_string()))?;
    }
    let tls = match (&args.tls_certificate, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Tls {
            certificate: certificate.clone(),
            key: key.clone(),
        }),
        _ => None,
    };
    Ok(CloudOptions {
        directory: args.data.clone(),
        port: args.port,
        tls,
        access_token_ttl: Duration::from_secs(args.token_ttl),
        switches,
    })
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::machine(format!("the local cloud: {error}"))
}
