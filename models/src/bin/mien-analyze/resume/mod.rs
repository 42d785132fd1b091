//! Continues an interrupted run: says what its output already holds, and takes off what is torn at its end. A file that
//! is not such an output is never changed.

mod earlier;
mod lines;
mod rows;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

pub(crate) use earlier::{Earlier, ResumeError};

use crate::output;
use crate::output::format::{Format, Layout};
use crate::output::sink::Kept;
use rows::Rows;

/// The file, which is made if there is none, and what it holds.
pub(crate) fn open(path: &Path, format: Format, layout: Layout) -> Result<(Kept, Earlier), ResumeError> {
    let mut options = OpenOptions::new();
    let mut file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(ResumeError::Unopened)?;
    if !file.metadata()?.is_file() {
        return Err(ResumeError::NoFile);
    }
    // Two runs would write into each other's lines. Some file systems have no locks: then nobody looks.
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => return Err(ResumeError::Busy),
        Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
            return Err(error.into());
        }
        Err(TryLockError::Error(_)) | Ok(()) => {}
    }
    let earlier = read(&file, format, layout)?;
    if file.metadata()?.len() != earlier.whole_bytes {
        file.set_len(earlier.whole_bytes)?;
    }
    file.seek(SeekFrom::End(0))?;
    let kept = Kept::new(file, earlier.whole_bytes);
    Ok((kept, earlier))
}

fn read(mut file: &File, format: Format, layout: Layout) -> Result<Earlier, ResumeError> {
    let bytes = file.metadata()?.len();
    let header = output::header(format, layout);
    let expected = header.as_deref().unwrap_or(output::lines::BEGINNING).as_bytes();
    let mut beginning = Vec::new();
    file.take(expected.len() as u64).read_to_end(&mut beginning)?;
    if !expected.starts_with(&beginning) {
        return Err(ResumeError::Foreign);
    }
    if beginning.len() < expected.len() {
        return Ok(Earlier::default());
    }
    file.rewind()?;
    match header {
        None => lines::read(BufReader::new(file), layout.neutral_looks),
        Some(header) => {
            let rows = Rows { format, columns: header.split(',').count(), bytes, ends: ends(file, bytes)? };
            file.rewind()?;
            rows::read(BufReader::new(file), rows)
        }
    }
}

fn ends(mut file: &File, bytes: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(bytes.saturating_sub(1)))?;
    let mut last = Vec::new();
    file.read_to_end(&mut last)?;
    Ok(last == b"\n")
}

#[cfg(test)]
mod tests {
    use mien_shared::{Face, Scores};

    use super::*;
    use crate::output::format::Origin;
    use crate::report::{Report, Seen};

    const LAYOUT: Layout = Layout { landmarks: false, neutral_looks: None, origin: Origin::Files };
    const FORMATS: [Format; 3] = [Format::Ndjson, Format::Csv, Format::Fex];
    /// Names that are torn into other names, some that are named twice, and how many faces each has; so many that
    /// numbers are torn into other numbers.
    const PICTURES: [(&str, u32); 13] = [
        ("a.png", 1),
        ("a.pn", 2),
        ("-1, \"b\"\n.png", 3),
        ("c", 0),
        ("c", 0),
        ("d.png", 2),
        ("d.png", 12),
        ("e", 1),
        ("e", 1),
        ("e", 1),
        ("f", 2),
        ("g", 0),
        ("g", 3),
    ];

    fn report((file, faces): (&str, u32)) -> Report {
        let scores = Scores([0.25, 0.0, 0.0, 0.0, 0.75, 0.0, 0.0]);
        let face = |id| Face::new(id, [0.5, 0.25, 0.125, 0.5].into(), None, scores);
        let seen = |id| Seen { face: face(id), certainty: Some(0.5) };
        Report {
            file: file.to_owned(),
            moment: None,
            size: [64, 32],
            faces: (1..=faces).map(seen).collect(),
            neutral_looks: None,
        }
    }

    /// A file of a test, and what one run wrote into it.
    struct Written {
        path: std::path::PathBuf,
        text: Vec<u8>,
        /// Where each picture ends, the header first.
        ends: Vec<usize>,
    }

