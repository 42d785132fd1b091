//! What was recorded and not sent may only be given up by the user, whatever the relay says.

use std::fs;
use std::path::Path;

use mien_page_tests::api::assert_gapless;
use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::cable::Cable;
use mien_page_tests::page::Page;
use mien_page_tests::relay::Relay;
use mien_page_tests::stage::{self, Stage};
use mien_page_tests::wait;
use mien_shared::api::StoredSample;

const SOME: u64 = 8;

fn wait_for_trouble(page: &Page, name: &str) {
    page.wait_for(
        &format!("the page to say that the relay is {name}"),
        &format!("document.querySelector('[data-testid=trouble]')?.dataset.trouble === {name:?}"),
    );
}

fn wait_for_backlog(page: &Page, count: u64) -> u64 {
    wait::until("samples to wait in the browser", || {
        page.count("pending").filter(|waiting| *waiting >= count)
    })
}

/// The samples in the file that the page saves.
fn saved(page: &Page, folder: &Path) -> Vec<StoredSample> {
    page.click("save-unsent");
    let text = wait::until("the saved file", || {
        let files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
        let whole = |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "ndjson");
        let text = fs::read_to_string(files.into_iter().find(whole)?).ok()?;
        text.ends_with('\n').then_some(text)
    });
    text.lines().map(|line| serde_json::from_str(line).expect("a line of the export")).collect()
}

/// Samples in the browser's own store.
fn on_the_disk(page: &Page) -> u64 {
    const COUNT: &str = "new Promise((done, fail) => {
        const opening = indexedDB.open('mien-outbox');
        opening.onerror = fail;
        opening.onsuccess = () => {
            const rows = opening.result.transaction('rows').objectStore('rows').count();
            rows.onerror = fail;
            rows.onsuccess = () => { opening.result.close(); done(rows.result); };
        };
    })";
    page.ask(COUNT).and_then(|count| count.as_u64()).expect("a count")
}

#[test]
fn a_wrong_database_for_a_while_costs_no_sample() {
    let stage = Stage::set();
    let mut relay = Relay::start();
    let browser = stage.browser();
    let downloads = tempfile::tempdir().expect("a folder");
    browser.downloads_to(downloads.path());
    let page = browser.page();
    let session = stage::start_session(&page, &relay.url());
    relay.api().wait_for_samples(session, SOME);

    relay.stop();
    relay.restart_over("another.db");
    wait_for_trouble(&page, "unknown");
    wait_for_backlog(&page, SOME);
    page.wait_for_text("The relay does not know this recording.");
    page.wait_for_text("are kept in this browser.");
    let file = saved(&page, downloads.path());
    assert!(file.len() as u64 >= SOME, "{} samples", file.len());

    // A reload in the meantime, too. Writes still in progress when the page goes are another test's subject.
    wait::until("the saved samples to be on the disk", || {
        (on_the_disk(&page) >= file.len() as u64).then_some(())
    });
    page.reload();
    assert_eq!(stage::live_session(&page), session, "the page goes on with its session");
    wait_for_trouble(&page, "unknown");
    let waiting = wait_for_backlog(&page, file.len() as u64 + SOME);

    relay.stop();
    relay.restart_over("mien.db");
    page.wait_for("no trouble any more", "!document.querySelector('[data-testid=trouble]')");
    relay.api().wait_for_samples(session, SOME + waiting + SOME);
    stage::stop_session(&page);
    let samples = relay.api().samples(session);
    assert_gapless(&samples);
    for StoredSample { source, sample } in &file {
        assert_eq!(source.as_str(), "main");
        let stored = &samples[sample.seq as usize - 1];
        assert_eq!(stored, sample, "what was saved is what came in the end");
    }
}

#[test]
fn what_was_not_sent_of_an_erased_recording_is_the_persons_to_decide_on() {
    let stage = Stage::set();
    let relay = Relay::start();
    let cable = Cable::to(relay.address());
    let browser = stage.browser();
    let downloads = tempfile::tempdir().expect("a folder");
    browser.downloads_to(downloads.path());
    let page = browser.page();
    let session = stage::start_session(&page, &cable.url());
    relay.api().wait_for_samples(session, SOME);
    cable.pull();
    wait_for_backlog(&page, SOME);
    relay.api().erase(session);
    cable.plug();

    assert_eq!(stage::fault(&page), "erased");
    assert!(on_the_disk(&page) >= SOME);
    page.reload();
    assert_eq!(stage::fault(&page), "erased");
    page.wait_for_text("unsent samples are kept in this browser.");
    let file = saved(&page, downloads.path());
    assert_eq!(file.len() as u64, on_the_disk(&page), "saving takes nothing away");
    page.click("discard");
    page.click("discard-confirm");
    page.wait_for("the offer to go", "!document.querySelector('[data-testid=unsent]')");
    assert_eq!(on_the_disk(&page), 0);
    page.reload();
    assert_eq!(stage::fault(&page), "erased");
}

#[test]
fn samples_that_nothing_else_is_known_of_are_found_and_offered() {
    const LEAVE: &str = r#"new Promise((done, fail) => {
        const opening = indexedDB.open('mien-outbox');
        opening.onerror = fail;
        opening.onsuccess = () => {
            const change = opening.result.transaction('rows', 'readwrite');
            for (const key of [1, 2, 3]) {
                const sample = { seq: key, at: 1763907600000 + key, faces: [] };
                change.objectStore('rows').put(
                    JSON.stringify(sample), ['0199a1b2-0000-7000-8000-000000000001', 'main', key]);
            }
            change.onerror = fail;
            change.oncomplete = () => { opening.result.close(); done(true); };
        };
    })"#;
    let relay = Relay::start();
    let browser = Browser::start(&Camera::Absent);
    let downloads = tempfile::tempdir().expect("a folder");
    browser.downloads_to(downloads.path());
    let page = browser.page();
    page.goto(&relay.url());
    page.wait_for_element("start-session");
    page.wait_for("the page to have made its store", LEAVE);
    page.reload();
    page.wait_for_element("unfinished");
    let seqs: Vec<u64> = saved(&page, downloads.path()).iter().map(|stored| stored.sample.seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
    page.click("discard");
    page.click("discard-confirm");
    page.wait_for("the offer to go", "!document.querySelector('[data-testid=unfinished]')");
    assert_eq!(on_the_disk(&page), 0);
}
