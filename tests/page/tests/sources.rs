//! What is analysed: the source that was selected last, all of it, with a record of any time that was left out.

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::clip::Film;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;
use mien_shared::{Sample, SessionId, SkipReason};

const SOME: u64 = 10;
/// Time between two samples of a steady source, on a machine that is busy with other things, milliseconds.
const ORDINARY_MS: i64 = 2_000;

/// Opens the film in a session: a browser without a camera offers this.
fn record_film(page: &Page, url: &str) -> SessionId {
    page.goto(url);
    page.click("start-session");
    page.click("consent-allow");
    assert_eq!(stage::fault(page), "absent");
    page.choose_file("[data-testid=fault] [data-testid=open-file]", &Film::file());
    stage::live_session(page)
}

/// Waits until a frame at this position or later has been sent.
fn wait_for_position(browser: &Browser, position_ms: u64) -> Vec<Sample> {
    wait::until(&format!("the film to come to {position_ms} ms"), || {
        let samples = browser.traffic().samples();
        samples.iter().any(|sample| sample.media_ms >= Some(position_ms)).then_some(samples)
    })
}

fn skipped(samples: &[Sample], reason: SkipReason) -> i64 {
    samples
        .iter()
        .flat_map(|sample| &sample.skipped)
        .filter(|part| part.reason == reason)
        .map(|part| part.ms)
        .sum()
}

/// The longest time between two samples, by the given clock.
fn longest(samples: &[Sample], clock: impl Fn(&Sample) -> u64) -> i64 {
    let steps = samples.windows(2).map(|pair| clock(&pair[1]).cast_signed() - clock(&pair[0]).cast_signed());
    steps.max().unwrap_or_default()
}

fn position(sample: &Sample) -> u64 {
    sample.media_ms.expect("a sample of a file tells its position")
}

/// No part of the film is missing without a record, and all time that was not skipped was time of the film.
fn assert_whole(samples: &[Sample]) {
    assert!(position(&samples[0]) < 1_000, "{} ms", position(&samples[0]));
    for pair in samples.windows(2) {
        // If the machine was too slow, the sample says so.
        let told = skipped(&pair[1..], SkipReason::Throttled);
        let step = position(&pair[1]).cast_signed() - position(&pair[0]).cast_signed();
        assert!((1..ORDINARY_MS + told).contains(&step), "{step} ms of the film, {told} ms told: {pair:?}");
    }
    let (first, last) = (&samples[0], &samples[samples.len() - 1]);
    let length = (last.at - first.at).cast_signed();
    let film = (position(last) - position(first)).cast_signed();
    let stood: i64 = [SkipReason::Paused, SkipReason::Hidden, SkipReason::Stalled]
        .into_iter()
        .map(|reason| skipped(samples, reason))
        .sum();
    // Each gap is exact to a frame, and the browser shows a frame at its next screen refresh.
    let apart = length - film - stood;
    assert!(
        apart.abs() <= 400,
        "{length} ms are {film} of the film, {stood} in which it stood and {apart} nobody's"
    );
    for sample in samples {
        if let Some(expected) = Film::has_face(position(sample)) {
            assert_eq!(!sample.faces.is_empty(), expected, "at {} ms of the film", position(sample));
        }
    }
}

#[test]
fn a_film_tells_its_own_time_and_a_pause_none_of_it() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    record_film(&page, &relay.url());
    wait_for_position(&browser, 1_000);
    page.click("pause");
    page.ask("new Promise(done => setTimeout(done, 4000))");
    page.click("pause");
    wait_for_position(&browser, Film::LENGTH_MS - 500);
    stage::stop_session(&page);
    let samples = browser.traffic().samples();
    assert_whole(&samples);
    assert!(longest(&samples, |sample| sample.at) >= 4_000, "the person paused");
    let paused = skipped(&samples, SkipReason::Paused);
    assert!((3_900..6_000).contains(&paused), "{paused} ms");
}

/// A browser that gives a hidden page nothing: no worker can read for it.
const GIVES_NOTHING: &str = "
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
        if (JSON.parse(message.header).type !== 'read') post.call(this, message, ...rest);
    };
";

/// Its tab and its notices, while it is hidden.
const SAYS: &str = "[document.title, document.querySelector('[data-notice=source-silent]')?.innerText ?? '']";

