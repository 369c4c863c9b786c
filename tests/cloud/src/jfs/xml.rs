//! Writing XML.

/// The host name that answers carry.
pub const HOST: &str = "dn-local-1";

/// A document that grows.
pub struct Xml {
    out: String,
}

impl Xml {
    /// Starts with the declaration.
    pub fn document() -> Self {
        Self {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n"),
        }
    }

    /// Starts with nothing, as a part of a stream.
    pub fn fragment() -> Self {
        Self { out: String::new() }
    }

    fn attributes(&mut self, attributes: &[(&str, &str)]) {
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }

    /// `<name attributes>`
    pub fn open(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        self.attributes(attributes);
        self.out.push('>');
        self
    }

    /// `</name>`
    pub fn close(&mut self, name: &str) -> &mut Self {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        self
    }

    /// `<name attributes/>`
    pub fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> &mut Self {
        self.out.push('<');
        self.out.push_str(name);
        self.attributes(attributes);
        self.out.push_str("/>");
        self
    }

    /// `<name>text</name>`
    pub fn leaf(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name, &[]).text(text).close(name)
    }

    /// `<name xml:space="preserve">text</name>`
    pub fn kept(&mut self, name: &str, text: &str) -> &mut Self {
        self.open(name, &[("xml:space", "preserve")])
            .text(text)
            .close(name)
    }

    /// Text, escaped.
    pub fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.out);
        self
    }

    /// XML that was written elsewhere.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        self.out.push_str(xml);
        self
    }

    /// Hands on what was written so far, when it is much.
    pub fn drain_to(&mut self, to: &mut dyn std::io::Write) -> std::io::Result<()> {
        if self.out.len() >= 32 * 1024 {
            to.write_all(self.out.as_bytes())?;
            self.out.clear();
        }
        Ok(())
    }

    /// What was written so far; the document goes on empty.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// The whole.
    pub fn into_string(self) -> String {
        self.out
    }
}

/// Characters that XML 1.0 cannot carry are replaced; line ends in a name survive as references.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}
