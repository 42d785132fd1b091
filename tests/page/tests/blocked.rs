//! Something between browser and relay lets only part of the traffic through: the page says what is blocked, and who
//! can fix it.

use mien_page_tests::api::assert_gapless;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::page::Page;
use mien_page_tests::proxy::{Manner, Proxy};
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;

const SOME: u64 = 8;

fn wait_for_state(page: &Page, state: &str) {
    let link = "document.querySelector('[data-testid=link-state]')?.dataset.state";
    page.wait_for(&format!("the link to be {state}"), &format!("{link} === {state:?}"));
}

#[test]
fn a_proxy_without_websockets_is_told_from_a_relay_that_is_away() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let proxy = Proxy::to(relay.address(), Manner::DropsUpgrade);
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &proxy.url());
    wait_for_state(&page, "blocked");
    page.wait_for_text("blocks WebSockets to the relay");
    page.wait_for_text("Upgrade and Connection");
    wait::until("samples to wait", || page.count("pending").filter(|waiting| *waiting >= SOME));

    // A relay that is away is a different case.
    relay.kill();
    wait_for_state(&page, "offline");
    relay.restart();
    wait_for_state(&page, "blocked");

    let waiting = page.count("pending").expect("a count");
    proxy.behave(Manner::PassesEverything);
    relay.api().wait_for_samples(session, waiting + SOME);
    wait_for_state(&page, "live");
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}

#[test]
fn a_watcher_behind_a_proxy_without_websockets_learns_why_nothing_comes() {
    let relay = Relay::start();
    let session = relay.api().create_session("Interview");
    let proxy = Proxy::to(relay.address(), Manner::DropsUpgrade);
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&format!("{}/watch/{}#{}", proxy.url(), session.session.id, session.tokens.watch));
    wait_for_state(&page, "blocked");
    page.wait_for_text("Upgrade and Connection");
    proxy.behave(Manner::PassesEverything);
    wait_for_state(&page, "quiet");
}

#[test]
fn a_proxy_that_asks_for_a_password_is_not_taken_for_the_relay() {
    let stage = Stage::set();
    let relay = Relay::start();
    let proxy = Proxy::to(relay.address(), Manner::AsksForPassword);
    let browser = stage.browser();
    let page = browser.page();
    page.cancel_passwords();
    page.goto(&proxy.url());
    page.click("start-session");
    page.click("consent-allow");
    page.wait_for_element("start-failed");
    let said = page.text_of("start-failed").unwrap_or_default();
    assert!(said.contains("asks for a password") && said.contains("Reload this page"), "{said}");
    assert!(page.text_of("user-token").is_none(), "it is not the relay that wants a token");

    proxy.behave(Manner::PassesEverything);
    page.click("consent-allow");
    let session = stage::live_session(&page);
    relay.api().wait_for_samples(session, SOME);
    proxy.behave(Manner::AsksForPassword);
    wait_for_state(&page, "password");
    page.wait_for_text("Reload this page to sign in");
    wait::until("samples to wait", || page.count("pending").filter(|waiting| *waiting >= SOME));
    proxy.behave(Manner::PassesEverything);
    wait_for_state(&page, "live");
    stage::stop_session(&page);
    assert_gapless(&relay.api().samples(session));
}
