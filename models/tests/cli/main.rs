//! The command as a user runs it.

mod answers;
mod command;
mod endings;
mod folders;
mod formats;
mod kinds;
mod names;
mod resumed;
mod streams;
