//! A recording against a relay and a disk that fail at every turn.

mod cases;
mod properties;
mod trouble;
mod world;