#[test]
fn a_film_waits_while_its_tab_is_hidden() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.before_each_load(GIVES_NOTHING);
    let session = record_film(&page, &relay.url());
    wait_for_position(&browser, 1_000);
    page.set_hidden(true);
    page.ask("new Promise(done => setTimeout(done, 4000))");
    page.set_hidden(false);
    page.wait_for("word of it", "document.querySelector('main')?.innerText.includes('hidden')");
    // A pause by the user survives an absence.
    page.click("pause");
    page.set_hidden(true);
    page.ask("new Promise(done => setTimeout(done, 1000))");
    page.set_hidden(false);
    page.ask("new Promise(done => setTimeout(done, 1000))");
    page.click("pause");
    wait_for_position(&browser, Film::LENGTH_MS - 500);
    stage::stop_session(&page);
    let samples = browser.traffic().samples();
    assert_whole(&samples);
    let hidden = skipped(&samples, SkipReason::Hidden);
    let paused = skipped(&samples, SkipReason::Paused);
    assert!((3_500..7_000).contains(&hidden) && paused >= 2_000, "{hidden} ms hidden, {paused} ms paused");
    assert_done(&page, &samples);
    assert_eq!(relay.api().samples(session).len(), samples.len());
}

/// The last page says how long the recording was, and all of it is either analysed or accounted for.
fn assert_done(page: &Page, samples: &[Sample]) {
    let read = "[...document.querySelectorAll('[data-testid=parts] [data-part]')].map(one => [one.dataset.part, Number(one.dataset.ms)])";
    let parts: Vec<(String, i64)> =
        serde_json::from_value(page.ask(read).expect("the parts")).expect("names and milliseconds");
    let length: i64 = page.attribute("length", "data-ms").and_then(|ms| ms.parse().ok()).expect("a length");
    assert_eq!(length, (samples[samples.len() - 1].at - samples[0].at).cast_signed());
    assert_eq!(parts.iter().map(|(_, ms)| ms).sum::<i64>(), length, "{parts:?}");
    assert_eq!(parts[0].0, "analysed");
    for reason in SkipReason::ALL {
        let told = parts.iter().find(|(name, _)| name == reason.name()).map_or(0, |(_, ms)| *ms);
        assert_eq!(told, skipped(samples, reason), "{parts:?}");
    }
}

#[test]
fn a_camera_s_hidden_time_is_told_where_it_was() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(GIVES_NOTHING);
    let session = stage::start_session(&page, &relay.url());
    let before = relay.api().wait_for_samples(session, SOME);
    page.set_hidden(true);
    page.ask("new Promise(done => setTimeout(done, 4000))");
    let said = page.ask(SAYS).expect("a page that runs");
    let [title, notice] = [0, 1].map(|place| said[place].as_str().unwrap_or_default());
    assert!(title.starts_with("No pictures") && notice.contains("gives a hidden tab no pictures"), "{said}");
    page.set_hidden(false);
    page.wait_for("word of it", "document.querySelector('main')?.innerText.includes('hidden tab')");
    relay.api().wait_for_samples(session, before + SOME);
    stage::stop_session(&page);
    let samples = browser.traffic().samples();
    let hidden = skipped(&samples, SkipReason::Hidden);
    assert!((3_500..7_000).contains(&hidden), "{hidden} ms");
    assert!((longest(&samples, |sample| sample.at) - hidden).abs() < ORDINARY_MS, "in one piece");
    assert!(samples.iter().all(|sample| sample.media_ms.is_none()), "a camera has no position");
    assert_done(&page, &samples);
}

/// A clip that only arrives when the test calls `deliver`, as over a slow line.
const SLOW_CLIP: &str = "
    const src = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, 'src');
    globalThis.asked = [];
    globalThis.deliver = () => asked.splice(0).forEach(([video, url]) => src.set.call(video, url));
    Object.defineProperty(HTMLMediaElement.prototype, 'src', {
        ...src,
        set(url) { url.startsWith('blob:') ? src.set.call(this, url) : globalThis.asked.push([this, url]); },
    });
";

