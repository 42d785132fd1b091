//! The command's arguments.

use std::path::PathBuf;

use anyhow::ensure;
use clap::Parser;

/// Measures how right the expressions are over labelled pictures.
///
/// FOLDER has a folder of pictures for each expression, by our name or a common one (happy, joy, angry …). A picture
/// without a face counts as wrong. With a table of people every measure is also given by group.
#[derive(Debug, Parser)]
#[command(name = "mien-accuracy", version, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    /// A folder that has a folder of pictures for each expression
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// A CSV table of people or pictures [default: FOLDER/people.csv, where there is one]
    #[arg(long, value_name = "CSV")]
    pub(crate) attributes: Option<PathBuf>,
    /// Take each picture as one face, already cropped
    #[arg(long)]
    pub(crate) cropped: bool,
    /// Look at the corners of the mouth, too
    #[arg(long)]
    pub(crate) landmarks: bool,
    /// Write the measures as JSON, too
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write what was read of each picture as CSV, too
    #[arg(long, value_name = "FILE")]
    pub(crate) answers: Option<PathBuf>,
    /// Pictures worked on at once [default: one for each core]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Measure the worker of this built page, which PROGRAM runs, and compare it with the native reading;
    /// `cargo xtask accuracy --wasm` names both
    #[arg(long, num_args = 2, value_names = ["PROGRAM", "PAGE"], hide_short_help = true)]
    wasm: Vec<PathBuf>,
}

impl Arguments {
    /// The program that runs the page's worker, and the page; `None` without `--wasm`.
    pub(crate) fn worker(&self) -> anyhow::Result<Option<[&PathBuf; 2]>> {
        let [program, page] = &self.wasm[..] else { return Ok(None) };
        ensure!(!self.landmarks, "the page’s worker does not look at landmarks yet: --landmarks is native");
        Ok(Some([program, page]))
    }
}

const AFTER_HELP: &str = "\
The table:
  Its first column names pictures: by path below FOLDER, by file name, or by file name without its ending, and then all
  of that name in all folders are one person. Every other column is an attribute; numbers of many values are cut into
  thirds. A column `neutral` names a picture of the same person's neutral face, by path below FOLDER; without that column
  a person's one picture in the folder of neutral faces is taken. It gives the measures with the own neutral face, over
  the other pictures of that person.

Exit code: 0 measured, 1 nothing to measure, a file that cannot be read, or a worker that answers otherwise, 2 wrong
usage";
