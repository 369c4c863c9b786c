//! `lomme serve`: one file, over HTTP on this machine, until Ctrl-C.

use super::size;
use crate::args::Serve;
use crate::failure::Failure;
use crate::names::shown;
use crate::output::Output;
use crate::place::{self, Place};
use crate::play::Play;
use crate::shapes::{ItemShape, ServedShape};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use lomme::catalog::{Catalog, Item};
use lomme::{CancelToken, Error};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A player has a handful; nobody gets to fill the memory.
const CONNECTIONS: usize = 64;
/// How long a client may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(20);
/// Until players have their last answer.
const LAST_WORD: Duration = Duration::from_millis(500);

pub async fn run(
    args: &Serve,
    place: &Place,
    output: &mut Output,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let drive = place.open_signed_in()?;
    let catalog = drive.catalog();
    let item = place::find_file(catalog, &args.path, cancel).await?;
    let item = with_type(catalog, item, cancel).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .map_err(|error| Failure::machine(format!("port {}: {}", args.port, error.kind())))?;
    let play = Play::new(
        drive.content().clone(),
        &item,
        listener.local_addr()?.port(),
    )?;
    let play = Arc::new(play);
    announce(&play, catalog, &item, output)?;
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        tokio::select! {
            () = cancel.cancelled() => return Ok(()),
            () = play.gone() => {
                tokio::time::sleep(LAST_WORD).await;
                return Err(Error::VersionGone.into());
            }
            (stream, seat) = next(&listener, &seats) => {
                tokio::spawn(connection(play.clone(), stream, seat));
            }
        }
    }
}

/// A place for a connection, then the connection.
async fn next(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    let seat = seats.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, seat),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(play: Arc<Play>, stream: TcpStream, _seat: Option<OwnedSemaphorePermit>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let play = play.clone();
        async move { Ok::<_, std::convert::Infallible>(play.answer(&request).await) }
    });
    // An error here is a player that went away, or a body that broke off and was told of.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// The media type comes with a listing of the folder, and not with an index; a player wants it.
async fn with_type(catalog: &Catalog, item: Item, cancel: &CancelToken) -> Result<Item, Failure> {
    if item.mime.is_some() {
        return Ok(item);
    }
    match catalog.refresh(&item.id, cancel).await {
        Ok(_) => place::find(catalog, &format!("id:{}", item.id), true, cancel).await,
        // What is on this machine plays without.
        Err(Error::Offline { .. } | Error::ServerBusy { .. }) => Ok(item),
        Err(error) => Err(error.into()),
    }
}

fn announce(
    play: &Play,
    catalog: &Catalog,
    item: &Item,
    output: &mut Output,
) -> Result<(), Failure> {
    if output.is_json() {
        output.document(&ServedShape {
            url: play.url(),
            mime: play.mime(),
            item: ItemShape::new(item, place::path_of(catalog, &item.id)?),
        })?;
    } else {
        output.remark(format!(
            "{} ({}, {}) plays at this address until Ctrl-C. It holds a secret:",
            shown(&item.name),
            size(play.size()),
            play.mime()
        ));
        output.line(play.url())?;
    }
    output.flush()
}
