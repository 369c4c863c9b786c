#![allow(clippy::unwrap_used)]
use super::super::document::run;
use super::*;

const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn path(segments: &[&str]) -> RemotePath {
    RemotePath::new(segments.iter().map(|&s| s.to_owned()).collect())
}

fn read_at(segments: &[&str], body: &str) -> Result<(Vec<String>, TreeTotals)> {
    let mut stream = ListStream::new(&path(segments))?;
    run(&mut stream, body.as_bytes(), 17)?;
    let told = stream
        .take(usize::MAX)
        .iter()
        .map(|entry| match entry {
            TreeEntry::Folder { folder } => format!("{}/", folder.join("/")),
            TreeEntry::File { folder, file } => format!("{}/{}", folder.join("/"), file.name),
        })
        .collect();
    Ok((told, stream.proven()?))
}

fn read(body: &str) -> Result<(Vec<String>, TreeTotals)> {
    read_at(&["Jotta", "Archive"], body)
}

fn file(path: &str, name: &str) -> String {
    format!(
        "<file><path>{path}</path><filename>{name}</filename><md5>{MD5}</md5><size>1</size>\
         <modified>2026-01-02T03:04:05.123Z</modified><created></created></file>"
    )
}

fn folder(path: &str) -> String {
    format!("<folder><path>{path}</path></folder>")
}

fn stats(folders: u32, files: u32) -> String {
    format!("<stats><folders>{folders}</folders><files>{files}</files></stats>")
}

#[test]
fn folders_are_counted_as_the_vendor_counts_them() {
    let body = [
        "<anything>".to_owned(),
        folder("/Archive"),
        folder("/Archive/empty"),
        file("/Archive/F", "a"),
        file("/Archive/F", "b"),
        folder("/Archive/G"),
        file("/Archive/G", "c"),
        file("/Archive/F", "d"),
        file("/Archive", "top"),
        stats(4, 5),
        "</anything>".into(),
    ]
    .concat();
    let (told, totals) = read(&body).unwrap();
    assert_eq!(
        told,
        [
            "/", "empty/", "F/", "F/a", "F/b", "G/", "G/c", "F/d", "/top"
        ]
    );
    assert_eq!(
        totals,
        TreeTotals {
            folders: 4,
            files: 5
        }
    );
}

#[test]
fn a_stream_of_a_subfolder_gives_paths_below_the_mount_point() {
    let body = format!(
        "<x>{}{}{}</x>",
        file("/archive/f/SUB", "a"),
        file("/Archive/F", "b"),
        stats(2, 2)
    );
    let (told, _) = read_at(&["Jotta", "Archive", "F"], &body).unwrap();
    assert_eq!(told, ["f/SUB/", "f/SUB/a", "F/", "F/b"]);
}

#[test]
fn a_stream_that_cannot_be_believed_is_a_bad_answer() {
    let one = |entry: String| format!("<x>{entry}{}</x>", stats(1, 1));
    for body in [
        format!("<x>{}</x>", file("/Archive", "a")),
        format!("<x>{}{}</x>", file("/Archive", "a"), stats(1, 2)),
        format!("<x>{}{}</x>", file("/Archive", "a"), stats(2, 1)),
        format!(
            "<x>{}<stats><folders>1</folders></stats></x>",
            file("/Archive", "a")
        ),
        format!("<x>{}{}", file("/Archive", "a"), stats(1, 1)),
        one(file("/Sync", "a")),
        one(file("/Archive/../Sync", "a")),
        one(file("/Archive//b", "a")),
        one(file("/Archive", "../a")),
        one(file("/Archive", "..")),
        one(file("/Archive", "")),
        one(file("/Archive", "a").replace("<size>1</size>", "")),
        one(file("/Archive", "a").replace(MD5, "")),
        one(file("/Archive", "a").replace("<filename>a</filename>", "")),
        one(file("/Archive", "a").replace("<path>/Archive</path>", "")),
        "<x><folder/><stats><folders>1</folders><files>0</files></stats></x>".into(),
        "<error><code>404</code></error>".into(),
        "<html></html>".into(),
    ] {
        assert!(
            matches!(read(&body), Err(Error::BadAnswer { .. })),
            "{body}"
        );
    }
}

#[test]
fn every_truncation_of_a_stream_is_a_bad_answer() {
    let body = format!(
        "<x>{}{}{}</x>",
        file("/Archive/F", "a"),
        folder("/Archive/G"),
        stats(2, 1)
    );
    read(&body).unwrap();
    for length in 0..body.len() {
        assert!(
            matches!(read(&body[..length]), Err(Error::BadAnswer { .. })),
            "{length}"
        );
    }
}

/// Run with `--release -- --ignored --nocapture` to see the figure.
#[test]
#[ignore = "a measurement"]
fn a_hundred_thousand_files_are_read_quickly() {
    let mut body = String::from("<x>");
    for n in 0..100_000 {
        body.push_str(&file(
            &format!("/Archive/Photos/20{:02}/Summer trip {}", n % 25, n / 100),
            &format!("IMG_{n:06}.jpg"),
        ));
    }
    body.push_str("</x>");
    let mut stream = ListStream::new(&path(&["Jotta", "Archive"])).unwrap();
    let begun = std::time::Instant::now();
    run(&mut stream, body.as_bytes(), 16 * 1024).unwrap();
    println!("{} MB in {:?}", body.len() / 1_000_000, begun.elapsed());
    assert_eq!(stream.totals.files, 100_000);
}

#[test]
fn paths_of_absurd_length_or_depth_are_bad_answers() {
    let name = "n".repeat(255);
    let fine = format!("/Archive/{}", vec![name.as_str(); 60].join("/"));
    read(&format!("<x>{}{}</x>", folder(&fine), stats(1, 0))).unwrap();
    let long = format!("/Archive/{}", vec![name.as_str(); 70].join("/"));
    let deep = format!("/Archive{}", "/f".repeat(201));
    for path in [&long, &deep] {
        for entry in [folder(path), file(path, "a")] {
            let error = read(&format!("<x>{entry}{}</x>", stats(1, 1))).unwrap_err();
            assert!(
                matches!(&error, Error::BadAnswer { detail } if detail.contains("absurdly")),
                "{error:?}"
            );
        }
    }
    let half = format!("<path>{}</path>", &long[..long.len() / 2]);
    let added = format!("<x><folder>{half}{half}</folder>");
    let error = read(&added).unwrap_err();
    assert!(
        matches!(&error, Error::BadAnswer { detail } if detail.contains("absurdly")),
        "{error:?}"
    );
}
