//! `cargo xtask documents`: the committed contract, and the tables that are made of the code.

use crate::{process, workspace};

/// Tells the test that holds them against the code to write them first.
const RENEW: &str = "MIEN_RENEW_DOCUMENTS";

pub(crate) fn renew() -> anyhow::Result<()> {
    let mut test = workspace::cargo();
    test.args(["test", "--release", "--locked", "--workspace", "--test", "http", "--", "reference::"]);
    process::succeed(test.env(RENEW, "1"))
}
