//! The npm package on an embedder's plain page, from an origin of its own.

use std::collections::BTreeMap;

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::embedder::{PAGE, STREAMS, demo, driven, goes_on, listen, site};
use mien_page_tests::files::Site;
use mien_page_tests::page::Page;
use mien_page_tests::stage::Stage;

#[test]
fn an_embedder_gets_samples_from_a_video_element() {
    let _stage = Stage::set();
    let site = site(PAGE).serve();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&format!("http://{site}/"));
    page.wait_for("samples or a fault", "globalThis.fault ?? (globalThis.samples?.length >= 10)");
    assert_eq!(page.ask("globalThis.fault ?? ''"), Some("".into()));
    page.wait_for(
        "a face with an expression",
        "samples.some(sample => sample.faces.some(face => face.expression))",
    );
    let samples = page.ask("samples").expect("the samples");
    for sample in samples.as_array().expect("a list") {
        serde_json::from_value::<mien_shared::Sample>(sample.clone()).expect("a sample of the contract");
    }

    page.ask("run.stop()");
    let stopped_at = page.wait_for("a count", "samples.length");
    page.ask("new Promise(done => setTimeout(done, 1000))");
    // One analysis may have been in progress.
    let later = page.ask("samples.length").and_then(|count| count.as_u64()).expect("a count");
    assert!(later <= stopped_at.as_u64().expect("a count") + 1, "it goes on after stop");
    for url in browser.traffic().urls {
        assert!(url.starts_with(&format!("http://{site}/")), "{url}");
    }
}

#[test]
fn what_handlers_throw_reaches_the_console_and_ends_nothing() {
    const THROWING: &str = r#"Object.fromEntries(["onSample", "onStats", "onFault", "onEnd"].map((name) => [
        name, () => { throw new Error(name); },
    ]))"#;
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let page = driven(&browser);
    page.ask("video.src = '/demo/demo.webm'");
    assert_eq!(listen(&page, THROWING)["code"], "running");
    let thrown = |name: &str| format!("errors.filter((message) => message === '{name}').length");
    page.wait_for("one sample after another", &format!("{} > 3", thrown("onSample")));
    page.wait_for("figures", &format!("{} > 1", thrown("onStats")));
    let elsewhere = Site::of(BTreeMap::from([("/demo/", demo())])).serve();
    page.ask(&format!("video.src = 'http://{elsewhere}/demo/demo.webm'"));
    page.wait_for("the fault", &format!("{} > 0", thrown("onFault")));
    page.wait_for("the end", &format!("{} > 0", thrown("onEnd")));
    assert!(
        browser.traffic().complaints.iter().any(|line| line.contains("onSample")),
        "the console shows it: {:?}",
        browser.traffic().complaints
    );

    // A callback of `load` may throw, too.
    let loaded = page.ask(
        "import('/pkg/mien_sdk.js').then(({ Mien }) =>
           Mien.load({ onProgress: () => { throw new Error('onProgress'); } })).then(() => true)",
    );
    assert_eq!(loaded, Some(true.into()));
    page.wait_for("its word", &format!("{} > 0", thrown("onProgress")));
}

#[test]
fn a_video_that_may_not_be_read_is_refused_once_with_the_reason() {
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let page = driven(&browser);
    let closed = Site::of(BTreeMap::from([("/demo/", demo())])).serve();
    let open = Site::of(BTreeMap::from([("/demo/", demo())]))
        .header("/demo/", "Access-Control-Allow-Origin", "*")
        .serve();

    page.ask(&format!("video.src = 'http://{closed}/demo/demo.webm'"));
    let refused = listen(&page, "");
    assert_eq!(refused["code"], "cross_origin", "{refused}");
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(message.contains("crossorigin") && message.contains("Access-Control-Allow-Origin"), "{message}");

    page.ask(&format!("video.crossOrigin = 'anonymous'; video.src = 'http://{open}/demo/demo.webm'"));
    assert_eq!(listen(&page, "")["code"], "running");
    goes_on(&page, "from another origin that allows it");

    page.ask(&format!("video.crossOrigin = null; video.src = 'http://{closed}/demo/demo.webm'"));
    page.wait_for("the end", "ends > 0");
    page.ask("new Promise((done) => setTimeout(done, 500))");
    let told = page.ask("({ ends, faults: faults.map(({ final, code }) => [final, code]) })");
    assert_eq!(told, Some(serde_json::json!({ "ends": 1, "faults": [[true, "cross_origin"]] })));
}