#[test]
fn a_demo_that_comes_late_does_not_end_the_file_that_was_opened_meanwhile() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.before_each_load(SLOW_CLIP);
    page.goto(&format!("{}/demo", relay.url()));
    page.wait_for("the page to ask for its clip", "asked.length === 1");
    page.choose_file("[data-testid=open-file]", &Film::file());
    page.wait_for(
        "a face of the film",
        "Number(document.querySelector('[data-testid=faces]')?.dataset.count) > 0",
    );
    page.ask("deliver()");
    // The film has a second face, five seconds after the first one.
    page.wait_for("the face to go", "document.querySelector('[data-testid=faces]')?.dataset.count === '0'");
    page.wait_for(
        "the next face",
        "Number(document.querySelector('[data-testid=faces]')?.dataset.count) > 0",
    );
    page.wait_for("the end of the film", "document.body.innerText.includes('The file has finished')");
    assert_eq!(
        page.ask("document.querySelector('.top')?.innerText.includes('film.webm')"),
        Some(true.into())
    );
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}

/// The browser's prompt for the camera, answered when the test calls `allow`.
const ASK: &str = "
    globalThis.tracks = [];
    globalThis.asked = 0;
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const yes = new Promise(done => globalThis.allow = done);
    navigator.mediaDevices.getUserMedia = async wanted => {
        globalThis.asked += 1;
        await yes;
        const stream = await open(wanted);
        globalThis.tracks.push(...stream.getTracks());
        return stream;
    };
";

#[test]
fn a_camera_that_is_allowed_after_stop_goes_off_at_once() {
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(ASK);
    stage::start_session(&page, &relay.url());
    page.wait_for("the question", "asked === 1");
    assert_eq!(stage::stop_session(&page), 0);
    page.ask("allow()");
    page.wait_for("the camera to go off", "tracks.length === 1 && tracks[0].readyState === 'ended'");
    page.wait_for_element("done");
}

/// Two cameras; the second is plugged in when the test says so.
const PLUG: &str = "
    const list = navigator.mediaDevices.enumerateDevices.bind(navigator.mediaDevices);
    globalThis.plugged = false;
    navigator.mediaDevices.enumerateDevices = async () => {
        const all = await list();
        const cameras = all.filter(device => device.kind === 'videoinput');
        const open = all.find(device => device.deviceId === globalThis.open) ?? cameras[0];
        return all.filter(device => globalThis.plugged || device.kind !== 'videoinput' || device === open);
    };
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async wanted => {
        const stream = await ask(wanted);
        globalThis.open = stream.getVideoTracks()[0].getSettings().deviceId;
        return stream;
    };
    globalThis.plug = there => {
        globalThis.plugged = there;
        navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    };
";

#[test]
fn a_camera_that_is_plugged_in_can_be_chosen_and_one_that_goes_is_named() {
    let _stage = Stage::set();
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Two);
    let page = browser.page();
    page.before_each_load(PLUG);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);
    assert_eq!(page.ask("!!document.querySelector('[data-testid=camera]')"), Some(false.into()), "one alone");
    page.ask("plug(true)");
    page.wait_for(
        "two to choose from",
        "document.querySelectorAll('[data-testid=camera] option').length === 2",
    );
    let name = page.ask("[...document.querySelectorAll('[data-testid=camera] option')].find(one => one.value !== open).innerText");
    let name = name.and_then(|name| name.as_str().map(str::to_owned)).expect("a name");
    page.ask("plug(false)");
    page.wait_for(
        "its name",
        &format!("document.querySelector('[data-testid=notice]')?.innerText.includes({name:?})"),
    );
    let before = relay.api().stored(session);
    relay.api().wait_for_samples(session, before + SOME);
    stage::stop_session(&page);
}

#[test]
fn a_screen_that_may_not_be_kept_on_is_nobody_s_error() {
    const REFUSED: &str = "
        globalThis.refused = 0;
        navigator.wakeLock.request = () => {
            globalThis.refused += 1;
            return Promise.reject(new DOMException('low battery', 'NotAllowedError'));
        };
    ";
    let stage = Stage::set();
    let relay = Relay::start();
    let browser = stage.browser();
    let page = browser.page();
    page.before_each_load(REFUSED);
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);
    assert_eq!(page.ask("refused > 0"), Some(true.into()));
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
    stage::stop_session(&page);
    assert_eq!(browser.traffic().complaints, Vec::<String>::new());
}
