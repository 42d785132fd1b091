//! A recording against a relay and a disk that fail at every turn. Whatever happens, in the end each sample is
//! stored once, under one number, in order, and the disk is empty.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use mien_shared::protocol::{IngestLimits, IngestMessage, IngestWelcome, read_ingest};
use mien_shared::{Expression, SessionId, SourceName};

/// A relay that keeps the contract, and a disk; both outlive a [`Sender`].
#[derive(Default)]
struct World {
    now: Steady,
    /// By seq: the capture time, which is unique here and so names the sample.
    stored: BTreeMap<u64, u64>,
    through: u64,
    rows: BTreeMap<u64, Sample>,
    numbers: Numbers,
    connected: bool,
    throttled_from: Option<u64>,
    /// The next message is over the rate.
    throttle_next: bool,
    replies: Vec<String>,
    disk_answers: Vec<Effect>,
    biggest_message: usize,
    disk: Disk,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Disk {
    #[default]
    Roomy,
    /// It takes no more rows. The numbers lie in a record that is there already.
    Full,
    /// It takes nothing at all.
    Dead,
}

impl World {
    fn open(&self) -> Sender {
        let first = self.rows.keys().next().copied();
        let ledger = Ledger::restore(Shelf::Disk, self.numbers, first);
        Sender::new("t".to_owned(), ledger, StorageMode::Disk, self.now)
    }

    fn open_in_memory() -> Sender {
        let ledger = Ledger::restore(Shelf::Memory, Numbers::default(), None);
        let mode = StorageMode::Memory { why: MemoryReason::Unavailable };
        Sender::new("t".to_owned(), ledger, mode, Steady::default())
    }

    fn say(&mut self, reply: &IngestReply) {
        self.replies.push(serde_json::to_string(reply).expect("replies are plain JSON"));
    }

