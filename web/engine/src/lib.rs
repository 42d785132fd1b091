//! Everything in the browser that is not user interface: cameras and frames, the pool of inference workers, the outbox
//! on the client's disk, the sockets to the relay, and calls of its HTTP interface.
//!
//! # A frame's path
//! ```text
//! run ──► pool ──► worker ──► tracker ──► RunEvent::Frame ──► (the page) ──► outbox ──► link ──► relay ──► link ──► watch
//! ```
//! [`Engine::load`] fetches and verifies the models and starts the workers, once. [`Engine::start`] runs a camera, a
//! file or the demo through them and hands out an [`AnalysedFrame`] for each analysed frame: exactly the picture that
//! was analysed, for drawing, and the faces in it. A [`Recorder`] takes only the faces and makes sure that each sample
//! reaches the relay once. [`Watch`] is the other end: the live view of a session.
//!
//! # Invariants
//! * Nothing past the tracker can hold a pixel: [`Recorder::push`] takes a time and faces, and no message type of
//!   `mien-shared` can carry more. A [`FrameImage`] can be drawn, and nothing else.
//! * Only the module `browser` mentions `JsValue` or `web_sys`, and it imports nothing above it except the clock and
//!   the faults. Scheduling, numbering, sending and reconnecting are plain state machines, tested without a browser.
//! * One owner decides which source plays: the [`SourceSlot`], which the latest request holds from the moment it is made.
//! * Every queue is bounded: one waiting frame, a window of samples in flight, a cache of samples beside the disk. Each
//!   documents what it does when it is full.
//! * Every future settles: whatever waits for the browser has a timeout or an error event.

pub mod api;
mod browser;
#[cfg(all(test, target_arch = "wasm32"))]
mod browser_tests;
mod clock;
mod engine;
mod faults;
mod link;
mod load;
mod outbox;
mod pool;
mod run;
pub mod token;
mod watch;

pub use browser::{
    CameraChoice, CameraDevice, DatabaseFault, DevicesGuard, Facing, FrameImage, PickedFile, StreamHandle,
    VideoHandle, devices, page_base, page_is_outdated, sockets_base, steady_now, wall_now,
};
pub use clock::{Captured, Steady, WallMs};
pub use engine::{Engine, EngineConfig};
pub use faults::{LoadFault, ModelName, RunFault, Silence, SourceFault};
pub use link::{LinkEnd, SessionFate, Trouble, session_fate};
pub use load::{Assets, LoadProgress, ModelUrls};
pub use mien_models::RawFace;
pub use outbox::{
    LinkState, Recorder, RecorderEvent, RecorderStatus, SessionAccess, StorageMode, Unfinished, discard,
    unfinished, unsent,
};
pub use run::{
    AnalysedFrame, EndReason, Replaced, Run, RunEvent, RunStats, SourceChoice, SourceRequest, SourceSlot,
    SourceState,
};
pub use watch::{Begin, Behind, SourcePace, Watch, WatchEvent, WatchState};
