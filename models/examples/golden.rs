//! Prints the analyzer's answers for the fixtures. After a change that is meant to change answers:
//! `cargo run --release -p mien-models --example golden > models/tests/data/golden.json`

#[path = "../tests/common/mod.rs"]
mod common;

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string_pretty(&common::cases())?);
    Ok(())
}
