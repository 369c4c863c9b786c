#![allow(clippy::unwrap_used)]

use super::*;
use crate::disk::RealDisk;
use crate::md5::Md5;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::atomic::AtomicU64;

const ID: Id = [7; 16];

struct Place {
    dir: tempfile::TempDir,
    staging: Staging,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let staging = Staging::new(Arc::new(RealDisk), &dir.path().join("drive")).unwrap();
    Place { dir, staging }
}

impl Place {
    fn source(&self, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join("source");
        fs::write(&path, bytes).unwrap();
        path
    }

    fn left(&self) -> usize {
        fs::read_dir(&self.staging.dir).unwrap().count()
    }
}

fn take(path: &Path) -> NewContent<'_> {
    NewContent {
        ownership: Ownership::Take,
        ..NewContent::of(path)
    }
}

fn free(_bytes: u64) -> Result<()> {
    Ok(())
}

fn is_of(staged: &Hashed, bytes: &[u8]) -> bool {
    let mut md5 = Md5::new();
    md5.update(bytes);
    *staged
        == Hashed {
            size: bytes.len() as u64,
            md5: md5.finalize(),
            blake3: *blake3::hash(bytes).as_bytes(),
        }
}

#[test]
fn a_borrowed_file_is_copied_with_both_its_hashes_and_stays() {
    let place = place();
    for bytes in [
        vec![],
        b"x".to_vec(),
        vec![5; PIECE],
        (0..PIECE * 3 + 17).map(|n| (n * 7 % 251) as u8).collect(),
        // Long enough for a thread that hashes, and for syncs beside the copying.
        vec![7; PIECE * 4],
        (0..PIECE * 13 + 5).map(|n| (n * 7 % 251) as u8).collect(),
        vec![9; 2 * SYNC_EVERY as usize + 3 * PIECE + 1],
    ] {
        let (source, file) = (place.source(&bytes), Staging::new_name(&ID).unwrap());
        let fresh = place
            .staging
            .stage(&NewContent::of(&source), &file, free)
            .unwrap();
        assert!(is_of(&fresh.staged, &bytes));
        assert_eq!(fresh.source, Source::Stays);
        assert_eq!(fs::read(place.staging.path(&file).unwrap()).unwrap(), bytes);
        assert_eq!(place.staging.hash(&file).unwrap(), fresh.staged);
        assert_eq!(fs::read(&source).unwrap(), bytes);
        assert_eq!(place.staging.names().unwrap(), std::slice::from_ref(&file));
        place.staging.remove(&file).unwrap();
        assert_eq!(place.left(), 0);
    }
}

/// A file that takes everything, and whose first sync tells of a failure to write, as the system does: once.
#[derive(Default)]
struct Failing(AtomicU64);

impl BlockFile for Failing {
    fn read_at(&self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Ok(0)
    }
    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Ok(())
    }
    fn set_len(&self, _: u64) -> io::Result<()> {
        Ok(())
    }
    fn len(&self) -> io::Result<u64> {
        Ok(0)
    }
    fn disk_bytes(&self) -> io::Result<u64> {
        Ok(0)
    }
    fn sync(&self) -> io::Result<()> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => Err(io::Error::other("the disk")),
            _ => Ok(()),
        }
    }
    fn try_lock(&self, _: bool) -> io::Result<bool> {
        Ok(true)
    }
    fn is_at(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }
}

#[test]
fn a_failure_to_write_that_an_early_sync_hears_of_is_not_lost() {
    let place = place();
    for more in [PIECE, SYNC_EVERY as usize] {
        let source = place.source(&vec![1; SYNC_EVERY as usize + more]);
        let file = Failing::default();
        let copied = copy(&open_plain(&source).unwrap().unwrap(), &file);
        assert!(
            matches!(copied, Err(Error::DiskFailed { .. })),
            "{copied:?}"
        );
    }
}

#[test]
fn a_file_that_is_taken_is_renamed_and_can_be_given_back() {
    let place = place();
    let (source, file) = (place.source(b"mine"), Staging::new_name(&ID).unwrap());
    let fresh = place.staging.stage(&take(&source), &file, free).unwrap();
    assert!(is_of(&fresh.staged, b"mine"));
    assert_eq!(fresh.source, Source::Renamed(source.clone()));
    assert!(!source.exists());
    assert!(place.staging.give_back(&file, &source).unwrap());
    assert_eq!(fs::read(&source).unwrap(), b"mine");
    assert_eq!(place.left(), 0);
}

#[test]
fn a_file_is_not_given_back_over_what_has_come_to_its_place() {
    let place = place();
    let (source, file) = (place.source(b"old"), Staging::new_name(&ID).unwrap());
    place.staging.stage(&take(&source), &file, free).unwrap();
    fs::write(&source, b"new").unwrap();
    assert!(!place.staging.give_back(&file, &source).unwrap());
    assert_eq!(fs::read(&source).unwrap(), b"new");
    assert_eq!(place.staging.len(&file).unwrap(), Some(3));
}

#[test]
fn a_file_with_another_name_or_without_the_right_to_write_is_copied_when_it_is_taken() {
    let place = place();
    for read_only in [false, true] {
        let (source, file) = (place.source(b"mine"), Staging::new_name(&ID).unwrap());
        let other = place.dir.path().join("other");
        if read_only {
            fs::set_permissions(&source, fs::Permissions::from_mode(0o400)).unwrap();
            // Who may do anything is not stopped by rights: then it is renamed, and that is fine.
        } else {
            fs::hard_link(&source, &other).unwrap();
        }
        let fresh = place.staging.stage(&take(&source), &file, free).unwrap();
        if !read_only {
            assert_eq!(fresh.source, Source::Copied(source.clone()));
            fs::write(&other, b"scribble").unwrap();
            fs::remove_file(&other).unwrap();
        }
        assert_eq!(
            fs::read(place.staging.path(&file).unwrap()).unwrap(),
            b"mine"
        );
        drop(fs::remove_file(&source));
    }
}

