//! What the page's worker sees in pictures: `worker-answers PAGE SCOPE`, for `cargo xtask accuracy --wasm`.
//!
//! PAGE is the built page (`dist`), SCOPE one of the worker's. Reads the path of one picture per line, as a JSON string,
//! and answers each with one line of JSON before it reads the next. Ends when its input does, browser included: whoever
//! started it may be gone at any time.

use std::io::{Write as _, stdin, stdout};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use mien_models::picture;
use mien_models::{Detection, Scope};
use mien_page_tests::worker::{OfFile, Worker};
use serde_json::{Value, json};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let page = PathBuf::from(arguments.next().context("usage: worker-answers PAGE SCOPE")?);
    let scope = arguments.next().and_then(|scope| scope.into_string().ok()).unwrap_or_default();
    let scope: Scope = serde_json::from_value(json!(scope)).context("no scope of the worker")?;
    let mut worker = Worker::start(&page)?;
    for line in stdin().lines() {
        let file: PathBuf = serde_json::from_str(&line?)?;
        let answer = answer(&mut worker, &file, scope)
            .unwrap_or_else(|cause| json!({ "fault": format!("{cause:#}") }));
        let mut out = stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn answer(worker: &mut Worker, file: &Path, scope: Scope) -> anyhow::Result<Value> {
    let pixels = picture::read(file)?.into_rgba8();
    let face = largest(worker.read(&pixels, scope)?);
    // The page looks into files with both detectors.
    let as_page = if scope == Scope::Cropped { scope } else { Scope::Full };
    let file = match worker.read_file(file, Some(&pixels), as_page) {
        Ok(OfFile { faces, apart, .. }) => json!({
            "face": largest(faces),
            "mean": apart.map(|apart| apart.mean),
            "most": apart.map(|apart| apart.most),
        }),
        Err(fault) => json!({ "fault": fault.to_string() }),
    };
    Ok(json!({ "face": face, "file": file }))
}

fn largest(faces: Vec<Detection>) -> Option<Detection> {
    faces.into_iter().next()
}
