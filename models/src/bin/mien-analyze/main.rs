//! `mien-analyze`: the page's own inference on pictures, folders and streams of frames, to NDJSON or CSV.
//!
//! Each thread works on one picture at a time, and results come out in order. A picture that cannot be read is reported
//! on standard error; the rest are still processed, and the exit code is 1. What is left out of a folder is reported,
//! too.

mod arguments;
mod desk;
mod fan;
mod fault;
mod files;
mod help;
mod landmarks;
mod name;
mod output;
mod queue;
mod rate;
mod reading;
mod report;
mod resume;
mod source;
mod tally;
mod told;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::thread;

use anyhow::Context as _;
use mien_models::Tracker;

use arguments::Arguments;
use desk::{Desk, Film};
use fan::Order;
use output::Output;
use output::format::Layout;
use output::sink::Sink;
use reading::{Reading, neutral_face};
use resume::Earlier;
use source::Source;
use tally::Tally;
use told::Told;

/// Why it stopped before the end.
enum Stop {
    /// What was asked for cannot be done.
    Refused(anyhow::Error),
    Unwritten(anyhow::Error),
    /// A reader that has seen enough (`head`, for example) is not a failure.
    NobodyReads,
}

fn main() -> ExitCode {
    let arguments = Arguments::checked();
    let mut told = if arguments.quiet {
        Told::without_progress()
    } else {
        Told::with_progress(arguments.resume.is_none())
    };
    let stop = match run(&arguments, &mut told) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => return ExitCode::FAILURE,
        Err(stop) => stop,
    };
    let (code, error) = match stop {
        Stop::NobodyReads => {
            told.clear();
            return ExitCode::SUCCESS;
        }
        Stop::Refused(error) => (ExitCode::FAILURE, error),
        Stop::Unwritten(error) => (ExitCode::from(3), error),
    };
    told.line(&format!("{error:#}"));
    code
}

/// True if there were pictures and every one was read.
fn run(arguments: &Arguments, told: &mut Told) -> Result<bool, Stop> {
    let neutral = neutral_face(arguments).map_err(Stop::Refused)?;
    let neutral_looks = neutral.map(|neutral| neutral.looks());
    let layout = Layout { landmarks: arguments.landmarks, neutral_looks, origin: arguments.origin() };
    let (output, mut earlier) = output(arguments, layout)?;
    let mut tally = Tally::default();
    let source = source(arguments, &mut earlier, &mut tally, told).map_err(Stop::Refused)?;
    let film = Film {
        name: arguments.name.clone().unwrap_or_else(|| name::STREAM.to_owned()),
        rate: arguments.fps,
        tracker: arguments.track.then(Tracker::new),
    };
    let order = if arguments.unordered { Order::AsTheyCome } else { Order::AsGiven };
    let reading = Reading::of(arguments, neutral);
    let analyzers = fan::analyzers(reading, threads(arguments, tally.all)).map_err(Stop::Refused)?;
    // From here on time is counted: what loading takes says nothing about the pictures to come.
    let mut desk = Desk::new(output, (&mut *told, &mut tally), film, neutral_looks);
    let read = fan::read_all(source, (reading, analyzers, order), |answer| desk.take(answer));
    let took = read.and_then(|()| desk.finish()).map_err(|error| unwritten(error, arguments))?;
    if tally.read + tally.before + tally.faults == 0 {
        told.line("there is no picture to read");
    } else if !arguments.quiet {
        told.line(&tally.summary(took));
    }
    Ok(tally.read + tally.before > 0 && tally.faults == 0)
}

/// Where results go, and what is there already.
fn output(arguments: &Arguments, layout: Layout) -> Result<(Output, Earlier), Stop> {
    let format = arguments.format;
    let begun = |sink| Output::begun(format, layout, sink).map_err(|error| unwritten(error, arguments));
    let Some(path) = &arguments.resume else { return Ok((begun(Sink::stdout())?, Earlier::default())) };
    let (kept, earlier) =
        resume::open(path, format, layout).with_context(|| name::shown(path)).map_err(Stop::Unwritten)?;
    let sink = Sink::Kept(kept);
    let output = match earlier.whole_bytes {
        0 => begun(sink)?,
        _ => Output::continued(format, layout, sink, earlier.next_frame),
    };
    Ok((output, earlier))
}

/// Looks for the pictures, and tells what is left out.
fn source(
    arguments: &Arguments,
    earlier: &mut Earlier,
    tally: &mut Tally,
    told: &mut Told,
) -> anyhow::Result<Source> {
    if arguments.reads_stream() {
        return stream();
    }
    let mut found = files::collect(&arguments.paths);
    for line in &found.faults {
        told.line(line);
    }
    if !arguments.quiet {
        found.left_out.lines().for_each(|line| told.line(&line));
    }
    let before = found.pictures.len();
    found.pictures.retain(|path| !earlier.has_read(&name::text(path)));
    *tally = Tally {
        all: Some(found.pictures.len()),
        faults: found.faults.len(),
        left_out: found.left_out.count(),
        before: before - found.pictures.len(),
        ..Tally::default()
    };
    Ok(Source::files(found.pictures))
}

fn stream() -> anyhow::Result<Source> {
    let input = io::stdin();
    anyhow::ensure!(
        !input.is_terminal(),
        "standard input is a terminal: pipe pictures into it, as `mien-analyze --help` shows"
    );
    Ok(Source::stream(input))
}

fn threads(arguments: &Arguments, pictures: Option<usize>) -> usize {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let wanted = arguments.jobs.map_or(cores, std::num::NonZeroUsize::get);
    wanted.clamp(1, pictures.unwrap_or(wanted).max(1))
}

fn unwritten(error: io::Error, arguments: &Arguments) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Stop::NobodyReads;
    }
    let error = anyhow::Error::new(error);
    Stop::Unwritten(match arguments.resume.as_deref() {
        None => error.context("results cannot be written"),
        Some(path) => error.context(continues(path)),
    })
}

/// What was written stays, and the same command goes on from there.
fn continues(path: &Path) -> String {
    format!("{}: results cannot be written (run the same command again to continue)", name::shown(path))
}