/// Starts a calibration whose outcome is in `outcomes[index]`, once there is one.
fn calibrate(page: &Page) -> u64 {
    let index = page.ask(
        "(() => {
            globalThis.outcomes ??= []; globalThis.progress = [];
            const index = outcomes.push(null) - 1;
            run.calibrate({ onProgress: (faces) => progress.push(faces) }).then(
                ({ faces }) => { outcomes[index] = { faces }; },
                ({ code, message, obstacle }) => { outcomes[index] = { code, message, obstacle }; },
            );
            return index;
        })()",
    );
    index.and_then(|index| index.as_u64()).expect("an index")
}

fn outcome(page: &Page, index: u64) -> serde_json::Value {
    page.wait_for("the outcome", &format!("outcomes[{index}]"))
}

#[test]
fn a_run_compares_a_face_with_its_own_neutral_one_once_it_is_calibrated() {
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let page = driven(&browser);
    page.ask("video.src = '/demo/demo.webm'");
    assert_eq!(listen(&page, "")["code"], "running");
    page.wait_for("a face", "samples.some(({ faces }) => faces.length > 0)");
    assert_eq!(
        page.ask("samples.some(({ faces }) => faces.some(face => 'neutral' in face))"),
        Some(false.into())
    );

    let cancelled = calibrate(&page);
    page.wait_for("progress", "progress.length > 2");
    page.ask("run.cancelCalibration()");
    assert_eq!(outcome(&page, cancelled)["code"], "cancelled");

    let overtaken = calibrate(&page);
    let taken = calibrate(&page);
    assert_eq!(outcome(&page, overtaken)["code"], "cancelled");
    let result = outcome(&page, taken);
    let own = &result["faces"][0];
    assert!(own["looks"].as_u64().is_some_and(|looks| looks >= 8), "{result}");
    let reported = page.ask("progress.flat()").expect("what was reported");
    let reported = reported.as_array().expect("a list");
    let known = ["cut", "small", "turned", "dark", "bright", "moving", "smiling", "unclear"];
    for face in reported {
        let (looks, needed) = (face["looks"].as_u64(), face["needed"].as_u64());
        assert!(looks.is_some() && looks <= needed, "{face}");
        assert!(
            face["obstacle"].as_str().map_or(face["obstacle"].is_null(), |it| known.contains(&it)),
            "{face}"
        );
    }
    assert!(reported.iter().any(|face| face["obstacle"].is_null()), "{reported:?}");
    page.wait_for(
        "samples that say so",
        &format!("samples.some(({{ faces }}) => faces.some(face => face.neutral === {}))", own["looks"]),
    );
    for sample in page.ask("samples.slice(-50)").expect("the samples").as_array().expect("a list") {
        serde_json::from_value::<mien_shared::Sample>(sample.clone()).expect("a sample of the contract");
    }
    page.ask("run.resetNeutral()");
    page.wait_for(
        "samples without",
        "samples.at(-1).faces.length > 0 && !('neutral' in samples.at(-1).faces[0])",
    );

    let unfinished = calibrate(&page);
    page.ask("run.stop()");
    assert_eq!(outcome(&page, unfinished)["code"], "run_ended");
    let late = calibrate(&page);
    assert_eq!(outcome(&page, late)["code"], "run_ended");
    assert_eq!(page.ask("errors"), Some(serde_json::json!([])));
}