    /// Takes what the sender asks for. The socket delivers at once; the disk answers later.
    fn take(&mut self, sender: &mut Sender) {
        loop {
            let effects = sender.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    Effect::Connect => {
                        self.connected = true;
                        self.throttled_from = None;
                        self.replies.clear();
                        sender.opened(self.now);
                    }
                    Effect::Close => self.connected = false,
                    Effect::Send(text) if self.connected => self.receive(&text),
                    Effect::Send(_) | Effect::Rejected { .. } | Effect::Probe | Effect::WantToken => {}
                    Effect::Delete { through_key } => self.rows.retain(|key, _| *key > through_key),
                    disk => self.disk_answers.push(disk),
                }
            }
        }
    }

    fn receive(&mut self, text: &str) {
        self.biggest_message = self.biggest_message.max(text.len());
        match read_ingest(text).expect("the sender keeps the contract") {
            IngestMessage::Hello { .. } => {
                let welcome = IngestWelcome {
                    session: SessionId(uuid_like()),
                    source: SourceName::default(),
                    through: self.through,
                    expressions: Expression::ALL.to_vec(),
                    server_time: 0,
                    limits: IngestLimits::new(200, 2_000),
                };
                self.say(&IngestReply::Welcome(welcome));
            }
            IngestMessage::Samples(samples) => {
                if std::mem::take(&mut self.throttle_next) && self.throttled_from.is_none() {
                    let from = self.through + 1;
                    self.throttled_from = Some(from);
                    self.say(&IngestReply::Throttle { from, retry_after_ms: 250 });
                    return;
                }
                for sample in samples {
                    let sample = sample.expect("only valid samples are sent");
                    if self.throttled_from.is_some_and(|from| sample.seq != from) {
                        continue;
                    }
                    self.throttled_from = None;
                    if let Some(at) = self.stored.get(&sample.seq) {
                        assert_eq!(*at, sample.at, "one number stands for one sample");
                    }
                    self.stored.insert(sample.seq, sample.at);
                    self.through = self.through.max(sample.seq);
                }
            }
        }
    }

    fn ack(&mut self) {
        if self.connected {
            self.say(&IngestReply::Ack { through: self.through });
        }
    }

    fn deliver(&mut self, sender: &mut Sender) {
        while self.connected && !self.replies.is_empty() {
            let reply = self.replies.remove(0);
            sender.message(self.now, &reply, 0.5);
            self.take(sender);
        }
    }

    fn disk_works(&mut self, sender: &mut Sender) {
        while !self.disk_answers.is_empty() {
            match self.disk_answers.remove(0) {
                Effect::Save { .. } if self.disk != Disk::Roomy => {
                    sender.saved(self.now, Err(DiskFault::Full));
                }
                Effect::SaveNumbers(_) if self.disk == Disk::Dead => {
                    sender.saved(self.now, Err(DiskFault::Full));
                }
                Effect::Save { rows, numbers } => {
                    self.rows.extend(rows);
                    self.numbers = numbers;
                    sender.saved(self.now, Ok(()));
                }
                Effect::SaveNumbers(numbers) => {
                    self.numbers = numbers;
                    sender.saved(self.now, Ok(()));
                }
                Effect::Read { from_key, to_key } => {
                    let rows = self.rows.range(from_key..=to_key).map(|(k, s)| (*k, s.clone())).collect();
                    sender.read(Ok(rows));
                }
                other => panic!("{other:?} is not for the disk"),
            }
            self.take(sender);
        }
    }

    /// The disk does what it was asked, and the sender is gone before it hears of it.
    fn write_what_was_asked(&mut self) {
        for asked in self.disk_answers.drain(..) {
            match asked {
                Effect::Save { rows, numbers } if self.disk == Disk::Roomy => {
                    self.rows.extend(rows);
                    self.numbers = numbers;
                }
                Effect::SaveNumbers(numbers) => self.numbers = numbers,
                _ => {}
            }
        }
    }

    /// Capture times of what outlives the sender's memory.
    fn safe(&self) -> BTreeSet<u64> {
        self.rows.values().map(|sample| sample.at).chain(self.stored.values().copied()).collect()
    }

    fn cut(&mut self, sender: &mut Sender, code: u16) {
        if self.connected {
            self.connected = false;
            self.replies.clear();
            sender.closed(self.now, code, 0.5);
        }
    }

    fn pass(&mut self, sender: &mut Sender, ms: u64) {
        for _ in 0..ms / 100 {
            self.now = self.now + Duration::from_millis(100);
            sender.tick(self.now, 0.5);
            self.take(sender);
        }
    }

    fn calm(&mut self, sender: &mut Sender) {
        for _ in 0..400 {
            self.pass(sender, 200);
            self.disk_works(sender);
            self.ack();
            self.deliver(sender);
        }
    }
}

fn uuid_like() -> uuid::Uuid {
    uuid::Uuid::from_u128(7)
}

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
                    // The page is left in order: nothing is lost but what the disk did not take, whether or not
                    // it still does what it was asked before.
                    if amount % 2 == 0 {
                        world.write_what_was_asked();
                    }
                    match sender.unwritten() {
                        Some((rows, numbers)) if world.disk == Disk::Roomy => {
                            world.rows.extend(rows);
                            world.numbers = numbers;
                        }
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
                // So far that no time is there twice.
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

    /// Whatever comes while it is being completed, and in whichever order: once nothing is pending it is over.
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
                11 => { world.rows.clear(); sender.online(world.now); }
                _ => world.disk = if amount % 2 == 0 { Disk::Dead } else { Disk::Roomy },
            }
            world.take(&mut sender);
            // An end of any kind answers whoever waits.
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

fn live() -> (World, Sender) {
    let mut world = World::default();
    let mut sender = world.open();
    world.take(&mut sender);
    world.deliver(&mut sender);
    assert_eq!(sender.status(world.now).link, LinkState::Live);
    (world, sender)
}

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
    assert_eq!(status.mode, StorageMode::Memory { why: MemoryReason::DiskFull });
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
    sender.saved(world.now, Err(DiskFault::TakenOver));
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
    let ledger = Ledger::restore(Shelf::Disk, numbers, Some(1));
    let mut sender = Sender::new("t".to_owned(), ledger, StorageMode::Disk, world.now);
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

mod trouble;
