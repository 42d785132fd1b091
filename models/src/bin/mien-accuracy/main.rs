//! `mien-accuracy`: how right the analysis is over a folder of labelled pictures, in all and by group of people.
//!
//! It reads pictures as `mien-analyze` does, and a picture speaks for its largest face. What it prints are measures:
//! it fails only where there is nothing to measure.
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod answers;
mod folder;
mod groups;
mod interval;
mod measure;
mod people;
mod report;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser;

/// Measures how right the expressions are over labelled pictures.
///
/// FOLDER has a folder of pictures for each expression, by our name or a common one (happy, joy, angry …). A picture
/// without a face counts as wrong. With a table of people every measure is also given by group.
#[derive(Debug, Parser)]
#[command(name = "mien-accuracy", version, after_help = AFTER_HELP)]
struct Arguments {
    /// A folder that has a folder of pictures for each expression
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// A CSV table of people or pictures [default: FOLDER/people.csv, where there is one]
    #[arg(long, value_name = "CSV")]
    attributes: Option<PathBuf>,
    /// Take each picture as one face, already cropped
    #[arg(long)]
    cropped: bool,
    /// Write the measures as JSON, too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write what was read of each picture as CSV, too
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Pictures worked on at once [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
}

const AFTER_HELP: &str = "\
The table:
  Its first column names pictures: by path below FOLDER, by file name, or by file name without its ending, and then all
  of that name in all folders are one person. Every other column is an attribute; numbers of many values are cut into
  thirds. A column `neutral` names a picture of the same person's neutral face, by path below FOLDER; without that column
  a person's one picture in the folder of neutral faces is taken. It gives the measures with the own neutral face, over
  the other pictures of that person.

Exit code: 0 measured, 1 nothing to measure or a file that cannot be read, 2 wrong usage";

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mien-accuracy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let pictures = folder::labelled(&arguments.folder)?;
    ensure!(
        !pictures.is_empty(),
        "{}: no folder of pictures has the name of an expression",
        arguments.folder.display()
    );
    let beside = arguments.folder.join("people.csv");
    let table = arguments.attributes.clone().or_else(|| beside.is_file().then_some(beside));
    let people = match &table {
        Some(file) => people::read(file, &pictures).with_context(|| file.display().to_string())?,
        None => people::People::default(),
    };
    let answers = answers::read(&pictures, arguments)?;
    if let Some(file) = &arguments.answers {
        answers::write(file, &pictures, &answers).with_context(|| file.display().to_string())?;
    }
    let report = report::Report::of(&pictures, &people, &answers);
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&report)? + "\n")
            .with_context(|| file.display().to_string())?;
    }
    print!("{report}");
    Ok(())
}
