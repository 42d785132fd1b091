//! `mien-analyze`: the page's own inference over pictures and folders, to NDJSON or CSV.
//!
//! Pictures go through one at a time for each thread and come out in order. One that cannot be read is said
//! on standard error; the rest is still done, and the exit code is 1. What is left out of a folder is said, too.
#![allow(clippy::print_stderr)]

mod analyze;
mod files;
mod output;
mod queue;

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{collections::BTreeMap, thread};

use anyhow::Context as _;
use clap::Parser;
use mien_models::Analyzer;
use mien_models::picture::PictureError;
use mien_models::weights::WEIGHTS;

use output::{Format, Report, Writer};
use queue::Queue;

/// Finds the faces in pictures and reads their expressions.
///
/// Writes one line a picture to standard output, in the order given; folders are walked in order of name. Reads JPEG,
/// PNG, WebP, GIF (its first picture), BMP, TIFF and PNM (pgm, ppm), and knows them by how they begin, whatever they
/// are called. What a folder holds besides (HEIC, AVIF, camera raw, other files, hidden ones) is left out and told on
/// standard error, with how many. Every face is read, however many there are.
#[derive(Debug, Parser)]
#[command(name = "mien-analyze", version, after_help = AFTER_HELP)]
struct Arguments {
    /// Pictures, and folders of pictures
    #[arg(required = true, value_name = "IMAGE|FOLDER")]
    paths: Vec<PathBuf>,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// Take each picture as one face, already cropped: its box is the whole picture
    #[arg(long)]
    cropped: bool,
    /// Pictures worked on at once [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,
}

const AFTER_HELP: &str = "\
Output:
  ndjson  {\"file\":…,\"faces\":[{\"id\",\"box\",\"expression\",\"scores\",\"quality\"}]}, one object a picture; box is
          left, top, width, height in fractions of the picture; scores are in the order neutral, happiness,
          sadness, anger, fear, disgust, surprise; expression is null where the analyser abstains
  csv     one row a face, with a header; a picture without faces has one row with empty columns; a file whose name
          begins as a formula does (= + - @) or with a ' has a ' before it, which no spreadsheet shows

Exit code: 0 all done; 1 some picture could not be read (each is named on standard error with the reason: damaged,
           not supported, too large, empty, or no picture at all), or not one was; 2 wrong usage";

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // A reader that has seen enough, `head` for one, is no failure.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mien-analyze: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether there were pictures and every one was read.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let found = files::collect(&arguments.paths);
    for line in found.faults.iter().cloned().chain(found.left_out.lines()) {
        eprintln!("mien-analyze: {line}");
    }
    let mut writer = Writer::new(arguments.format, BufWriter::new(io::stdout().lock()))?;
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads =
        arguments.threads.map_or(cores, std::num::NonZeroUsize::get).clamp(1, found.pictures.len().max(1));
    let read = analyze_all(&found.pictures, arguments.cropped, threads, &mut writer)?;
    writer.flush()?;
    if found.pictures.is_empty() {
        eprintln!("mien-analyze: there is no picture to read");
    }
    Ok(read > 0 && read == found.pictures.len() && found.faults.is_empty())
}

/// Pictures a thread, at most, that are finished or begun while an earlier one is still worked on: one slow
/// picture then costs neither the others' time nor memory for all of them.
const AHEAD: usize = 16;

/// What a thread says of the picture at this place in the list.
type Answer = (usize, Result<Report, PictureError>);

fn analyze_all<W: Write>(
    pictures: &[PathBuf],
    cropped: bool,
    threads: usize,
    writer: &mut Writer<W>,
) -> anyhow::Result<usize> {
    let queue = Queue::new(pictures.len(), threads * AHEAD);
    let (sender, receiver) = channel::<Answer>();
    let analyzers = (0..threads)
        .map(|_| Analyzer::new_verified(&WEIGHTS))
        .collect::<Result<Vec<_>, _>>()
        .context("the built-in models cannot be used")?;
    thread::scope(|scope| {
        for analyzer in analyzers {
            let (sender, queue) = (sender.clone(), &queue);
            scope.spawn(move || work(analyzer, pictures, cropped, queue, &sender));
        }
        drop(sender);
        let written = write_in_order(&receiver, pictures, &queue, writer);
        queue.stop();
        written
    })
}

fn work(mut analyzer: Analyzer, pictures: &[PathBuf], cropped: bool, queue: &Queue, sender: &Sender<Answer>) {
    while let Some(place) = queue.next() {
        let path = &pictures[place];
        // A decoder that panics on a crafted file costs that one picture, not the thread that others wait for.
        let answer = catch_unwind(AssertUnwindSafe(|| analyze::analyze(&mut analyzer, path, cropped)))
            .unwrap_or(Err(PictureError::GaveUp));
        if sender.send((place, answer)).is_err() {
            return;
        }
    }
}

/// How many were read.
fn write_in_order<W: Write>(
    receiver: &Receiver<Answer>,
    pictures: &[PathBuf],
    queue: &Queue,
    writer: &mut Writer<W>,
) -> anyhow::Result<usize> {
    let mut read = 0;
    // No more than the queue lets the threads run ahead.
    let mut early = BTreeMap::new();
    let mut due = 0;
    for (place, answer) in receiver {
        early.insert(place, answer);
        while let Some(answer) = early.remove(&due) {
            match answer {
                Ok(report) => {
                    read += 1;
                    writer.write(&report)?;
                }
                Err(fault) => {
                    eprintln!("mien-analyze: {}: {}", pictures[due].display(), one_line(&fault));
                }
            }
            due += 1;
            queue.written(due);
        }
    }
    Ok(read)
}

/// Decoders end some of their sentences with a new line.
fn one_line(fault: &PictureError) -> String {
    fault.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io_kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let csv_kind = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
        let json_kind = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        [io_kind, csv_kind, json_kind].contains(&Some(io::ErrorKind::BrokenPipe))
    })
}
