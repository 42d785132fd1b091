//! The npm package on an embedder's plain page, from an origin of its own.

use std::collections::BTreeMap;

use mien_tests::browser::{Browser, Camera};
use mien_tests::files::{self, Content};
use mien_tests::parts;
use mien_tests::stage::Stage;

/// What the package's README shows, on the demo clip.
const PAGE: &str = r#"<!doctype html>
<title>An embedder</title>
<link rel="icon" href="data:,">
<video id="video" src="/demo/demo.webm" muted autoplay loop playsinline></video>
<script type="module">
  globalThis.samples = [];
  try {
    const { default: init, Mien } = await import("/pkg/mien_sdk.js");
    await init();
    const mien = await Mien.load();
    globalThis.run = await mien.start(document.querySelector("video"), {
      onSample: (sample) => globalThis.samples.push(sample),
    });
  } catch (fault) {
    globalThis.fault = String(fault?.stack ?? fault);
  }
</script>"#;

#[test]
fn an_embedder_gets_samples_from_a_video_element() {
    let _stage = Stage::set();
    let site = files::serve(BTreeMap::from([
        ("/", Content::Html(PAGE.to_owned())),
        ("/pkg/", Content::Folder(parts::root().join("web/sdk/pkg"))),
        ("/demo/", Content::Folder(parts::root().join("web/app/demo"))),
    ]));
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
    // One analysis may have been on its way.
    let later = page.ask("samples.length").and_then(|count| count.as_u64()).expect("a count");
    assert!(later <= stopped_at.as_u64().expect("a count") + 1, "it goes on after stop");
    for url in browser.traffic().urls {
        assert!(url.starts_with(&format!("http://{site}/")), "{url}");
    }
}
