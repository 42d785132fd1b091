//! What the relay's program makes of its flags and variables: run as people run it, and judged by what it says.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod empty;
mod files;
mod passwords;
mod program;
mod warnings;
