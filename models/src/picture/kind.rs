//! What a file is, judged by its first bytes; by its name only if those are inconclusive.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use image::ImageFormat;

/// The formats that are read, for people.
pub const READ: &str = "JPEG, PNG, WebP, GIF, BMP, TIFF and PNM (pgm, ppm)";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture that can be decoded, if it is whole.
    Picture(ImageFormat),
    /// A picture of a kind that is not supported.
    Unsupported(&'static str),
    Empty,
    /// Nothing known.
    Other,
}

/// Enough for every signature below.
const BEGINNING: u64 = 32;

/// Pictures that are not read, with the signatures that they have at some offset.
const FOREIGN: [(usize, &[u8], &str); 12] = [
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphe", "HEIC"),
    (4, b"ftypmif1", "HEIC"),
    (4, b"ftypmsf1", "HEIC"),
    (4, b"ftypcrx ", "camera raw"),
    (0, b"\xFF\x0A", "JPEG XL"),
    (0, b"\0\0\0\x0CJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0CjP  ", "JPEG 2000"),
    (0, b"8BPS", "Photoshop"),
    (0, b"IIRO", "camera raw"),
    (0, b"FUJIFILMCCD-RAW", "camera raw"),
];

/// The same by file extension, where the first bytes are ambiguous.
const FOREIGN_ENDINGS: [(&str, &str); 18] = [
    ("avif", "AVIF"),
    ("heic", "HEIC"),
    ("heif", "HEIC"),
    ("jxl", "JPEG XL"),
    ("jp2", "JPEG 2000"),
    ("svg", "SVG"),
    ("tga", "TGA"),
    ("ico", "icon"),
    ("psd", "Photoshop"),
    // They begin like a TIFF file, which holds only a small preview.
    ("dng", "camera raw"),
    ("cr2", "camera raw"),
    ("cr3", "camera raw"),
    ("nef", "camera raw"),
    ("arw", "camera raw"),
    ("orf", "camera raw"),
    ("rw2", "camera raw"),
    ("pef", "camera raw"),
    ("raf", "camera raw"),
];

/// Extensions of supported formats that [`ImageFormat`] does not know.
const MORE_ENDINGS: [(&str, ImageFormat); 3] =
    [("jfif", ImageFormat::Jpeg), ("jpe", ImageFormat::Jpeg), ("jif", ImageFormat::Jpeg)];

impl Kind {
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Ok(Self::of(&beginning(path)?, path))
    }

    /// Of a picture in memory.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(&bytes[..bytes.len().min(BEGINNING as usize)], Path::new(""))
    }

    fn of(beginning: &[u8], path: &Path) -> Self {
        if beginning.is_empty() {
            return Self::Empty;
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let named = ending.as_deref().and_then(|ending| lookup(&FOREIGN_ENDINGS, ending));
        let begins = FOREIGN
            .iter()
            .find(|(at, mark, _)| beginning.get(*at..).is_some_and(|rest| rest.starts_with(mark)));
        if let Some((_, _, name)) = begins {
            return Self::Unsupported(name);
        }
        match (image::guess_format(beginning), named) {
            // Raw pictures from cameras begin like TIFF.
            (Ok(ImageFormat::Tiff) | Err(_), Some(name)) => Self::Unsupported(name),
            (Ok(format), _) if format.reading_enabled() => Self::Picture(format),
            (Ok(format), _) => Self::Unsupported(format.extensions_str().first().copied().unwrap_or("other")),
            (Err(_), None) => Self::Other,
        }
    }

    /// Whether this is beyond doubt: two letters may begin any text.
    pub const fn is_certain(self) -> bool {
        !matches!(self, Self::Picture(ImageFormat::Bmp | ImageFormat::Pnm) | Self::Other | Self::Empty)
    }
}

/// The first bytes of a file.
pub(super) fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    File::open(path)?.take(BEGINNING).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// The supported kind of picture that a file name promises.
pub fn promised(path: &Path) -> Option<ImageFormat> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    lookup(&MORE_ENDINGS, &ending)
        .or_else(|| ImageFormat::from_extension(&ending))
        .filter(ImageFormat::reading_enabled)
}

fn lookup<T: Copy>(table: &[(&str, T)], ending: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == ending).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_it_begins_with() {
        let jpeg = Kind::Picture(ImageFormat::Jpeg);
        for (beginning, name, kind) in [
            (&b"\xFF\xD8\xFF\xE0\0\x10JFIF"[..], "a.jfif", jpeg),
            (b"\xFF\xD8\xFF\xE1", "a.heic", jpeg),
            (b"\xFF\xD8\xFF\xE1", "a", jpeg),
            (b"MM\0*\0\0\0\x08", "a.tif", Kind::Picture(ImageFormat::Tiff)),
            (b"II*\0\x08\0\0\0", "a.NEF", Kind::Unsupported("camera raw")),
            (b"P5\n4 4\n255\n", "a.pgm", Kind::Picture(ImageFormat::Pnm)),
            (b"\0\0\0\x1Cftypheic\0\0\0\0mif1heic", "a.jpg", Kind::Unsupported("HEIC")),
            (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "a.png", Kind::Unsupported("AVIF")),
            (b"\0\0\0\x0CJXL \r\n\x87\n", "a", Kind::Unsupported("JPEG XL")),
            (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2", "a.mp4", Kind::Other),
            (b"\0\0\x01\0\x01\0\x10\x10", "a.ico", Kind::Unsupported("ico")),
            (b"<svg xmlns=", "a.svg", Kind::Unsupported("SVG")),
            (b"file,age\n", "people.csv", Kind::Other),
            (b"", "a.png", Kind::Empty),
        ] {
            assert_eq!(Kind::of(beginning, Path::new(name)), kind, "{name}");
        }
    }

    #[test]
    fn a_name_promises_what_is_read() {
        for (name, format) in [
            ("a.JPG", Some(ImageFormat::Jpeg)),
            ("a.jfif", Some(ImageFormat::Jpeg)),
            ("a.jpe", Some(ImageFormat::Jpeg)),
            ("a.Tiff", Some(ImageFormat::Tiff)),
            ("a.pgm", Some(ImageFormat::Pnm)),
            ("a.heic", None),
            ("a.avif", None),
            ("a.txt", None),
            ("jpg", None),
        ] {
            assert_eq!(promised(Path::new(name)), format, "{name}");
        }
    }
}
