//! What can go wrong, as values. Each text is one plain sentence for the person at the page; causes that only a developer
//! can use are in `detail` fields.

use mien_models::ModelId;
use thiserror::Error;

/// One of the three model files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelName {
    /// Finds near faces.
    Near,
    /// Finds small and many faces.
    Far,
    /// Reads the expression of a face.
    Expression,
}

impl ModelName {
    pub const ALL: [Self; 3] = [Self::Near, Self::Far, Self::Expression];

    /// The model of the manifest.
    pub(crate) const fn id(self) -> ModelId {
        match self {
            Self::Near => ModelId::Near,
            Self::Far => ModelId::Far,
            Self::Expression => ModelId::Expression,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Near => "near-face detector",
            Self::Far => "far-face detector",
            Self::Expression => "expression model",
        }
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why the engine could not be made ready.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadFault {
    #[error(
        "This browser cannot run the analysis: it lacks WebAssembly SIMD. Open this address in Chrome or Edge 91, Firefox 89, Safari 16.4, or later."
    )]
    SimdMissing,
    /// A part of what was built is not where it should be. `what` says which, and at what address.
    #[error("This page was not built completely: {what}.")]
    NotBuilt { what: String },
    #[error("The {model} is not at {address} (HTTP {status}).")]
    ModelMissing { model: ModelName, address: String, status: u16 },
    #[error("The {model} is damaged: {why}. Reloading may fetch a good copy.")]
    ModelDamaged { model: ModelName, why: String },
    #[error("The network failed while the analysis was loading. Check the connection and try again.")]
    Network { detail: String },
    /// A response header of the page or of one of the engine's files forbids what the engine needs.
    #[error("The header {header} keeps the analysis from starting: {why}.")]
    Blocked { header: &'static str, why: String },
    #[error("The analysis could not be started: {detail}.")]
    WorkerFailed { detail: String },
}

impl LoadFault {
    /// Nothing is at this address.
    pub(crate) fn absent(what: &str, address: &str, status: u16) -> Self {
        Self::NotBuilt { what: format!("{what} is not at {address} (HTTP {status})") }
    }
}

/// Why a camera, file or picture cannot be analysed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceFault {
    #[error("The camera was not allowed. Allow it in the browser’s address bar, then try again.")]
    Denied,
    #[error("No camera was found. Connect one, or use a video file or the demo.")]
    Absent,
    #[error("Another program is using the camera. Close it, then try again.")]
    Busy,
    #[error("The camera was unplugged or switched off. Connect it, then try again.")]
    Unplugged,
    /// All video tracks of an embedder's stream have ended.
    #[error("The stream has ended: none of its video tracks is live.")]
    StreamEnded,
    #[error(
        "Browsers give a page the camera only over https or on localhost. Open this page at such an address."
    )]
    Insecure,
    #[error("This file is not a picture that the browser can read.")]
    UnreadablePicture,
    #[error("This picture has {width} × {height} pixels; a side may have at most {limit}.")]
    PictureTooLarge { width: u32, height: u32, limit: u32 },
    #[error("This file is not a video that the browser can play.")]
    UnreadableVideo,
    #[error("This video has no picture to analyse.")]
    VideoWithoutFrames,
    #[error(
        "This video comes from another origin without leave to read its pictures. It needs the attribute crossorigin, and its server must send Access-Control-Allow-Origin."
    )]
    CrossOrigin,
    #[error("This page carries no demo clip.")]
    NoDemo,
    /// Nothing has gone wrong: another source was requested.
    #[error("Another source was asked for meanwhile.")]
    Replaced,
    #[error("The built-in clip cannot be played here. Your own camera or a file may still work.")]
    DemoUnplayable,
    /// The workers had given up before, and could not be started again.
    #[error("The analysis could not be started again.")]
    Analysis { detail: String },
    #[error("The camera could not be opened.")]
    Other { detail: String },
}

/// What delivers no pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Silence {
    #[error("The camera gives no pictures; another program or the system may have taken it.")]
    Camera,
    /// An embedder's stream, or none at all in the embedder's element.
    #[error("The stream gives no pictures.")]
    Stream,
    #[error("The video stands still, as its data does not come.")]
    Video,
    #[error("This browser gives a hidden tab no pictures.")]
    Hidden,
    /// Nothing of it is missed.
    #[error("The file waits, as this browser gives a hidden tab no pictures.")]
    HiddenFile,
}

/// What went wrong during a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RunFault {
    /// Not final: other workers continue, and this one is restarted.
    #[error("The analysis stumbled and is being restarted.")]
    WorkerRestarting { detail: String },
    /// Final: the pool gave up.
    #[error("The analysis failed several times in a row and has stopped.")]
    WorkersFailed { detail: String },
    /// Final: the source is gone.
    #[error("{0}")]
    SourceLost(SourceFault),
    /// Not final: this one frame could not be analysed.
    #[error("One frame could not be analysed.")]
    FrameFailed { detail: String },
    /// Final: the file has ended, and none of its frames could be analysed.
    #[error("Nothing in this file could be analysed.")]
    NothingAnalysed { detail: String },
}

impl RunFault {
    /// Whether the run has ended with this fault.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::WorkersFailed { .. } | Self::SourceLost(_) | Self::NothingAnalysed { .. })
    }
}
