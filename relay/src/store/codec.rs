//! Faces as bytes.
