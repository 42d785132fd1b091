//! `mien-accuracy`: how accurate the analysis is on a folder of labelled pictures, overall and by group of people.
//!
//! It reads pictures as `mien-analyze` does, and only the largest face of a picture counts. It only prints measures: it
//! fails only if there is nothing to measure, or if the page's worker, where that is measured, answers otherwise.
#![allow(clippy::print_stderr, clippy::print_stdout)]

mod answers;
mod arguments;
mod compared;
mod folder;
mod groups;
mod interval;
mod measure;
mod people;
mod progress;
mod report;
mod worker;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Parser as _;

use arguments::Arguments;
use compared::Compared;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("mien-accuracy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// False if the worker answers otherwise than the native reading.
fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let worker = arguments.worker()?;
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
    let native = answers::read(&pictures, &people, arguments)?;
    let (answers, compared) = match worker {
        None => (native, None),
        Some([program, page]) => {
            let worker = worker::read(program, page, &pictures, arguments)?;
            let compared = Compared::of(&pictures, &native, &worker);
            (worker.of_pixels, Some(compared))
        }
    };
    if let Some(file) = &arguments.answers {
        answers::write(file, &pictures, &answers).with_context(|| file.display().to_string())?;
    }
    let report = report::Report::of(&pictures, &people, &answers, compared);
    if let Some(file) = &arguments.json {
        fs::write(file, serde_json::to_string_pretty(&report)? + "\n")
            .with_context(|| file.display().to_string())?;
    }
    print!("{report}");
    Ok(report.worker.is_none_or(|compared| compared.is_equal()))
}
