//! Content: files named by md5 and size, or generated as they are read. Never whole in memory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};

use crate::tree::Known;

const BUFFER: usize = 64 * 1024;

/// The blobs of one cloud.
#[derive(Debug)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    /// Opens or creates the directory.
    pub fn open(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root.join("partial"))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    fn path(&self, md5: &str, size: u64) -> PathBuf {
        let shelf = md5.get(..2).unwrap_or("00");
        self.root.join(shelf).join(format!("{md5}-{size}"))
    }

    /// Where the bytes of an upload gather; `upload` is one of our own ids.
    pub fn partial(&self, upload: &str) -> PathBuf {
        self.root.join("partial").join(upload)
    }

    /// How many bytes of an upload are there.
    pub fn received(&self, upload: &str) -> u64 {
        std::fs::metadata(self.partial(upload)).map_or(0, |m| m.len())
    }

    /// Forgets what is there of an upload.
    pub fn forget(&self, upload: &str) -> io::Result<()> {
        match std::fs::remove_file(self.partial(upload)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Forgets the bytes of uploads that nothing leads to any more.
    pub fn forget_all_but(&self, wanted: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in std::fs::read_dir(self.root.join("partial"))? {
            if let Ok(upload) = entry?.file_name().into_string()
                && !wanted(&upload)
            {
                self.forget(&upload)?;
            }
        }
        Ok(())
    }

    /// Opens an upload to go on writing at `offset`, and the hash of what is before it.
    pub fn resume(&self, upload: &str, offset: u64) -> io::Result<(File, Md5)> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.partial(upload))?;
        file.set_len(offset)?;
        let mut md5 = Md5::new();
        let mut left = offset;
        let mut buffer = vec![0; BUFFER];
        while left > 0 {
            let want = left.min(BUFFER as u64) as usize;
            file.read_exact(&mut buffer[..want])?;
            md5.update(&buffer[..want]);
            left -= want as u64;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok((file, md5))
    }

    /// A whole upload becomes a blob.
    pub fn keep(&self, upload: &str, md5: &str, size: u64) -> io::Result<()> {
        let path = self.path(md5, size);
        if let Some(shelf) = path.parent() {
            std::fs::create_dir_all(shelf)?;
        }
        std::fs::rename(self.partial(upload), path)
    }

    /// Keeps bytes that are at hand; answers their md5.
    pub fn keep_bytes(&self, bytes: &[u8]) -> io::Result<String> {
        let md5 = hex(&Md5::digest(bytes));
        let path = self.path(&md5, bytes.len() as u64);
        if !path.exists() {
            let upload = crate::tree::uuid();
            let mut file = File::create(self.partial(&upload))?;
            file.write_all(bytes)?;
            self.keep(&upload, &md5, bytes.len() as u64)?;
        }
        Ok(md5)
    }

    /// Opens content at an offset.
    pub fn read(&self, content: &Known, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        match content.seed {
            Some(seed) => Ok(Box::new(Generated {
                seed,
                at: offset,
                end: content.size,
            })),
            None => {
                let mut file = File::open(self.path(&content.md5, content.size))?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(Box::new(file))
            }
        }
    }
}

/// The md5 of what `seed` makes.
pub fn generated_md5(seed: u64, size: u64) -> String {
    let mut reader = Generated {
        seed,
        at: 0,
        end: size,
    };
    let mut md5 = Md5::new();
    let mut buffer = vec![0; BUFFER.min(size as usize + 1)];
    // Reading what is made in memory cannot fail.
    while let Ok(n @ 1..) = reader.read(&mut buffer) {
        md5.update(&buffer[..n]);
    }
    hex(&md5.finalize())
}

/// Lower case hex.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}

/// Content that is a function of its seed and of the offset alone.
struct Generated {
    seed: u64,
    at: u64,
    end: u64,
}

/// The eight bytes at word `index` (splitmix64).
fn word(seed: u64, index: u64) -> [u8; 8] {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).to_le_bytes()
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = (self.end.saturating_sub(self.at)).min(buffer.len() as u64) as usize;
        let mut done = 0;
        while done < want {
            let at = self.at + done as u64;
            if at.is_multiple_of(8) && want - done >= 8 {
                let words = &mut buffer[done..want - (want - done) % 8];
                for (index, bytes) in (at / 8..).zip(words.chunks_exact_mut(8)) {
                    bytes.copy_from_slice(&word(self.seed, index));
                }
                done += words.len();
                continue;
            }
            let skip = (at % 8) as usize;
            let take = (8 - skip).min(want - done);
            let bytes = word(self.seed, at / 8);
            buffer[done..done + take].copy_from_slice(&bytes[skip..skip + take]);
            done += take;
        }
        self.at += want as u64;
        Ok(want)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn generated_content_is_the_same_wherever_reading_begins() {
        let read = |at: u64| {
            let mut out = Vec::new();
            let mut reader = Generated {
                seed: 7,
                at,
                end: 1003,
            };
            reader.read_to_end(&mut out).unwrap();
            out
        };
        let whole = read(0);
        assert_eq!(whole.len(), 1003);
        for at in [1, 7, 8, 9, 500, 1002, 1003] {
            assert_eq!(read(at as u64), whole[at..], "from {at}");
        }
        assert_eq!(generated_md5(7, 1003), hex(&Md5::digest(&whole)));
        assert_ne!(generated_md5(8, 1003), generated_md5(7, 1003));
    }
}
