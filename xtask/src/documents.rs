//! `cargo xtask documents`: the committed contract, and the tables that are generated from the code.

use crate::{process, workspace};

/// Tells the test that compares them with the code to write them first.
const RENEW: &str = "MIEN_RENEW_DOCUMENTS";

pub(crate) fn renew() -> anyhow::Result<()> {
    let mut test = workspace::cargo();
    test.args(["test", "--release", "--locked", "--workspace", "--test", "http", "--", "reference::"]);
    process::succeed(test.env(RENEW, "1"))
}
