//! Watchers see what is stored: each sample once, in order, even across a reconnect.

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::cable::Cable;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::source::{EVERY_MS, Source};
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;
use mien_shared::api::SessionCreated;
use serde_json::Value;

const SOME: u64 = 10;
/// Fifty minutes.
const HISTORY: u64 = 30_000;
/// Bytes per second of a slow line; the page, half a megabyte, has to come over it as well.
const SLOW: u64 = 150_000;

/// Records what the watching page says, whenever it changes: state of the link, newest seq, and whether anything is
/// said in the present tense. The page's clock is an hour ahead, which affects nothing except labels.
const NOTES: &str = r#"
    const now = Date.now;
    Date.now = () => now() + 3_600_000;
    window.notes = [];
    const note = () => {
        const of = (id) => document.querySelector(`[data-testid="${id}"]`);
        if (!of("watch")) return;
        const note = {
            state: of("link-state").dataset.state,
            words: of("link-state").innerText,
            seq: Number(of("watch-lastseq").innerText),
            present: !!of("watch-expression") || /looks/i.test(document.querySelector(".sources")?.innerText ?? ""),
        };
        const last = window.notes.at(-1);
        if (JSON.stringify(last) !== JSON.stringify(note)) window.notes.push(note);
    };
    new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"#;

/// What the page has said since the last call.
fn notes(screen: &Page) -> Vec<Value> {
    let notes = screen.ask("window.notes.splice(0)").expect("notes");
    notes.as_array().expect("a list").clone()
}

fn is_present(note: &Value) -> bool {
    note["state"] == "live" || note["present"] == true
}

/// A relay that accepts a long history at once.
fn quick_relay() -> Relay {
    let most = "1000000";
    Relay::start_with(&[("MIEN_SAMPLES_PER_SECOND", most), ("MIEN_SAMPLES_BURST", most)])
}

fn link(base: &str, session: &SessionCreated) -> String {
    format!("{base}/watch/{}#{}", session.session.id, session.tokens.watch)
}

fn wait_for_state(screen: &Page, state: &str) {
    let link = "document.querySelector('[data-testid=link-state]')?.dataset.state";
    screen.wait_for(&format!("the link to be {state}"), &format!("{link} === {state:?}"));
}

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

/// Joining, and coming back after ten minutes: nothing is said to be live before it is.
#[test]
fn history_is_never_shown_as_live() {
    let _stage = Stage::set();
    let relay = quick_relay();
    let session = relay.api().create_session("A long one");
    let mut source = Source::connect(&relay, &session);
    source.send_past(HISTORY);
    let running = source.run();

    let cable = Cable::to(relay.address());
    cable.slow(SLOW);
    let watcher = Browser::start(&Camera::Absent);
    let screen = watcher.page();
    screen.before_each_load(NOTES);
    screen.goto(&link(&cable.url(), &session));
    wait_for_state(&screen, "live");
    screen.wait_for_element("watch-expression");
    let said = notes(&screen);
    let early: Vec<&Value> = said
        .iter()
        .filter(|note| is_present(note) && note["seq"].as_u64().is_some_and(|seq| seq < HISTORY))
        .collect();
    assert!(early.is_empty(), "history as if it were now: {:?}", &early[..early.len().min(3)]);
    let behind = |said: &[Value]| {
        said.iter()
            .filter_map(|note| note["words"].as_str())
            .find(|words| words.ends_with(" behind"))
            .map(str::to_owned)
    };
    let words = behind(&said).unwrap_or_else(|| panic!("how far behind was never said: {said:?}"));
    assert!(words.starts_with("Catching up, "), "{words}");
    // New samples may arrive before it is known where to begin.
    let taken = || received(&watcher).into_iter().skip_while(|seq| *seq > HISTORY).collect::<Vec<_>>();
    let first = taken()[0];
    assert!(first > HISTORY - 6_000, "it began at {first}, not a few minutes before the end");

    // Earlier samples are there for those who ask.
    let begins = |screen: &Page| -> u64 {
        screen.attribute("timeline", "data-oldest").and_then(|at| at.parse().ok()).expect("a time")
    };
    let before = begins(&screen);
    cable.as_fast_as_it_goes();
    screen.click("show-earlier");
    wait::until("what was earlier", || Some(begins(&screen)).filter(|begin| *begin < before));
    let reach = before - begins(&screen);
    assert!((295_000..=300_250).contains(&reach), "five minutes more, not {reach} ms");

    cable.pull();
    wait_for_state(&screen, "offline");
    notes(&screen);
    running.send_ahead(600_000 / EVERY_MS);
    let end = running.seq();
    cable.slow(SLOW);
    cable.plug();
    wait_for_state(&screen, "live");
    let said = notes(&screen);
    let early =
        said.iter().find(|note| is_present(note) && note["seq"].as_u64().is_some_and(|seq| seq < end));
    assert_eq!(early, None, "history as if it were now, before {end}");
    let words = behind(&said).unwrap_or_else(|| panic!("how far behind was never said: {said:?}"));
    // Ten minutes, plus the time that the cable was out.
    let minutes =
        words.trim_start_matches("Catching up, ").split('\u{a0}').next().and_then(|min| min.parse().ok());
    assert!(
        minutes.is_some_and(|minutes: u64| (10..60).contains(&minutes)) && words.contains("min"),
        "{words}"
    );
    let seen = taken();
    assert_eq!(
        seen,
        (first..first + seen.len() as u64).collect::<Vec<_>>(),
        "each once, in order, without gaps"
    );
}

