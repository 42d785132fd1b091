//! The command as a user runs it.

mod answers;
mod command;
mod folders;
mod kinds;
