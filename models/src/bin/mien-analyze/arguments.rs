//! The command's arguments.

use std::path::PathBuf;

use clap::Parser;

use crate::output::Format;

/// Finds the faces in pictures and reads their expressions.
///
/// Writes one line a picture to standard output, in the order given; folders are walked in order of name. Reads JPEG,
/// PNG, WebP, GIF (its first picture), BMP, TIFF and PNM (pgm, ppm), and knows them by how they begin, whatever they
/// are called. What a folder holds besides (HEIC, AVIF, camera raw, other files, hidden ones) is left out and told on
/// standard error, with how many. Every face is read, however many there are.
#[derive(Debug, Parser)]
#[command(name = "mien-analyze", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// Pictures, and folders of pictures
    #[arg(required = true, value_name = "IMAGE|FOLDER")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    pub(crate) format: Format,
    /// Take each picture as one face, already cropped: its box is the whole picture
    #[arg(long)]
    pub(crate) cropped: bool,
    /// Also measure landmarks: head pose, blinks, gaze and 52 coefficients of every face, and tell faint smiles from
    /// neutral by the corners of the mouth; about twice as slow
    #[arg(long)]
    pub(crate) landmarks: bool,
    /// A picture of the neutral, relaxed face of the one person in all pictures, whose smiles are then told from it;
    /// again for several, whose median counts
    #[arg(long, value_name = "IMAGE")]
    pub(crate) neutral: Vec<PathBuf>,
    /// Pictures worked on at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

const AFTER_HELP: &str = "\
Output:
  ndjson  {\"file\":…,\"faces\":[{\"id\",\"box\",\"expression\",\"scores\",\"quality\"}]}, one object a picture; box is
          left, top, width, height in fractions of the picture; scores are in the order neutral, happiness,
          sadness, anger, fear, disgust, surprise; expression is null where the analyser abstains; with --neutral
          \"neutral_looks\" says of how many pictures the neutral face was made; with --landmarks a face has
          \"landmarks\": yaw, pitch and roll (degrees to the right in the picture, up, and clockwise), blink_left and
          blink_right (0 … 1, the person's own eyes), gaze (degrees right and up, relative to the head) and
          coefficients (0 … 1, by the names that MediaPipe publishes), if they could be measured
  csv     one row a face, with a header; a picture without faces has one row with empty columns; a file whose name
          begins as a formula does (= + - @) or with a ' has a ' before it, which no spreadsheet shows; with --landmarks
          columns yaw, pitch, roll, blink_left, blink_right, gaze_right, gaze_up and one for each coefficient; with
          --neutral a last column neutral_looks

Exit code: 0 all done; 1 some picture could not be read (each is named on standard error with the reason: damaged,
           not supported, too large, empty, or no picture at all), or not one was; 2 wrong usage";
