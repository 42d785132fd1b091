//! `mien-analyze`: the page's own inference over pictures and folders, to NDJSON or CSV.
//!
//! Pictures go through one at a time for each thread and come out in order. One that cannot be read is said
//! on standard error; the rest is still done, and the exit code is 1.
#![allow(clippy::print_stderr)]

mod files;
mod output;
mod picture;
mod queue;

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{collections::BTreeMap, thread};

use anyhow::Context as _;
use clap::Parser;
use mien_models::{Analyzer, Weights};

use output::{Format, Report, Writer};
use queue::Queue;

/// The weights travel in the binary, so that it needs no other file.
const WEIGHTS: Weights<'static> = Weights {
    near: include_bytes!("../../../weights/mediapipe_face_detection_short_range.onnx"),
    expression: include_bytes!("../../../weights/faceapi_expression_112.onnx"),
    far: Some(include_bytes!("../../../weights/human_blazeface_256.onnx")),
};

/// Finds the faces in pictures and reads their expressions.
///
/// Writes one line a picture to standard output, in the order given; folders are walked in order of name, and
/// only files that end like a picture (png, jpg, jpeg, webp, bmp, gif) are taken from them.
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
  csv     one row a face, with a header; a picture without faces has one row with empty columns

Exit code: 0 all done, 1 some pictures could not be read (each is named on standard error), 2 wrong usage";

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

/// Whether every picture was read.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let found = files::collect(&arguments.paths);
    for fault in &found.faults {
        eprintln!("mien-analyze: {fault}");
    }
    let mut writer = Writer::new(arguments.format, BufWriter::new(io::stdout().lock()))?;
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads =
        arguments.threads.map_or(cores, std::num::NonZeroUsize::get).clamp(1, found.pictures.len().max(1));
    let all_read = analyze_all(&found.pictures, arguments.cropped, threads, &mut writer)?;
    writer.flush()?;
    Ok(all_read && found.faults.is_empty())
}

/// Pictures a thread, at most, that are finished or begun while an earlier one is still worked on: one slow
/// picture then costs neither the others' time nor memory for all of them.
const AHEAD: usize = 16;

/// What a thread says of the picture at this place in the list; a text where it could not be read.
type Answer = (usize, Result<Report, String>);

fn analyze_all<W: Write>(
    pictures: &[PathBuf],
    cropped: bool,
    threads: usize,
    writer: &mut Writer<W>,
) -> anyhow::Result<bool> {
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
        let written = write_in_order(&receiver, &queue, writer);
        queue.stop();
        written
    })
}

fn work(mut analyzer: Analyzer, pictures: &[PathBuf], cropped: bool, queue: &Queue, sender: &Sender<Answer>) {
    while let Some(place) = queue.next() {
        let path = &pictures[place];
        // A decoder that panics on a crafted file costs that one picture, not the thread that others wait for.
        let answer = catch_unwind(AssertUnwindSafe(|| picture::analyze(&mut analyzer, path, cropped)))
            .unwrap_or_else(|_| Err(anyhow::anyhow!("is damaged: its decoder gave up")))
            .map_err(|fault| format!("{}: {fault:#}", path.display()));
        if sender.send((place, answer)).is_err() {
            return;
        }
    }
}

fn write_in_order<W: Write>(
    receiver: &Receiver<Answer>,
    queue: &Queue,
    writer: &mut Writer<W>,
) -> anyhow::Result<bool> {
    let mut all_read = true;
    // No more than the queue lets the threads run ahead.
    let mut early = BTreeMap::new();
    let mut due = 0;
    for (place, answer) in receiver {
        early.insert(place, answer);
        while let Some(answer) = early.remove(&due) {
            due += 1;
            queue.written(due);
            match answer {
                Ok(report) => writer.write(&report)?,
                Err(fault) => {
                    all_read = false;
                    eprintln!("mien-analyze: {fault}");
                }
            }
        }
    }
    Ok(all_read)
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
