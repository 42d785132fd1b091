//! The page's own inference worker, as the build ships it, without the page around it: a picture in, its answer out.
//!
//! Pictures are served from this machine and never leave it. A picture comes in two ways: as pixels that were decoded
//! here, so that only the inference can differ from the native one; and as its file, which the browser decodes as the
//! page has it decoded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use image::RgbaImage;
use mien_messages::{FrameHeader, FrameId, FromWorker, ToWorker};
use mien_models::{Detection, Landmarks, Scope};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::browser::{Browser, Camera};
use crate::files::{Content, Site};
use crate::page::Page;

/// Longer than the largest picture takes on a slow machine; a worker that says nothing for as long hangs.
const PATIENCE: Duration = Duration::from_mins(10);

/// No picture is reduced.
pub const AS_LARGE_AS_IT_IS: u32 = 32_768;

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("the page is not built: {0}")]
    NotBuilt(String),
    /// What the worker itself says.
    #[error(transparent)]
    Worker(#[from] mien_messages::WorkerFault),
    /// What the browser says, for example of a picture that it cannot decode.
    #[error("the browser: {0}")]
    Browser(String),
    #[error("no answer for {} s", PATIENCE.as_secs())]
    Hangs,
    #[error("the picture cannot be served: {0}")]
    File(#[from] std::io::Error),
}

/// What the worker sees in a picture file, and how its pixels differ from those that were decoded here.
#[derive(Debug)]
pub struct OfFile {
    pub faces: Vec<Detection>,
    pub width: u32,
    pub height: u32,
    /// `None` if the browser's picture has another size, or none of the two was given.
    pub apart: Option<Apart>,
}

/// Difference in red, green and blue, 0 … 255.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub struct Apart {
    pub mean: f64,
    pub most: f64,
}

/// A started worker. It ends with its browser when it is dropped.
#[derive(Debug)]
pub struct Worker {
    page: Page,
    _browser: Browser,
    folder: TempDir,
    frames: u64,
}

impl Worker {
    /// Starts the worker of this built page (`dist`).
    pub fn start(dist: &Path) -> Result<Self, Fault> {
        let index = dist.join("index.html");
        if !index.is_file() {
            return Err(Fault::NotBuilt(format!("there is no {}", index.display())));
        }
        let folder = tempfile::tempdir()?;
        let site = Site::of(BTreeMap::from([
            ("/", Content::Html("<!doctype html><title>worker</title>".to_owned())),
            ("/page/", Content::Folder(dist.to_owned())),
            ("/pictures/", Content::Folder(folder.path().to_owned())),
        ]));
        let address = site.serve();
        let browser = Browser::start(&Camera::Absent);
        let page = browser.page();
        page.goto(&format!("http://{address}/"));
        let worker = Self { page, _browser: browser, folder, frames: 0 };
        worker.page.wait_for("the page around the worker", "document.title === 'worker'");
        if worker.page.ask(include_str!("worker.js")).is_none() {
            return Err(Fault::Browser("the script of the tests does not run".to_owned()));
        }
        let load = json!(ToWorker::Load.to_text());
        match worker.header(&format!("mien.start('/page/', {load})"))?.0 {
            FromWorker::Ready => Ok(worker),
            FromWorker::Failed { fault, .. } => Err(fault.into()),
            FromWorker::Scored { .. } | FromWorker::Landmarks { .. } => {
                Err(Fault::Browser("a worker answered before it was asked".to_owned()))
            }
        }
    }

    /// The faces in these pixels. Transparent ones count as opaque, as they do natively.
    pub fn read(&mut self, pixels: &RgbaImage, scope: Scope) -> Result<Vec<Detection>, Fault> {
        let mut opaque = pixels.clone();
        for pixel in opaque.pixels_mut() {
            pixel.0[3] = u8::MAX;
        }
        self.put("pixels", opaque.as_raw())?;
        let header = self.infer(scope, AS_LARGE_AS_IT_IS);
        let (width, height) = pixels.dimensions();
        let (answer, _) = self.header(&format!("mien.read({header}, {width}, {height})"))?;
        faces(answer)
    }

