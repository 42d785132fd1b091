//! An embedder's plain page around the npm package, from an origin of its own.

use std::collections::BTreeMap;

use mien_kit::parts;

use crate::browser::Browser;
use crate::files::{Content, Site};
use crate::page::Page;

/// The example in the package's README, with the demo clip.
pub const PAGE: &str = r#"<!doctype html>
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

/// For tests that drive it: `mien` is loaded, `listen` starts a run on the element and records what it reports.
pub const DRIVEN: &str = r#"<!doctype html>
<title>An embedder</title>
<link rel="icon" href="data:,">
<video id="video" muted autoplay loop playsinline></video>
<script type="module">
  import init, { Mien } from "/pkg/mien_sdk.js";
  globalThis.errors = [];
  addEventListener("error", ({ error }) => globalThis.errors.push(error.message));
  globalThis.video = document.querySelector("video");
  globalThis.listen = async (more) => {
    globalThis.samples = [];
    globalThis.faults = [];
    globalThis.ends = 0;
    try {
      globalThis.run = await globalThis.mien.start(video, {
        onSample: (sample) => globalThis.samples.push(sample),
        onFault: (fault) => globalThis.faults.push(fault),
        onEnd: () => (globalThis.ends += 1),
        ...more,
      });
      return { code: "running" };
    } catch (fault) {
      return { code: fault.code, message: fault.message };
    }
  };
  await init();
  globalThis.mien = await Mien.load();
</script>"#;

/// Streams for the element. Their tracks are made by the page itself, because those end with an event when their writer
/// does; a track that the page calls `stop` on fires none.
pub const STREAMS: &str = r#"
globalThis.clip = Object.assign(document.createElement("video"), { src: "/demo/demo.webm", muted: true, loop: true });
clip.play();
globalThis.camera = () => {
  const track = new MediaStreamTrackGenerator({ kind: "video" });
  const writer = track.writable.getWriter();
  const timer = setInterval(() => {
    if (clip.readyState < 2) return;
    writer.write(new VideoFrame(clip, { timestamp: performance.now() * 1000 }));
  }, 50);
  const fallSilent = () => clearInterval(timer);
  return { track, fallSilent, end: () => { fallSilent(); return writer.close(); } };
};
globalThis.microphone = () => {
  const track = new MediaStreamTrackGenerator({ kind: "audio" });
  const writer = track.writable.getWriter();
  return { track, end: () => writer.close() };
};
"#;

/// This page with the package and the clip beside it.
pub fn site(page: &str) -> Site {
    Site::of(BTreeMap::from([
        ("/", Content::Html(page.to_owned())),
        ("/pkg/", Content::Folder(parts::root().join("web/sdk/pkg"))),
        ("/demo/", demo()),
    ]))
}

/// The demo clip.
pub fn demo() -> Content {
    Content::Folder(parts::root().join("web/app/demo"))
}

/// The page in [`DRIVEN`], once ready.
#[track_caller]
pub fn driven(browser: &Browser) -> Page {
    let page = browser.page();
    page.goto(&format!("http://{}/", site(DRIVEN).serve()));
    page.wait_for("the engine", "!!globalThis.mien");
    page
}

/// Starts a run on the page's element, with these further options.
#[track_caller]
pub fn listen(page: &Page, more: &str) -> serde_json::Value {
    page.ask(&format!("listen({more})")).expect("the page has `listen`")
}

/// Waits for new samples.
#[track_caller]
pub fn goes_on(page: &Page, after: &str) {
    page.ask("globalThis.mark = samples.length");
    page.wait_for(&format!("samples {after}, or the end"), "ends > 0 || samples.length > mark + 5");
    assert_eq!(
        page.ask("({ ends, faults: faults.filter(({ final }) => final) })"),
        Some(serde_json::json!({ "ends": 0, "faults": [] })),
        "{after}"
    );
}
