//! A token that expires does not end a recording: the page has a new one by then.

use std::thread;
use std::time::{Duration, Instant};

use mien_page_tests::api::assert_gapless;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_shared::Role;

const SOME: u64 = 8;
const LIFE: Duration = Duration::from_secs(12);

/// The token of this kind that the page has for its one recording.
fn token(page: &Page, kind: &str) -> String {
    let held = format!("JSON.parse(localStorage['mien.sessions'])[0].tokens.{kind}");
    page.ask(&held).and_then(|token| token.as_str().map(str::to_owned)).expect("a token")
}

#[test]
fn a_recording_outlives_its_token() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);

    // As from an embedder that issues short-lived ones.
    let owner = token(&page, "owner");
    let begun = Instant::now();
    let short = relay.api().token(session, &owner, Role::Ingest, None, LIFE);
    page.ask(&format!(
        "(list => {{ list[0].tokens.ingest = {short:?}; localStorage['mien.sessions'] = JSON.stringify(list); }})(JSON.parse(localStorage['mien.sessions']))"
    ));
    page.reload();
    assert_eq!(stage::live_session(&page), session);
    page.wait_for(
        "another token",
        &format!("JSON.parse(localStorage['mien.sessions'])[0].tokens.ingest !== {short:?}"),
    );
    assert!(begun.elapsed() < LIFE, "before the old one is over");
    assert_ne!(token(&page, "owner"), owner, "the owner's token is renewed with it");
    assert_eq!(page.text_of("link-state").as_deref(), Some("Live"));

    // The actual expiry is what is tested here.
    thread::sleep(LIFE.saturating_sub(begun.elapsed()) + Duration::from_secs(1));
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + 2 * SOME);
    assert!(page.attribute("fault", "data-fault").is_none(), "{}", page.text());
    let said = stage::stop_session(&page);
    let samples = relay.api().samples(session);
    assert_gapless(&samples);
    assert_eq!(said, samples.len() as u64);
}