    impl Written {
        fn new(name: &str, format: Format) -> Self {
            let test = std::env::current_exe().unwrap();
            let path =
                test.with_file_name(format!("mien-analyze-resume-{name}-{format:?}-{}", std::process::id()));
            let mut written = Self { path, text: Vec::new(), ends: Vec::new() };
            written.run(format, |_| Vec::new());
            written.ends.push(written.text.len());
            for picture in PICTURES {
                written.run(format, |_| vec![picture]);
                written.ends.push(written.text.len());
            }
            written
        }

        /// Continues with these pictures.
        fn run(
            &mut self,
            format: Format,
            choose: impl FnOnce(&mut Earlier) -> Vec<(&'static str, u32)>,
        ) -> Earlier {
            std::fs::write(&self.path, &self.text).unwrap();
            let (kept, mut earlier) = open(&self.path, format, LAYOUT).unwrap();
            let sink = output::sink::Sink::Kept(kept);
            let mut output = if earlier.whole_bytes == 0 {
                output::Output::begun(format, LAYOUT, sink).unwrap()
            } else {
                output::Output::continued(format, LAYOUT, sink, earlier.next_frame)
            };
            for picture in choose(&mut earlier) {
                output.write(&report(picture)).unwrap();
            }
            drop(output);
            self.text = std::fs::read(&self.path).unwrap();
            earlier
        }
    }

    impl Drop for Written {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.path);
        }
    }

    /// A disk that was full, or power that failed, may cut a file anywhere.
    #[test]
    fn a_run_that_is_cut_anywhere_is_continued_as_if_it_had_not_been() {
        for format in FORMATS {
            let mut written = Written::new("cut", format);
            let (whole, ends) = (written.text.clone(), written.ends.clone());
            for cut in 0..=whole.len() {
                // Whole rows of a picture that has more of them do not show that they are not all. Nothing ends so:
                // a picture is written at once, and taken back at once where that fails.
                let in_quotes = whole[..cut].split(|byte| *byte == b'"').count() % 2 == 0;
                if cut > 0 && whole[cut - 1] == b'\n' && !in_quotes && !ends.contains(&cut) {
                    continue;
                }
                written.text = whole[..cut].to_vec();
                let earlier = written.run(format, |earlier| {
                    PICTURES.into_iter().filter(|(name, _)| !earlier.has_read(name)).collect()
                });
                assert!(written.text == whole, "{format:?} at {cut}");
                let pictures = ends.iter().filter(|end| **end as u64 <= earlier.whole_bytes).count();
                assert_eq!(earlier.pictures, pictures.saturating_sub(1), "{format:?} at {cut}");
                // At most the picture that was torn, and one before it, are read again.
                let before = ends.iter().filter(|end| **end <= cut).count();
                assert!(pictures + 1 >= before, "{format:?} at {cut}");
            }
        }
    }

    #[test]
    fn what_is_no_such_output_is_left_as_it_is() {
        for format in FORMATS {
            let mut written = Written::new("foreign", format);
            let other = if format == Format::Csv { Format::Fex } else { Format::Csv };
            let mut damaged = written.text.clone();
            damaged.splice(written.ends[1]..written.ends[1], *b"what is this\n");
            for text in [
                b"dear diary".to_vec(),
                b"\xFF\xD8\xFF\xE0".to_vec(),
                Written::new("other", other).text.clone(),
                damaged,
            ] {
                std::fs::write(&written.path, &text).unwrap();
                open(&written.path, format, LAYOUT).unwrap_err();
                assert_eq!(std::fs::read(&written.path).unwrap(), text);
            }
            let (_kept, _) = {
                std::fs::write(&written.path, &written.text).unwrap();
                open(&written.path, format, LAYOUT).unwrap()
            };
            assert!(matches!(open(&written.path, format, LAYOUT), Err(ResumeError::Busy)));
            written.text.clear();
        }
        let folder = std::env::current_exe().unwrap();
        assert!(open(folder.parent().unwrap(), Format::Csv, LAYOUT).is_err());
    }

    #[test]
    fn other_options_are_another_output() {
        for format in [Format::Ndjson, Format::Csv] {
            let written = Written::new("options", format);
            let layout = Layout { neutral_looks: Some(2), ..LAYOUT };
            std::fs::write(&written.path, &written.text).unwrap();
            assert!(matches!(open(&written.path, format, layout), Err(ResumeError::Foreign)), "{format:?}");
        }
    }
}
