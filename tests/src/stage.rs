//! The usual scene: a relay, a browser with the portrait before its camera, and the way to a live session.

use std::sync::{Mutex, MutexGuard, PoisonError};

use mien_shared::SessionId;
use tempfile::TempDir;

use crate::browser::{Browser, Camera};
use crate::clip::Clip;
use crate::page::Page;

/// Inference wants the whole machine: scenes play one after the other, however the tests are started.
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
}

/// From the first page through consent to a running session.
pub fn start_session(page: &Page, url: &str) -> SessionId {
    page.goto(url);
    page.click("start-session");
    page.click("consent-allow");
    session_of(page)
}

/// The session that the page records.
pub fn session_of(page: &Page) -> SessionId {
    let id = page.wait_for("a session", "document.querySelector('[data-session]')?.dataset.session");
    id.as_str().expect("an id").parse().expect("a session's id")
}
