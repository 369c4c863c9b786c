//! Slots: what is on the device of one version of one file.
//!
//! A slot is two files in the drive's own `slots` directory, named by item id and content version, never by a remote
//! name. `.data` is sparse and as long as the content. `.map` is a header and the BLAKE3 of each block, zeros for a block
//! that is not here. Nothing is synced: a map entry is only a claim, written after its bytes and checked whenever the block
//! is read, so what a power cut or a failing disk took is found then, counts as absent, and is fetched again. For the same
//! reason any process may write any block at any time: for one version the bytes are the same.
//!
//! Whoever has a slot open holds a shared lock on the map. Only who has it alone may remove the slot, so an eviction never
//! takes what somebody reads or fetches, in any process.
//!
//! A map is read in pieces and never as a whole: that of a file of 4 GiB has 2 MiB.

use crate::catalog::ItemId;
use crate::disk::{BlockFile, Disk};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes in a block; the last block of a file may be shorter.
pub(super) const BLOCK: u64 = 64 * 1024;
/// How a block is proved.
pub(super) type Hash = [u8; 32];
/// The map entry of a block that is not here.
pub(super) const ABSENT: Hash = [0; 32];
/// The map entries that are read at once, at the most.
pub(super) const WINDOW: u64 = 256;

const MAGIC: &[u8; 8] = b"lommemap";
const FORMAT: u32 = 1;
const HEADER: u64 = 64;
/// Where in the header it says that all blocks are here and the MD5 of the whole was right.
const WHOLE_AT: u64 = 40;
const ENTRY: u64 = 32;
/// How long an eviction may keep its lock; it takes a few system calls.
const EVICTION: Duration = Duration::from_secs(2);

/// Which slot: the name of its files, without their ends.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SlotName {
    pub id: ItemId,
    /// As in [`Item::content_version`](crate::catalog::Item::content_version).
    pub version: String,
}

impl SlotName {
    /// `<id>-<version>`.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.id, self.version)
    }

    /// `None` for what is not a name of ours.
    pub fn parse(stem: &str) -> Option<Self> {
        let (id, version) = stem.split_once('-')?;
        let name = Self {
            id: ItemId::from_string(id),
            version: version.to_owned(),
        };
        (is_hex(id) && name.content().is_some_and(|_| name.stem() == stem)).then_some(name)
    }

    /// The MD5 and the size that the version is made of.
    pub fn content(&self) -> Option<([u8; 16], u64)> {
        let (md5, digits) = self.version.split_once('-')?;
        let size: u64 = digits.parse().ok()?;
        // One spelling for one version.
        let sound = is_hex(md5) && size.to_string() == digits && i64::try_from(size).is_ok();
        let md5 = u128::from_str_radix(md5, 16).ok().filter(|_| sound)?;
        Some((md5.to_be_bytes(), size))
    }

    /// Where the bytes are and where the map is. A name that is none of ours never becomes a path.
    fn paths(&self, dir: &Path) -> Result<(PathBuf, PathBuf)> {
        let stem = self.stem();
        if Self::parse(&stem).as_ref() != Some(self) {
            return Err(Error::bug("a slot with an impossible name"));
        }
        Ok((
            dir.join(format!("{stem}.data")),
            dir.join(format!("{stem}.map")),
        ))
    }
}

/// 32 lower-case hexadecimal digits.
fn is_hex(text: &str) -> bool {
    let digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    text.len() == 32 && text.bytes().all(digit)
}

/// What a look at a slot tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotFacts {
    /// The length of the content.
    pub size: u64,
    /// Bytes that the slot takes on the disk.
    pub bytes: u64,
    /// All of the content is here.
    pub whole: bool,
}

/// The slots in a directory, in the order of their names.
pub(super) fn all(disk: &dyn Disk, dir: &Path) -> Result<Vec<SlotName>> {
    let mut found = BTreeSet::new();
    for name in disk.names(dir)? {
        let stem = name.to_str().and_then(|name| {
            name.strip_suffix(".map")
                .or_else(|| name.strip_suffix(".data"))
        });
        found.extend(stem.and_then(SlotName::parse));
    }
    Ok(found.into_iter().collect())
}

