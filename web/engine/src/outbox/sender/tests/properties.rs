//! Whatever happens, in the end each sample is stored once, under one number, in order, and the disk is empty.

use mien_shared::limits::MAX_MESSAGE_BYTES;
use proptest::prelude::*;

use super::super::*;
use super::world::{Disk, World};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Cuts, silence, throttles, slow and full disks, crashes that lose whatever is in memory, reloads that do not,
    /// and a wall clock that is set back and forth.
    #[test]
    fn every_saved_sample_is_stored_once(
        steps in prop::collection::vec((0..12_u8, 1..40_u64), 1..120),
        before in 0..30_u64,
    ) {
        // Another device of this source may have been here before.
        let mut world = World { through: before, ..World::default() };
        let mut sender = world.open();
        let mut at = 1 << 41;
        let mut kept = Vec::new();
        world.take(&mut sender);
        for (step, amount) in steps {
            match step {
                0..=2 => for _ in 0..amount {
                    at += 1;
                    kept.push(at);
                    sender.push(world.now, Sample::new(0, at, Vec::new()));
                },
                3 => world.pass(&mut sender, amount * 100),
                4 => world.disk_works(&mut sender),
                5 => { world.ack(); world.deliver(&mut sender); }
                6 => world.cut(&mut sender, if amount % 2 == 0 { 1006 } else { 1012 }),
                7 => world.throttle_next = true,
                8 => {
                    // A crash: what the disk has not written is gone, as is what it was asked and not done.
                    world.disk_answers.clear();
                    world.connected = false;
                    let safe = world.safe();
                    kept.retain(|at| safe.contains(at));
                    sender = world.open();
                }
                9 => {
                    // The page is left properly: nothing is lost except what the disk did not accept, whether or not it
                    // still does what it was asked before.
                    if amount % 2 == 0 {
                        world.write_what_was_asked();
                    }
                    match sender.unwritten() {
                        Some(save) if world.disk == Disk::Roomy => world.write(save),
                        _ => {
                            let safe = world.safe();
                            kept.retain(|at| safe.contains(at));
                        }
                    }
                    world.disk_answers.clear();
                    world.connected = false;
                    sender = world.open();
                }
                10 => world.disk = if amount % 2 == 0 { Disk::Full } else { Disk::Roomy },
                // So far that no time occurs twice.
                _ => at = (at % (1 << 40)) + ((amount % 3) << 40),
            }
            world.take(&mut sender);
        }
        world.calm(&mut sender);
        let stored: Vec<u64> = world.stored.values().copied().collect();
        prop_assert_eq!(stored, kept);
        let count = world.stored.len() as u64;
        prop_assert!(world.stored.keys().copied().eq(before + 1..=before + count));
        prop_assert!(world.rows.is_empty());
        prop_assert_eq!(sender.status(world.now).pending, 0);
        prop_assert!(world.biggest_message <= MAX_MESSAGE_BYTES);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever arrives while it is being completed, and in whatever order: once nothing is pending it is over.
    #[test]
    fn what_is_complete_ends_with_the_last_answer(
        steps in prop::collection::vec((0..13_u8, 1..20_u64), 1..80),
        on_disk in any::<bool>(),
    ) {
        let mut world = World::default();
        let mut sender = if on_disk { world.open() } else { World::open_in_memory() };
        let (mut at, mut completing) = (1_000_000, false);
        world.take(&mut sender);
        for (step, amount) in steps {
            match step {
                0..=1 => for _ in 0..amount {
                    at += 1;
                    sender.push(world.now, Sample::new(0, at, Vec::new()));
                },
                2 => world.pass(&mut sender, amount * 100),
                3 => world.disk_works(&mut sender),
                4 => { world.ack(); world.deliver(&mut sender); }
                5 => world.cut(&mut sender, 1006),
                6 => world.cut(&mut sender, 4401),
                7 => world.throttle_next = true,
                8..=9 => {
                    sender.complete(world.now);
                    completing = true;
                }
                10 => prop_assert!(sender.resume(world.now, "newer")),
                11 => { world.rows.clear(); sender.hurry(world.now); }
                _ => world.disk = if amount % 2 == 0 { Disk::Dead } else { Disk::Roomy },
            }
            world.take(&mut sender);
            // Any end answers those who wait.
            completing &= !sender.is_over();
            prop_assert!(!completing || sender.status(world.now).pending > 0, "all is answered, and it goes on");
        }
        if sender.is_over() {
            prop_assert!(sender.resume(world.now, "newer"));
        }
        sender.complete(world.now);
        world.calm(&mut sender);
        prop_assert_eq!(sender.status(world.now).link, LinkState::Ended(LinkEnd::Done));
    }
}
