//! A sample as bytes, stored beside its seq and its time.
//!
//! The first byte is the version; all numbers are little endian. Every version that was ever written can be read.
//!
//! Version 1, for a sample that has nothing but faces: 53 bytes a face.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | id, u32 |
//! | 16 | left, top, width, height, f32 each |
//! | 1 | expression, its index, or 255 where the analyser abstained |
//! | 28 | the seven scores, f32 each |
//! | 4 | quality, f32, or NaN where there is none |
//!
//! Version 2 says which parts it has, and so where it ends:
//!
//! | bytes | what |
//! |---|---|
//! | 1 | which optional parts follow: 1 position in the file, 2 what was skipped |
//! | 8 | position in the file, u64 milliseconds, if there is one |
//! | 1 + 9 each | how many entries; for each the code of its reason, and i64 milliseconds; if there are any |
//! | 1 | how many faces |
//! | 1 + 53 each | which optional parts the face has: none yet; then the face as in version 1, then those parts |
//!
//! An unknown bit means that a newer relay wrote a part whose length is unknown here, so the sample is refused rather
//! than read by half.
//!
//! A sample that fits version 1 is written in it: it is smaller, and an older relay over the same database can read
//! it. A sample without faces is the version byte alone. It is a tenth of the JSON, and a million of them are read
//! without parsing.

mod decode;
mod encode;
mod format;
#[cfg(test)]
mod tests;

pub use decode::{decode, scores};
pub use encode::{encode, encode_into};
pub use format::CodecFault;

pub(super) use decode::first_scores;
pub(super) use format::FACE_BYTES;