/// What is there of a slot; `None` if it has no files.
pub(super) fn facts(disk: &dyn Disk, dir: &Path, name: &SlotName) -> Result<Option<SlotFacts>> {
    let (data, map) = name.paths(dir)?;
    let (_, size) = content_of(name)?;
    let open = |path: &Path| match disk.open_blocks(path, false) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let (data, map) = (open(&data)?, open(&map)?);
    if data.is_none() && map.is_none() {
        return Ok(None);
    }
    let mut bytes = 0;
    for file in data.iter().chain(&map) {
        bytes += file.disk_bytes()?;
    }
    let whole = match &map {
        Some(map) => data.is_some() && is_ours(&**map, name)? && is_whole(&**map)?,
        None => false,
    };
    Ok(Some(SlotFacts { size, bytes, whole }))
}

/// Whether a slot that was whole has its files still, by their lengths alone: a removal that was cut off leaves one of
/// them missing or short.
pub(super) fn has_its_files(disk: &dyn Disk, dir: &Path, name: &SlotName) -> Result<bool> {
    let (data, map) = name.paths(dir)?;
    let (_, size) = content_of(name)?;
    let map_len = HEADER + size.div_ceil(BLOCK) * ENTRY;
    Ok(disk.len(&data)? == Some(size) && disk.len(&map)? == Some(map_len))
}

/// Removes a slot unless somebody has it open, in any process. Fine if there is none. `false` while it is in use.
pub(super) fn remove_unused(disk: &dyn Disk, dir: &Path, name: &SlotName) -> Result<bool> {
    let (data, map) = name.paths(dir)?;
    if disk.len(&data)?.is_none() && disk.len(&map)?.is_none() {
        return Ok(true);
    }
    let lock = disk.open_blocks(&map, true)?;
    if !lock.try_lock(true)? || !lock.is_at(&map)? {
        return Ok(false);
    }
    remove_files(disk, &*lock, &data, &map)?;
    Ok(true)
}

/// In this order, whatever is cut off in between is a slot that has nothing, and who opens it waits for the map's lock.
fn remove_files(disk: &dyn Disk, lock: &dyn BlockFile, data: &Path, map: &Path) -> Result<()> {
    lock.set_len(0)?;
    disk.remove(data)?;
    Ok(disk.remove(map)?)
}

fn content_of(name: &SlotName) -> Result<([u8; 16], u64)> {
    name.content()
        .ok_or_else(|| Error::bug("a version that is none"))
}

fn header_of(name: &SlotName) -> Result<Vec<u8>> {
    let (md5, size) = content_of(name)?;
    let mut header = Vec::with_capacity(WHOLE_AT as usize);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&FORMAT.to_be_bytes());
    header.extend_from_slice(&(BLOCK as u32).to_be_bytes());
    header.extend_from_slice(&size.to_be_bytes());
    header.extend_from_slice(&md5);
    Ok(header)
}

fn is_ours(map: &dyn BlockFile, name: &SlotName) -> Result<bool> {
    let mut header = [0; WHOLE_AT as usize];
    let read = map.read_at(&mut header, 0)?;
    Ok(header[..read] == header_of(name)?)
}

fn is_whole(map: &dyn BlockFile) -> Result<bool> {
    let mut flag = [0];
    Ok(map.read_at(&mut flag, WHOLE_AT)? == 1 && flag[0] == 1)
}

/// The files of a slot, open, with the shared lock. Several threads may use them at once.
pub(super) struct SlotFiles {
    data_path: PathBuf,
    map_path: PathBuf,
    data: Box<dyn BlockFile>,
    map: Box<dyn BlockFile>,
    size: u64,
}

