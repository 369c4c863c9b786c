//! Documents and videos that programs open: PDF, Word, MP4, each as small as its format allows.

/// A PDF of one page with one line of text.
pub fn pdf(text: &str) -> Vec<u8> {
    let shown: String = text
        .chars()
        .filter(|c| c.is_ascii() && !"()\\".contains(*c))
        .collect();
    let content = format!("BT /F1 18 Tf 72 720 Td ({shown}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!(
            "<< /Length {} >>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut table = "0000000000 65535 f \n".to_owned();
    for (index, object) in objects.iter().enumerate() {
        table.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", index + 1));
    }
    let start = out.len();
    let count = objects.len() + 1;
    out.push_str(&format!(
        "xref\n0 {count}\n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    out.into_bytes()
}

/// A Word document of one paragraph.
pub fn docx(text: &str) -> Vec<u8> {
    let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
    let text = crate::auth::escape(text);
    zip(&[
        (
            "[Content_Types].xml",
            format!(
                "{declaration}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">\
                 <Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Override PartName=\"/word/document.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{declaration}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
                 <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>"
            ),
        ),
        (
            "word/document.xml",
            format!(
                "{declaration}<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">\
                 <w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>"
            ),
        ),
    ])
}

/// An archive of uncompressed entries.
pub fn zip(entries: &[(&str, String)]) -> Vec<u8> {
    // 1 January 2025, midnight.
    let (time, date) = (0_u16, 45_u16 << 9 | 1 << 5 | 1);
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, body) in entries {
        let mut shared = Vec::new();
        shared.extend(20_u16.to_le_bytes());
        shared.extend(0x0800_u16.to_le_bytes());
        shared.extend(0_u16.to_le_bytes());
        shared.extend(time.to_le_bytes());
        shared.extend(date.to_le_bytes());
        shared.extend(crc32(body.as_bytes()).to_le_bytes());
        shared.extend((body.len() as u32).to_le_bytes());
        shared.extend((body.len() as u32).to_le_bytes());
        shared.extend((name.len() as u16).to_le_bytes());
        shared.extend(0_u16.to_le_bytes());
        central.extend(b"PK\x01\x02\x14\0");
        central.extend(&shared);
        central.extend([0; 10]);
        central.extend((out.len() as u32).to_le_bytes());
        central.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&shared);
        out.extend(name.as_bytes());
        out.extend(body.as_bytes());
    }
    let (start, count) = (out.len() as u32, entries.len() as u16);
    let size = central.len() as u32;
    out.extend(central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    };
    !bytes.iter().fold(!0, step)
}

/// An MP4 with one empty video track, taken at `taken_s` seconds since 1970, and `bytes` of media data.
pub fn mp4(seed: u64, taken_s: u64, seconds: u32, bytes: usize) -> Vec<u8> {
    // Times count from 1904.
    let taken = ((taken_s + 2_082_844_800) as u32).to_be_bytes();
    let duration = (seconds * 1000).to_be_bytes();
    let scale = 1000_u32.to_be_bytes();
    let matrix = [0x0001_0000_u32, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000]
        .map(u32::to_be_bytes)
        .concat();
    let zeros = |count: usize| vec![0_u8; count];
    let mvhd = full(
        "mvhd",
        0,
        &[
            &taken,
            &taken,
            &scale,
            &duration,
            &[0, 1, 0, 0],
            &[1, 0],
            &zeros(10),
            &matrix,
            &zeros(24),
            &[0, 0, 0, 2],
        ],
    );
    let tkhd = full(
        "tkhd",
        3,
        &[
            &taken,
            &taken,
            &[0, 0, 0, 1],
            &zeros(4),
            &duration,
            &zeros(16),
            &matrix,
            &[7, 128, 0, 0],
            &[4, 56, 0, 0],
        ],
    );
    let mdhd = full(
        "mdhd",
        0,
        &[&taken, &taken, &scale, &duration, &[0x55, 0xc4], &zeros(2)],
    );
    let hdlr = full("hdlr", 0, &[&zeros(4), b"vide", &zeros(12), b"Video\0"]);
    let url = full("url ", 1, &[]);
    let dref = full("dref", 0, &[&[0, 0, 0, 1], &url]);
    let table = |name| full(name, 0, &[&zeros(4)]);
    let stsz = full("stsz", 0, &[&zeros(8)]);
    let stbl = boxed(
        "stbl",
        &[
            &table("stsd"),
            &table("stts"),
            &table("stsc"),
            &stsz,
            &table("stco"),
        ],
    );
    let minf = boxed(
        "minf",
        &[
            &full("vmhd", 1, &[&zeros(8)]),
            &boxed("dinf", &[&dref]),
            &stbl,
        ],
    );
    let mdia = boxed("mdia", &[&mdhd, &hdlr, &minf]);
    let trak = boxed("trak", &[&tkhd, &mdia]);
    let ftyp = boxed("ftyp", &[b"isom", &[0, 0, 2, 0], b"isomiso2mp41"]);
    let moov = boxed("moov", &[&mvhd, &trak]);
    [ftyp, moov, boxed("mdat", &[&noise(seed, bytes)])].concat()
}

fn boxed(name: &str, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = (body.len() as u32 + 8).to_be_bytes();
    [&length, name.as_bytes(), &body].concat()
}

fn full(name: &str, flags: u8, parts: &[&[u8]]) -> Vec<u8> {
    boxed(name, &[&[0, 0, 0, flags], &parts.concat()])
}

/// `bytes` bytes that follow from `seed` and do not compress.
pub fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed ^ 0x9e37_79b9_7f4a_7c15;
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        out.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    out.truncate(bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_sum_is_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_boxes_of_a_video_fill_it_exactly() {
        let video = mp4(1, 1_752_500_000, 12, 5_000);
        let mut at = 0;
        let mut names = Vec::new();
        while at < video.len() {
            let length =
                u32::from_be_bytes([video[at], video[at + 1], video[at + 2], video[at + 3]]);
            names.push(String::from_utf8_lossy(&video[at + 4..at + 8]).into_owned());
            at += length as usize;
        }
        assert_eq!(
            (at, names.join(" ").as_str()),
            (video.len(), "ftyp moov mdat")
        );
    }

    #[test]
    fn the_cross_reference_of_a_pdf_points_at_its_objects() {
        let pdf = String::from_utf8_lossy(&pdf("Lease (2024)")).into_owned();
        let table = pdf.split("xref\n0 6\n").nth(1).unwrap_or("");
        let mut found = 0;
        for (index, line) in table.lines().take(6).enumerate().skip(1) {
            let at: usize = line[..10].parse().unwrap_or(0);
            assert!(pdf[at..].starts_with(&format!("{index} 0 obj")), "{line}");
            found += 1;
        }
        assert_eq!(found, 5);
    }
}
