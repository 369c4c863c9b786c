//! Content: files named by md5 and size, or generated as they are read.

use std::io;
use std::path::{Path, PathBuf};

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
}
