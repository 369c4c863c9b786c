#![allow(clippy::unwrap_used)]
use super::*;

/// What the steps say, in one line, with the input fed in pieces of `piece` bytes.
fn outline(input: &[u8], piece: usize) -> Result<String> {
    let mut xml = Xml::new();
    let mut pieces = input.chunks(piece);
    let (mut out, mut text) = (String::new(), String::new());
    loop {
        let step = xml.next()?;
        let is_text = matches!(step, Step::Text(_) | Step::Raw(_) | Step::Hungry);
        if !is_text && !text.is_empty() {
            out.push_str(&format!("{:?}", std::mem::take(&mut text)));
        }
        match step {
            Step::Open(tag) => {
                out.push_str(&format!("<{}", tag.name));
                for a in tag.attributes {
                    let name = &tag.text[a.name.0..a.name.1];
                    out.push_str(&format!(" {name}={:?}", tag.attribute(name)?.unwrap()));
                }
                out.push('>');
            }
            Step::Text(t) => unescape(t, &mut text)?,
            Step::Raw(t) => text.push_str(t),
            Step::Close => out.push_str("</>"),
            Step::Hungry => match pieces.next() {
                Some(bytes) => xml.feed(bytes),
                None => xml.end(),
            },
            Step::End => return Ok(out),
        }
    }
}

fn whole(input: &str) -> Result<String> {
    outline(input.as_bytes(), usize::MAX)
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
        "<a b='1'c='2'/>",
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
fn a_token_without_end_is_refused_in_bounded_memory_and_linear_time() {
    for start in ["<a>x", "<a x='", "<!--", "<?x ", "<a><![CDATA[", "</", "<a"] {
        let mut xml = Xml::new();
        xml.feed(start.as_bytes());
        let mut fed = 0;
        let refused = loop {
            match xml.next() {
                Ok(Step::Hungry) => {
                    xml.feed(b"xxx");
                    fed += 3;
                }
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, Error::BadAnswer { .. }), "{start}");
        assert!(fed < 2 * MAX_TOKEN, "{start}: {fed}");
        assert!(xml.buffer.capacity() < 4 * MAX_TOKEN, "{start}");
    }
}

/// quick-xml's view of a document, for comparison.
fn outline_of_quick_xml(input: &str) -> Option<String> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(input);
    let (mut out, mut text, mut depth, mut roots) = (String::new(), String::new(), 0, 0);
    loop {
        let event = reader.read_event().ok()?;
        let is_text = matches!(
            event,
            Event::Text(_)
                | Event::CData(_)
                | Event::GeneralRef(_)
                | Event::Comment(_)
                | Event::PI(_)
        );
        if !is_text && !text.is_empty() {
            if depth > 0 {
                out.push_str(&format!("{text:?}"));
            } else if !text.trim_ascii().is_empty() {
                return None;
            }
            text.clear();
        }
        let closed = matches!(event, Event::Empty(_));
        match event {
            Event::Start(tag) | Event::Empty(tag) => {
                roots += usize::from(depth == 0);
                out.push_str(&format!(
                    "<{}",
                    String::from_utf8(tag.name().0.to_vec()).ok()?
                ));
                for a in tag.attributes() {
                    let a = a.ok()?;
                    let name = String::from_utf8(a.key.0.to_vec()).ok()?;
                    out.push_str(&format!(" {name}={:?}", a.unescape_value().ok()?));
                }
                out.push('>');
                if closed {
                    out.push_str("</>");
                } else {
                    depth += 1;
                }
            }
            Event::End(_) => {
                depth -= 1;
                out.push_str("</>");
            }
            Event::Text(t) => text.push_str(&t.decode().ok()?),
            Event::CData(t) => text.push_str(&t.decode().ok()?),
            Event::GeneralRef(r) => {
                let name = r.decode().ok()?;
                text.push_str(&quick_xml::escape::unescape(&format!("&{name};")).ok()?);
            }
            Event::Eof => return (depth == 0 && roots == 1).then_some(out),
            _ => {}
        }
    }
}

#[test]
fn what_is_accepted_reads_as_another_reader_reads_it() {
    let parts = [
        "<a>",
        "</a>",
        "<b x=\"1\">",
        "</b>",
        "<c/>",
        "text",
        " ",
        "&amp;",
        "&#65;",
        "<![CDATA[<x>]]>",
        "<!-- c -->",
        "<d y='&lt;' z=\"'\"/>",
        "<?p i?>",
        "\u{e5}",
        ">",
        "'",
        "<e  \n k = 'v' >",
        "</e >",
        "]]",
        "--",
    ];
    let mut random = fastrand::Rng::with_seed(3);
    let mut accepted = 0;
    for round in 0..60_000 {
        let mut input = String::new();
        let mut open: Vec<&str> = Vec::new();
        if round % 2 == 0 {
            input.push_str("<root>");
        }
        for _ in 0..random.usize(0..12) {
            let part = match open.last() {
                Some(close) if random.u8(..3) == 0 => {
                    let close = *close;
                    open.pop();
                    close
                }
                _ => parts[random.usize(0..parts.len())],
            };
            match part {
                "<a>" => open.push("</a>"),
                "<b x=\"1\">" => open.push("</b>"),
                "<e  \n k = 'v' >" => open.push("</e >"),
                _ => {}
            }
            input.push_str(part);
        }
        input.extend(open.iter().rev().copied());
        if round % 2 == 0 {
            input.push_str("</root>");
        }
        if let Ok(ours) = outline(input.as_bytes(), 1 + round % 9) {
            accepted += 1;
            assert_eq!(Some(ours), outline_of_quick_xml(&input), "{input}");
        }
    }
    assert!(accepted > 5_000, "only {accepted} documents were accepted");
    assert_eq!(whole(SAMPLE).ok(), outline_of_quick_xml(SAMPLE));
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
