//! One person's files: what is in Sync, what two computers back up, what lies in Archive.

use super::jpeg::{Exif, jpeg};
use super::media::{docx, mp4, noise, pdf};
use super::{DAY, NOON, names};
use crate::tree::TreeError;
use crate::writer::Writer;

/// Fills the cloud; says with how many files.
pub fn fill(writer: &Writer) -> Result<u64, TreeError> {
    let mut hand = Hand { writer, files: 0 };
    sync(&mut hand)?;
    windows(&mut hand)?;
    macbook(&mut hand)?;
    archive(&mut hand)?;
    odd_names(&mut hand)?;
    history(&mut hand)?;
    Ok(hand.files)
}

/// Writes files and counts them.
struct Hand<'a> {
    writer: &'a Writer,
    files: u64,
}

impl Hand<'_> {
    /// A file last modified `days` days before the seeder's noon.
    fn put(&mut self, path: &str, content: &[u8], days: i64) -> Result<(), TreeError> {
        let modified = NOON - days * DAY;
        self.writer
            .put_at(path, content, modified - DAY, modified)?;
        self.files += 1;
        Ok(())
    }

    fn text(&mut self, path: &str, days: i64) -> Result<(), TreeError> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let line = "Lorem ipsum dolor sit amet, consectetur adipiscing elit.\n";
        let text = format!("{name}\n\n{}", line.repeat(3 + name.len() % 20));
        self.put(path, text.as_bytes(), days)
    }

    /// Holiday pictures, one an hour.
    fn photos(
        &mut self,
        folder: &str,
        first_day: i64,
        count: u64,
        shot: &Shot,
    ) -> Result<(), TreeError> {
        for index in 0..count {
            let taken_ms = NOON - first_day * DAY + index as i64 * 3_600_000;
            let (date, time) = date_and_time(taken_ms + 7_200_000);
            let exif = Exif {
                camera: shot.camera,
                taken: format!("{} {time}", date.replace('-', ":")),
                offset: "+02:00",
                orientation: if index % 5 == 4 { 6 } else { 1 },
                place: shot
                    .place
                    .map(|(north, east)| (north + index as f64 * 0.001, east)),
            };
            let path = format!("{folder}/{}", (shot.name)(index, &date, &time));
            let picture = jpeg(index + first_day as u64 * 97, 160, 120, &exif);
            self.writer.put_at(&path, &picture, taken_ms, taken_ms)?;
            self.files += 1;
        }
        Ok(())
    }

    fn video(
        &mut self,
        path: &str,
        days: i64,
        seconds: u32,
        bytes: usize,
    ) -> Result<(), TreeError> {
        let taken = (NOON - days * DAY) / 1_000;
        let video = mp4(days as u64, taken as u64, seconds, bytes);
        self.put(path, &video, days)
    }
}

/// How a series of pictures was taken.
struct Shot {
    camera: (&'static str, &'static str),
    place: Option<(f64, f64)>,
    name: fn(u64, &str, &str) -> String,
}

/// `2025-06-01` and `12:00:00`, as the clock says at `ms` in UTC.
fn date_and_time(ms: i64) -> (String, String) {
    let stamp = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    let text = stamp.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let (date, time) = text.split_once(' ').unwrap_or((&text, ""));
    (date.to_owned(), time.to_owned())
}

fn pixel(_: u64, date: &str, time: &str) -> String {
    format!(
        "PXL_{}_{}123.jpg",
        date.replace('-', ""),
        time.replace(':', "")
    )
}

fn numbered(index: u64, _: &str, _: &str) -> String {
    format!("IMG_{:04}.JPG", 4_021 + index)
}

fn sync(hand: &mut Hand<'_>) -> Result<(), TreeError> {
    let root = "/Jotta/Sync";
    hand.text(&format!("{root}/Read me first.txt"), 30)?;
    let documents = format!("{root}/Documents");
    hand.put(
        &format!("{documents}/Lease 2024.pdf"),
        &pdf("Lease 2024"),
        400,
    )?;
    hand.put(
        &format!("{documents}/Insurance/Car.pdf"),
        &pdf("Car insurance"),
        200,
    )?;
    hand.put(
        &format!("{documents}/Insurance/House.pdf"),
        &pdf("House insurance"),
        190,
    )?;
    hand.put(
        &format!("{documents}/Application.docx"),
        &docx("Dear Sir or Madam,"),
        20,
    )?;
    hand.put(&format!("{documents}/Empty.txt"), b"", 12)?;
    let mut budget = "month,rent,food\n".to_owned();
    (1..=12).for_each(|month| budget.push_str(&format!("{month},12000,{}\n", 4_000 + month * 13)));
    hand.put(&format!("{documents}/Budget.csv"), budget.as_bytes(), 3)?;
    for (days, note) in ["Ideas", "Shopping", "Books to read", "Wi-Fi passwords"]
        .iter()
        .enumerate()
    {
        hand.text(&format!("{root}/Notes/{note}.md"), days as i64 + 1)?;
    }
    for part in 1..=3 {
        let path = format!("{root}/Projects/Cabin/Drawings/Floor {part}.dxf");
        hand.put(&path, &noise(part, 40_000), 60 + part as i64)?;
    }
    hand.writer
        .mkdir(&format!("{root}/Projects/Cabin/Permits"))?;
    let shot = Shot {
        camera: ("Google", "Pixel 8"),
        place: Some((59.913, 10.752)),
        name: pixel,
    };
    hand.photos(&format!("{root}/Pictures/Midsummer"), 340, 8, &shot)?;
    hand.video(
        &format!("{root}/Pictures/Midsummer/Bonfire.mp4"),
        340,
        9,
        600_000,
    )
}

