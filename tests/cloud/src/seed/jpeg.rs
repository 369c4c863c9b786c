//! Small valid baseline JPEGs with EXIF, made without an image library: grey blocks of 8 × 8 pixels
//! with a DC coefficient each, which is all that a decoder needs.

/// What a camera writes beside the picture.
#[derive(Clone, Debug)]
pub struct Exif {
    /// Maker and model of the camera.
    pub camera: (&'static str, &'static str),
    /// Local time as EXIF has it: `2025:07:14 18:32:05`.
    pub taken: String,
    /// Its offset from UTC, `+02:00`.
    pub offset: &'static str,
    /// EXIF orientation, 1 to 8.
    pub orientation: u16,
    /// Degrees north and east, both positive.
    pub place: Option<(f64, f64)>,
}

/// A picture of `width` × `height` blocks whose greys follow from `seed`.
pub fn jpeg(seed: u64, width: u16, height: u16, exif: &Exif) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    let mut app1 = b"Exif\0\0".to_vec();
    app1.extend(tiff(exif));
    segment(&mut out, 0xe1, &app1);
    // One quantisation table, all eights.
    let mut table = vec![0];
    table.extend([8; 64]);
    segment(&mut out, 0xdb, &table);
    let (w, h) = ((width * 8).to_be_bytes(), (height * 8).to_be_bytes());
    segment(&mut out, 0xc0, &[8, h[0], h[1], w[0], w[1], 1, 1, 0x11, 0]);
    // DC: the standard luminance table. AC: one code, the end of the block.
    let mut dc = vec![0x00, 0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
    dc.extend(0..=11_u8);
    segment(&mut out, 0xc4, &dc);
    segment(
        &mut out,
        0xc4,
        &[0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00],
    );
    segment(&mut out, 0xda, &[1, 1, 0x00, 0, 63, 0]);

    let mut bits = Bits::default();
    let mut previous = 0;
    let mut state = seed;
    for row in 0..i32::from(height) {
        for column in 0..i32::from(width) {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let noise = i32::try_from(state >> 60).unwrap_or(0);
            // A sky that darkens towards the ground, with some grain.
            let grey = 90 - row * 150 / i32::from(height) + column % 7 + noise;
            bits.dc(grey - previous);
            previous = grey;
            bits.put(0, 1);
        }
    }
    out.extend(bits.finish());
    out.extend([0xff, 0xd9]);
    out
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    let length = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
    out.extend([0xff, marker]);
    out.extend(length.to_be_bytes());
    out.extend(body);
}

/// The entropy-coded bits, with a zero byte stuffed after every 0xff.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, length: u32) {
        self.held = (self.held << length) | (value & ((1 << length) - 1));
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xff {
                self.out.push(0);
            }
        }
    }

    /// One DC difference in the standard luminance code.
    fn dc(&mut self, difference: i32) {
        const CODES: [(u32, u32); 12] = [
            (0b00, 2),
            (0b010, 3),
            (0b011, 3),
            (0b100, 3),
            (0b101, 3),
            (0b110, 3),
            (0b1110, 4),
            (0b11110, 5),
            (0b111110, 6),
            (0b1111110, 7),
            (0b11111110, 8),
            (0b111111110, 9),
        ];
        let size = 32 - difference.unsigned_abs().leading_zeros();
        let (code, length) = CODES[size as usize];
        self.put(code, length);
        let value = if difference < 0 {
            difference - 1
        } else {
            difference
        };
        if size > 0 {
            self.put(value as u32, size);
        }
    }

    fn finish(mut self) -> Vec<u8> {
        // The standard wants ones in the last byte.
        if self.count > 0 {
            self.put(0x7f, 8 - self.count);
        }
        self.out
    }
}

/// A value of one TIFF field.
enum Value {
    Text(String),
    Short(u16),
    Long(u32),
    Ratios(Vec<(u32, u32)>),
}

/// Lays out one directory that begins at `at`; its long values follow it.
fn directory(at: u32, fields: &[(u16, Value)]) -> Vec<u8> {
    let count = u16::try_from(fields.len()).unwrap_or(u16::MAX);
    let mut data_at = at + 2 + 12 * u32::from(count) + 4;
    let (mut entries, mut data) = (Vec::new(), Vec::new());
    for (tag, value) in fields {
        let (kind, number, bytes): (u16, usize, Vec<u8>) = match value {
            Value::Text(text) => (2, text.len() + 1, [text.as_bytes(), &[0]].concat()),
            Value::Short(short) => (3, 1, short.to_le_bytes().to_vec()),
            Value::Long(long) => (4, 1, long.to_le_bytes().to_vec()),
            Value::Ratios(ratios) => {
                let pairs = ratios
                    .iter()
                    .flat_map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()]);
                (5, ratios.len(), pairs.flatten().collect())
            }
        };
        entries.extend(tag.to_le_bytes());
        entries.extend(kind.to_le_bytes());
        entries.extend((number as u32).to_le_bytes());
        if bytes.len() <= 4 {
            let mut inline = bytes;
            inline.resize(4, 0);
            entries.extend(inline);
        } else {
            entries.extend(data_at.to_le_bytes());
            let mut padded = bytes;
            padded.resize(padded.len().next_multiple_of(2), 0);
            data_at += padded.len() as u32;
            data.extend(padded);
        }
    }
    let mut out = count.to_le_bytes().to_vec();
    out.extend(entries);
    out.extend(0_u32.to_le_bytes());
    out.extend(data);
    out
}