    /// The faces in a picture file, which the browser decodes. `pixels` is what was decoded here.
    pub fn read_file(
        &mut self,
        file: &Path,
        pixels: Option<&RgbaImage>,
        scope: Scope,
    ) -> Result<OfFile, Fault> {
        self.put("file", &fs::read(file)?)?;
        if let Some(pixels) = pixels {
            self.put("pixels", pixels.as_raw())?;
        }
        // As the page does.
        let header = self.infer(scope, 2_048);
        let size = pixels.map_or([0, 0], |pixels| [pixels.width(), pixels.height()]);
        let (answer, beside) = self.header(&format!("mien.readFile({header}, {})", json!(size)))?;
        let side = |name: &str| beside[name].as_u64().and_then(|side| u32::try_from(side).ok()).unwrap_or(0);
        Ok(OfFile {
            faces: faces(answer)?,
            width: side("width"),
            height: side("height"),
            apart: serde_json::from_value(beside["apart"].clone()).unwrap_or_default(),
        })
    }

    /// Milliseconds that each of many frames takes, from the message to the answer.
    pub fn time(&mut self, pixels: &RgbaImage, scope: Scope, rounds: u32) -> Result<Vec<f64>, Fault> {
        self.put("pixels", pixels.as_raw())?;
        let header = self.infer(scope, 640);
        let (width, height) = pixels.dimensions();
        let (_, beside) = self.header(&format!("mien.time({header}, {width}, {height}, {rounds})"))?;
        serde_json::from_value(beside["ms"].clone()).map_err(|cause| Fault::Browser(cause.to_string()))
    }

    /// What the browser or the worker says of something odd in a picture's place: `made` is an expression that gives
    /// what is posted.
    pub fn odd(&mut self, made: &str) -> Result<Vec<Detection>, Fault> {
        let header = self.infer(Scope::Full, AS_LARGE_AS_IT_IS);
        let (answer, _) = self.header(&format!("mien.odd({header}, () => {made})"))?;
        faces(answer)
    }

    fn infer(&mut self, scope: Scope, long_side: u32) -> Value {
        self.frames += 1;
        let header = FrameHeader {
            frame: FrameId(self.frames),
            scope,
            landmarks: Landmarks::InDoubt,
            long_side,
            expected: Vec::new(),
        };
        json!(ToWorker::Infer(header).to_text())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        fs::write(self.folder.path().join(name), bytes)
    }

    /// The worker's answer, and what the page's script says beside it.
    fn header(&self, job: &str) -> Result<(FromWorker, Value), Fault> {
        let gone = || Fault::Browser("it is gone".to_owned());
        self.page.ask(&format!("mien.begin(() => {job})")).ok_or_else(gone)?;
        let begun = Instant::now();
        loop {
            let answer = self.page.ask("mien.answer()").ok_or_else(gone)?;
            if let Some(fault) = answer["fault"].as_str() {
                return Err(Fault::Browser(fault.to_owned()));
            }
            if let Some(header) = answer["header"].as_str() {
                let header = FromWorker::from_text(header);
                let header =
                    header.map_err(|cause| Fault::Browser(format!("the worker’s answer: {cause}")))?;
                return Ok((header, answer["beside"].clone()));
            }
            if begun.elapsed() > PATIENCE {
                return Err(Fault::Hangs);
            }
        }
    }
}

fn faces(answer: FromWorker) -> Result<Vec<Detection>, Fault> {
    match answer {
        FromWorker::Scored { detections, .. } => Ok(detections),
        FromWorker::Failed { fault, .. } => Err(fault.into()),
        FromWorker::Ready | FromWorker::Landmarks { .. } => {
            Err(Fault::Browser("the worker answers what it was not asked".to_owned()))
        }
    }
}
