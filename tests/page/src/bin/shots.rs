//! Screenshots of every view, phone (also in landscape) and desktop, light and dark, of the real thing: `shots FOLDER`,
//! or `shots FOLDER watching` for one scene alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::cable::Cable;
use mien_page_tests::page::Page;
use mien_page_tests::proxy::{Manner, Proxy};
use mien_page_tests::relay::Relay;
use mien_page_tests::source::Source;
use mien_page_tests::stage::{self, Stage};
use mien_shared::Role;
use mien_shared::limits::MAX_SOURCES;

/// CSS pixels.
const SIZES: [(u32, u32); 3] = [(390, 844), (844, 390), (1280, 900)];
const SCHEMES: [&str; 2] = ["light", "dark"];
/// Enough for a timeline that shows something.
const SAMPLES: u64 = 40;

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: shots FOLDER [SCENE]")?);
    let wanted = std::env::args().nth(2);
    let plays = |scene: &str| wanted.as_deref().is_none_or(|wanted| wanted == scene);
    std::fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;
    let stage = Stage::set();
    let relay = Relay::start();
    for (width, height) in SIZES {
        for scheme in SCHEMES {
            let look = Look { folder: &folder, width, height, scheme };
            if plays("recording") {
                look.recording(&stage, &relay);
            }
            if plays("denied") {
                look.denied(&relay);
            }
            if plays("watching") {
                look.watching();
            }
            if plays("kept") {
                look.kept(&stage);
            }
            if plays("full") {
                look.full(&stage);
            }
            if plays("blocked") {
                look.blocked(&stage);
            }
        }
    }
    println!("pictures are in {}", folder.display());
    Ok(())
}

struct Look<'a> {
    folder: &'a Path,
    width: u32,
    height: u32,
    scheme: &'a str,
}

