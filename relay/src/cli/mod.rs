//! The command line: serves without a subcommand, and knows four more.

mod check;
mod command;
mod health;
mod token;
mod warn;

pub use command::main;
