//! The built-in clip plays in WebKit as it does in Chromium, repeatedly, and can be sought.

use std::time::Duration;

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::relay::Relay;
use mien_page_tests::wait;
use mien_page_tests::webkit::WebKit;
use serde_json::Value;

/// The clip shows one portrait that smiles and one that does not, and fades back to the first before it ends. A test
/// that sees the second portrait for the second time has played the clip past its end.
const PASSES: usize = 2;

/// Expression and fault shown by the page: in the demo, or in the first page's preview.
const SHOWN: &str = "[
    document.querySelector('[data-testid=expression], [data-testid=preview-expression]')?.dataset.expression ?? 'none',
    document.querySelector('[data-testid=fault]')?.innerText ?? '',
]";

/// Two passes take 21 s; a busy machine may need a good part of that for one frame.
const PATIENCE: Duration = Duration::from_mins(5);

/// Returns when the page has read the clip's faces more than once.
fn reads_the_clip_again_and_again(what: &str, ask: impl Fn(&str) -> Option<Value>) {
    let mut last = None;
    let mut smiles = false;
    let mut passes = 0;
    wait::until_within(PATIENCE, &format!("{what}: the clip's faces, a second time"), || {
        let shown = ask(SHOWN)?;
        if last.as_ref() != Some(&shown) {
            println!("{what}: {shown}");
            last = Some(shown.clone());
        }
        assert_eq!(shown[1], "", "{what}, after {passes} passes");
        match (shown[0].as_str()?, smiles) {
            ("happiness", _) => smiles = true,
            ("none", _) | (_, false) => {}
            (_, true) => {
                smiles = false;
                passes += 1;
            }
        }
        (passes == PASSES).then_some(())
    });
}

/// The clip's position after a seek to its eighth second.
const SOUGHT: &str = "(async () => {
    const video = document.createElement('video');
    video.muted = true;
    video.src = document.documentElement.innerHTML.match(/[^\"'\\s]*demo[^\"'\\s]*\\.webm/)[0];
    const heard = name => new Promise((resolve, reject) => {
        video.addEventListener(name, resolve, { once: true });
        video.addEventListener('error', () => reject(video.error.message), { once: true });
    });
    await heard('loadedmetadata');
    const sought = heard('seeked');
    video.currentTime = 8;
    await sought;
    return [video.currentTime, video.seekable.length && video.seekable.end(0)];
})()";

fn is_at_the_eighth_second(what: &str, place: &Value) {
    let [at, end] = [0, 1].map(|number| place[number].as_f64().unwrap_or(-1.0));
    assert!((at - 8.0).abs() < 0.1 && end > 10.0, "{what}: {place}");
}

#[test]
fn the_first_page_and_the_demo_play_in_webkit() {
    let Some(webkit) = WebKit::start() else { return };
    let relay = Relay::start();
    for path in ["/", "/demo"] {
        webkit.goto(&format!("{}{path}", relay.url()));
        reads_the_clip_again_and_again(path, |expression| Some(webkit.ask(expression)));
        is_at_the_eighth_second(path, &webkit.ask(SOUGHT));
    }
}

#[test]
fn the_first_page_and_the_demo_play_in_chromium() {
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    for path in ["/", "/demo"] {
        page.goto(&format!("{}{path}", relay.url()));
        reads_the_clip_again_and_again(path, |expression| page.ask(expression));
        is_at_the_eighth_second(path, &page.ask(SOUGHT).expect("a place"));
    }
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}
