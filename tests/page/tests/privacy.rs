//! No frame leaves the browser: checked in its network log, and attempted from within the page.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_shared::limits::MAX_MESSAGE_BYTES;

#[test]
fn a_session_speaks_to_its_own_origin_only_and_in_small_messages() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, 20);
    stage::stop_session(&page);

    let traffic = browser.traffic();
    let own = [relay.url(), relay.url().replace("http:", "ws:")];
    assert!(traffic.urls.iter().any(|url| url.starts_with("ws:")), "the log shows sockets");
    assert!(traffic.messages.len() > 3, "the log shows messages");
    for url in &traffic.urls {
        assert!(
            own.iter().any(|own| url.strip_prefix(own).is_some_and(|rest| rest.starts_with('/'))),
            "{url}"
        );
        // How every JSON Web Token begins.
        assert!(!url.contains("eyJ"), "a token in {url}");
    }
    for message in &traffic.messages {
        assert!(message.len() <= MAX_MESSAGE_BYTES, "a message of {} bytes", message.len());
        let message: serde_json::Value =
            serde_json::from_str(message).expect("text of the contract, no bytes");
        assert!(["hello", "samples"].iter().any(|known| message["type"] == *known), "{message}");
    }
    for length in &traffic.bodies {
        assert!(*length <= MAX_MESSAGE_BYTES, "a request body of {length} bytes");
    }

    // The network layer's own log, which no page and no worker can bypass.
    let asked_for = browser.close_and_read_net_log(&relay.url());
    assert!(asked_for.iter().any(|url| url.starts_with(&own[0])), "the log shows this origin: {asked_for:?}");
    for url in asked_for {
        let local = ["blob:", "data:"].iter().any(|scheme| url.starts_with(scheme));
        assert!(local || own.iter().any(|own| url.starts_with(own)), "{url}");
    }
}

/// Every way out that a page has to another server; true if it succeeded as far as the page can tell.
const WAYS_OUT: &str = "
    const got = (event, target) => new Promise(done => {
        target.addEventListener(event, () => done(true));
        target.addEventListener('error', () => done(false));
    });
    const add = (tag, values) => document.body.appendChild(Object.assign(document.createElement(tag), values));
    const ways = {
        fetch: () => fetch(there, { mode: 'no-cors' }).then(() => true, () => false),
        post: () => fetch(there, { method: 'POST', mode: 'no-cors', body: 'x' }).then(() => true, () => false),
        xhr: () => { const ask = new XMLHttpRequest(); ask.open('GET', there); const end = got('load', ask); ask.send(); return end; },
        socket: () => got('open', new WebSocket(there.replace('http', 'ws'))),
        events: () => got('open', new EventSource(there)),
        image: () => got('load', add('img', { src: there })),
        script: () => got('load', add('script', { src: there })),
        style: () => got('load', add('link', { rel: 'stylesheet', href: there })),
        video: () => got('loadeddata', add('video', { src: there })),
        module: () => import(there).then(() => true, () => false),
    };
    const results = {};
    for (const [name, way] of Object.entries(ways)) {
        try { results[name] = await way(); } catch { results[name] = false; }
    }
    navigator.sendBeacon(there, 'x');
    return results;
";

#[test]
fn a_page_that_tries_to_connect_elsewhere_is_refused() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let policy = relay.api().header("/", "content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "connect-src 'self'", "script-src 'self' 'wasm-unsafe-eval'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("'unsafe-inline'") && !policy.contains("'unsafe-eval'"), "{policy}");

    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    let there = format!("http://{}/", elsewhere.local_addr().expect("an address"));
    let callers = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&callers);
    std::thread::spawn(move || {
        for _ in elsewhere.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });

    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&relay.url());
    page.wait_for_element("start-session");
    let results = page
        .ask(&format!("(async () => {{ const there = {there:?}; {WAYS_OUT} }})()"))
        .expect("every way was tried");
    let results = results.as_object().expect("a result for each way");
    assert_eq!(results.len(), 10);
    for (way, result) in results {
        assert_eq!(*result, false, "{way} got out");
    }
    // Same-origin requests still work, so the attempts were refused, and not just broken.
    assert_eq!(page.ask("fetch('/readyz').then(answer => answer.ok)"), Some(true.into()));
    assert_eq!(callers.load(Ordering::SeqCst), 0, "something reached the other server");
}
