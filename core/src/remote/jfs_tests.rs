#![allow(clippy::unwrap_used)]
use super::super::document::run;
use super::*;

fn read(input: &str) -> Result<Jfs> {
    read_trash(input, false)
}

fn read_trash(input: &str, trash: bool) -> Result<Jfs> {
    let mut jfs = Jfs::new(trash);
    run(&mut jfs, input.as_bytes(), 13)?;
    Ok(jfs)
}

fn entries(input: &str) -> Vec<Entry> {
    read(input).unwrap().take(usize::MAX)
}

const MD5: &str = "D41D8CD98F00B204E9800998ecf8427e";

fn revision(state: &str, size: &str) -> String {
    format!(
        "<currentRevision><number>5</number><state>{state}</state><created>2026-01-02-T03:04:05Z</created>\
         <modified></modified><mime>text/plain</mime><mstyle>X</mstyle>{size}<md5>{MD5}</md5>\
         <updated>nonsense</updated></currentRevision>"
    )
}

fn folder_with(children: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\n<folder name=\"F\" time=\"2026-01-02-T03:04:05Z\" host=\"dn-1\">\n  \
         <path xml:space=\"preserve\">/u/Jotta/Archive</path>\n  <abspath>/u/Jotta/Archive</abspath>\n  {children}\n</folder>"
    )
}

#[test]
fn a_folder_tells_its_children_and_tombstones() {
    let live = revision("COMPLETED", "<size>0</size>");
    let got = entries(&folder_with(&format!(
        "<folders>\n <folder name=\" live &amp; well \"/><folder name=\"gone\" deleted=\"2026-01-01-T00:00:00Z\">\
         <abspath>/u/Jotta/Archive/F</abspath></folder></folders>\
         <files><file name=\"a.txt\" uuid=\"01234567-89ab-cdef-0123-456789ABCDEF\">{live}</file>\
         <file name=\"b\" uuid=\"odd\" deleted=\"\"><currentRevision/></file></files>\
         <metadata first=\"\" max=\"\" total=\"4\" num_folders=\"2\" num_files=\"2\"/>"
    )));
    let folder = |name: &str, deleted_ms| {
        Entry::Folder(RemoteFolder {
            name: name.into(),
            deleted_ms,
            trashed_from: None,
        })
    };
    let a = RemoteFile {
        name: "a.txt".into(),
        uuid: Some([
            1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
            0xef,
        ]),
        current: Some(Revision {
            number: Some(5),
            size: 0,
            md5: md5("d41d8cd98f00b204e9800998ecf8427e").unwrap(),
            created_ms: Some(1_767_323_045_000),
            modified_ms: None,
            updated_ms: None,
            mime: Some("text/plain".into()),
        }),
        deleted_ms: None,
        shared: Some(false),
        trashed_from: None,
    };
    let b = RemoteFile {
        name: "b".into(),
        uuid: None,
        current: None,
        deleted_ms: Some(0),
        shared: Some(false),
        trashed_from: None,
    };
    let gone = Some(1_767_225_600_000);
    assert_eq!(
        got,
        [
            folder(" live & well ", None),
            folder("gone", gone),
            Entry::File(a),
            Entry::File(b)
        ]
    );
}

#[test]
fn an_unfinished_upload_is_no_file_and_hides_no_older_content() {
    let size = "<size>9</size>";
    let got = entries(&folder_with(&format!(
        "<files><file name=\"new\"><latestRevision><state>INCOMPLETE</state><md5>{MD5}</md5></latestRevision></file>\
         <file name=\"old\">{}<latestRevision><number>6</number><state>CORRUPT</state><size>1</size><md5>x</md5></latestRevision></file>\
         <file name=\"odd\">{}</file></files>",
        revision("COMPLETED", size),
        revision("PROCESSING", size)
    )));
    let sizes: Vec<_> = got
        .iter()
        .map(|entry| match entry {
            Entry::File(file) => file.current.as_ref().map(|r| (r.number, r.size)),
            Entry::Folder(_) => panic!("no folders here"),
        })
        .collect();
    assert_eq!(sizes, [None, Some((Some(5), 9)), None]);
}

#[test]
fn a_file_document_is_read_whole_without_its_old_revisions() {
    let mut jfs = read(&format!(
        "<file name=\"a.jpg\" uuid=\"u\"><path>/u/Jotta/Sync</path><publicURI>abc</publicURI>{}\
         <revisions><revision><number>4</number><state>COMPLETED</state><size>3</size></revision></revisions></file>",
        revision("COMPLETED", "<size>123</size>")
    ))
    .unwrap();
    assert_eq!(jfs.introduced(), Some(Root::File));
    let file = jfs.take_file().unwrap();
    assert_eq!(file.current.unwrap().size, 123);
    assert_eq!(file.shared, Some(true));
}