fn tiff(exif: &Exif) -> Vec<u8> {
    let main = |exif_at: u32, gps_at: u32| {
        let mut fields = vec![
            (0x010f, Value::Text(exif.camera.0.into())),
            (0x0110, Value::Text(exif.camera.1.into())),
            (0x0112, Value::Short(exif.orientation)),
            (0x0132, Value::Text(exif.taken.clone())),
            (0x8769, Value::Long(exif_at)),
        ];
        if exif.place.is_some() {
            fields.push((0x8825, Value::Long(gps_at)));
        }
        directory(8, &fields)
    };
    // The size of the first directory does not depend on the offsets in it.
    let exif_at = 8 + main(0, 0).len() as u32;
    let shot = directory(
        exif_at,
        &[
            (0x829a, Value::Ratios(vec![(1, 250)])),
            (0x829d, Value::Ratios(vec![(18, 10)])),
            (0x8827, Value::Short(100)),
            (0x9003, Value::Text(exif.taken.clone())),
            (0x9004, Value::Text(exif.taken.clone())),
            (0x9011, Value::Text(exif.offset.into())),
        ],
    );
    let gps_at = exif_at + shot.len() as u32;
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend(main(exif_at, gps_at));
    out.extend(shot);
    if let Some((north, east)) = exif.place {
        let fields = [
            (1, Value::Text("N".into())),
            (2, Value::Ratios(degrees(north))),
            (3, Value::Text("E".into())),
            (4, Value::Ratios(degrees(east))),
        ];
        out.extend(directory(gps_at, &fields));
    }
    out
}

/// Degrees, minutes and hundredths of seconds.
fn degrees(value: f64) -> Vec<(u32, u32)> {
    let hundredths = (value * 360_000.0) as u32;
    vec![
        (hundredths / 360_000, 1),
        (hundredths / 6_000 % 60, 1),
        (hundredths % 6_000, 100),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let exif = Exif {
            camera: ("Google", "Pixel 8"),
            taken: "2025:07:14 18:32:05".into(),
            offset: "+02:00",
            orientation: 6,
            place: Some((59.913, 10.752)),
        };
        jpeg(7, 20, 15, &exif)
    }

    /// Decodes every block again and counts them.
    #[test]
    fn the_picture_holds_as_many_blocks_as_its_size_says() {
        let jpeg = sample();
        assert_eq!(&jpeg[..4], &[0xff, 0xd8, 0xff, 0xe1]);
        let scan = jpeg
            .windows(2)
            .rposition(|w| w == [0xff, 0xda])
            .map(|at| at + 10);
        let scan = &jpeg[scan.unwrap_or(0)..jpeg.len() - 2];
        let mut bits = Vec::new();
        let mut bytes = scan.iter().copied();
        while let Some(byte) = bytes.next() {
            bits.extend((0..8).rev().map(|bit| byte >> bit & 1));
            if byte == 0xff {
                assert_eq!(bytes.next(), Some(0), "0xff is stuffed");
            }
        }
        let mut at = 0;
        let mut take = |n: usize| {
            let value = bits[at..at + n]
                .iter()
                .fold(0_u32, |sum, bit| sum << 1 | u32::from(*bit));
            at += n;
            value
        };
        let mut blocks = 0;
        let mut grey = 0_i32;
        for _ in 0..20 * 15 {
            let mut code = take(2);
            let size = match code {
                0 => 0,
                _ => {
                    code = code << 1 | take(1);
                    let mut size = code - 1;
                    while size >= 6 && take(1) == 1 {
                        size += 1;
                    }
                    size
                }
            };
            let raw = take(size as usize) as i32;
            grey += if size > 0 && raw < 1 << (size - 1) {
                raw - (1 << size) + 1
            } else {
                raw
            };
            assert!(
                (-128..=127).contains(&grey),
                "a grey that a pixel can have: {grey}"
            );
            assert_eq!(take(1), 0, "the end of the block");
            blocks += 1;
        }
        assert_eq!(blocks, 300);
        assert!(bits.len() - at < 8, "nothing but padding follows");
    }

    #[test]
    fn the_exif_block_says_when_and_where() {
        let jpeg = sample();
        let has = |text: &[u8]| jpeg.windows(text.len()).any(|window| window == text);
        assert!(has(b"Exif\0\0II*\0"));
        assert!(has(b"2025:07:14 18:32:05\0"));
        assert!(has(b"Pixel 8\0"));
        assert_eq!(degrees(59.5), vec![(59, 1), (30, 1), (0, 100)]);
    }
}
