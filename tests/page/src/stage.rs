//! The usual scene: a relay, a browser with the portrait in front of its camera, and the way to a live session.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mien_shared::SessionId;
use tempfile::TempDir;

use crate::browser::{Browser, Camera};
use crate::clip::Clip;
use crate::page::Page;

/// Inference needs the whole machine: scenes run one after the other, however the tests are started.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[derive(Debug)]
pub struct Stage {
    pub clip: Clip,
    _folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    pub fn set() -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a folder for the clip");
        Self { clip: Clip::make(folder.path()), _folder: folder, _turn: turn }
    }

    /// A browser whose camera films the portrait.
    pub fn browser(&self) -> Browser {
        Browser::start(&Camera::Films(self.clip.video.clone()))
    }

    /// The same, if hidden pages are to fare as they do on a person's machine.
    pub fn throttling_browser(&self) -> Browser {
        Browser::start_throttling(&Camera::Films(self.clip.video.clone()))
    }
}

/// From the first page through consent to a running session.
pub fn start_session(page: &Page, url: &str) -> SessionId {
    page.goto(url);
    page.click("start-session");
    page.click("consent-allow");
    live_session(page)
}

/// The session that the page records, once it does.
pub fn live_session(page: &Page) -> SessionId {
    let id = page.wait_for(
        "a live session",
        "document.querySelector('main[data-testid=live][data-session]')?.dataset.session",
    );
    id.as_str().expect("an id").parse().expect("a session's id")
}

/// One click; returns how many samples the page then says are stored.
pub fn stop_session(page: &Page) -> u64 {
    page.click("stop");
    let stored =
        page.wait_for("the summary", "document.querySelector('[data-testid=stored]')?.dataset.count");
    stored.as_str().and_then(|count| count.parse().ok()).expect("a count")
}

/// The address for watchers, as a person would copy it.
pub fn share_link(page: &Page) -> String {
    page.click("share");
    page.wait_for("the share link", "document.querySelector('[data-testid=share-link]')?.value");
    page.text_of("share-link").expect("a link")
}

/// The name of the fault that the page shows, once it shows one.
pub fn fault(page: &Page) -> String {
    let name = page.wait_for("a fault", "document.querySelector('[data-testid=fault]')?.dataset.fault");
    name.as_str().expect("a name").to_owned()
}
