//! A relay that keeps the contract, and a disk; both outlive a [`Sender`].

use std::collections::{BTreeMap, BTreeSet};

use mien_shared::protocol::{IngestLimits, IngestMessage, IngestWelcome, read_ingest};
use mien_shared::{Expression, SessionId, SourceName};

use super::super::*;
use crate::outbox::ledger::Numbers;
use crate::outbox::storage::StorageMode;

pub(super) const IN_MEMORY: StorageMode = StorageMode::Memory { why: DatabaseFault::Unavailable };

#[derive(Default)]
pub(super) struct World {
    pub(super) now: Steady,
    /// By seq: the capture time, which is unique here and so names the sample.
    pub(super) stored: BTreeMap<u64, u64>,
    pub(super) through: u64,
    pub(super) rows: BTreeMap<u64, Sample>,
    pub(super) numbers: Numbers,
    pub(super) connected: bool,
    pub(super) throttled_from: Option<u64>,
    /// The next message is over the rate.
    pub(super) throttle_next: bool,
    pub(super) replies: Vec<String>,
    pub(super) disk_answers: Vec<Effect>,
    pub(super) biggest_message: usize,
    pub(super) disk: Disk,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Disk {
    #[default]
    Roomy,
    /// It accepts no more rows. The numbers go into a record that exists already.
    Full,
    /// It takes nothing at all.
    Dead,
}

impl World {
    pub(super) fn open(&self) -> Sender {
        let first = self.rows.keys().next().copied();
        let ledger = Ledger::restore(StorageMode::Disk, self.numbers, first);
        Sender::new("t".to_owned(), ledger, self.now)
    }

    pub(super) fn open_in_memory() -> Sender {
        let ledger = Ledger::restore(IN_MEMORY, Numbers::default(), None);
        Sender::new("t".to_owned(), ledger, Steady::default())
    }

    pub(super) fn say(&mut self, reply: &IngestReply) {
        self.replies.push(serde_json::to_string(reply).expect("replies are plain JSON"));
    }

    /// Takes what the sender asks for. The socket delivers at once; the disk answers later.
    pub(super) fn take(&mut self, sender: &mut Sender) {
        loop {
            let effects = sender.take_effects();
            if effects.is_empty() {
                return;
            }
            for effect in effects {
                match effect {
                    link::Effect::Connect => {
                        self.connected = true;
                        self.throttled_from = None;
                        self.replies.clear();
                        sender.opened(self.now);
                    }
                    link::Effect::Close => self.connected = false,
                    link::Effect::Send(text) if self.connected => self.receive(&text),
                    link::Effect::Send(_)
                    | link::Effect::Probe
                    | link::Effect::Other(Effect::Rejected { .. } | Effect::TokenExpiring) => {}
                    link::Effect::Other(Effect::Delete { through_key }) => {
                        self.rows.retain(|key, _| *key > through_key);
                    }
                    link::Effect::Other(disk) => self.disk_answers.push(disk),
                }
            }
        }
    }

    pub(super) fn receive(&mut self, text: &str) {
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

    pub(super) fn ack(&mut self) {
        if self.connected {
            self.say(&IngestReply::Ack { through: self.through });
        }
    }

    pub(super) fn deliver(&mut self, sender: &mut Sender) {
        while self.connected && !self.replies.is_empty() {
            let reply = self.replies.remove(0);
            sender.message(self.now, &reply, 0.5);
            self.take(sender);
        }
    }

    pub(super) fn disk_works(&mut self, sender: &mut Sender) {
        while !self.disk_answers.is_empty() {
            match self.disk_answers.remove(0) {
                Effect::Save(save) if !self.takes(&save) => {
                    sender.saved(self.now, Err(StorageFault::Database(DatabaseFault::Full)));
                }
                Effect::Save(save) => {
                    self.write(save);
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

    /// The disk does what it was asked, and the sender is gone before it gets the answer.
    pub(super) fn write_what_was_asked(&mut self) {
        for asked in std::mem::take(&mut self.disk_answers) {
            if let Effect::Save(save) = asked
                && (save.rows.is_empty() || self.disk == Disk::Roomy)
            {
                self.write(save);
            }
        }
    }

    fn takes(&self, save: &Save) -> bool {
        match self.disk {
            Disk::Roomy => true,
            Disk::Full => save.rows.is_empty(),
            Disk::Dead => false,
        }
    }

    pub(super) fn write(&mut self, save: Save) {
        self.rows.extend(save.rows);
        self.numbers = save.numbers;
    }

    /// Capture times of what survives the sender's memory.
    pub(super) fn safe(&self) -> BTreeSet<u64> {
        self.rows.values().map(|sample| sample.at).chain(self.stored.values().copied()).collect()
    }

    pub(super) fn cut(&mut self, sender: &mut Sender, code: u16) {
        if self.connected {
            self.connected = false;
            self.replies.clear();
            sender.closed(self.now, code, 0.5);
        }
    }

    pub(super) fn pass(&mut self, sender: &mut Sender, ms: u64) {
        for _ in 0..ms / 100 {
            self.now = self.now + Duration::from_millis(100);
            sender.tick(self.now, 0.5);
            self.take(sender);
        }
    }

    pub(super) fn calm(&mut self, sender: &mut Sender) {
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

/// A recording that is connected.
pub(super) fn live() -> (World, Sender) {
    let mut world = World::default();
    let mut sender = world.open();
    world.take(&mut sender);
    world.deliver(&mut sender);
    assert_eq!(sender.status(world.now).link, LinkState::Live);
    (world, sender)
}
