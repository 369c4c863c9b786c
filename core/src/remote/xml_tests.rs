#![allow(clippy::unwrap_used)]
use super::*;

use super::super::document::run;

/// What a document says, in one line.
#[derive(Default)]
struct Outline {
    line: String,
    text: String,
}

impl Outline {
    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.line
                .push_str(&format!("{:?}", std::mem::take(&mut self.text)));
        }
    }
}

impl Handler for Outline {
    fn open(&mut self, tag: &Tag<'_>) -> Result<()> {
        self.end_text();
        self.line.push_str(&format!("<{}", tag.name));
        for attribute in &tag.attributes {
            let name = from_utf8(attribute.key.as_ref()).unwrap();
            let value = tag.attribute(name)?.unwrap();
            self.line.push_str(&format!(" {name}={value:?}"));
        }
        self.line.push('>');
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<()> {
        self.text.push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        self.end_text();
        self.line.push_str("</>");
        Ok(())
    }
}

/// The outline of input that comes in pieces of `piece` bytes.
fn outline(input: &[u8], piece: usize) -> Result<String> {
    let mut outline = Outline::default();
    run(&mut outline, input, piece)?;
    Ok(outline.line)
}

fn refused(input: &[u8]) -> String {
    match outline(input, 7) {
        Err(Error::BadAnswer { detail }) => detail,
        other => panic!("{:?} gave {other:?}", String::from_utf8_lossy(input)),
    }
}

const SAMPLE: &str = "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a > b -->\
    <folder name=\"a &gt; b &amp; c\" time='x\"y>z'  ><path xml:space=\"preserve\"> /u/J </path>\
    <folders><folder name=\"bl\u{e5}\"/></folders><e/><m><![CDATA[<&]]> &lt;&#x4e16;&#33;</m>\
    </folder >\n";

#[test]
fn a_document_reads_the_same_however_it_is_cut() {
    let expected = "<folder name=\"a > b & c\" time=\"x\\\"y>z\"><path xml:space=\"preserve\">\" /u/J \"</>\
        <folders><folder name=\"bl\u{e5}\"></></><e></><m>\"<& <\u{4e16}!\"</></>";
    for piece in 1..SAMPLE.len() {
        assert_eq!(
            outline(SAMPLE.as_bytes(), piece).unwrap(),
            expected,
            "{piece}"
        );
    }
}

#[test]
fn every_truncation_is_a_bad_answer() {
    for length in 0..SAMPLE.trim_end().len() {
        refused(&SAMPLE.as_bytes()[..length]);
    }
}

#[test]
fn what_is_not_the_subset_is_a_bad_answer() {
    for input in [
        "",
        " ",
        "hello",
        "{\"a\":1}",
        "<!DOCTYPE html><html></html>",
        "<!doctype a><a/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a></b>",
        "</a>",
        "<a><b></a></b>",
        "<a>&b;</a>",
        "<a>&</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>&#99999999;</a>",
        "<a>&#+33;</a>",
        "<a b/>",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "< a/>",
        "<1/>",
        "<a b=\"1/>",
        "<![CDATA[x]]>",
        "<a/><![CDATA[x]]>",
        "<?xml version='1.0' encoding='utf-16'?><a/>",
        "<a b='&c;'/>",
        "<>",
        "</>",
        "<a/",
        "<a",
    ] {
        refused(input.as_bytes());
    }
    refused(b"<a>\xFF</a>");
    refused(b"<a b='\xFF'/>");
}

#[test]
fn a_bomb_of_entities_or_depth_is_refused_at_once() {
    let mut bomb = String::from("<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY l0 \"lol\">");
    for level in 1..10 {
        let inner = format!("&l{};", level - 1).repeat(10);
        bomb.push_str(&format!("<!ENTITY l{level} \"{inner}\">"));
    }
    bomb.push_str("]><lolz>&l9;</lolz>");
    assert!(refused(bomb.as_bytes()).contains("document type"));
    assert!(refused("<a>".repeat(100_000).as_bytes()).contains("deeply"));
    let attributes: String = (0..100).map(|n| format!(" a{n}=''")).collect();
    assert!(refused(format!("<a{attributes}/>").as_bytes()).contains("attribute"));
}

#[test]
fn a_token_without_end_is_refused_in_bounded_memory() {
    for start in [
        "x",
        " ",
        "<a>x",
        "<a>&",
        "<a x='",
        "<!--",
        "<?x ",
        "<a><![CDATA[",
        "</",
        "<a",
        "<a/> ",
    ] {
        let filler = if start.ends_with(' ') { b"   " } else { b"xxx" };
        let fed = std::cell::Cell::new(0);
        let endless = std::iter::once(start.as_bytes())
            .chain(std::iter::repeat(&filler[..]))
            .inspect(|piece| fed.set(fed.get() + piece.len()));
        let pieces = futures_util::stream::iter(endless.map(Ok::<_, std::io::Error>));
        let mut xml = Xml::new(tokio_util::io::StreamReader::new(pieces));
        let mut outline = Outline::default();
        let refused = loop {
            match xml.step(&mut outline).now_or_never().unwrap() {
                Ok(more) => assert!(more, "{start}: an end"),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, Error::BadAnswer { .. }), "{start}");
        assert!(fed.get() < 300 * 1024, "{start}: {}", fed.get());
        assert!(xml.buffer.capacity() <= 512 * 1024, "{start}");
    }
}

#[test]
fn a_token_of_a_quarter_mebibyte_is_the_longest() {
    let long = |length: usize| format!("<a>{}</a>", "x".repeat(length));
    assert!(outline(long(256 * 1024 - 2).as_bytes(), 4096).is_ok());
    assert!(refused(long(256 * 1024).as_bytes()).contains("long"));
    let blanks = " ".repeat(256 * 1024);
    assert!(refused(format!("<a/>{blanks}<b/>").as_bytes()).contains("long"));
}

#[test]
fn whatever_parts_are_put_together_read_as_expected() {
    for (input, expected) in [
        ("<a>1<!-- x --><?p i?>2<b/>3</a>", "<a>\"12\"<b></>\"3\"</>"),
        ("<a>]]--></a>", "<a>\"]]-->\"</>"),
        ("<a><![CDATA[]]></a>", "<a></>"),
        ("<a><![CDATA[]]]]><![CDATA[>]]></a>", "<a>\"]]>\"</>"),
        ("<e  \n k = 'v\" &#x27;'\t/>", "<e k=\"v\\\" '\"></>"),
        ("<a>&quot;&apos;&gt;&#65;</a>", "<a>\"\\\"'>A\"</>"),
        ("<!----><a.1-b:c_/>\n<!-- -- -->", "<a.1-b:c_></>"),
        ("<\u{e5}>\u{4e16}</\u{e5} >", "<\u{e5}>\"\u{4e16}\"</>"),
        // Not well-formed, and let through: there is one way to read it.
        ("<a b='1'c='2'/>", "<a b=\"1\" c=\"2\"></>"),
        ("<?xml version='1.0' encoding='US-ASCII'?><a/>", "<a></>"),
    ] {
        for piece in 1..input.len() {
            let got = outline(input.as_bytes(), piece);
            assert_eq!(got.unwrap(), expected, "{input} by {piece}");
        }
    }
}

#[test]
fn an_error_of_the_source_is_passed_on_as_it_is() {
    let offline = Error::offline("the connection broke");
    for start in ["", "<a>", "<a", "<a>x", "<a>&", "<!--", "<!", "<"] {
        let pieces = [
            Ok(start.as_bytes()),
            Err(std::io::Error::other(offline.clone())),
        ];
        let pieces = tokio_util::io::StreamReader::new(futures_util::stream::iter(pieces));
        let got = read_whole(pieces, &mut Outline::default());
        assert_eq!(got, Err(offline.clone()), "{start}");
    }
}

#[test]
fn random_bytes_never_panic() {
    let alphabet = b"<>/!-[]CDATA?='\"&;#x0 ab\xC3\xA5\xFF\n";
    let mut random = fastrand::Rng::with_seed(5);
    let mut refused = 0;
    for _ in 0..100_000 {
        let length = random.usize(0..40);
        let input: Vec<u8> = std::iter::repeat_with(|| alphabet[random.usize(0..alphabet.len())])
            .take(length)
            .collect();
        refused += usize::from(outline(&input, 1 + random.usize(0..9)).is_err());
    }
    assert!(refused > 90_000);
}
