//! `application/x-www-form-urlencoded`, as query strings and request bodies carry it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

const KEEP: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Percent-encodes all but unreserved characters.
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, KEEP).to_string()
}

/// Decodes one value; `+` is a space.
pub fn decode(value: &str) -> String {
    let spaced = value.replace('+', " ");
    percent_decode(spaced.as_bytes())
        .decode_utf8_lossy()
        .into_owned()
}

/// The fields of a form or a query string; the first of two equal names counts.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Parses `a=b&c=d`.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_and_an_encoded_plus_is_a_plus() {
        let fields = Fields::parse("scope=openid+offline_access&name=a%2Bb&empty=&bare");
        assert_eq!(fields.get("scope"), Some("openid offline_access"));
        assert_eq!(fields.get("name"), Some("a+b"));
        assert_eq!(fields.get("empty"), Some(""));
        assert_eq!(fields.get("bare"), Some(""));
        assert_eq!(fields.get("absent"), None);
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let odd = "a b+c&d=e%2F\u{e6}\u{1F600}~";
        assert_eq!(decode(&encode(odd)), odd);
    }
}
