#![no_main]

#[path = "../../../models/tests/reading/checks.rs"]
#[allow(dead_code, reason = "each target uses one of its checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::boxes(bytes));
