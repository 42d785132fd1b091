//! Messages between the page and an inference worker: one enum each way.
//!
//! A message is a small header, written as JSON text. Pixels, models and code travel beside it as parts of the posted
//! object ([`part`]), transferred instead of copied where possible. The worker hands the picture back with its answer,
//! so that the page can draw exactly the frame that was analysed.
//!
//! Every [`ToWorker::Infer`] gets exactly one answer: [`FromWorker::Scored`], or [`FromWorker::Failed`] with its frame. A
//! worker that dies gives none; the pool answers in its place. No session, token or network is known here.
#![forbid(unsafe_code)]

mod reader;

use mien_models::{Detection, Scope};
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use reader::{FromReader, ToReader};

/// Names of the parts of a posted object.
pub mod part {
    /// The message itself, as JSON text. In every object.
    pub const HEADER: &str = "header";
    /// The frame, an `ImageBitmap`: beside `Infer`, and handed back beside its answer.
    pub const BITMAP: &str = "bitmap";
    /// Address of the worker's glue: beside `Load`.
    pub const GLUE: &str = "js";
    /// The compiled `WebAssembly.Module`: beside `Load`.
    pub const MODULE: &str = "module";
    /// The three models, each an `ArrayBuffer`: beside `Load`.
    pub const NEAR: &str = "near";
    pub const FAR: &str = "far";
    pub const EXPRESSION: &str = "expression";
    /// A `ReadableStream` of `VideoFrame`s: beside `Read`.
    pub const STREAM: &str = "stream";
    /// A `MediaStreamTrack`, of which only a worker may make such a stream here: beside `Read`.
    pub const TRACK: &str = "track";
}

/// Number of a frame, unique in one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHeader {
    pub frame: FrameId,
    pub scope: Scope,
    /// The longer side of the picture is reduced to at most this before it is analysed, pixels.
    pub long_side: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToWorker {
    /// Comes first and once. Answered by `Ready`, or `Failed` without a frame.
    Load,
    Infer(FrameHeader),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromWorker {
    Ready,
    Scored {
        frame: FrameId,
        detections: Vec<Detection>,
        /// Smaller faces that were found but not read, as a sample carries no more.
        #[serde(default)]
        left_out: usize,
    },
    Failed {
        frame: Option<FrameId>,
        fault: WorkerFault,
    },
}

/// Why a worker could not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "lowercase")]
pub enum WorkerFault {
    /// Its code could not be imported.
    #[error("the worker’s code cannot be loaded: {why}")]
    Code { why: String },
    /// The worker cannot start; starting it again gives the same.
    #[error("the models cannot be used: {why}")]
    Load { why: String },
    /// Concerns only this frame.
    #[error("the frame cannot be read: {why}")]
    Frame { why: String },
    #[error("the analysis failed: {why}")]
    Analysis { why: String },
    /// The page and the worker are from different builds.
    #[error("the message cannot be used: {why}")]
    Message { why: String },
}

/// A header that is not a message of this build.
#[derive(Debug, Error)]
#[error("not a message of this build")]
pub struct HeaderFault(#[from] serde_json::Error);

macro_rules! text_form {
    ($message:ty) => {
        impl $message {
            /// The header's text. It is empty if a number has no JSON form, and the reader refuses that.
            pub fn to_text(&self) -> String {
                serde_json::to_string(self).unwrap_or_default()
            }

            pub fn from_text(text: &str) -> Result<Self, HeaderFault> {
                Ok(serde_json::from_str(text)?)
            }
        }
    };
}

text_form!(ToWorker);
text_form!(FromWorker);
text_form!(ToReader);
text_form!(FromReader);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_back() {
        let header = FrameHeader { frame: FrameId(7), scope: Scope::Full, long_side: 640 };
        for message in [ToWorker::Load, ToWorker::Infer(header)] {
            assert_eq!(ToWorker::from_text(&message.to_text()).unwrap(), message);
        }
        for message in [
            FromWorker::Ready,
            FromWorker::Scored { frame: FrameId(7), detections: Vec::new(), left_out: 3 },
            FromWorker::Failed { frame: None, fault: WorkerFault::Load { why: "x".to_owned() } },
            FromWorker::Failed { frame: Some(FrameId(1)), fault: WorkerFault::Frame { why: "y".to_owned() } },
        ] {
            assert_eq!(FromWorker::from_text(&message.to_text()).unwrap(), message);
        }
    }

    #[test]
    fn a_reader_s_messages_read_back_and_are_no_others() {
        for message in
            [ToReader::Read { look_ms: 50, beat_ms: 250 }, ToReader::Take { long_side: 9 }, ToReader::End]
        {
            assert_eq!(ToReader::from_text(&message.to_text()).unwrap(), message);
            assert!(ToWorker::from_text(&message.to_text()).is_err());
        }
        for message in [
            FromReader::Begun { gets_frames: true },
            FromReader::Tick,
            FromReader::Arrived { number: 1, at_ms: 1_764_527_000_123.4 },
            FromReader::Taken { number: 2 },
        ] {
            assert_eq!(FromReader::from_text(&message.to_text()).unwrap(), message);
            assert!(FromWorker::from_text(&message.to_text()).is_err());
        }
        // What a worker's script says that could not start it.
        let failed = FromWorker::Failed { frame: None, fault: WorkerFault::Code { why: "x".to_owned() } };
        assert!(FromReader::from_text(&failed.to_text()).is_err());
        assert!(ToReader::from_text(&ToWorker::Load.to_text()).is_err());
    }

    #[test]
    fn a_foreign_header_is_a_fault_and_no_panic() {
        for text in ["", "null", "{}", r#"{"type":"frames"}"#, r#"{"type":"infer","frame":-1}"#] {
            assert!(ToWorker::from_text(text).is_err(), "{text}");
            assert!(FromWorker::from_text(text).is_err(), "{text}");
        }
    }
}
