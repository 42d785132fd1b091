//! Subcommands.

pub mod health;
