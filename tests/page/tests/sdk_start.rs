//! What keeps the npm package from starting on an embedder's page: a missing file, or a header that forbids something.
//! Each is reported as such, with the address or the header, and a page that meets the requirements starts.

use std::collections::BTreeMap;

use mien_kit::parts;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::files::{Content, Site};
use mien_page_tests::stage::Stage;

const PAGE: &str = r#"<!doctype html>
<title>An embedder</title>
<link rel="icon" href="data:,">
<script type="module">
  try {
    const { default: init, Mien } = await import("/pkg/mien_sdk.js");
    await init();
    await Mien.load({ baseUrl: globalThis.baseUrl });
    globalThis.outcome = { code: "started", message: "" };
  } catch (fault) {
    globalThis.outcome = { code: fault.code ?? "none", message: fault.message };
  }
</script>"#;

/// What the server of a single-page application returns for every unknown address.
const APP: &str = "<!doctype html><title>An app</title><div id=app></div>";

const POLICY: &str = "Content-Security-Policy";
const EMBEDDER: &str = "Cross-Origin-Embedder-Policy";

fn site() -> Site {
    Site::of(BTreeMap::from([
        ("/", Content::Html(PAGE.to_owned())),
        ("/pkg/", Content::Folder(parts::root().join("web/sdk/pkg"))),
    ]))
}

struct Case {
    name: String,
    site: Site,
    code: &'static str,
    /// Parts of the message; `@` stands for the site's own address.
    says: Vec<String>,
}

fn case(name: &str, site: Site, code: &'static str, says: &[&str]) -> Case {
    Case { name: name.to_owned(), site, code, says: says.iter().map(|part| (*part).to_owned()).collect() }
}

/// Opens each site and compares the errors that its page caught.
fn check(cases: Vec<Case>) {
    let _stage = Stage::set();
    let browser = Browser::start(&Camera::Absent);
    let mut wrong = Vec::new();
    for Case { name, site, code, says } in cases {
        let origin = format!("http://{}", site.serve());
        let page = browser.page();
        page.goto(&format!("{origin}/"));
        let outcome = page.wait_for("an outcome", "globalThis.outcome");
        let message = outcome["message"].as_str().unwrap_or_default();
        let complete = says.iter().all(|part| message.contains(&part.replace('@', &origin)));
        if outcome["code"] != code || !complete {
            wrong.push(format!("{name}: wanted {code} that says {says:?}, got {outcome}"));
        }
        page.close();
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_file_that_is_not_there_is_named_with_its_address() {
    const FILES: [&str; 4] = [
        "/pkg/mien_sdk_bg.wasm",
        "/pkg/mien-worker_bg.wasm",
        "/pkg/mien-worker.js",
        "/pkg/human_blazeface_256.onnx",
    ];
    let mut cases = Vec::new();
    for file in FILES {
        let address = format!("@{file}");
        let fallen_back = site().without(file).fallback(APP);
        cases.push(case(
            &format!("{file} is a web page"),
            fallen_back,
            "not_built",
            &[&address, "a web page"],
        ));
        // A missing model has always had this code.
        let code = if file.ends_with(".onnx") { "model_missing" } else { "not_built" };
        cases.push(case(&format!("{file} is absent"), site().without(file), code, &[&address, "404"]));
    }
    check(cases);
}

#[test]
fn a_header_that_forbids_the_worker_is_named() {
    let policy = |text| site().header("/", POLICY, text);
    check(vec![
        case(
            "an embedder policy that the worker lacks",
            site().header("/", EMBEDDER, "require-corp"),
            "blocked",
            &[EMBEDDER, "@/pkg/mien-worker.js"],
        ),
        case(
            "another embedder policy",
            site().header("/", EMBEDDER, "credentialless"),
            "blocked",
            &[EMBEDDER],
        ),
        case(
            "no workers",
            policy("worker-src 'none'"),
            "blocked",
            &[POLICY, "worker-src", "@/pkg/mien-worker.js"],
        ),
        case(
            "no WebAssembly",
            policy("script-src 'self' 'unsafe-inline'"),
            "blocked",
            &[POLICY, "script-src", "'wasm-unsafe-eval'"],
        ),
        case(
            "no requests",
            policy("connect-src 'none'"),
            "blocked",
            &[POLICY, "connect-src", "@/pkg/mien_sdk_bg.wasm"],
        ),
        case(
            "Trusted Types of others",
            policy("require-trusted-types-for 'script'; trusted-types theirs"),
            "blocked",
            &[POLICY, "trusted-types", "mien"],
        ),
        case(
            "a script that is no script",
            site().header("/pkg/mien-worker.js", "Content-Type", "text/plain"),
            "blocked",
            &["Content-Type", "@/pkg/mien-worker.js"],
        ),
    ]);
}

#[test]
fn a_page_that_meets_its_headers_starts() {
    check(vec![
        case(
            "isolated",
            site()
                .header("/", EMBEDDER, "require-corp")
                .header("/", "Cross-Origin-Opener-Policy", "same-origin")
                .header("/pkg/", EMBEDDER, "require-corp"),
            "started",
            &[],
        ),
        case(
            "Trusted Types",
            site().header("/", POLICY, "require-trusted-types-for 'script'; trusted-types mien"),
            "started",
            &[],
        ),
        case(
            "the policy that the package's README asks for",
            site().header(
                "/",
                POLICY,
                "default-src 'none'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
            ),
            "started",
            &[],
        ),
    ]);
}

#[test]
fn a_folder_on_another_origin_starts_no_worker_and_says_so() {
    let elsewhere = site().header("/pkg/", "Access-Control-Allow-Origin", "*").serve();
    let page = PAGE.replace("globalThis.baseUrl", &format!("'http://{elsewhere}/pkg/'"));
    let site = Site::of(BTreeMap::from([
        ("/", Content::Html(page)),
        ("/pkg/", Content::Folder(parts::root().join("web/sdk/pkg"))),
    ]));
    let script = format!("http://{elsewhere}/pkg/mien-worker.js");
    check(vec![case("another origin", site, "worker_failed", &["origin", &script])]);
}