impl Look<'_> {
    fn page(&self, browser: &Browser) -> Page {
        let page = browser.page();
        page.look(self.width, self.height, self.scheme);
        page
    }

    fn take(&self, page: &Page, view: &str) {
        // Waits until fonts and the last frame are on the screen.
        page.ask("document.fonts.ready.then(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))))");
        page.picture(&self.folder.join(format!("{view}-{}-{}.png", self.width, self.scheme)));
    }

    fn recording(&self, stage: &Stage, relay: &Relay) {
        let browser = stage.browser();
        let page = self.page(&browser);
        page.goto(&relay.url());
        page.wait_for(
            "the demo on the first page",
            "(document.querySelector('[data-testid=preview-expression]')?.dataset.expression ?? 'none') !== 'none'",
        );
        self.take(&page, "home");
        page.click("start-session");
        page.wait_for_element("consent");
        self.take(&page, "consent");
        page.click("consent-allow");
        let session = stage::live_session(&page);
        relay.api().wait_for_samples(session, SAMPLES);
        self.take(&page, "live");
        page.press("?");
        page.wait_for("the keys", "document.querySelector('[aria-labelledby=keys-title]').open");
        self.take(&page, "keys");
        page.press("Escape");
        page.click("mark");
        page.click("marker-save");
        page.click("mark");
        page.wait_for_element("marker-delete");
        self.take(&page, "markers");
        page.press("Escape");

        let link = stage::share_link(&page);
        self.take(&page, "share");
        let watcher = Browser::start(&Camera::Absent);
        let screen = self.page(&watcher);
        screen.goto(&link);
        screen.wait_for(
            "the expression",
            "(document.querySelector('[data-testid=watch-expression]')?.dataset.expression ?? 'none') !== 'none'",
        );
        self.take(&screen, "watch");
        stage::stop_session(&page);
        self.take(&page, "done");
        page.goto(&relay.url());
        page.wait_for_element("recording");
        self.take(&page, "recordings");
    }

    /// What a watcher sees while it is behind, disconnected, waiting, and at the end.
    fn watching(&self) {
        let most = "1000000";
        let relay = Relay::start_with(&[
            ("MIEN_SAMPLES_PER_SECOND", most),
            ("MIEN_SAMPLES_BURST", most),
            ("MIEN_REQUESTS_PER_SECOND", most),
            ("MIEN_REQUESTS_BURST", most),
        ]);
        let session = relay.api().create_session("Interview 7, second part");
        let mut source = Source::connect(&relay, &session);
        source.send_past(20_000);
        let source = source.run();
        let cable = Cable::to(relay.address());
        let watcher = Browser::start(&Camera::Absent);
        let screen = self.page(&watcher);
        screen.goto(&format!("{}/watch/{}#{}", cable.url(), session.session.id, session.tokens.watch));
        let is = |state: &str| {
            let link = "document.querySelector('[data-testid=link-state]')?.dataset.state";
            screen.wait_for(state, &format!("{link} === {state:?}"));
        };
        is("live");
        screen.wait_for_element("watch-expression");
        self.take(&screen, "watch-live");
        cable.pull();
        is("offline");
        self.take(&screen, "watch-offline");
        source.send_ahead(7_200);
        cable.slow(100_000);
        cable.plug();
        screen.wait_for_element("watch-catching-up");
        screen.wait_for("samples", "document.querySelector('.catching-up progress')?.value > 0");
        self.take(&screen, "watch-catching-up");
        cable.as_fast_as_it_goes();
        is("live");
        screen.click("show-earlier");
        screen.wait_for(
            "what was earlier",
            "document.querySelector('[data-testid=show-earlier]')?.disabled === false",
        );
        self.take(&screen, "watch-earlier");
        let source = source.pause();
        is("quiet");
        self.take(&screen, "watch-paused");
        drop(source);
        screen.wait_for(
            "its absence",
            "document.querySelector('[data-testid=presence]').dataset.sources === '0'",
        );
        self.take(&screen, "watch-gone");
        relay.api().complete(session.session.id);
        is("ended");
        self.take(&screen, "watch-over");
        let late = self.page(&watcher);
        relay.api().erase(session.session.id);
        late.goto(&format!("{}/watch/{}#{}", cable.url(), session.session.id, session.tokens.watch));
        stage::fault(&late);
        self.take(&late, "watch-erased");
    }

    /// A relay that does not know the recording, and one that has erased it: what was not sent is kept.
    fn kept(&self, stage: &Stage) {
        let mut relay = Relay::start();
        let cable = Cable::to(relay.address());
        let browser = stage.browser();
        let page = self.page(&browser);
        let session = stage::start_session(&page, &cable.url());
        relay.api().wait_for_samples(session, SAMPLES);
        relay.stop();
        relay.restart_over("another.db");
        page.wait_for_element("trouble");
        self.take(&page, "unknown");
        page.click("save-unsent");
        page.wait_for("its outcome", "document.querySelector('[data-testid=save-unsent-said]').innerText");
        page.click("discard");
        page.wait_for_element("discard-confirm");
        self.take(&page, "unknown-discard");
        let home = self.page(&browser);
        page.close();
        home.goto(&cable.url());
        home.wait_for_element("unfinished");
        home.click("send-unsent");
        home.wait_for_element("save-unsent");
        self.take(&home, "unfinished-unknown");
        home.close();
        let page = self.page(&browser);
        relay.stop();
        relay.restart_over("mien.db");
        page.goto(&format!("{}/session/{session}", cable.url()));
        page.click("consent-allow");
        stage::live_session(&page);
        relay.api().wait_for_samples(session, 2 * SAMPLES);
        cable.pull();
        page.wait_for("a backlog", "+document.querySelector('[data-testid=pending]').dataset.count > 20");
        relay.api().erase(session);
        cable.plug();
        stage::fault(&page);
        page.wait_for_element("save-unsent");
        self.take(&page, "erased-unsent");
    }

    /// A session that has the maximum number of sources.
    fn full(&self, stage: &Stage) {
        let most = "1000000";
        let relay = Relay::start_with(&[("MIEN_REQUESTS_PER_SECOND", most), ("MIEN_REQUESTS_BURST", most)]);
        let session = relay.api().create_session("Interview 7, second part");
        let _sources: Vec<Source> = (0..MAX_SOURCES)
            .map(|number| {
                let mut of_its_own = session.clone();
                let name = format!("camera-{number}").parse().ok();
                let (id, owner) = (session.session.id, &session.tokens.owner);
                of_its_own.tokens.ingest =
                    relay.api().token(id, owner, Role::Ingest, name, Duration::from_mins(10));
                Source::connect(&relay, &of_its_own)
            })
            .collect();
        let browser = stage.browser();
        let page = self.page(&browser);
        page.goto(&relay.url());
        let kept = serde_json::json!([{
            "session": session.session.id, "title": session.session.title,
            "started_ms": session.session.started_at.as_millisecond(), "tokens": session.tokens,
        }]);
        page.wait_for(
            "the page's memory",
            &format!("localStorage['mien.sessions'] = JSON.stringify({kept})"),
        );
        page.goto(&format!("{}/session/{}", relay.url(), session.session.id));
        page.click("consent-allow");
        stage::fault(&page);
        self.take(&page, "full");
    }

    /// Something that blocks traffic between page and relay, and a page whose files do not arrive.
    fn blocked(&self, stage: &Stage) {
        let relay = Relay::start();
        let proxy = Proxy::to(relay.address(), Manner::DropsUpgrade);
        let browser = stage.browser();
        let page = self.page(&browser);
        stage::start_session(&page, &proxy.url());
        let trouble = |name: &str| {
            let told = "document.querySelector('[data-testid=trouble]')?.dataset.trouble";
            page.wait_for(name, &format!("{told} === {name:?}"));
        };
        trouble("blocked");
        self.take(&page, "sockets-blocked");
        proxy.behave(Manner::AsksForPassword);
        trouble("password");
        self.take(&page, "proxy-password");
        let start = self.page(&browser);
        start.cancel_passwords();
        start.goto(&format!("{}/#start", proxy.url()));
        start.click("consent-allow");
        start.wait_for_element("start-failed");
        self.take(&start, "start-password");
        let shell = self.page(&browser);
        shell.answer("*/boot-*.js", 404, "text/plain", b"");
        shell.goto(&relay.url());
        shell.wait_for(
            "its words",
            "document.styleSheets.length > 0 && getComputedStyle(document.querySelector('.late')).visibility === 'visible'",
        );
        self.take(&shell, "no-files");
    }

    fn denied(&self, relay: &Relay) {
        let browser = Browser::start(&Camera::Denied);
        let page = self.page(&browser);
        page.goto(&relay.url());
        page.click("start-session");
        page.click("consent-allow");
        stage::fault(&page);
        self.take(&page, "denied");
    }
}
