//! §11: names and paths.

use crate::client::{Client, encoded};

/// From rclone's own encoding tests, after its encoder, and what phones store.
const ODD: &[&str] = &[
    " leading space",
    "trailing space ",
    ".leading dot",
    "trailing dot.",
    "back\\slash",
    "single'quote",
    "back`quote",
    "# & + , ; = @ $ ! ( ) [ ] { } ^ ~",
    "？＂＜＞｜＊：％",
    "≠êé世界",
    "a:b?c*d|e",
    "<tag attr=\"x\">",
    "&amp;",
    "tab\tnewline\nreturn\r",
    "👩‍👩‍👧",
    "e\u{301}",
    "İstanbul ßtraße",
];

#[tokio::test]
async fn odd_names_round_trip_byte_for_byte_through_every_listing() {
    let client = Client::new().await;
    for name in ODD {
        client
            .put(&format!("/Jotta/Sync/F {name}/{name}"), name.as_bytes())
            .await;
    }
    let mut names = client.ok("/Jotta/Sync").await.names_in("folders");
    names.sort();
    let mut expected: Vec<_> = ODD.iter().map(|n| format!("F {n}")).collect();
    expected.sort();
    assert_eq!(names, expected);
    let stream = client.ok("/Jotta/Sync?mode=liststream").await;
    let mut names: Vec<_> = stream
        .all("file")
        .map(|f| f.at("filename").text.clone())
        .collect();
    names.sort();
    let mut expected: Vec<_> = ODD.iter().map(|n| (*n).to_owned()).collect();
    expected.sort();
    assert_eq!(names, expected);
    for name in ODD {
        let folder = encoded(&format!("/Jotta/Sync/F {name}"));
        assert_eq!(client.ok(&folder).await.names_in("files"), [*name]);
        assert_eq!(
            client.read(&format!("{folder}/{}", encoded(name))).await,
            name.as_bytes()
        );
    }
}

#[tokio::test]
async fn a_raw_plus_in_a_path_is_a_space_and_an_encoded_one_is_a_plus() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/a b", b"space").unwrap();
    client.writer().put("/Jotta/Sync/a+b", b"plus").unwrap();
    assert_eq!(client.read("/Jotta/Sync/a+b").await, b"space");
    assert_eq!(client.read("/Jotta/Sync/a%20b").await, b"space");
    assert_eq!(client.read("/Jotta/Sync/a%2Bb").await, b"plus");
}

#[tokio::test]
async fn what_rclone_leaves_unescaped_is_taken_as_it_is() {
    let client = Client::new().await;
    client.writer().put("/Jotta/Sync/$&,:;=@", b"x").unwrap();
    assert_eq!(client.read("/Jotta/Sync/$&,:;=@").await, b"x");
}

#[tokio::test]
async fn a_percent_sign_in_a_name_is_a_plain_400_where_the_switch_says() {
    for (answer, allocated, reached) in [
        ("refused", 400, 400),
        ("allocate-only", 200, 400),
        ("accepted", 200, 200),
    ] {
        let client = Client::with("percent", answer).await;
        let (status, body) = client.allocate("/Jotta/Sync/a%20b", b"").await;
        assert_eq!(
            (status, body.is_string()),
            (allocated, allocated == 400),
            "{answer}"
        );
        let answer = client.get("/Jotta/Sync/a%2520b").await;
        assert_eq!(answer.status(), reached);
        if reached == 400 {
            assert_eq!(answer.text().await.unwrap(), "400 Bad request");
        }
    }
}

#[tokio::test]
async fn names_are_found_in_any_case_and_keep_their_first_spelling() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/Folder/File.TXT", b"x").await;
    assert_eq!(client.read("/JOTTA/sYNC/FOLDER/FILE.txt").await, b"x");
    client.put("/Jotta/Sync/FOLDER/file.txt", b"y").await;
    assert_eq!(
        client.ok("/Jotta/Sync").await.names_in("folders"),
        ["Folder"]
    );
    assert_eq!(
        client.ok("/Jotta/Sync/folder").await.names_in("files"),
        ["File.TXT"]
    );
    let stream = client.ok("/jotta/SYNC?mode=liststream").await;
    assert_eq!(stream.at("file/path").text, "/Sync/Folder");
}

