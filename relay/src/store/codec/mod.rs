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
//! | 1 + 53 each | which optional parts the face has; then the face as in version 1, then those parts |
//!
//! The parts of a face, each with its bit:
//!
//! | bit | bytes | what |
//! |---|---|---|
//! | 1 | 4 | valence, f32 |
//! | 2 | 4 | looks that the person's own neutral face was taken from, u32 |
//! | 4 | 1 + 1 each | how many reasons lower the quality; for each its code |
//! | 8 | 1 | landmarks: which of the following there are |
//! | 8: 1, 2, 4 | 4 each | yaw, pitch, roll, f32 each |
//! | 8: 8, 16 | 4 each | how far the left and the right eye are closed, f32 each |
//! | 8: 32 | 8 | gaze to the right and up, f32 each |
//! | 8: 64 | 65 | the 52 coefficients in their order, thousandths of ten bits each, the lowest bits first; 1,023 where there is none |
//!
//! A face with all that it may have takes 162 bytes, of which its landmarks are 94.
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
mod optional;
mod rest;
#[cfg(test)]
mod tests;

pub use decode::{decode, shown};
pub use encode::{encode, encode_into};
pub use format::CodecFault;

pub(super) use decode::first_shown;
pub(super) use format::FACE_BYTES;
