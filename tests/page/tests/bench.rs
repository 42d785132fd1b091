//! Tests of the test bench: a test is only worth as much as its tools.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use mien_page_tests::browser::{Browser, Camera};
use mien_page_tests::cable::Cable;

#[test]
fn a_browser_runs_and_answers() {
    let browser = Browser::start(&Camera::Absent);
    let page = browser.page();
    page.goto("data:text/html,<p data-testid=greeting>hello</p>");
    page.wait_for_element("greeting");
    assert_eq!(page.text_of("greeting").as_deref(), Some("hello"));
}

#[test]
fn a_pulled_cable_breaks_what_is_open_and_lets_nothing_through() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let cable = Cable::to(server.local_addr().expect("an address"));
    let address = cable.url().trim_start_matches("http://").to_owned();
    let mut byte = [0];

    let mut client = TcpStream::connect(&address).expect("a connection");
    let (mut far, _) = server.accept().expect("the far end");
    client.write_all(b"a").expect("a byte goes in");
    far.read_exact(&mut byte).expect("and comes out");

    cable.pull();
    assert_eq!(far.read(&mut byte).unwrap_or(0), 0, "the far end is closed");
    assert_eq!(client.read(&mut byte).unwrap_or(0), 0, "the near end is closed");
    let mut cut = TcpStream::connect(&address).expect("the plug is there");
    assert_eq!(cut.read(&mut byte).unwrap_or(0), 0, "and leads nowhere");

    cable.plug();
    let mut again = TcpStream::connect(&address).expect("a connection");
    again.write_all(b"b").expect("a byte goes in");
    let (mut far, _) = server.accept().expect("the far end");
    far.read_exact(&mut byte).expect("and comes out");
    assert_eq!(byte, *b"b");
}
