//! rclone's VFS over HTTP, read in the same pattern as Lomme's reader.

use crate::cloud::{Run, Stage, remove};
use crate::content::{self, Piece, Spread};
use crate::measure::{Served, end};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const ADDRESS: &str = "127.0.0.1:8421";

/// Reads `pieces` of `name` in `remote` through a server that starts with an empty cache. A player asks for what it plays in
/// one request, so pieces that follow one another are one range.
pub fn read(stage: &Stage, remote: &str, name: &str, pieces: &[Piece]) -> Result<Run, String> {
    let cache = stage.work.join("vfs");
    remove(&cache)?;
    let mut command = stage.rclone();
    command
        .args(["serve", "http", remote, "--addr", ADDRESS])
        .args(["--vfs-cache-mode", "full", "--cache-dir"])
        .arg(&cache)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let address = match ready(&mut child) {
        Ok(connection) => connection,
        Err(why) => {
            end(&mut child);
            return Err(why);
        }
    };
    let mut says = json!(null);
    let run = stage.counted(|| {
        let served = Served::new(child);
        let read = read_all(address, name, pieces);
        let measured = served.end();
        says = read?;
        Ok(measured)
    });
    remove(&cache)?;
    Ok(Run { says, ..run? })
}

fn ready(child: &mut Child) -> Result<TcpStream, String> {
    for _ in 0..200 {
        if let Ok(connection) = TcpStream::connect(ADDRESS) {
            return Ok(connection);
        }
        if let Ok(Some(status)) = child.try_wait() {
            return Err(format!("rclone serve ended: {status}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err("rclone serve does not answer".into())
}

fn read_all(
    connection: TcpStream,
    name: &str,
    pieces: &[Piece],
) -> Result<serde_json::Value, String> {
    let failed = |error: std::io::Error| error.to_string();
    connection.set_nodelay(true).map_err(failed)?;
    connection
        .set_read_timeout(Some(Duration::from_secs(60)))
        .map_err(failed)?;
    let mut connection = BufReader::with_capacity(128 * 1024, connection);
    let path = name.replace(' ', "%20");
    let (mut firsts, mut asked) = (Vec::new(), 0);
    for range in pieces.chunk_by(|_, next| !next.jump) {
        let (Some(first), Some(last)) = (range.first(), range.last()) else {
            continue;
        };
        let (from, to) = (first.offset, last.offset + u64::from(last.length));
        let start = Instant::now();
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {ADDRESS}\r\nRange: bytes={from}-{}\r\n\r\n",
            to - 1
        );
        connection
            .get_mut()
            .write_all(request.as_bytes())
            .map_err(failed)?;
        let length = head(&mut connection)?;
        if length != to - from {
            return Err(format!(
                "rclone serve sends {length} of {} bytes",
                to - from
            ));
        }
        for piece in range {
            let mut bytes = vec![0; piece.length as usize];
            connection.read_exact(&mut bytes).map_err(failed)?;
            if piece.offset == from {
                firsts.push(start.elapsed().as_secs_f64() * 1000.0);
            }
            if !content::is_right(0, piece.offset, &bytes) {
                return Err("rclone serve sent wrong bytes".into());
            }
        }
        asked += to - from;
    }
    Ok(json!({"asked": asked, "first_byte": Spread::of(firsts)}))
}

/// Reads the head of an answer, and gives the length of its body.
fn head(connection: &mut impl BufRead) -> Result<u64, String> {
    let mut length = None;
    let mut line = String::new();
    for number in 0.. {
        line.clear();
        connection
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        let text = line.trim_end();
        if number == 0 && !text.starts_with("HTTP/1.1 206") {
            return Err(format!("rclone serve answers {text}"));
        }
        if text.is_empty() {
            break;
        }
        if let Some((name, value)) = text.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok();
        }
    }
    length.ok_or_else(|| "rclone serve tells no length".into())
}
