//! Names that have broken clients: everything the service is known to keep.

/// One of each kind; no two fold to the same under any of the switches.
pub fn odd() -> Vec<String> {
    let mut names: Vec<String> = [
        // Spaces and dots at the ends.
        " leading space.txt",
        "trailing space ",
        "trailing dot.",
        ".leading dot",
        "two  spaces.txt",
        // What a query string or a path would read as its own.
        "a+b.txt",
        "salt & pepper.txt",
        "#1.txt",
        "fifty;fifty.txt",
        "it's.txt",
        "comma, equals=, at@, dollar$.txt",
        "(round) [square] {curly}.txt",
        "caret^ tilde~ grave` bang!.txt",
        "back\\slash.txt",
        // Beyond ASCII: precomposed, decomposed, wide, emoji with a joiner, right to left.
        "blåbærsyltetøy.txt",
        "cafe\u{301} (decomposed).txt",
        "世界.txt",
        "family \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}.txt",
        "שלום.txt",
        // The look-alikes that stand for what Windows forbids.
        "who\u{ff1f} \u{ff02}quoted\u{ff02} \u{ff1c}1\u{ff1e} a\u{ff1a}b \u{ff5c}\u{ff0a}.txt",
        "100\u{ff05} done.txt",
        "slash\u{ff0f}in name.txt",
        "quoted \u{201b}\u{ff1f} look-alike.txt",
        // Only the case differs from what another system would write.
        "README",
        "ReadMe.MD",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(format!("{}.txt", "long-".repeat(50) + "x"));
    names.push("ø".repeat(255));
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_longest_names_have_255_characters() {
        let longest: Vec<_> = odd()
            .iter()
            .map(|name| name.chars().count())
            .filter(|n| *n > 100)
            .collect();
        assert_eq!(longest, [255, 255]);
    }

    #[test]
    fn no_name_stands_in_another_ones_way() {
        let names = odd();
        let folded: BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), names.len());
    }
}