/// A computer with two backed-up folders.
fn windows(hand: &mut Hand<'_>) -> Result<(), TreeError> {
    hand.writer.device("KARI-PC", "WORKSTATION")?;
    let documents = "/KARI-PC/Documents";
    for year in 2021..=2024 {
        let path = format!("{documents}/Taxes/{year}/Return.pdf");
        hand.put(&path, &pdf(&format!("Return {year}")), (2025 - year) * 365)?;
        hand.text(
            &format!("{documents}/Taxes/{year}/Notes.txt"),
            (2025 - year) * 365,
        )?;
    }
    hand.put(&format!("{documents}/CV.docx"), &docx("Kari Nordmann"), 80)?;
    let shot = Shot {
        camera: ("Canon", "Canon EOS 250D"),
        place: None,
        name: numbered,
    };
    hand.photos("/KARI-PC/Pictures/2023 Lofoten", 700, 12, &shot)?;
    hand.video(
        "/KARI-PC/Pictures/2023 Lofoten/MVI_4033.MP4",
        700,
        31,
        1_500_000,
    )
}

/// Another one, whose backup has the same file as Sync.
fn macbook(hand: &mut Hand<'_>) -> Result<(), TreeError> {
    hand.writer.device("Karis MacBook", "MACBOOK")?;
    let desktop = "/Karis MacBook/Desktop";
    hand.put(
        &format!("{desktop}/Lease 2024 copy.pdf"),
        &pdf("Lease 2024"),
        390,
    )?;
    hand.put(&format!("{desktop}/Slides.key"), &noise(77, 250_000), 15)?;
    hand.text(&format!("{desktop}/todo"), 1)?;
    let shot = Shot {
        camera: ("Apple", "iPhone 15"),
        place: Some((63.43, 10.395)),
        name: numbered,
    };
    hand.photos("/Karis MacBook/Photos/Trondheim", 120, 6, &shot)
}

fn archive(hand: &mut Hand<'_>) -> Result<(), TreeError> {
    let root = "/Jotta/Archive";
    for decade in [1970, 1980, 1990] {
        let path = format!("{root}/Scans/{decade}s/Album.pdf");
        hand.put(&path, &pdf(&format!("Album {decade}s")), 1_500)?;
    }
    let shot = Shot {
        camera: ("NIKON CORPORATION", "NIKON D40"),
        place: Some((41.9, 12.49)),
        name: |index, _, _| format!("DSC_{:04}.JPG", 100 + index),
    };
    hand.photos(&format!("{root}/Photos/2012 Rome"), 4_700, 10, &shot)?;
    hand.video(&format!("{root}/Videos/Wedding.mp4"), 3_000, 125, 3_000_000)?;
    hand.put(
        &format!("{root}/Old laptop.img"),
        &noise(5, 2_000_000),
        2_000,
    )
}

/// Names that have broken clients.
fn odd_names(hand: &mut Hand<'_>) -> Result<(), TreeError> {
    for (index, name) in names::odd().iter().enumerate() {
        match hand.text(&format!("/Jotta/Sync/Odd names/{name}"), index as i64) {
            // Too long where names are measured in bytes.
            Err(TreeError::Refused(_)) => {}
            done => done?,
        }
    }
    hand.text(
        "/Jotta/Sync/Odd names/ folder with a leading space/a.txt",
        1,
    )?;
    hand.text("/Jotta/Sync/Odd names/æøå & Co. + more/#1 50;50.txt", 1)
}

/// Versions, trash and a public link.
fn history(hand: &mut Hand<'_>) -> Result<(), TreeError> {
    let report = "/Jotta/Sync/Documents/Report.docx";
    for version in 1..=5 {
        hand.put(
            report,
            &docx(&format!("Report, version {version}")),
            10 - version,
        )?;
    }
    // Five versions are one file.
    hand.files -= 4;
    let trashed = "/Jotta/Sync/Notes/Old idea.md";
    hand.text(trashed, 90)?;
    hand.writer.trash(trashed)?;
    let folder = "/Jotta/Archive/Unsorted";
    hand.text(&format!("{folder}/scan 1.txt"), 800)?;
    hand.text(&format!("{folder}/more/scan 2.txt"), 800)?;
    hand.writer.trash(folder)?;
    hand.files -= 3;
    hand.writer
        .share("/Jotta/Sync/Pictures/Midsummer/Bonfire.mp4", true)
}
