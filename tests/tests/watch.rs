//! Watchers see what is stored: each sample once, in order, also over a reconnect.

use mien_tests::browser::{Browser, Camera};
use mien_tests::cable::Cable;
use mien_tests::page::Page;
use mien_tests::relay::Relay;
use mien_tests::stage::{self, Stage};
use mien_tests::wait;
use serde_json::Value;

const SOME: u64 = 10;

/// The seqs of all samples that the browser's sockets received, in the order of their arrival.
fn received(browser: &Browser) -> Vec<u64> {
    let messages = browser.traffic().received;
    let messages = messages.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    messages
        .filter(|message| message["type"] == "samples")
        .flat_map(|message| message["samples"].as_array().cloned().unwrap_or_default())
        .map(|sample| sample["seq"].as_u64().expect("a seq"))
        .collect()
}

fn wait_for_seq(page: &Page, seq: u64) {
    wait::until(&format!("the watcher to see sample {seq}"), || {
        page.text_of("watch-lastseq")?.trim().parse::<u64>().ok().filter(|last| *last >= seq)
    });
}

#[test]
fn a_watcher_sees_every_stored_sample_once_also_over_a_reconnect() {
    let stage = Stage::set();
    let relay = Relay::start();
    let recorder = stage.browser();
    let page = recorder.page();
    let session = stage::start_session(&page, &relay.url());
    let stored = relay.api().wait_for_samples(session, SOME);

    let cable = Cable::to(relay.address());
    let link = stage::share_link(&page).replace(&relay.url(), &cable.url());
    assert!(link.contains("/watch/") && link.contains('#'), "the token stands in the fragment: {link}");
    let watcher = Browser::start(&Camera::Absent);
    let screen = watcher.page();
    screen.goto(&link);
    wait_for_seq(&screen, stored);
    screen.wait_for("the token to leave the address bar", "location.hash === ''");
    screen.wait_for(
        "the expression",
        "(document.querySelector('[data-testid=watch-expression]')?.dataset.expression ?? 'none') !== 'none'",
    );

    cable.pull();
    let before = relay.api().stored(session);
    let meanwhile = relay.api().wait_for_samples(session, before + SOME);
    cable.plug();
    wait_for_seq(&screen, meanwhile + SOME);

    stage::stop_session(&page);
    let all = relay.api().samples(session);
    wait_for_seq(&screen, all.len() as u64);
    screen.wait_for_element("watch-over");
    let seqs: Vec<u64> = all.iter().map(|sample| sample.seq).collect();
    assert_eq!(received(&watcher), seqs, "each stored sample once, in order");
    assert_eq!(screen.count("watch-count"), Some(all.len() as u64));
    assert!(watcher.traffic().urls.iter().all(|url| !url.contains("eyJ")), "no token in an address");
}

#[test]
fn a_share_link_without_its_code_says_so() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let watcher = Browser::start(&Camera::Absent);
    let screen = watcher.page();
    screen.goto(&format!("{}/watch/0199a1b2-0000-7000-8000-000000000001", relay.url()));
    assert_eq!(stage::fault(&screen), "link");
}
