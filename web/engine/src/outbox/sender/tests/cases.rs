//! One failure at a time.

use super::super::*;
use super::world::{Disk, World, live};
use crate::outbox::ledger::Numbers;
use crate::outbox::storage::StorageMode;

#[test]
fn nothing_reaches_the_socket_before_the_disk() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 5, Vec::new()));
    world.pass(&mut sender, 1_000);
    assert!(world.stored.is_empty());
    world.disk_works(&mut sender);
    world.pass(&mut sender, 200);
    world.disk_works(&mut sender);
    assert_eq!(world.stored.get(&1), Some(&5));
    assert_eq!(world.rows.len(), 1);
    world.ack();
    world.deliver(&mut sender);
    assert!(world.rows.is_empty());
}

#[test]
fn a_full_disk_goes_on_in_memory_and_says_so() {
    let (mut world, mut sender) = live();
    world.disk = Disk::Full;
    sender.push(world.now, Sample::new(0, 5, Vec::new()));
    world.calm(&mut sender);
    let status = sender.status(world.now);
    assert_eq!(status.mode, StorageMode::Memory { why: DatabaseFault::Full });
    assert_eq!((world.stored.len(), status.pending), (1, 0));
}

/// Two samples on the disk, unsent, and one that it did not take.
fn full_with_a_backlog() -> (World, Sender) {
    let (mut world, mut sender) = live();
    world.cut(&mut sender, 1006);
    for at in [5, 6] {
        sender.push(world.now, Sample::new(0, at, Vec::new()));
    }
    sender.tick(world.now, 0.5);
    world.take(&mut sender);
    world.disk_works(&mut sender);
    world.disk = Disk::Full;
    sender.push(world.now, Sample::new(0, 7, Vec::new()));
    (world, sender)
}

#[test]
fn a_full_disk_is_emptied_by_acks_and_what_it_held_is_not_sent_anew() {
    let (mut world, mut sender) = full_with_a_backlog();
    world.calm(&mut sender);
    assert_eq!(world.stored.values().copied().collect::<Vec<_>>(), [5, 6, 7]);
    assert!(world.rows.is_empty());
    let mut sender = world.open();
    world.take(&mut sender);
    world.calm(&mut sender);
    assert_eq!(world.stored.len(), 3);
}

#[test]
fn what_a_dead_disk_held_is_sent_all_the_same() {
    let (mut world, mut sender) = full_with_a_backlog();
    world.disk = Disk::Dead;
    world.calm(&mut sender);
    assert_eq!(world.stored.values().copied().collect::<Vec<_>>(), [5, 6, 7]);
}

#[test]
fn a_welcome_that_answers_for_all_ends_what_is_complete() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    world.pass(&mut sender, 300);
    world.disk_works(&mut sender);
    world.cut(&mut sender, 1006);
    assert_eq!(world.through, 1, "stored, and the ack is lost");
    sender.complete(world.now);
    world.pass(&mut sender, 2_000);
    world.deliver(&mut sender);
    assert_eq!(sender.status(world.now).link, LinkState::Ended(LinkEnd::Done));
}

#[test]
fn close_codes_decide_whether_it_connects_again() {
    for (code, again) in
        [(1006, true), (1012, true), (1013, true), (4429, true), (4401, false), (4409, false), (4413, false)]
    {
        let (mut world, mut sender) = live();
        world.cut(&mut sender, code);
        world.pass(&mut sender, 2_000);
        assert_eq!(world.connected, again, "{code}");
        assert_eq!(sender.is_over(), !again, "{code}");
    }
}

#[test]
fn a_taken_over_source_stops_here() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    world.pass(&mut sender, 200);
    sender.saved(world.now, Err(StorageFault::TakenOver));
    world.take(&mut sender);
    assert!(!world.connected);
    assert_eq!(sender.status(world.now).link, LinkState::Ended(LinkEnd::TakenOver));
    assert_eq!(sender.unwritten(), None);
    assert!(!sender.resume(world.now, "t"));
}

#[test]
fn complete_ends_when_the_last_ack_is_there() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    sender.complete(world.now);
    world.take(&mut sender);
    assert!(!sender.is_over());
    world.calm(&mut sender);
    assert_eq!(sender.status(world.now).link, LinkState::Ended(LinkEnd::Done));
}

#[test]
fn a_token_that_comes_while_it_is_completed_changes_nothing() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    sender.complete(world.now);
    world.take(&mut sender);
    assert!(sender.resume(world.now, "newer"));
    world.calm(&mut sender);
    assert_eq!(sender.status(world.now).link, LinkState::Ended(LinkEnd::Done));
}

#[test]
fn rows_that_the_browser_has_cleared_keep_nobody_waiting() {
    let numbers = Numbers { last: 3, marked: 3, ..Numbers::default() };
    let mut world = World { numbers, ..World::default() };
    let ledger = Ledger::restore(StorageMode::Disk, numbers, Some(1));
    let mut sender = Sender::new("t".to_owned(), ledger, world.now);
    sender.complete(world.now);
    world.take(&mut sender);
    world.deliver(&mut sender);
    world.disk_works(&mut sender);
    let status = sender.status(world.now);
    assert_eq!((status.pending, status.dropped), (0, 3));
    assert_eq!(status.link, LinkState::Ended(LinkEnd::Done));
}

#[test]
fn a_line_that_answers_nothing_is_given_up() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    world.pass(&mut sender, 300);
    world.disk_works(&mut sender);
    world.pass(&mut sender, 300);
    world.disk_works(&mut sender);
    world.pass(&mut sender, 19_000);
    assert!(world.connected);
    world.pass(&mut sender, 2_000);
    assert_eq!(world.through, 1);
    assert!(matches!(sender.status(world.now).link, LinkState::Offline { .. } | LinkState::Connecting));
}

#[test]
fn a_refused_link_goes_on_with_a_new_token() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    world.cut(&mut sender, 4401);
    assert_eq!(sender.status(world.now).link, LinkState::Ended(LinkEnd::Closed(CloseCode::Unauthorized)));
    sender.push(world.now, Sample::new(0, 2, Vec::new()));
    assert!(sender.resume(world.now, "newer"));
    world.calm(&mut sender);
    assert_eq!(world.stored.values().copied().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn memory_that_has_the_only_copy_is_taken_up_again_after_any_end() {
    for code in [4401, 4409, 4410] {
        let mut world = World::default();
        let mut sender = World::open_in_memory();
        world.take(&mut sender);
        sender.push(world.now, Sample::new(0, 1, Vec::new()));
        world.cut(&mut sender, code);
        assert!(sender.is_over(), "{code}");
        assert!(sender.resume(world.now, "t"));
        world.calm(&mut sender);
        assert_eq!((world.stored.len(), sender.status(world.now).pending), (1, 0), "{code}");
    }
}

#[test]
fn an_outbox_that_another_visit_has_is_opened_anew() {
    let (mut world, mut sender) = live();
    sender.push(world.now, Sample::new(0, 1, Vec::new()));
    world.cut(&mut sender, 4409);
    assert!(!sender.resume(world.now, "t"));
    assert!(sender.is_over());
}