#[tokio::test]
async fn letters_beyond_a_to_z_fold_as_the_switch_says() {
    for (answer, expected) in [("unicode", 200), ("ascii", 404)] {
        let client = Client::with("case_folding", answer).await;
        client.put("/Jotta/Sync/Blåbærgrød", b"x").await;
        let upper = encoded("/Jotta/Sync/BLÅBÆRGRØD");
        assert_eq!(client.status(&upper).await, expected, "{answer}");
        assert_eq!(client.status(&encoded("/Jotta/Sync/BLåBæRGRøD")).await, 200);
    }
}

#[tokio::test]
async fn normal_forms_are_the_same_name_as_the_switch_says() {
    let (nfc, nfd) = ("caf\u{e9}", "cafe\u{301}");
    for (answer, other, shown) in [
        ("exact", 404, nfd),
        ("insensitive", 200, nfd),
        ("nfc", 200, nfc),
    ] {
        let client = Client::with("normalisation", answer).await;
        client.put(&format!("/Jotta/Sync/{nfd}"), b"x").await;
        assert_eq!(
            client.status(&encoded(&format!("/Jotta/Sync/{nfc}"))).await,
            other,
            "{answer}"
        );
        assert_eq!(
            client.status(&encoded(&format!("/Jotta/Sync/{nfd}"))).await,
            200
        );
        assert_eq!(client.ok("/Jotta/Sync").await.names_in("files"), [shown]);
    }
}

#[tokio::test]
async fn a_changed_folding_switch_takes_hold_of_names_that_are_there() {
    let client = Client::new().await;
    client.put("/Jotta/Sync/Å", b"x").await;
    let lower = encoded("/Jotta/Sync/å");
    assert_eq!(client.status(&lower).await, 200);
    let mut switches = client.cloud().switches();
    switches.set("case_folding", "ascii").unwrap();
    client.cloud().set_switches(switches).unwrap();
    assert_eq!(client.status(&lower).await, 404);
}

#[tokio::test]
async fn a_name_longer_than_255_is_400_in_the_unit_of_the_switch() {
    for (answer, unit) in [("characters", "å"), ("utf16", "å"), ("bytes", "a")] {
        let client = Client::with("name_length", answer).await;
        let path = |n: usize| format!("/Jotta/Sync/{}", unit.repeat(n));
        assert_eq!(client.allocate(&path(255), b"").await.0, 200, "{answer}");
        assert_eq!(client.allocate(&path(256), b"").await.0, 400);
        let (status, error) = client
            .post(&format!("{}?mkDir=true", encoded(&path(256))))
            .await;
        assert_eq!(status, 400);
        assert!(
            error
                .at("message")
                .text
                .contains("JFS file names may not be longer than 255 characters")
        );
        let long = "å".repeat(200);
        let in_bytes = client.allocate(&format!("/Jotta/Sync/{long}"), b"").await.0;
        assert_eq!(in_bytes, if answer == "bytes" { 400 } else { 200 });
        let wide = "👍".repeat(200);
        let in_utf16 = client.allocate(&format!("/Jotta/Sync/{wide}"), b"").await.0;
        assert_eq!(in_utf16, if answer == "characters" { 200 } else { 400 });
    }
}

#[tokio::test]
async fn dots_and_slashes_are_no_names() {
    let client = Client::new().await;
    for path in ["/Jotta/Sync/..", "/Jotta/Sync/../../x", "/Jotta/Sync/./x"] {
        assert_eq!(client.allocate(path, b"").await.0, 400, "{path}");
    }
    let (status, error) = client.xml("/Jotta/Sync/a%2Fb").await;
    assert_eq!(status, 400);
    assert!(
        error
            .at("message")
            .text
            .contains("Unable to validate decoded path")
    );
}