/// Nothing that is not seen now is said in the present tense.
#[test]
fn a_watcher_is_told_why_nothing_comes() {
    let _stage = Stage::set();
    let mut relay = quick_relay();
    let session = relay.api().create_session("A short one");
    let watcher = Browser::start(&Camera::Absent);
    let screen = watcher.page();
    screen.goto(&link(&relay.url(), &session));
    wait_for_state(&screen, "quiet");
    let source = Source::connect(&relay, &session).run();
    let now = |screen: &Page| {
        wait_for_state(screen, "live");
        screen.wait_for_element("watch-expression");
    };
    now(&screen);

    let past = |screen: &Page, state: &str, words: &str, standing: &str| {
        wait_for_state(screen, state);
        screen.wait_for("the past tense", "!!document.querySelector('[data-testid=watch-past]')");
        let said = || Some((screen.text_of("link-state")?, screen.text_of("watch-standing")?));
        wait::until(&format!("{words:?} and {standing:?}"), || {
            said().filter(|(link, of)| {
                link.contains(words) && of.contains(standing) && of.contains("last sample at ")
            })
        });
        assert_eq!(screen.ask("/looks/i.test(document.body.innerText)"), Some(Value::Bool(false)));
        assert!(screen.text_of("watch-past").is_some_and(|text| text.contains("Looked happy")));
    };
    let source = source.pause();
    past(&screen, "quiet", "No new samples", "sending nothing");
    let source = source.run();
    now(&screen);
    drop(source);
    past(&screen, "quiet", "No source is connected", "Not connected");
    let source = Source::connect(&relay, &session).run();
    now(&screen);
    drop(source);
    relay.kill();
    past(&screen, "offline", "Offline since", "Unknown while the relay is away");
    relay.restart();
    past(&screen, "quiet", "No source is connected", "Not connected");

    relay.api().complete(session.session.id);
    screen.wait_for_element("watch-over");
    past(&screen, "ended", "The session has ended", "Ended");
    relay.api().erase(session.session.id);
    assert_eq!(stage::fault(&screen), "erased");
    let left = screen.text();
    assert!(!left.contains("Looked") && !left.contains("A short one"), "{left}");
}

#[test]
fn what_is_erased_leaves_the_watchers_screen() {
    let _stage = Stage::set();
    let relay = quick_relay();
    let session = relay.api().create_session("A short one");
    let source = Source::connect(&relay, &session).run();
    let watcher = Browser::start(&Camera::Absent);
    let screen = watcher.page();
    screen.goto(&link(&relay.url(), &session));
    wait_for_state(&screen, "live");
    let source = source.pause();
    relay.api().erase(session.session.id);
    assert_eq!(stage::fault(&screen), "erased");
    let left = screen.text();
    assert!(left.contains("erased all its numbers") && !left.contains("A short one"), "{left}");
    drop(source);
}
