//! How a file arrives at a destination of the person's: complete, under a harmless name, replacing nothing unasked.

use crate::failure::Failure;
use crate::names::shown;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory beside the destination in which the finished file arrives, removed in the end. A
/// rename would silently replace what somebody else put at the destination meanwhile; a link does not.
pub struct Landing {
    file: PathBuf,
    dest: PathBuf,
    force: bool,
    #[expect(dead_code, reason = "removed when dropped")]
    directory: tempfile::TempDir,
}

impl Landing {
    /// For a file at `dest`; refuses one that exists unless `force`.
    pub fn at(dest: PathBuf, force: bool) -> Result<Self, Failure> {
        if !force && fs::symlink_metadata(&dest).is_ok() {
            return Err(exists(&dest));
        }
        let parent = match dest.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = tempfile::Builder::new()
            .prefix(".lomme-")
            .tempdir_in(parent)
            .map_err(|error| {
                let parent = shown(&parent.display().to_string());
                Failure::machine(format!("'{parent}' cannot be written: {}", error.kind()))
            })?;
        Ok(Self {
            file: directory.path().join("file"),
            dest,
            force,
            directory,
        })
    }

    /// Where the file is to be written.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Gives the file its name; says where it is, for people and programs.
    pub fn take(self) -> Result<String, Failure> {
        let saved_as = self.dest.display().to_string();
        if self.force {
            fs::rename(&self.file, &self.dest)?;
            return Ok(saved_as);
        }
        match fs::hard_link(&self.file, &self.dest) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(exists(&self.dest));
            }
            // A file system without links.
            Err(_) if fs::symlink_metadata(&self.dest).is_err() => {
                fs::rename(&self.file, &self.dest)?;
            }
            Err(_) => return Err(exists(&self.dest)),
        }
        Ok(saved_as)
    }
}

fn exists(dest: &Path) -> Failure {
    Failure::exists(format!(
        "'{}' exists already",
        shown(&dest.display().to_string())
    ))
}

/// Where the file shall be: the directory or new name asked for, or `name`, which was made harmless, in the current directory.
pub fn destination(asked: Option<&Path>, name: String) -> Result<PathBuf, Failure> {
    let Some(asked) = asked else {
        return Ok(PathBuf::from(name));
    };
    if asked.is_dir() {
        return Ok(asked.join(name));
    }
    let says_directory = asked.as_os_str().as_encoded_bytes().ends_with(b"/");
    if says_directory || asked.file_name().is_none() {
        return Err(Failure::usage(format!(
            "there is no directory '{}'",
            shown(&asked.display().to_string())
        )));
    }
    Ok(asked.to_owned())
}

/// Whether stdout is asked for.
pub fn is_stdout(asked: Option<&Path>) -> bool {
    asked == Some(Path::new("-"))
}