#[test]
fn a_file_is_taken_across_volumes_by_a_copy() {
    let place = place();
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let (source, file) = (
        elsewhere.path().join("source"),
        Staging::new_name(&ID).unwrap(),
    );
    fs::write(&source, b"far").unwrap();
    if open_plain(&source)
        .unwrap()
        .unwrap()
        .is_on_volume_of(place.dir.path())
        .unwrap()
    {
        return;
    }
    let fresh = place.staging.stage(&take(&source), &file, free).unwrap();
    // It goes only when a row names the copy.
    assert_eq!(fresh.source, Source::Copied(source.clone()));
    assert_eq!(fs::read(&source).unwrap(), b"far");
    assert!(is_of(&place.staging.hash(&file).unwrap(), b"far"));
}

#[test]
fn what_is_no_plain_file_is_refused_and_no_link_is_followed() {
    let place = place();
    let real = place.source(b"secret");
    let link = place.dir.path().join("link");
    symlink(&real, &link).unwrap();
    let pipe = place.dir.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    let mut refused = vec![link, place.dir.path().to_owned()];
    if made.is_ok_and(|made| made.success()) {
        refused.push(pipe);
    }
    for path in refused {
        for content in [NewContent::of(&path), take(&path)] {
            let file = Staging::new_name(&ID).unwrap();
            let staged = place.staging.stage(&content, &file, free);
            assert!(matches!(
                staged.err().unwrap(),
                Error::InvalidArgument { .. }
            ));
        }
    }
    assert_eq!(place.left(), 0);
    assert_eq!(fs::read(&real).unwrap(), b"secret");
}

#[test]
fn a_file_that_changes_while_it_is_read_is_not_staged() {
    for what in ["grows", "shrinks", "is rewritten", "is replaced"] {
        let place = place();
        let bytes = vec![1; 3 * PIECE];
        let source = place.source(&bytes);
        let file = Staging::new_name(&ID).unwrap();
        // The room is asked for after the file was opened and before it is read.
        let staged = place.staging.stage(&NewContent::of(&source), &file, |_| {
            match what {
                "grows" => fs::write(&source, vec![1; 3 * PIECE + 1]).unwrap(),
                "shrinks" => fs::write(&source, vec![1; PIECE]).unwrap(),
                "is rewritten" => {
                    std::thread::sleep(Duration::from_millis(20));
                    fs::write(&source, vec![2; 3 * PIECE]).unwrap();
                }
                _ => {
                    let other = place.dir.path().join("other");
                    fs::write(&other, vec![2; 3 * PIECE]).unwrap();
                    fs::rename(&other, &source).unwrap();
                }
            }
            Ok(())
        });
        // A volume that clones asks for no room; then nothing has changed.
        if let Err(error) = staged {
            assert!(matches!(error, Error::DiskFailed { .. }), "{what}");
            assert_eq!(place.left(), 0, "{what}");
        }
        assert!(source.exists(), "{what}");
    }
}

#[test]
fn without_room_for_a_copy_nothing_stays_and_the_file_stays_the_callers() {
    let place = place();
    let (source, file) = (place.source(&[1; 100]), Staging::new_name(&ID).unwrap());
    let asked = AtomicU64::new(0);
    let full = |bytes| -> Result<()> {
        asked.store(bytes, Ordering::SeqCst);
        Err(Error::DiskFull)
    };
    fs::hard_link(&source, place.dir.path().join("other")).unwrap();
    for content in [NewContent::of(&source), take(&source)] {
        let staged = place.staging.stage(&content, &file, full);
        if let Err(error) = staged {
            assert_eq!(error, Error::DiskFull);
            assert_eq!(asked.load(Ordering::SeqCst), 100);
            assert_eq!(place.left(), 0);
        } else {
            place.staging.remove(&file).unwrap();
        }
        assert_eq!(fs::read(&source).unwrap(), [1; 100]);
    }
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_and_takes_nothing() {
    let place = place();
    let (source, file) = (place.source(b"mine"), Staging::new_name(&ID).unwrap());
    fs::remove_dir(&place.staging.dir).unwrap();
    fs::write(&place.staging.dir, b"in the way").unwrap();
    for content in [NewContent::of(&source), take(&source)] {
        assert!(place.staging.stage(&content, &file, free).is_err());
        assert_eq!(fs::read(&source).unwrap(), b"mine");
    }
}

#[test]
fn a_file_counts_as_live_until_its_maker_lets_go() {
    let place = place();
    let (source, file) = (place.source(b"mine"), Staging::new_name(&ID).unwrap());
    assert!(!place.staging.is_live(&file).unwrap());
    let fresh = place.staging.stage(&take(&source), &file, free).unwrap();
    assert!(place.staging.is_live(&file).unwrap());
    drop(fresh);
    assert!(!place.staging.is_live(&file).unwrap());
}

#[test]
fn a_name_that_is_not_ours_never_becomes_a_path() {
    let place = place();
    for name in ["", "..", "../a", "a/b", "name.txt", "/etc/passwd"] {
        assert!(matches!(place.staging.path(name), Err(Error::Bug { .. })));
        assert!(matches!(place.staging.remove(name), Err(Error::Bug { .. })));
    }
    fs::write(place.staging.dir.join("notes.txt"), b"x").unwrap();
    assert_eq!(place.staging.names().unwrap(), Vec::<String>::new());
}
