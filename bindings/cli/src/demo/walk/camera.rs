//! The fourth part of the walk-through: a camera roll is backed up once, by month, unchanged, and that is proved.

use super::Walk;
use crate::commands::{count, size};
use crate::demo::report::Report;
use crate::demo::stage::cloud_failed;
use crate::failure::Failure;
use crate::names::shown;
use crate::roll;
use lomme::camera::{AssetRules, AssetState, Batch, Budget, DeviceKind, NewSource, SourceId};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

const DEVICE: &str = "Demo phone";
const MOUNT: &str = "Photos";

impl Walk<'_> {
    pub(super) async fn camera(&self, report: &mut Report<'_>) -> Result<(), Failure> {
        report.step("camera", "Back up a camera roll")?;
        let folder = self.stage.download_to("roll");
        take_photos(&folder)?;
        let camera = self.stage.drive.camera();
        camera
            .create_device(DEVICE, DeviceKind::Android, self.cancel)
            .await?;
        let source = camera.add_source(&NewSource {
            name: MOUNT.into(),
            folder: None,
            mount: None,
            rules: AssetRules::default(),
            from_now: false,
        })?;
        report
            .say("   Six files: a live photo of two, a video, a photo and its copy from a chat,")?;
        report.say("   and another photo of the same name, from a card.")?;
        let batch = self.back_up(source, &folder).await?;
        let months = self.months()?;
        for (month, names) in &months {
            report.say(format!("     {month}  {}", names.join(", ")))?;
        }
        let there = months.values().map(Vec::len).sum::<usize>() as u64;
        if (batch.done, batch.remaining, there) != (5, 0, 5) {
            return Err(Failure::demo("the cloud does not have each photo once"));
        }
        report.say(format!(
            "   {} sent, {}: the copy is there already, and both of one name are kept.",
            count(batch.done, "file"),
            size(batch.sent_bytes)
        ))?;
        report.fact("months", months.len());
        report.fact("files", there);
        report.fact("sent_bytes", batch.sent_bytes);
        self.camera_again(source, &folder, report).await
    }

    async fn camera_again(
        &self,
        source: SourceId,
        folder: &Path,
        report: &mut Report<'_>,
    ) -> Result<(), Failure> {
        report.step("proof", "Back up again, and ask for the proof")?;
        let before = self.stage.requests();
        let batch = self.back_up(source, folder).await?;
        self.nothing_asked_since(before, "what is backed up was sent again")?;
        report.say(format!(
            "   {} sent, and no request was made: nothing is new.",
            size(batch.sent_bytes)
        ))?;
        let camera = self.stage.drive.camera();
        let copy = "Chat/sunset";
        let why = camera.why(source, copy)?;
        if why.state != AssetState::Verified {
            return Err(Failure::demo("a photo was not read again in the cloud"));
        }
        report.say(format!(
            "   Why is '{copy}' there? {} As {}.",
            shown(&why.explanation),
            shown(&why.paths.join(", "))
        ))?;
        let (receipts, _) = camera.receipts(0, 100)?;
        let Some(receipt) = receipts.iter().find(|receipt| receipt.asset == copy) else {
            return Err(Failure::demo("a photo has no receipt"));
        };
        report.say(format!(
            "   Its receipt: {} bytes, MD5 {}, as sent and as read there.",
            receipt.size, receipt.md5
        ))?;
        report.fact("sent_bytes", batch.sent_bytes);
        report.fact("md5", receipt.md5.as_str());
        Ok(())
    }

    async fn back_up(&self, source: SourceId, folder: &Path) -> Result<Batch, Failure> {
        let camera = self.stage.drive.camera();
        roll::scan(camera, source, folder, &|_| {}, self.cancel)?;
        let all = Budget::default();
        Ok(camera.run_batch(&all, None, self.cancel).await?)
    }

    /// What the cloud has, by month.
    fn months(&self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let mount = format!("/{DEVICE}/{MOUNT}");
        let living = self
            .stage
            .cloud
            .writer()
            .paths(&mount)
            .map_err(cloud_failed)?;
        let mut months: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for entry in living.into_iter().filter(|entry| entry.is_file) {
            let below = &entry.path[mount.len() + 1..];
            if let Some((month, name)) = below.rsplit_once('/') {
                months.entry(month.into()).or_default().push(shown(name));
            }
        }
        Ok(months)
    }
}

