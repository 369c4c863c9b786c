//! `mode=thumb`: small pictures of JPEG, PNG and WebP files (protocol facts §4), made at the first request and kept in memory.
//!
//! How large the service's are, in which format, and what it says to a file that is no picture, is not known (§13.15).

use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::{Method, Request};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::bin::Readable;
use crate::blobs::Blobs;
use crate::body::{Body, Reply, reply};
use crate::names::{JfsPath, query_value};
use crate::refusal::Refusal;
use crate::state::State;
use crate::switches::{ThumbFormat, ThumbMissing};
use crate::tree::{Known, TreeError};

/// Larger files have no thumbnail.
const LARGEST: u64 = 64 << 20;
/// Bytes of thumbnails that are kept; all go when there are more.
const KEPT: usize = 32 << 20;

/// Content, box and format.
type Key = (i64, u32, ThumbFormat);

/// The thumbnails made so far.
#[derive(Debug, Default)]
pub struct Thumbs(Mutex<HashMap<Key, Bytes>>);

impl Thumbs {
    /// `None` for what is no picture.
    fn of(
        &self,
        blobs: &Blobs,
        content: &Known,
        side: u32,
        format: ThumbFormat,
    ) -> std::io::Result<Option<Bytes>> {
        let key = (content.id, side, format);
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = kept().get(&key) {
            return Ok(Some(made.clone()));
        }
        if content.size > LARGEST {
            return Ok(None);
        }
        let mut file = Vec::new();
        blobs
            .read(content, 0)?
            .take(LARGEST)
            .read_to_end(&mut file)?;
        let Some(made) = picture(&file, side, format) else {
            return Ok(None);
        };
        let made = Bytes::from(made);
        let mut kept = kept();
        if kept.values().map(Bytes::len).sum::<usize>() + made.len() > KEPT {
            kept.clear();
        }
        kept.insert(key, made.clone());
        Ok(Some(made))
    }
}

/// The picture in a box of `side` pixels, never larger than it is; `None` if it cannot be read.
fn picture(file: &[u8], side: u32, format: ThumbFormat) -> Option<Vec<u8>> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(20_000);
    limits.max_image_height = Some(20_000);
    limits.max_alloc = Some(256 << 20);
    let mut reader = ImageReader::new(Cursor::new(file))
        .with_guessed_format()
        .ok()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().ok()?;
    limits.reserve(decoder.total_bytes()).ok()?;
    let turn = decoder.orientation().ok()?;
    let mut image = DynamicImage::from_decoder(decoder).ok()?;
    if image.width() > side || image.height() > side {
        image = image.thumbnail(side, side);
    }
    image.apply_orientation(turn);
    let image = image.to_rgb8();
    let mut out = Vec::new();
    match format {
        ThumbFormat::Jpeg => JpegEncoder::new_with_quality(&mut out, 80).encode_image(&image),
        ThumbFormat::Png => image.write_to(&mut Cursor::new(&mut out), ImageFormat::Png),
    }
    .ok()?;
    Some(out)
}

/// GET with `mode=thumb`.
pub async fn thumb<B>(
    state: &Arc<State>,
    path: JfsPath,
    request: &Request<B>,
) -> Result<Reply, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let side = match query_value(query, "ts").as_deref() {
        Some("WS") => 100,
        Some("WM") => 400,
        Some("WL") => 1000,
        Some("WXL") => 2000,
        _ => return Err(Refusal::invalid("ts must be WS, WM, WL or WXL")),
    };
    let switches = state.switches();
    let (format, shared) = (switches.thumb_format, state.clone());
    let (space, made) = state
        .blocking(move || {
            let readable = shared.tree.read(|view| Readable::at(view, &path))?;
            let thumbs = &shared.thumbs;
            let made = thumbs.of(&shared.blobs, readable.content(), side, format)?;
            Ok::<_, TreeError>((readable.space().to_owned(), made))
        })
        .await?;
    let Some(made) = made else {
        return Err(match switches.thumb_missing {
            ThumbMissing::NotFound => Refusal::new(
                404,
                "no.jotta.backup.errors.NoSuchFileException",
                "There is no thumbnail",
            ),
            ThumbMissing::BadRequest => Refusal::invalid("There is no thumbnail"),
        });
    };
    let body = match *request.method() {
        Method::HEAD => Body::promised(made.len() as u64),
        _ => Body::whole(made),
    };
    let body = body.counted(state.counts.clone(), format!("{space}/thumb"));
    let kind = match format {
        ThumbFormat::Jpeg => "image/jpeg",
        ThumbFormat::Png => "image/png",
    };
    Ok(reply(200, kind, body))
}
