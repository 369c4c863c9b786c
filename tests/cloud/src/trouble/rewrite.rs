//! Changes a text answer while it streams by, whatever its size: only the last few bytes are held back.

/// What to do where a marker is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Send this in its place.
    Replace(Vec<u8>),
    /// Send it, then another hexadecimal digit than the one that follows.
    FlipNextDigit,
    /// Leave out everything from here through the end of this text.
    SkipThrough(Vec<u8>),
    /// End the answer here.
    Stop,
}

/// A stream editor with a list of markers.
#[derive(Clone, Debug)]
pub struct Rewriter {
    changes: Vec<(Vec<u8>, Change)>,
    held: Vec<u8>,
    skipping: Option<Vec<u8>>,
    stopped: bool,
}

impl Rewriter {
    /// Markers are searched in all of the answer; of two at one place the earlier in the list counts.
    pub fn new(changes: Vec<(Vec<u8>, Change)>) -> Self {
        Self {
            changes,
            held: Vec::new(),
            skipping: None,
            stopped: false,
        }
    }

    /// Whether the answer has been ended early.
    pub fn stopped(&self) -> bool {
        self.stopped
    }

    /// Takes the next piece and gives what can be sent by now.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(piece);
        let mut out = Vec::with_capacity(piece.len());
        while self.step(&mut out) {}
        // A marker, and the digit after it, may be split between pieces.
        let longest = self
            .changes
            .iter()
            .map(|(marker, _)| marker.len())
            .max()
            .unwrap_or(0);
        let keep = self.skipping.as_ref().map_or(longest + 1, Vec::len) - 1;
        if self.held.len() > keep && !self.stopped {
            let ready = self.held.len() - keep;
            // A marker that waits for its digit stays whole.
            let ready = self.next_marker().map_or(ready, |(at, _)| at.min(ready));
            let passed = self.held.drain(..ready);
            if self.skipping.is_none() {
                out.extend(passed);
            }
        }
        out
    }

    /// The rest, at the end of the answer.
    pub fn finish(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.held);
        if self.stopped || self.skipping.is_some() {
            return Vec::new();
        }
        rest
    }

    fn next_marker(&self) -> Option<(usize, usize)> {
        if self.skipping.is_some() {
            return None;
        }
        let places = self.changes.iter().enumerate();
        let found =
            places.filter_map(|(index, (marker, _))| Some((find(&self.held, marker)?, index)));
        found.min()
    }

    /// Handles one marker; false when there is nothing to do before more comes.
    fn step(&mut self, out: &mut Vec<u8>) -> bool {
        if self.stopped {
            self.held.clear();
            return false;
        }
        if let Some(end) = &self.skipping {
            let Some(at) = find(&self.held, end) else {
                return false;
            };
            self.held.drain(..at + end.len());
            self.skipping = None;
            return true;
        }
        let Some((at, index)) = self.next_marker() else {
            return false;
        };
        let (marker, change) = &self.changes[index];
        let after = at + marker.len();
        match change {
            Change::Replace(text) => {
                out.extend_from_slice(&self.held[..at]);
                out.extend_from_slice(text);
                self.held.drain(..after);
            }
            Change::FlipNextDigit => {
                let Some(digit) = self.held.get(after) else {
                    return false;
                };
                let other = if *digit == b'0' { b'1' } else { b'0' };
                out.extend_from_slice(&self.held[..after]);
                out.push(other);
                self.held.drain(..=after);
            }
            Change::SkipThrough(end) => {
                out.extend_from_slice(&self.held[..at]);
                self.skipping = Some(end.clone());
                self.held.drain(..after);
            }
            Change::Stop => {
                out.extend_from_slice(&self.held[..at]);
                self.stopped = true;
            }
        }
        true
    }
}

fn find(text: &[u8], marker: &[u8]) -> Option<usize> {
    if marker.is_empty() {
        return None;
    }
    text.windows(marker.len())
        .position(|window| window == marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(changes: &[(&str, Change)], text: &str, piece: usize) -> String {
        let changes = changes
            .iter()
            .map(|(marker, change)| (marker.as_bytes().to_vec(), change.clone()));
        let mut rewriter = Rewriter::new(changes.collect());
        let mut out = Vec::new();
        for part in text.as_bytes().chunks(piece) {
            out.extend(rewriter.push(part));
        }
        out.extend(rewriter.finish());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn the_result_does_not_depend_on_where_the_pieces_are_cut() {
        let text = "<a><md5>abc</md5><x>old</x><stats><n>1</n></stats></a><md5>0ff</md5>";
        let changes = [
            ("<md5>", Change::FlipNextDigit),
            ("old", Change::Replace(b"brand new".to_vec())),
            ("<stats>", Change::SkipThrough(b"</stats>".to_vec())),
        ];
        let expected = "<a><md5>0bc</md5><x>brand new</x></a><md5>1ff</md5>";
        for piece in 1..=text.len() {
            assert_eq!(
                through(&changes, text, piece),
                expected,
                "pieces of {piece}"
            );
        }
    }

    #[test]
    fn a_stop_ends_the_answer_before_the_marker() {
        let changes = [("<stats>", Change::Stop)];
        for piece in 1..30 {
            assert_eq!(
                through(&changes, "<a><f/><stats>1</stats></a>", piece),
                "<a><f/>"
            );
        }
    }

    #[test]
    fn text_without_a_marker_passes_unchanged() {
        let text = "nothing of that kind <md";
        for piece in 1..30 {
            assert_eq!(
                through(&[("<md5>", Change::FlipNextDigit)], text, piece),
                text
            );
        }
    }
}
