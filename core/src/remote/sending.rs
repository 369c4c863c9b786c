//! What tests of changes on the service share: contents, and sending them as whoever uses the remote does.
#![allow(clippy::unwrap_used)]
use super::cloud_tests::{never, path};
use super::*;
use bytes::Bytes;
use futures_util::stream;
use local_cloud::{Cloud, Switches};
use md5::{Digest, Md5};

pub(super) fn facts(content: &[u8]) -> ContentFacts {
    ContentFacts {
        size: content.len() as u64,
        md5: Md5::digest(content).into(),
        created_ms: Some(1_600_000_000_000),
        modified_ms: Some(1_600_000_001_000),
    }
}

/// The bytes from `at` on, in pieces.
pub(super) fn body(
    content: &[u8],
    at: u64,
) -> impl futures_util::Stream<Item = Result<Bytes>> + use<> {
    let rest = content[usize::try_from(at).unwrap()..].to_vec();
    let pieces: Vec<_> = rest
        .chunks(1_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces)
}

/// Announces and sends until the service has it; how many bytes were sent.
pub(super) async fn put(
    remote: &Remote,
    place: &str,
    content: &[u8],
    only_new: bool,
) -> Result<u64> {
    let (place, facts) = (path(place), facts(content));
    let mut sent = 0;
    for _ in 0..5 {
        match remote.allocate(&place, &facts, only_new, &never()).await? {
            Allocated::Done => return Ok(sent),
            Allocated::Send { url, resume_at } => {
                let rest = body(content, resume_at);
                sent += facts.size - resume_at;
                let (told, moved) = std::sync::mpsc::channel();
                let tell = move |bytes| told.send(bytes).unwrap();
                let done = remote
                    .upload(&url, resume_at, facts.size, rest, tell, &never())
                    .await;
                match done {
                    Ok(Sent::Done { size, md5 }) => {
                        assert_eq!(moved.try_iter().sum::<u64>(), facts.size - resume_at);
                        assert_eq!(size, Some(facts.size));
                        assert_eq!(md5, Some(facts.md5));
                        return Ok(sent);
                    }
                    Ok(Sent::Incomplete)
                    | Err(Error::Offline { .. } | Error::ServerBusy { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
    panic!("the service never had enough");
}

pub(super) async fn history(remote: &Remote, place: &str) -> FileHistory {
    match remote.look(&path(place), &never()).await.unwrap() {
        Presence::File(file) => *file,
        other => panic!("{place} is {other:?}"),
    }
}

pub(super) fn with(cloud: &Cloud, name: &str, answer: &str) {
    let mut switches = Switches::default();
    switches.set(name, answer).unwrap();
    cloud.set_switches(switches).unwrap();
}
