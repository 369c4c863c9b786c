//! What anybody may have chosen, made harmless for a terminal and for a local path.
//!
//! A name comes from any client of the account, or from whoever shared a folder. Raw, it could move
//! the cursor, recolour or retitle the terminal, show itself backwards (`gpj.exe` as `exe.jpg`), or
//! look like another name. As a local name it could leave the directory, hide, or look like an option.

/// Longest local name, in bytes, that the usual file systems take.
const LONGEST: usize = 255;

/// `text` with what a terminal would obey, reorder or not show written as `\u{…}`.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = '\0';
    for c in text.chars() {
        if is_treacherous(c) && !shapes_an_emoji(before, c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        before = c;
    }
    shown
}

/// Serialized JSON with the same characters as JSON escapes. They can only stand inside strings.
pub fn shown_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_treacherous(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A name for a file of ours in a directory of the user's: one path segment, visible, no option.
pub fn local(name: &str) -> String {
    let mut local: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
            c if is_treacherous(c) => '_',
            c => c,
        })
        .collect();
    local.truncate(local.trim_end_matches(['.', ' ']).len());
    if local.starts_with(['.', '-', ' ', '~']) {
        local.replace_range(..1, "_");
    }
    if local.is_empty() {
        return "download".into();
    }
    shortened(local)
}

/// Cuts the stem, so that the ending still tells what the file is.
fn shortened(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let ending = match name.rfind('.') {
        Some(dot) if name.len() - dot <= 20 => &name[dot..],
        _ => "",
    };
    let mut stem = LONGEST - ending.len();
    while !name.is_char_boundary(stem) {
        stem -= 1;
    }
    format!("{}{ending}", &name[..stem])
}

/// Controls, and what Unicode calls format and default-ignorable characters: bidi, joiners, tags,
/// fillers, variation selectors, line and paragraph separators.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{0600}'..='\u{0605}' | '\u{061c}' | '\u{06dd}' | '\u{070f}'
            | '\u{0890}'..='\u{0891}' | '\u{08e2}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A joiner or an emoji selector right after a symbol changes what is seen, so it hides nothing.
fn shapes_an_emoji(before: char, c: char) -> bool {
    let symbol = matches!(before, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
        || before == '\u{fe0f}' && c == '\u{200d}';
    symbol && matches!(c, '\u{200d}' | '\u{fe0f}')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(
            shown("a\u{1b}[2Jb\nc\u{9b}d"),
            "a\\u{1b}[2Jb\\u{a}c\\u{9b}d"
        );
    }

    #[test]
    fn a_name_cannot_show_itself_backwards_or_hide_a_character() {
        assert_eq!(shown("photo\u{202e}gpj.exe"), "photo\\u{202e}gpj.exe");
        assert_eq!(shown("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        assert_eq!(shown("a\u{200d}b"), "a\\u{200d}b");
    }

    #[test]
    fn ordinary_names_of_any_script_are_shown_as_they_are() {
        for name in [
            "Blåbær og smør.txt",
            "写真.jpg",
            "👩\u{200d}💻.png",
            "❤\u{fe0f}.txt",
            "صور",
        ] {
            assert_eq!(shown(name), name);
        }
    }

    #[test]
    fn escaped_json_says_the_same_and_is_harmless() {
        let name = "x\u{202e}\u{9b}\u{e0041}y";
        let json = shown_json(&serde_json::to_string(name).unwrap());
        assert!(json.is_ascii(), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), name);
    }

    #[test]
    fn a_local_name_is_one_visible_segment() {
        for (hostile, expected) in [
            ("../../etc/passwd", "_._.._etc_passwd"),
            ("..", "download"),
            (".", "download"),
            ("", "download"),
            (".bashrc", "_bashrc"),
            ("-rf", "_rf"),
            ("~root", "_root"),
            ("C:\\a", "C__a"),
            ("a\0b\u{202e}", "a_b_"),
            ("report.pdf", "report.pdf"),
            ("trailing. ", "trailing"),
        ] {
            assert_eq!(local(hostile), expected, "{hostile:?}");
        }
    }

    #[test]
    fn a_long_local_name_keeps_its_ending() {
        let long = local(&format!("{}.jpg", "ø".repeat(255)));
        assert!(long.len() <= 255 && long.ends_with("ø.jpg"), "{long}");
    }
}
