//! The answers of the page's worker, by way of a program that runs it in a browser.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};
use mien_models::Detection;
use serde::Deserialize;

use crate::answers::Answers;
use crate::arguments::Arguments;
use crate::folder::Labelled;
use crate::progress::Progress;

/// What the worker sees in each picture, in the order of the pictures.
#[derive(Debug)]
pub(crate) struct WorkerAnswers {
    /// From the pixels that the native reading starts from, too.
    pub(crate) of_pixels: Answers,
    /// From the file, which the browser decodes.
    pub(crate) of_files: Vec<OfFile>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OfFile {
    /// The browser does not decode it.
    Fault { fault: String },
    Seen {
        face: Option<Box<Detection>>,
        /// Mean difference between the browser's pixels and the native ones, 0 … 255, where sizes are equal.
        mean: Option<f64>,
        most: Option<f64>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Answer {
    Fault { fault: String },
    Seen { face: Option<Box<Detection>>, file: OfFile },
}

/// A running program, which ends when its input does.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // Whatever was wrong has been reported.
        let _ = self.0.wait();
    }
}

pub(crate) fn read(
    program: &Path,
    page: &Path,
    pictures: &[Labelled],
    arguments: &Arguments,
) -> anyhow::Result<WorkerAnswers> {
    let scope = if arguments.cropped { "cropped" } else { "thorough" };
    let mut command = Command::new(program);
    command.arg(page).arg(scope).stdin(Stdio::piped()).stdout(Stdio::piped());
    // In a group of its own: Ctrl-C ends this program alone, and that one closes its browser when its input ends.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let child = command.spawn().with_context(|| format!("could not start {}", program.display()))?;
    let mut program = Program(child);
    let output = program.0.stdout.take().context("a piped output is there")?;
    let mut lines = BufReader::new(output).lines();
    let mut progress = Progress::of("in the page’s worker", pictures.len());
    let mut answers = WorkerAnswers { of_pixels: Vec::new(), of_files: Vec::new() };
    for (place, picture) in pictures.iter().enumerate() {
        progress.at(place);
        let file = std::path::absolute(arguments.folder.join(&picture.name))?;
        let input = program.0.stdin.as_mut().context("a piped input is there")?;
        let line = serde_json::to_string(&file).with_context(|| file.display().to_string())?;
        let gone = "the program that runs the worker ended";
        writeln!(input, "{line}").context(gone)?;
        let line = lines.next().transpose()?.context(gone)?;
        match serde_json::from_str(&line).with_context(|| format!("{}: an odd answer", picture.name))? {
            Answer::Fault { fault } => bail!("{}: {fault}", picture.name),
            Answer::Seen { face, file } => {
                answers.of_pixels.push(face.map(|face| *face));
                answers.of_files.push(file);
            }
        }
    }
    Ok(answers)
}
