//! Messages between the page and the worker that keeps it supplied with frames while it is hidden.
//!
//! A hidden page gets no callbacks for frames, and its timers are slowed down; those of a worker are not. The reader is
//! started with the same script as an inference worker. If the page hands it a camera's frames, it holds the newest one
//! until the page takes it; otherwise its ticks tell the page when to look at its video.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToReader {
    /// Comes first and once, with [`crate::part::STREAM`] or [`crate::part::TRACK`] beside it, or neither. Answered by
    /// `Begun`.
    Read {
        /// How often to tick if the page has to look for itself, milliseconds.
        look_ms: u32,
        /// How often to tick otherwise.
        beat_ms: u32,
    },
    /// Hand over the newest frame, its longer side reduced to at most this, pixels. Answered once, by `Taken`.
    Take { long_side: u32 },
    /// Release everything and end.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum FromReader {
    /// It runs. Unless it gets the frames, the page has to look for itself.
    Begun {
        gets_frames: bool,
    },
    Tick,
    /// A frame has come, the newest from now on. They are counted from 1.
    Arrived {
        number: u64,
        /// `performance.timeOrigin` and `performance.now()` together, which mean the same on the page.
        at_ms: f64,
    },
    /// The newest frame, with [`crate::part::BITMAP`] beside it; without if there was none, or no picture could be
    /// made of it. All frames up to this number have been told before.
    Taken {
        number: u64,
    },
}
