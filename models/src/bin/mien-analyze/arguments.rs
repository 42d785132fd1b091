//! The command's arguments.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser};

use crate::help::AFTER_HELP;
use crate::output::format::{Format, Origin};
use crate::rate::Rate;

/// Finds the faces in pictures and reads their expressions.
///
/// Writes one line a picture to standard output, in the order given. Folders are read with everything below them, each
/// in order of its names' bytes (so b10.png comes before b9.png); links are followed, each folder once. Reads JPEG,
/// PNG, WebP, GIF (its first picture), BMP, TIFF and PNM (pgm, ppm), and knows them by how they begin, whatever they
/// are called. What a folder holds besides (HEIC, AVIF, camera raw, other files, hidden ones) is left out and told on
/// standard error, with how many. Every face is read, however many there are.
#[derive(Debug, Parser)]
#[command(name = "mien-analyze", version, after_help = AFTER_HELP)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// Pictures, and folders of pictures; - alone reads a stream of PPM or JPEG pictures from standard input
    #[arg(required = true, value_name = "IMAGE|FOLDER|-")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    pub(crate) format: Format,
    /// Take each picture as one face, already cropped: its box is the whole picture
    #[arg(long)]
    pub(crate) cropped: bool,
    /// Also measure landmarks: head pose, blinks, gaze and 52 coefficients of every face, and tell faint smiles from
    /// neutral by the corners of the mouth; several times slower
    #[arg(long)]
    pub(crate) landmarks: bool,
    /// A picture of the neutral, relaxed face of the one person in all pictures, whose smiles are then told from it;
    /// again for several, whose median counts
    #[arg(long, value_name = "IMAGE")]
    pub(crate) neutral: Vec<PathBuf>,
    /// Pictures worked on at once [default: one for each core]
    #[arg(short, long, value_name = "N", visible_alias = "threads")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Write results as they come: none waits for a slow picture before it
    #[arg(long)]
    pub(crate) unordered: bool,
    /// Write to FILE, and read only those pictures that it does not yet name: continues what was interrupted
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
    /// Tell errors only: no progress, nothing of what was left out, no summary
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Frames a second of the stream, as in 25 or 30000/1001: gives each frame its time, from 0
    #[arg(long, value_name = "N")]
    pub(crate) fps: Option<Rate>,
    /// Follow the faces of the stream: each keeps its number, and scores change smoothly, as on the page
    #[arg(long, requires = "fps", conflicts_with = "unordered")]
    pub(crate) track: bool,
    /// What the stream is called in the results [default: <stdin>]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

impl Arguments {
    /// As given, if they make sense together; otherwise this says why and ends with 2.
    pub(crate) fn checked() -> Self {
        let arguments = Self::parse();
        if let Some(fault) = arguments.fault() {
            Self::command().error(ErrorKind::ArgumentConflict, fault).exit();
        }
        arguments
    }

    pub(crate) fn reads_stream(&self) -> bool {
        self.paths.iter().any(|path| path == Path::new("-"))
    }

    pub(crate) fn origin(&self) -> Origin {
        match (self.reads_stream(), self.fps.is_some(), self.track) {
            (false, ..) => Origin::Files,
            (true, false, _) => Origin::Frames,
            (true, true, false) => Origin::Film,
            (true, true, true) => Origin::FollowedFilm,
        }
    }

    fn fault(&self) -> Option<&'static str> {
        if self.reads_stream() {
            return match (self.paths.len(), &self.resume) {
                (2.., _) => Some("a stream is read alone: a file that is called - is ./-"),
                (_, Some(_)) => Some("a stream cannot be continued with --resume"),
                _ => None,
            };
        }
        let of_streams = self.fps.is_some() || self.track || self.name.is_some();
        of_streams.then_some("--fps, --track and --name are for a stream: give - as the only picture")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for (arguments, works) in [
            (&["a.png", "--resume", "out.csv", "--unordered", "-j", "2"][..], true),
            (&["a.png", "--threads", "2"], true),
            (&["-", "--fps", "25", "--track", "--name", "clip"], true),
            (&["./-", "a.png"], true),
            (&["-", "a.png"], false),
            (&["-", "--resume", "out.csv"], false),
            (&["-", "--track"], false),
            (&["-", "--track", "--fps", "25", "--unordered"], false),
            (&["-", "--fps", "0"], false),
            (&["a.png", "--fps", "25"], false),
            (&["a.png", "--name", "b"], false),
            (&["a.png", "-j", "0"], false),
        ] {
            let parsed = Arguments::try_parse_from(["mien-analyze"].iter().chain(arguments));
            assert_eq!(parsed.is_ok_and(|parsed| parsed.fault().is_none()), works, "{arguments:?}");
        }
    }
}
