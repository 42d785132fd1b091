//! A watcher whose relay does not know the session for a while, or whose sockets are blocked.

use std::collections::BTreeMap;

use mien_shared::problem::CloseCode;

use super::watcher::{Watcher, at, at_ten, message, welcome};
use crate::browser::Reach;
use crate::link::{Effect, Protocol, Trouble};
use crate::{Begin, WatchEvent, WatchState};

#[test]
fn a_session_that_was_there_and_is_not_known_for_a_while_is_asked_for_again() {
    let mut watcher = Watcher::new(Begin::After(BTreeMap::new()));
    watcher.receiver.opened(at(0));
    watcher.receiver.message(at(1), &welcome(Some(&[("main", 1)])), 0.0);
    watcher.receiver.message(at(2), &message("main", at_ten(1..=1)), 0.0);
    watcher.receiver.closed(at(10), 4404, 0.0);
    let offline = WatchState::Offline { retry_in_ms: 250, trouble: Some(Trouble::UnknownSession) };
    assert_eq!(watcher.state(), offline);
    watcher.receiver.tick(at(260), 0.0);
    watcher.receiver.opened(at(261));
    assert_eq!(watcher.hello(), r#"{"type":"hello","token":"t","since":{"main":1}}"#);
    watcher.receiver.message(at(262), &welcome(Some(&[("main", 1)])), 0.0);
    assert_eq!(watcher.state(), WatchState::Quiet, "connected, and all seen");
}

#[test]
fn a_session_that_was_never_there_is_not() {
    let mut watcher = Watcher::new(Begin::Recent);
    watcher.receiver.opened(at(0));
    watcher.receiver.closed(at(10), 4404, 0.0);
    assert_eq!(watcher.state(), WatchState::Ended(CloseCode::SessionNotFound));
}

#[test]
fn http_is_asked_why_no_socket_opens() {
    let mut watcher = Watcher::new(Begin::Recent);
    let mut now = 0;
    for _ in 0..3 {
        assert!(!matches!(watcher.state(), WatchState::Offline { trouble: Some(_), .. }));
        watcher.effects.clear();
        watcher.receiver.closed(at(now), 1006, 0.0);
        assert!(watcher.effects().contains(&Effect::Probe));
        watcher.receiver.reached(at(now), Reach::Relay);
        now += 10_000;
        watcher.receiver.tick(at(now), 0.0);
    }
    let told = |effect: &Effect<WatchEvent>| {
        let blocked = Some(Trouble::SocketsBlocked);
        matches!(effect, Effect::Other(WatchEvent::State(WatchState::Offline { trouble, .. })) if *trouble == blocked)
    };
    assert!(watcher.effects().iter().any(told));
}
