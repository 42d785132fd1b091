//! Acked means durable, and stored once: whatever breaks in the middle of a session, the relay ends up with the samples
//! 1 … n, each once.

use mien_page_tests::api::assert_gapless;
use mien_page_tests::cable::Cable;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;

/// How many samples before, during and after the trouble.
const SOME: u64 = 8;

/// What is only in memory would not survive a reload, however lucky.
fn assert_on_the_disk(page: &Page) {
    assert_eq!(
        page.ask("document.querySelector('[data-testid=memory-only]')?.innerText ?? ''"),
        Some("".into())
    );
}

/// Samples are still made while nothing accepts them.
fn wait_for_a_backlog(page: &Page) {
    wait::until("samples to wait in the browser", || page.count("pending").filter(|count| *count >= SOME));
}

#[test]
fn a_relay_killed_in_mid_session_costs_no_sample() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);

    for _ in 0..2 {
        relay.kill();
        wait_for_a_backlog(&page);
        relay.restart();
        let before = relay.api().stored(session);
        relay.api().wait_for_samples(session, before + 2 * SOME);
    }
    let said = stage::stop_session(&page);
    let samples = relay.api().samples(session);
    assert_gapless(&samples);
    assert_eq!(said, samples.len() as u64);
}

#[test]
fn a_reload_in_mid_session_costs_no_sample() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    for _ in 0..2 {
        let before = relay.api().stored(session);
        relay.api().wait_for_samples(session, before + SOME);
        assert_on_the_disk(&page);
        page.reload();
        assert_eq!(stage::live_session(&page), session, "the page goes on with its session");
    }
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + SOME);
    let shown_from: u64 =
        page.attribute("timeline", "data-oldest").expect("a time").parse().expect("a number");
    stage::stop_session(&page);
    let samples = relay.api().samples(session);
    assert_gapless(&samples);
    assert!(shown_from <= samples[0].at, "the timeline shows what was recorded before the reload");
    let mut identities: Vec<u32> =
        samples.iter().flat_map(|sample| &sample.faces).map(|face| face.id).collect();
    identities.dedup();
    assert!(identities.is_sorted(), "no face got an identity that another had: {identities:?}");
    assert!(identities.len() >= 3, "each visit has faces of its own: {identities:?}");
}

#[test]
fn a_reload_while_the_relay_is_away_costs_no_sample() {
    let stage = Stage::set();
    let relay = Relay::start();
    let cable = Cable::to(relay.address());
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &cable.url());
    relay.api().wait_for_samples(session, SOME);
    cable.pull();
    wait_for_a_backlog(&page);
    let waiting = page.count("pending").expect("a count");
    let stored = relay.api().stored(session);
    assert_on_the_disk(&page);
    // The page itself comes from the relay, so it can only be reopened with the cable plugged in.
    cable.plug();
    page.reload();
    stage::live_session(&page);
    relay.api().wait_for_samples(session, stored + waiting + SOME);
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}

#[test]
fn a_network_that_is_away_for_several_tries_costs_no_sample() {
    /// On its socket, and over HTTP to find out why.
    const TRIES: u64 = 8;
    let stage = Stage::set();
    let relay = Relay::start();
    let cable = Cable::to(relay.address());
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &cable.url());
    relay.api().wait_for_samples(session, SOME);

    cable.pull();
    page.wait_for(
        "the page to say that it is offline",
        "document.querySelector('[data-testid=link-state]')?.dataset.state === 'offline'",
    );
    wait::until("several tries to connect", || (cable.refused() >= TRIES).then_some(()));
    wait_for_a_backlog(&page);
    let before = relay.api().stored(session);
    cable.plug();
    relay.api().wait_for_samples(session, before + 2 * SOME);
    page.wait_for(
        "the page to be live again",
        "document.querySelector('[data-testid=link-state]')?.dataset.state === 'live'",
    );
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}
