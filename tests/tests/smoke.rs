//! The bench itself.

use mien_tests::browser::{Browser, Camera};

#[test]
fn a_browser_runs_and_answers() {
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto("data:text/html,<p data-testid=greeting>hello</p>");
    page.wait_for_element("greeting");
    assert_eq!(page.text_of("greeting").as_deref(), Some("hello"));
}
