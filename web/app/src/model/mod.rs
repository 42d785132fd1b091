//! What the page knows, without the page: no document, no signals, the same on native and wasm.

pub mod cameras;
pub mod expression;
pub mod face;
pub mod fit;
pub mod format;
pub mod hidden;
pub mod landmarks;
pub mod length;
pub mod link;
pub mod motion;
pub mod neutral;
pub mod notice;
pub mod reason;
pub mod recordings;
pub mod refusal;
pub mod route;
pub mod timeline;
pub mod trouble;
pub mod unsent;
