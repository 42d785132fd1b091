//! `mien-relay`, the program.

use std::process::ExitCode;

/// The allocator of a static musl binary is slow when threads share it, and glibc's costs a tenth of a sample.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    mien_relay::cli::main()
}