/// A camera roll of real, if tiny, files. They were written a while ago, as what a person backs up mostly was, the first one
/// last: the newest goes first, and gives a content its name.
fn take_photos(roll: &Path) -> std::io::Result<()> {
    let quay = jpeg("2024:07:05 14:30:00", "the quay");
    let files = [
        ("Camera/IMG_0001.JPG", quay.clone()),
        ("Camera/IMG_0002.JPG", jpeg("2024:07:06 09:10:00", "a gull")),
        ("Camera/IMG_0002.MOV", movie(b"qt  ", 1_720_257_000)),
        ("Camera/VID_0003.MP4", movie(b"isom", 1_722_513_600)),
        ("Card/IMG_0001.JPG", jpeg("2024:07:20 20:00:00", "a boat")),
        ("Chat/sunset.jpg", quay),
    ];
    for (age, (name, content)) in files.into_iter().enumerate() {
        let path = roll.join(name);
        if let Some(album) = path.parent() {
            std::fs::create_dir_all(album)?;
        }
        std::fs::write(&path, content)?;
        let file = File::options().write(true).open(&path)?;
        file.set_modified(SystemTime::now() - Duration::from_secs(3600 + 60 * age as u64))?;
    }
    Ok(())
}

/// A grey pixel, taken at a time, with a comment: a baseline JPEG with EXIF.
fn jpeg(taken: &str, comment: &str) -> Vec<u8> {
    let segment = |marker: u8, body: &[u8]| {
        let length = (body.len() + 2) as u16;
        [&[0xff, marker][..], &length.to_be_bytes(), body].concat()
    };
    // A directory of one entry, which leads to a directory with the date.
    let directory = |tag: u16, kind: u16, count: u32, value: u32| {
        let mut bytes = vec![1, 0];
        bytes.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
        bytes.extend([count.to_le_bytes(), value.to_le_bytes(), [0; 4]].concat());
        bytes
    };
    let exif = [
        b"Exif\0\0II*\0\x08\0\0\0",
        &directory(0x8769, 4, 1, 26)[..],
        &directory(0x9003, 2, 20, 44),
        taken.as_bytes(),
        b"\0",
    ];
    // A table with one code, of one bit, which means zero.
    let code = |class: u8| [&[class, 1][..], &[0; 15], &[0]].concat();
    [
        vec![0xff, 0xd8],
        segment(0xe1, &exif.concat()),
        segment(0xfe, comment.as_bytes()),
        segment(0xdb, &[&[0][..], &[1; 64]].concat()),
        segment(0xc0, &[8, 0, 1, 0, 1, 1, 1, 0x11, 0]),
        segment(0xc4, &code(0x00)),
        segment(0xc4, &code(0x10)),
        segment(0xda, &[1, 1, 0, 0, 63, 0]),
        vec![0x3f, 0xff, 0xd9],
    ]
    .concat()
}

/// The head of a movie without tracks, made at a time in seconds since 1970.
fn movie(brand: &[u8; 4], made_s: u32) -> Vec<u8> {
    let whole = |kind: &[u8; 4], body: &[u8]| {
        let length = (body.len() + 8) as u32;
        [&length.to_be_bytes()[..], kind, body].concat()
    };
    // Its seconds count from 1904.
    let made = made_s.wrapping_add(2_082_844_800).to_be_bytes();
    let mut header = [&[0; 4][..], &made, &made, &1000_u32.to_be_bytes()].concat();
    header.extend([0; 4]);
    header.extend([0, 1, 0, 0, 1, 0]);
    header.extend([0; 70]);
    header.extend(2_u32.to_be_bytes());
    let file_type = [&brand[..], &[0; 4], brand].concat();
    [
        whole(b"ftyp", &file_type),
        whole(b"moov", &whole(b"mvhd", &header)),
    ]
    .concat()
}
