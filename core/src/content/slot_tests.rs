#![allow(clippy::unwrap_used)]
use super::*;
use crate::disk::RealDisk;

const ID: &str = "0123456789abcdef0123456789abcdef";
const MD5: &str = "fedcba9876543210fedcba9876543210";

fn name(size: u64) -> SlotName {
    SlotName {
        id: ItemId::from_string(ID),
        version: format!("{MD5}-{size}"),
    }
}

fn open(dir: &Path, size: u64) -> SlotFiles {
    SlotFiles::open(&RealDisk, dir, &name(size)).unwrap()
}

#[test]
fn a_name_becomes_a_stem_and_comes_back_and_nothing_else_is_a_name() {
    let name = name(70_000);
    assert_eq!(SlotName::parse(&name.stem()), Some(name.clone()));
    let md5 = u128::from_str_radix(MD5, 16).unwrap().to_be_bytes();
    assert_eq!(name.content(), Some((md5, 70_000)));
    for stem in [
        "",
        ID,
        &format!("{ID}-{MD5}"),
        &format!("{ID}-{MD5}-"),
        &format!("{ID}-{MD5}-07"),
        &format!("{ID}-{MD5}-+7"),
        &format!("{ID}-{MD5}-7-8"),
        &format!("{ID}-{MD5}-9999999999999999999"),
        &format!("{}-{MD5}-7", ID.to_uppercase()),
        &format!("../{ID}-{MD5}-7"),
        &format!("sync-{MD5}-7"),
    ] {
        assert_eq!(SlotName::parse(stem), None, "{stem}");
    }
}

#[test]
fn a_name_that_is_none_of_ours_never_becomes_a_path() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("slots");
    let name = SlotName {
        id: ItemId::from_string(format!("../{ID}")),
        version: format!("{MD5}-7"),
    };
    assert!(SlotFiles::open(&RealDisk, &inner, &name).is_err());
    assert!(remove_unused(&RealDisk, &inner, &name).is_err());
    assert_eq!(RealDisk.names(dir.path()).unwrap().len(), 0);
}

#[test]
fn a_new_slot_is_as_long_as_its_content_and_takes_no_space() {
    let dir = tempfile::tempdir().unwrap();
    let size = (3 << 30) + 5;
    let files = open(&dir.path().join("slots"), size);
    assert_eq!(files.blocks(), 3 * 16_384 + 1);
    assert_eq!(files.len_of(3 * 16_384), 5);
    assert_eq!(files.hashes(0, 9).unwrap(), [ABSENT; 9]);
    assert_eq!(files.hashes(3 * 16_384, 9).unwrap(), [ABSENT; 1]);
    assert!(files.disk_bytes().unwrap() < 1 << 20);
    assert!(!files.whole().unwrap());
}

#[test]
fn what_is_said_of_blocks_is_there_when_the_slot_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let files = open(dir.path(), 5 * BLOCK);
    files.write(b"bytes", 2 * BLOCK).unwrap();
    files.put_hashes(2, &[[7; 32], [8; 32]]).unwrap();
    files.set_whole(true).unwrap();
    drop(files);
    let files = open(dir.path(), 5 * BLOCK);
    assert!(files.whole().unwrap());
    let there = [ABSENT, ABSENT, [7; 32], [8; 32], ABSENT];
    assert_eq!(files.hashes(0, 99).unwrap(), there);
    files.forget(2).unwrap();
    assert_eq!(files.hashes(1, 2).unwrap(), [ABSENT; 2]);
    assert!(!files.whole().unwrap());
    files.forget_all().unwrap();
    assert_eq!(files.hashes(0, 5).unwrap(), [ABSENT; 5]);
}

#[test]
fn a_map_that_is_not_the_slots_own_counts_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("{}.map", name(BLOCK).stem()));
    let damaged: [&[u8]; 4] = [b"", b"lommemap", &[0xff; 200], &[0; 96]];
    for bytes in damaged {
        std::fs::write(&path, bytes).unwrap();
        assert!(
            !facts(&RealDisk, dir.path(), &name(BLOCK))
                .unwrap()
                .unwrap()
                .whole
        );
        let files = open(dir.path(), BLOCK);
        assert!(!files.whole().unwrap());
        assert_eq!(files.hashes(0, 1).unwrap(), [ABSENT]);
    }
}

#[test]
fn a_file_that_was_cut_is_as_long_as_before_when_it_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let files = open(dir.path(), 5 * BLOCK);
    files.put_hashes(0, &[[1; 32]; 5]).unwrap();
    for path in [files.data_path.clone(), files.map_path.clone()] {
        let file = std::fs::OpenOptions::new().write(true).open(path);
        file.unwrap().set_len(HEADER + 2 * ENTRY).unwrap();
    }
    assert_eq!(files.hashes(0, 5).unwrap()[2..], [ABSENT; 3]);
    drop(files);
    let files = open(dir.path(), 5 * BLOCK);
    assert_eq!(files.read(&mut [0; 9], 5 * BLOCK - 9).unwrap(), 9);
    assert_eq!(files.hashes(0, 5).unwrap()[2..], [ABSENT; 3]);
}

#[test]
fn a_slot_in_use_is_not_removed_and_one_that_is_not_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (open(dir.path(), 7), open(dir.path(), 7));
    let gone = || remove_unused(&RealDisk, dir.path(), &name(7)).unwrap();
    assert!(!gone());
    assert!(!one.alone().unwrap(), "the other one has it too");
    drop(one);
    assert!(!gone());
    assert!(two.alone().unwrap());
    assert!(!gone());
    drop(two);
    assert!(gone());
    assert_eq!(RealDisk.names(dir.path()).unwrap().len(), 0);
    assert!(gone(), "gone is gone");
}

#[test]
fn slots_are_found_by_their_files_and_told_by_what_is_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let slots = dir.path().join("slots");
    assert_eq!(all(&RealDisk, &slots).unwrap(), []);
    assert_eq!(facts(&RealDisk, &slots, &name(9)).unwrap(), None);
    let files = open(&slots, 9);
    files.write(b"123456789", 0).unwrap();
    files.put_hashes(0, &[[1; 32]]).unwrap();
    files.set_whole(true).unwrap();
    open(&slots, 10);
    std::fs::remove_file(slots.join(format!("{}.map", name(10).stem()))).unwrap();
    std::fs::write(slots.join("neighbour.map"), "x").unwrap();
    assert_eq!(all(&RealDisk, &slots).unwrap(), [name(10), name(9)]);
    let told = facts(&RealDisk, &slots, &name(9)).unwrap().unwrap();
    assert_eq!((told.size, told.whole), (9, true));
    assert!(told.bytes >= 9);
    assert!(!facts(&RealDisk, &slots, &name(10)).unwrap().unwrap().whole);
}

#[test]
fn whoever_opens_while_another_evicts_gets_a_slot_that_stays() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    std::thread::scope(|scope| {
        let until = Instant::now() + Duration::from_millis(300);
        for _ in 0..2 {
            scope.spawn(move || {
                while Instant::now() < until {
                    remove_unused(&RealDisk, dir, &name(9)).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(move || {
                while Instant::now() < until {
                    let files = open(dir, 9);
                    assert!(files.is_in_place().unwrap());
                    assert_eq!(files.hashes(0, 1).unwrap(), [ABSENT]);
                }
            });
        }
    });
}
