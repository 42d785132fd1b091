//! A wall clock that is changed in the middle of a recording: samples keep coming, and the page reports the jump.

use mien_page_tests::api::assert_gapless;
use mien_page_tests::browser::Browser;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;
use mien_shared::{Sample, SkipReason};
use serde_json::Value;

/// How many samples before, between and after the jumps.
const SOME: u64 = 8;
/// Far longer than any pause of the page.
const TWO_MINUTES_MS: i64 = 120_000;

/// The page's wall clock, which `setClock` sets.
const CLOCK: &str = "(() => {
    let by = 0;
    const real = Date.now.bind(Date);
    globalThis.setClock = ms => { by = ms; return true; };
    Date.now = () => real() + by;
    globalThis.Date = new Proxy(Date, {
        construct: (target, given) => given.length ? new target(...given) : new target(target.now()),
    });
})();";

fn link_is(page: &Page, state: &str) {
    page.wait_for(
        &format!("the link to be {state}"),
        &format!("document.querySelector('[data-testid=link-state]')?.dataset.state === {state:?}"),
    );
}

/// Every sample that the page has sent, in order of seq, each once.
fn sent(browser: &Browser) -> Vec<Sample> {
    let mut samples: Vec<Sample> = browser
        .traffic()
        .messages
        .iter()
        .filter_map(|text| serde_json::from_str::<Value>(text).ok())
        .filter(|message| message["type"] == "samples")
        .flat_map(|message| {
            serde_json::from_value::<Vec<Sample>>(message["samples"].clone()).expect("samples")
        })
        .collect();
    samples.sort_by_key(|sample| sample.seq);
    samples.dedup_by_key(|sample| sample.seq);
    samples
}

#[test]
fn a_clock_that_is_set_costs_no_sample_and_no_attempt_to_connect() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(CLOCK);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);

    for set in [-TWO_MINUTES_MS, TWO_MINUTES_MS] {
        let before = relay.api().stored(session);
        page.wait_for("the clock to be set", &format!("setClock({set})"));
        relay.api().wait_for_samples(session, before + 2 * SOME);

        relay.kill();
        link_is(&page, "offline");
        // Changed once more, and back, while the page is waiting for its next attempt.
        page.wait_for("the clock to be set", &format!("setClock(2 * {set})"));
        wait::until("samples to wait", || page.count("pending").filter(|count| *count >= SOME));
        page.wait_for("the clock to be set", &format!("setClock({set})"));
        relay.restart();
        link_is(&page, "live");
        let before = relay.api().stored(session);
        relay.api().wait_for_samples(session, before + SOME);
    }
    let said = stage::stop_session(&page);
    let stored = relay.api().samples(session);
    assert_gapless(&stored);
    assert_eq!(said, stored.len() as u64);

    let sent = sent(&browser);
    assert_eq!(sent.len(), stored.len());
    let mut told = 0;
    for pair in sent.windows(2) {
        let step = |sample: &Sample| {
            let found = sample.skipped.iter().find(|skipped| skipped.reason == SkipReason::ClockStep);
            found.map_or(0, |skipped| skipped.ms)
        };
        let jump = pair[1].at.cast_signed() - pair[0].at.cast_signed() - step(&pair[1]);
        // The rest is the time between two frames by a clock that nobody sets, so it never goes back.
        assert!((0..TWO_MINUTES_MS / 2).contains(&jump), "{jump} ms before sample {}", pair[1].seq);
        told += step(&pair[1]);
    }
    assert!((told - TWO_MINUTES_MS).abs() < 1_000, "the steps add up to where the clock is: {told} ms");
}
