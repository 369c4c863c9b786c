//! Names and paths (protocol facts §11): decoding, folding, what is refused.

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;

use crate::refusal::Refusal;
use crate::switches::{CaseFolding, NameLength, Normalisation, Percent, Switches};

/// Longest name, in the unit that the switch says.
pub const MAX_NAME: usize = 255;

/// The internal user name of a cloud's one account, the first segment of every JFS path.
pub const USER: &str = "5f0c2a9be4b0d3a1c7e86420";

/// A path as it came: segments after the user, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JfsPath {
    /// Device, mount point, folders, name.
    pub segments: Vec<String>,
    /// There was a slash at the end.
    pub slash: bool,
}

impl JfsPath {
    /// `/Jotta/Sync/a` from text that is not encoded.
    pub fn plain(path: &str) -> Self {
        Self {
            segments: path
                .split('/')
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
            slash: path.ends_with('/'),
        }
    }

    /// The path of a request's target, after `/jfs/<user>`. A raw `+` is a space.
    pub fn decode(raw: &str, switches: &Switches) -> Result<Self, Refusal> {
        let segments = raw
            .split('/')
            .filter(|s| !s.is_empty())
            .map(|segment| decode_segment(segment, switches))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            segments,
            slash: raw.ends_with('/'),
        })
    }

    /// `/<user>/Jotta/Sync/a`, as errors name it.
    pub fn absolute(&self) -> String {
        format!("/{USER}{}", self.text())
    }

    /// `/Jotta/Sync/a`.
    pub fn text(&self) -> String {
        self.segments.iter().fold(String::new(), |mut text, s| {
            text.push('/');
            text.push_str(s);
            text
        })
    }
}

fn decode_segment(raw: &str, switches: &Switches) -> Result<String, Refusal> {
    let spaced = raw.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| Refusal::plain_bad_request())?;
    if decoded.contains('%') && switches.percent != Percent::Accepted {
        return Err(Refusal::plain_bad_request());
    }
    if decoded.contains('/') || decoded.contains('\0') {
        return Err(Refusal::new(
            400,
            "java.lang.IllegalArgumentException",
            format!("Unable to validate decoded path: {decoded}"),
        ));
    }
    Ok(decoded.into_owned())
}

/// The name as it is stored, or why it cannot be.
pub fn stored(name: &str, switches: &Switches) -> Result<String, Refusal> {
    let length = match switches.name_length {
        NameLength::Characters => name.chars().count(),
        NameLength::Utf16 => name.encode_utf16().count(),
        NameLength::Bytes => name.len(),
    };
    if length > MAX_NAME {
        return Err(Refusal::invalid(
            "JFS file names may not be longer than 255 characters",
        ));
    }
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(Refusal::invalid(format!("Illegal name: {name}")));
    }
    Ok(match switches.normalisation {
        Normalisation::StoredNfc => name.nfc().collect(),
        Normalisation::Exact | Normalisation::Insensitive => name.to_owned(),
    })
}

/// What makes two names the same.
pub fn folded(name: &str, switches: &Switches) -> String {
    let normal: String = match switches.normalisation {
        Normalisation::Exact => name.to_owned(),
        Normalisation::Insensitive | Normalisation::StoredNfc => name.nfc().collect(),
    };
    match switches.case_folding {
        CaseFolding::Unicode => normal.to_lowercase(),
        CaseFolding::Ascii => normal.to_ascii_lowercase(),
    }
}

/// The value of a query's key, form-decoded.
pub fn query_value(query: &str, key: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == key).then(|| {
            percent_decode_str(&value.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        })
    })
}
