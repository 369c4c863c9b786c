//! Results to stdout, the rest to stderr, as text or JSON.

use crate::failure::Failure;
use crate::{names, shapes};
use serde::Serialize;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

/// Where a command speaks.
pub struct Output {
    json: bool,
    quiet: bool,
    stdout: BufWriter<Stdout>,
    items_in_list: Option<u64>,
}

impl Output {
    pub fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            stdout: BufWriter::new(io::stdout()),
            items_in_list: None,
        }
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person watches: progress bars and asides make sense.
    pub fn is_watched(&self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }

    /// A line of the result. The caller has made names harmless.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        Ok(writeln!(self.stdout, "{}", text.as_ref())?)
    }

    /// The result as one line of JSON.
    pub fn document(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        let json = to_json(document)?;
        Ok(writeln!(self.stdout, "{json}")?)
    }

    /// Starts a result of any length, `{"items":[…],…}`, written as it is read.
    pub fn start_list(&mut self) -> Result<(), Failure> {
        self.items_in_list = Some(0);
        Ok(write!(self.stdout, "{{\"items\":[")?)
    }

    /// An entry of the list.
    pub fn list_item(&mut self, item: &impl Serialize) -> Result<(), Failure> {
        let json = to_json(item)?;
        let before = match &mut self.items_in_list {
            Some(0) => "",
            _ => ",",
        };
        self.items_in_list = self.items_in_list.map(|count| count + 1);
        Ok(write!(self.stdout, "{before}{json}")?)
    }

    /// An entry of the list if one was started, else the one document.
    pub fn entry(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        match self.items_in_list {
            Some(_) => self.list_item(document),
            None => self.document(document),
        }
    }

    /// Ends the list; `rest` is an object whose fields follow `items`.
    pub fn end_list(&mut self, rest: &impl Serialize) -> Result<(), Failure> {
        let json = to_json(rest)?;
        let fields = json
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or_default();
        let comma = if fields.is_empty() { "" } else { "," };
        Ok(writeln!(self.stdout, "]{comma}{fields}}}")?)
    }

    /// Raw bytes that we made ourselves, such as a completion script.
    pub fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        Ok(self.stdout.write_all(bytes)?)
    }

    /// What a person should know beside the result.
    pub fn remark(&self, text: impl AsRef<str>) {
        if !self.json && !self.quiet {
            self.notice(text);
        }
    }

    /// What a person must see even when quiet, before anything else happens.
    pub fn notice(&self, text: impl AsRef<str>) {
        let _ = writeln!(io::stderr(), "{}", text.as_ref());
    }

    /// Shows what is still in the buffer.
    pub fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.stdout.flush()?)
    }

    /// Flushes, once.
    pub fn finish(&mut self) -> Result<(), Failure> {
        self.flush()
    }

    /// Tells of a failure on stderr.
    pub fn failure(&self, failure: &Failure) {
        if failure.is_silent() {
            return;
        }
        let mut stderr = io::stderr();
        if self.json {
            if let Ok(json) = to_json(&shapes::FailureShape::from(failure)) {
                let _ = writeln!(stderr, "{json}");
            }
            return;
        }
        let _ = writeln!(stderr, "lomme: {}", failure.detail());
        if let Some(hint) = failure.hint() {
            let _ = writeln!(stderr, "{hint}");
        }
    }
}

fn to_json(document: &impl Serialize) -> Result<String, Failure> {
    match serde_json::to_string(document) {
        Ok(json) => Ok(names::shown_json(&json)),
        Err(error) => Err(lomme::Error::Bug {
            detail: error.to_string(),
        }
        .into()),
    }
}