#[test]
fn a_run_goes_on_with_what_the_element_shows_now() {
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let page = driven(&browser);
    page.ask(STREAMS);
    page.ask(
        "globalThis.first = camera(); globalThis.sound = microphone();
         video.srcObject = new MediaStream([first.track, sound.track]);",
    );
    assert_eq!(listen(&page, "")["code"], "running");
    goes_on(&page, "of a stream");

    page.ask("sound.end()");
    page.wait_for("the sound's end", "sound.track.readyState === 'ended'");
    goes_on(&page, "after its sound has ended");

    page.ask("globalThis.second = camera(); video.srcObject = new MediaStream([second.track]); first.end();");
    page.wait_for("the first camera's end", "first.track.readyState === 'ended'");
    goes_on(&page, "of another stream, after the first has ended");

    page.ask(
        "globalThis.third = camera();
         video.srcObject.addTrack(third.track);
         video.srcObject.removeTrack(second.track);
         second.end();",
    );
    page.wait_for("the second camera's end", "second.track.readyState === 'ended'");
    goes_on(&page, "of a track that came in another's place");

    page.ask("third.fallSilent()");
    page.wait_for(
        "word of the silence",
        "faults.some(({ final, code }) => !final && code === 'source_silent')",
    );
    page.ask("video.srcObject = null");
    page.ask("video.src = '/demo/demo.webm'");
    goes_on(&page, "of a file, in an element that was emptied");

    page.ask("globalThis.last = camera(); video.srcObject = new MediaStream([last.track]);");
    goes_on(&page, "of a stream again");
    page.ask("last.end()");
    page.wait_for("the end", "ends > 0");
    let told = page.ask("faults.filter(({ final }) => final).map(({ code }) => code)");
    assert_eq!(told, Some(serde_json::json!(["source_lost"])));
}

#[test]
fn landmarks_are_switched_on_and_off_and_fetched_only_then() {
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let page = driven(&browser);
    page.ask("video.src = '/demo/demo.webm'; video.play()");
    assert_eq!(listen(&page, "{}")["code"], "running");
    page.wait_for("faces", "samples.filter(({ faces }) => faces.length > 0).length > 5");
    assert_eq!(
        page.ask("samples.some(({ faces }) => faces.some((face) => face.landmarks))"),
        Some(false.into())
    );
    let asked =
        || browser.traffic().urls.iter().filter(|url| url.contains("mediapipe_face_landmarks")).count();
    assert_eq!(asked(), 0);

    page.ask(
        "globalThis.progress = []; globalThis.on = 'no';
        mien.setLandmarks(true, { onProgress: (...now) => progress.push(now) })
          .then(() => (globalThis.on = 'yes'), (fault) => (globalThis.on = fault.code)); 0",
    );
    page.wait_for("landmarks", "samples.at(-1).faces[0]?.landmarks?.coefficients.jawOpen >= 0");
    page.wait_for("the promise", "globalThis.on === 'yes'");
    assert_eq!(asked(), 1);
    assert_eq!(
        page.ask("progress.at(-1)[0] === progress.at(-1)[1] && progress.at(-1)[1] > 6e6"),
        Some(true.into())
    );
    page.ask("mien.setLandmarks(false)");
    page.wait_for("none again", "samples.at(-1).faces.length > 0 && !samples.at(-1).faces[0].landmarks");
}

#[test]
fn landmarks_can_be_loaded_with_the_rest() {
    let _stage = Stage::set();
    let page = PAGE.replace("Mien.load()", "Mien.load({ landmarks: true })");
    let site = site(&page).serve();
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto(&format!("http://{site}/"));
    page.wait_for(
        "landmarks or a fault",
        "globalThis.fault ?? globalThis.samples?.some(({ faces }) => faces[0]?.landmarks)",
    );
    assert_eq!(page.ask("globalThis.fault ?? ''"), Some("".into()));
}

#[test]
fn a_face_can_be_left_out_and_brought_back() {
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let page = driven(&browser);
    page.ask("video.src = '/demo/demo.webm'");
    assert_eq!(listen(&page, "")["code"], "running");
    page.wait_for("a face", "samples.some(sample => sample.faces.length > 0)");
    assert_eq!(page.ask("run.leaveOut(4_000_000)"), Some(false.into()), "there is no such face");
    let id = page.wait_for(
        "a face that is left out",
        "(face => face && run.leaveOut(face.id) && (globalThis.mark = samples.length, face.id))(samples.at(-1).faces[0])",
    );
    page.wait_for("later samples", "samples.length > mark + 10");
    let seen = page
        .ask(&format!("samples.slice(mark + 1).some(sample => sample.faces.some(face => face.id === {id}))"));
    assert_eq!(seen, Some(false.into()));
    assert_eq!(page.ask(&format!("run.bringBack({id})")), Some(true.into()));
    assert_eq!(page.ask(&format!("run.bringBack({id})")), Some(false.into()));
}
