//! `mien-analyze`: the page's own inference on pictures and folders, to NDJSON or CSV.
//!
//! Each thread works on one picture at a time, and results come out in order. A picture that cannot be read is reported
//! on standard error; the rest are still processed, and the exit code is 1. What is left out of a folder is reported,
//! too.
#![allow(clippy::print_stderr)]

mod analyze;
mod arguments;
mod files;
mod landmarks;
mod output;
mod queue;

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{collections::BTreeMap, thread};

use clap::Parser as _;
use mien_models::Analyzer;
use mien_models::picture::PictureError;

use analyze::{Reading, neutral_face};
use arguments::Arguments;
use output::{Columns, Report, Writer};
use queue::Queue;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // A reader that has seen enough (`head`, for example) is not a failure.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mien-analyze: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True if there were pictures and every one was read.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let found = files::collect(&arguments.paths);
    for line in found.faults.iter().cloned().chain(found.left_out.lines()) {
        eprintln!("mien-analyze: {line}");
    }
    let neutral = neutral_face(arguments)?;
    let looks = neutral.map(|neutral| neutral.looks());
    let columns = Columns { landmarks: arguments.landmarks, neutral_looks: looks };
    let mut writer = Writer::new(arguments.format, columns, BufWriter::new(io::stdout().lock()))?;
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads =
        arguments.threads.map_or(cores, std::num::NonZeroUsize::get).clamp(1, found.pictures.len().max(1));
    let read = analyze_all(&found.pictures, Reading::of(arguments, neutral), threads, &mut writer)?;
    writer.flush()?;
    if found.pictures.is_empty() {
        eprintln!("mien-analyze: there is no picture to read");
    }
    Ok(read > 0 && read == found.pictures.len() && found.faults.is_empty())
}

/// How many pictures per thread may be finished or begun while an earlier one is still in progress: one slow picture
/// then neither holds up the others nor makes all results pile up in memory.
const AHEAD: usize = 16;

/// A thread's result for the picture at this position in the list.
type Answer = (usize, Result<Report, PictureError>);

fn analyze_all<W: Write>(
    pictures: &[PathBuf],
    reading: Reading,
    threads: usize,
    writer: &mut Writer<W>,
) -> anyhow::Result<usize> {
    let queue = Queue::new(pictures.len(), threads * AHEAD);
    let (sender, receiver) = channel::<Answer>();
    let analyzers = (0..threads).map(|_| reading.analyzer()).collect::<anyhow::Result<Vec<_>>>()?;
    thread::scope(|scope| {
        for analyzer in analyzers {
            let (sender, queue) = (sender.clone(), &queue);
            scope.spawn(move || work(analyzer, pictures, reading, queue, &sender));
        }
        drop(sender);
        let written = write_in_order(&receiver, pictures, &queue, writer);
        queue.stop();
        written
    })
}

fn work(
    mut analyzer: Analyzer,
    pictures: &[PathBuf],
    reading: Reading,
    queue: &Queue,
    sender: &Sender<Answer>,
) {
    while let Some(place) = queue.next() {
        let path = &pictures[place];
        // A decoder that panics on a crafted file loses that one picture, not the thread that others wait for.
        let answer = catch_unwind(AssertUnwindSafe(|| reading.picture(&mut analyzer, path)))
            .unwrap_or(Err(PictureError::GaveUp));
        if sender.send((place, answer)).is_err() {
            return;
        }
    }
}

/// Returns how many were read.
fn write_in_order<W: Write>(
    receiver: &Receiver<Answer>,
    pictures: &[PathBuf],
    queue: &Queue,
    writer: &mut Writer<W>,
) -> anyhow::Result<usize> {
    let mut read = 0;
    // Bounded, because the queue limits how far ahead the threads run.
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

/// Some decoders end their messages with a newline.
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