#[test]
fn a_user_and_a_device_list_their_children_by_element() {
    let mut user = read(
        "<user time=\"t\" host=\"h\"><username>u</username><account-type>unlimited</account-type><locked>false</locked>\
         <capacity>-1</capacity><max-devices>-1</max-devices><usage>77</usage><write-locked>true</write-locked>\
         <devices><device><name xml:space=\"preserve\">Jotta</name><type>JOTTA</type><size>1</size><modified></modified></device>\
         <device><name>PC</name><display_name>My PC</display_name></device></devices></user>",
    )
    .unwrap();
    assert_eq!(
        user.user,
        User {
            username: Some("u".into()),
            capacity: Some(-1),
            usage: Some(77),
            write_locked: true
        }
    );
    assert_eq!(names_of(&user.take(9)), ["Jotta", "PC"]);

    let device = |total: u32| {
        format!(
            "<device><name>PC</name><size></size><user>u</user><mountPoints><mountPoint><name>Docs</name><size/></mountPoint>\
             <mountPoint><name>Old</name><deleted>2026-01-01-T00:00:00Z</deleted><abspath>/u/PC</abspath></mountPoint></mountPoints>\
             <metadata first=\"\" max=\"\" total=\"{total}\" num_mountpoints=\"{total}\"/></device>"
        )
    };
    assert_eq!(names_of(&entries(&device(2))), ["Docs"]);
    assert!(read(&device(3)).is_err());
}

fn names_of(entries: &[Entry]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| match entry {
            Entry::Folder(folder) => folder.name.as_str(),
            Entry::File(file) => file.name.as_str(),
        })
        .collect()
}

#[test]
fn the_trash_tells_where_things_were() {
    let trash = format!(
        "<mountPoint time=\"t\" host=\"h\"><name>Trash</name><size></size><modified></modified><device>Jotta</device><user>u</user>\
         <folders><folder name=\"F\" deleted=\"2026-01-01-T00:00:00Z\" contextType=\"TRASH\"><abspath>/u/PC</abspath></folder></folders>\
         <files><file name=\"a\" uuid=\"x\" deleted=\"2026-01-01-T00:00:00Z\"><abspath>/u/Jotta/Sync/Caf\u{e9} &amp; c</abspath>{}</file></files>\
         </mountPoint>",
        revision("COMPLETED", "<size>1</size>")
    );
    let mut jfs = read_trash(&trash, true).unwrap();
    let places: Vec<_> = jfs
        .take(9)
        .into_iter()
        .map(|entry| match entry {
            Entry::Folder(folder) => folder.trashed_from.unwrap().segments().join("|"),
            Entry::File(file) => file.trashed_from.unwrap().segments().join("|"),
        })
        .collect();
    assert_eq!(places, ["PC", "Jotta|Sync|Caf\u{e9} & c"]);
    let climbing = trash.replace("/u/PC", "/u/../PC");
    assert!(matches!(
        read_trash(&climbing, true),
        Err(Error::BadAnswer { .. })
    ));
}

#[test]
fn a_deleted_mount_point_is_seen_before_its_children() {
    let jfs = read(
        "<mountPoint><name>M</name><deleted>2026-01-01-T00:00:00Z</deleted><folders/></mountPoint>",
    )
    .unwrap();
    assert_eq!(jfs.deleted_ms(), Some(1_767_225_600_000));
}

#[test]
fn what_is_no_sound_listing_is_a_bad_answer() {
    let file = |name: &str| {
        format!(
            "<files><file name=\"{name}\">{}</file></files>",
            revision("COMPLETED", "<size>1</size>")
        )
    };
    for input in [
        "<html><body>Log in to the hotel</body></html>".to_owned(),
        "<error><code>500</code></error>".into(),
        "<searchresult/>".into(),
        folder_with("<folders><folder/></folders>"),
        folder_with(&file("../../etc/passwd")),
        folder_with(&file("..")),
        folder_with(&file("")),
        folder_with(&file("&#0;")),
        folder_with(&file("a").replace("<size>1</size>", "")),
        folder_with(&file("a").replace("<size>1</size>", "<size>-1</size>")),
        folder_with(&file("a").replace(MD5, "12")),
        folder_with("<metadata num_folders=\"1\"/>"),
        folder_with(
            "<folders><folder name=\"a\"/></folders><metadata num_folders=\"0\" num_files=\"0\"/>",
        ),
        "<folder name=\"F\"><folders><folder name=\"a\"/>".into(),
    ] {
        assert!(
            matches!(read(&input), Err(Error::BadAnswer { .. })),
            "{input}"
        );
    }
}
