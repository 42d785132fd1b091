//! A recording whose relay does not know it, cannot be reached by sockets, or wants a newer token.

use super::super::*;
use super::world::{IN_MEMORY, World, live};
use crate::link::{Effect as LinkEffect, Trouble};
use crate::outbox::ledger::Numbers;
use crate::outbox::storage::StorageMode;

/// A token of the contract that ends at this Unix second; 0 is where these tests' relay clock begins.
fn token(exp: u64) -> String {
    use base64::Engine as _;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":{exp}}}"#));
    format!("head.{payload}.signature")
}

/// A recording with this token, connected.
fn with_token(token: String) -> (World, Sender) {
    let mut world = World::default();
    let mut sender =
        Sender::new(token, Ledger::restore(StorageMode::Disk, Numbers::default(), None), world.now);
    world.take(&mut sender);
    world.deliver(&mut sender);
    (world, sender)
}

#[test]
fn a_relay_that_does_not_know_the_session_is_asked_again_and_costs_nothing() {
    for storage in [StorageMode::Disk, IN_MEMORY] {
        let (mut world, mut sender) = match storage {
            StorageMode::Disk => live(),
            StorageMode::Memory { .. } => {
                let (mut world, mut sender) = (World::default(), World::open_in_memory());
                world.take(&mut sender);
                world.deliver(&mut sender);
                (world, sender)
            }
        };
        for at in 1..=3 {
            sender.push(world.now, Sample::new(0, at, Vec::new()));
            world.cut(&mut sender, 4404);
            let status = sender.status(world.now);
            assert!(matches!(status.link, LinkState::Offline { .. }), "{:?}", status.link);
            assert_eq!((status.trouble, status.pending), (Some(Trouble::UnknownSession), at));
        }
        world.calm(&mut sender);
        assert_eq!(world.stored.values().copied().collect::<Vec<_>>(), [1, 2, 3]);
        let status = sender.status(world.now);
        assert_eq!((status.trouble, status.pending, status.link), (None, 0, LinkState::Live));
    }
}

#[test]
fn a_token_is_asked_for_before_its_end_and_again() {
    let (mut world, mut sender) = with_token(token(100));
    let mut asked = Vec::new();
    for second in 1..=120 {
        world.now = world.now + Duration::from_secs(1);
        sender.tick(world.now, 0.0);
        if sender.take_effects().contains(&LinkEffect::Other(Effect::TokenExpiring)) {
            asked.push(second);
        }
    }
    assert_eq!(asked.first(), Some(&80));
    assert!((4..=10).contains(&asked.len()) && asked.iter().any(|at| (81..100).contains(at)), "{asked:?}");
    assert!(asked.iter().all(|second| *second <= 101), "{asked:?}");
}

#[test]
fn a_newer_token_is_asked_after_in_its_turn_also_on_the_old_connection() {
    let (mut world, mut sender) = with_token(token(100));
    world.now = world.now + Duration::from_secs(80);
    sender.tick(world.now, 0.0);
    assert!(sender.take_effects().contains(&LinkEffect::Other(Effect::TokenExpiring)));
    sender.renew(world.now, &token(1_080));
    let mut wanted = |second| {
        world.now = Steady::default() + Duration::from_secs(second);
        sender.tick(world.now, 0.0);
        sender.take_effects().contains(&LinkEffect::Other(Effect::TokenExpiring))
    };
    assert!(!wanted(100) && !wanted(870) && wanted(890));
}

#[test]
fn at_the_end_of_its_token_a_recording_goes_on_with_the_newer_one() {
    let (mut world, mut sender) = with_token(token(100));
    let newer = token(200);
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    sender.renew(world.now, &newer);
    sender.push(world.now, Sample::new(0, 2, Vec::new()));
    world.connected = false;
    sender.closed(world.now, 4401, 0.0);
    let effects = sender.take_effects();
    assert!(effects.contains(&LinkEffect::Connect), "at once: {effects:?}");
    sender.opened(world.now);
    let said = sender.take_effects();
    assert!(matches!(&said[..], [LinkEffect::Send(hello)] if hello.contains(&newer)), "{said:?}");
    sender.closed(world.now, 4401, 0.0);
    assert_eq!(
        sender.status(world.now).link,
        LinkState::Ended(LinkEnd::Closed(CloseCode::Unauthorized)),
        "refused as well"
    );
    assert!(sender.resume(world.now, &newer));
    world.calm(&mut sender);
    assert_eq!(world.stored.values().copied().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn http_is_asked_why_a_socket_does_not_open() {
    let mut world = World::default();
    let mut sender = world.open();
    let mut said = Vec::new();
    for _ in 0..3 {
        assert!(sender.take_effects().contains(&LinkEffect::Connect));
        sender.closed(world.now, 1006, 0.0);
        assert!(sender.take_effects().contains(&LinkEffect::Probe));
        sender.reached(world.now, Reach::Relay);
        said.push(sender.status(world.now).trouble);
        world.now = world.now + Duration::from_secs(10);
        sender.tick(world.now, 0.0);
    }
    assert_eq!(said, [None, None, Some(Trouble::SocketsBlocked)]);
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    world.calm(&mut sender);
    assert_eq!((world.stored.len(), sender.status(world.now).trouble), (1, None));
    // If a connection that was open breaks, that raises no doubt.
    sender.closed(world.now, 1006, 0.0);
    assert!(!sender.take_effects().contains(&LinkEffect::Probe));
}