impl SlotFiles {
    /// Opens a slot, and makes it if there is none. `StoreBusy` while an eviction hangs.
    pub fn open(disk: &dyn Disk, dir: &Path, name: &SlotName) -> Result<Self> {
        let (data_path, map_path) = name.paths(dir)?;
        let (_, size) = content_of(name)?;
        let until = Instant::now() + EVICTION;
        let map = loop {
            let map = match disk.open_blocks(&map_path, true) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    disk.create_dirs(dir)?;
                    disk.open_blocks(&map_path, true)?
                }
                map => map?,
            };
            // An eviction may have removed the file between our open and our lock.
            if map.try_lock(false)? && map.is_at(&map_path)? {
                break map;
            }
            if Instant::now() > until {
                return Err(Error::StoreBusy);
            }
            drop(map);
            std::thread::sleep(Duration::from_millis(2));
        };
        let files = Self {
            data: disk.open_blocks(&data_path, true)?,
            data_path,
            map_path,
            map,
            size,
        };
        if !is_ours(&*files.map, name)? {
            // Not cut when it is new: another process may be making it at this moment.
            if files.map.len()? > 0 {
                files.map.set_len(0)?;
            }
            files.map.write_at(&header_of(name)?, 0)?;
        }
        let map_len = HEADER + files.blocks() * ENTRY;
        if files.map.len()? != map_len {
            files.map.set_len(map_len)?;
        }
        if files.data.len()? != size {
            files.data.set_len(size)?;
        }
        Ok(files)
    }

    /// Whether the paths still name these files. They do as long as nobody removes files behind our back.
    pub fn is_in_place(&self) -> Result<bool> {
        Ok(self.map.is_at(&self.map_path)? && self.data.is_at(&self.data_path)?)
    }

    /// The length of the content.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many blocks the content has.
    pub fn blocks(&self) -> u64 {
        self.size.div_ceil(BLOCK)
    }

    /// Where the bytes are.
    pub fn data_path(&self) -> &Path {
        &self.data_path
    }

    /// Bytes in a block.
    pub fn len_of(&self, block: u64) -> usize {
        self.size.saturating_sub(block * BLOCK).min(BLOCK) as usize
    }

    /// What the map says of up to [`WINDOW`] blocks from `first` on. A map that was cut has nothing there.
    pub fn hashes(&self, first: u64, count: u64) -> Result<Vec<Hash>> {
        let count = count
            .min(WINDOW)
            .min(self.blocks().saturating_sub(first))
            .min(usize::MAX as u64);
        let mut hashes = vec![ABSENT; count as usize];
        self.map
            .read_at(hashes.as_flattened_mut(), HEADER + first * ENTRY)?;
        Ok(hashes)
    }

    /// Says that blocks from `first` on are here. Their bytes have been written.
    pub fn put_hashes(&self, first: u64, hashes: &[Hash]) -> Result<()> {
        Ok(self
            .map
            .write_at(hashes.as_flattened(), HEADER + first * ENTRY)?)
    }

    /// Says that a block is not here after all.
    pub fn forget(&self, block: u64) -> Result<()> {
        self.set_whole(false)?;
        self.put_hashes(block, &[ABSENT])?;
        // A file that somebody has cut would be short for ever.
        if self.data.len()? != self.size {
            self.data.set_len(self.size)?;
        }
        Ok(())
    }

    /// Says that nothing is here.
    pub fn forget_all(&self) -> Result<()> {
        self.set_whole(false)?;
        self.map.set_len(HEADER)?;
        Ok(self.map.set_len(HEADER + self.blocks() * ENTRY)?)
    }

    /// Whether all blocks are here and the MD5 of the whole was right.
    pub fn whole(&self) -> Result<bool> {
        is_whole(&*self.map)
    }

    /// Says so.
    pub fn set_whole(&self, whole: bool) -> Result<()> {
        Ok(self.map.write_at(&[u8::from(whole)], WHOLE_AT)?)
    }

    /// Writes bytes of the content.
    pub fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        Ok(self.data.write_at(bytes, offset)?)
    }

    /// Reads bytes of the content as they are, unproved; less only where the file ends.
    pub fn read(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        Ok(self.data.read_at(buffer, offset)?)
    }

    /// Makes all of the slot durable.
    pub fn sync(&self) -> Result<()> {
        self.data.sync()?;
        Ok(self.map.sync()?)
    }

    /// Makes the bytes durable, for a file that is about to leave.
    pub fn sync_data(&self) -> Result<()> {
        Ok(self.data.sync()?)
    }

    /// Bytes on the disk.
    pub fn disk_bytes(&self) -> Result<u64> {
        Ok(self.data.disk_bytes()? + self.map.disk_bytes()?)
    }

    /// Tries to have the slot alone, in all processes, in place of the shared lock. When that fails there is no lock any
    /// more: open the slot again.
    pub fn alone(&self) -> Result<bool> {
        Ok(self.map.try_lock(true)? && self.is_in_place()?)
    }

    /// Removes what is left of a slot that we have alone.
    pub fn remove(self, disk: &dyn Disk) -> Result<()> {
        remove_files(disk, &*self.map, &self.data_path, &self.map_path)
    }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
