#![no_main]

#[path = "../../../relay/tests/http/queries.rs"]
mod queries;

use queries::Desk;

thread_local! {
    static DESK: Desk = Desk::open();
}

libfuzzer_sys::fuzz_target!(|text: &str| DESK.with(|desk| desk.ask(text)));
