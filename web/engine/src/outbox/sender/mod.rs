//! How samples get to the relay: the state machine of one source's recording. Pure; time and chance are
//! arguments, and what has to happen outside is an [`Effect`].
//!
//! The order that no failure may break: a sample is on the disk, with the mark that it may be sent, before it
//! goes to the socket, and leaves the disk only after its ack.

use std::time::Duration;

use mien_shared::limits::{MAX_BATCH, MAX_MESSAGE_BYTES};
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{IngestReply, IngestRequest, IngestWelcome};
use mien_shared::{Code, Sample};

use super::ledger::{CACHE, Ledger, Next, Numbers, Shelf};
use super::status::{LinkEnd, LinkState, MemoryReason, RecorderStatus, StorageMode};
use crate::browser::Reach;
use crate::clock::Steady;
use crate::link::Doubt;
use crate::link::pause_ms;
use crate::token;

/// Samples on the way without an ack: four full messages, enough to fill a slow line, and what is sent again
/// at most after a cut.
const WINDOW: u64 = 1_024;
/// Rows of one write to the disk; fewer than the cache has, as its newest may be replaced meanwhile.
const SAVE_ROWS: usize = 512;
const _: () = assert!(SAVE_ROWS < CACHE);
/// How long samples gather before one write takes them.
pub(crate) const GATHER: Duration = Duration::from_millis(100);
/// A connection that has not opened and welcomed us by then is given up.
const GREETING: Duration = Duration::from_secs(10);
/// Samples on the way for so long without any answer: the line is dead, though nobody has said so.
const SILENT: Duration = Duration::from_secs(20);
/// How long a page may take to get another token.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What has to happen outside.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Connect,
    Send(String),
    /// Closes the socket, with 1000, and expects nothing more of it.
    Close,
    /// Writes rows (key and sample) and numbers in one transaction; answered by [`Sender::saved`].
    Save {
        rows: Vec<(u64, Sample)>,
        numbers: Numbers,
    },
    /// Writes the numbers; answered by [`Sender::saved`].
    SaveNumbers(Numbers),
    /// Deletes rows up to this key, where there is a disk. Nobody waits for it.
    Delete {
        through_key: u64,
    },
    /// Reads rows by key, both ends included; answered by [`Sender::read`].
    Read {
        from_key: u64,
        to_key: u64,
    },
    Rejected {
        seq: u64,
        code: Code,
        detail: String,
    },
    /// Asks by HTTP why a socket did not open; answered by [`Sender::reached`].
    Probe,
    /// The token is near its end. Who can get another gives it with [`Sender::renew`]; asked for again if not.
    WantToken,
}

/// Why the disk failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskFault {
    TakenOver,
    Full,
    Broken,
    Unavailable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Offline { until: Steady },
    Connecting { until: Steady },
    Greeting { until: Steady },
    Live { heard: Steady, paused_until: Option<Steady> },
    Ended(LinkEnd),
}

/// A write that the disk has not answered yet.
#[derive(Clone, Copy, Debug)]
struct Writing {
    saved: u64,
    marked: u64,
    /// Numbers as they were: a write that was under way while samples moved must not count for the new ones.
    offset: u64,
}

#[derive(Debug)]
pub(crate) struct Sender {
    token: String,
    /// Whether this connection began with it.
    token_is_new: bool,
    /// What the relay's clock said last, Unix milliseconds, and when.
    relay_time: Option<(Steady, u64)>,
    /// When to ask for another token, and when this one ends.
    expiry: Option<(Steady, Steady)>,
    doubt: Doubt,
    pub(super) ledger: Ledger,
    mode: StorageMode,
    phase: Phase,
    attempt: u32,
    /// The next seq to send on this connection.
    cursor: u64,
    max_batch: usize,
    max_bytes: usize,
    stored_through: u64,
    bytes_sent: u64,
    rejected: u64,
    writing: Option<Writing>,
    /// The first key of the read under way.
    reading: Option<u64>,
    /// When what had gathered was taken last.
    gathered_at: Option<Steady>,
    completing: bool,
    effects: Vec<Effect>,
}

impl Sender {
    pub(crate) fn new(token: String, ledger: Ledger, mode: StorageMode, now: Steady) -> Self {
        let stored_through = ledger.front() - 1;
        Self {
            token,
            token_is_new: false,
            relay_time: None,
            expiry: None,
            doubt: Doubt::default(),
            ledger,
            mode,
            phase: Phase::Connecting { until: now + GREETING },
            attempt: 0,
            cursor: stored_through + 1,
            max_batch: MAX_BATCH,
            max_bytes: MAX_MESSAGE_BYTES,
            stored_through,
            bytes_sent: 0,
            rejected: 0,
            writing: None,
            reading: None,
            gathered_at: None,
            completing: false,
            effects: vec![Effect::Connect],
        }
    }

    /// What has to happen after an event. Whatever the event was, a recording that is complete ends here.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        if self.completing && self.ledger.pending() == 0 && !self.is_over() {
            self.effects.push(Effect::Close);
            self.end(LinkEnd::Done);
        }
        std::mem::take(&mut self.effects)
    }

    pub(crate) fn status(&self, now: Steady) -> RecorderStatus {
        let left = |until: Steady| until.since(now).as_millis() as u32;
        RecorderStatus {
            link: match self.phase {
                Phase::Offline { until } => LinkState::Offline { retry_in_ms: left(until) },
                Phase::Connecting { .. } | Phase::Greeting { .. } => LinkState::Connecting,
                Phase::Live { paused_until: Some(until), .. } => {
                    LinkState::Throttled { retry_in_ms: left(until) }
                }
                Phase::Live { .. } => LinkState::Live,
                Phase::Ended(end) => LinkState::Ended(end),
            },
            trouble: self.doubt.trouble(),
            pending: self.ledger.pending(),
            stored_through: self.stored_through,
            bytes_sent: self.bytes_sent,
            mode: self.mode,
            dropped: self.ledger.dropped(),
            rejected: self.rejected,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ended(_))
    }

    /// A sample. Where the relay has ended the link it still waits, as [`Self::resume`] may open it again;
    /// after any other end nothing is taken.
    pub(crate) fn push(&mut self, now: Steady, sample: Sample) {
        if !self.is_over() || matches!(self.phase, Phase::Ended(LinkEnd::Closed(_))) {
            self.ledger.push(sample);
            self.gather(now);
        }
    }

    /// Time passes; called about every [`GATHER`].
    pub(crate) fn tick(&mut self, now: Steady, random: f64) {
        self.gather(now);
        self.mind_token(now);
        match self.phase {
            Phase::Offline { until } if now >= until => self.connect(now),
            Phase::Connecting { until } | Phase::Greeting { until } if now >= until => {
                self.effects.push(Effect::Close);
                if let Phase::Connecting { .. } = self.phase {
                    self.effects.push(Effect::Probe);
                }
                self.retry(now, random);
            }
            Phase::Live { heard, paused_until: Some(until) } if now >= until => {
                self.phase = Phase::Live { heard: heard.max(now), paused_until: None };
                self.pump();
            }
            Phase::Live { heard, paused_until: None }
                if self.cursor > self.ledger.front() && now >= heard + SILENT =>
            {
                self.effects.push(Effect::Close);
                self.retry(now, random);
            }
            _ => {}
        }
    }

    /// The network is back, as the browser says: no reason to wait.
    pub(crate) fn online(&mut self, now: Steady) {
        if let Phase::Offline { .. } = self.phase {
            self.connect(now);
        }
    }

    pub(crate) fn opened(&mut self, now: Steady) {
        if let Phase::Connecting { .. } = self.phase {
            self.phase = Phase::Greeting { until: now + GREETING };
            let token = std::mem::take(&mut self.token);
            self.say(&IngestRequest::Hello { token: &token });
            self.token = token;
            self.token_is_new = false;
        }
    }

    pub(crate) fn closed(&mut self, now: Steady, code: u16, random: f64) {
        match CloseCode::from_code(code) {
            _ if self.is_over() => {}
            // The store may be another one for a while. What waits here is in no other place, so nothing but a person
            // gives it up.
            Some(CloseCode::SessionNotFound) => {
                self.doubt.unknown_session();
                self.retry(now, random);
            }
            // The token that the connection began with has run out, and there is a newer one.
            Some(CloseCode::Unauthorized) if self.token_is_new => self.connect(now),
            Some(close) if !close.worth_retrying() => self.end(LinkEnd::Closed(close)),
            _ => {
                if let Phase::Connecting { .. } = self.phase {
                    self.effects.push(Effect::Probe);
                } else if !matches!(self.phase, Phase::Offline { .. }) {
                    self.doubt.broke();
                }
                self.retry(now, random);
            }
        }
    }

    /// The answer to [`Effect::Probe`]. One that comes when a connection has opened since says nothing any more.
    pub(crate) fn reached(&mut self, reach: Reach) {
        if matches!(self.phase, Phase::Offline { .. } | Phase::Connecting { .. }) {
            self.doubt.reached(reach);
        }
    }

    /// Another token for the connections to come. The one that stands goes on with its own for as long as the relay
    /// lets it.
    pub(crate) fn renew(&mut self, now: Steady, token: &str) {
        if self.token != token {
            token.clone_into(&mut self.token);
            self.token_is_new = true;
            self.learn_expiry(now);
        }
    }

    /// Asks for another token in time, and again, ever sooner, until there is one or this one is over.
    fn mind_token(&mut self, now: Steady) {
        let Some((wanted, end)) = self.expiry.filter(|(wanted, _)| now >= *wanted && !self.is_over()) else {
            return;
        };
        let again = wanted.max(now) + (end.since(now) / 2).max(ASK_AGAIN);
        self.expiry = (now < end).then_some((again, end));
        self.effects.push(Effect::WantToken);
    }

    /// By the relay's clock, as that is the one by which a token ends.
    fn learn_expiry(&mut self, now: Steady) {
        self.expiry = None;
        let (Some((at, server_time)), Some(expires_ms)) = (self.relay_time, token::expires_ms(&self.token))
        else {
            return;
        };
        let relay_now = server_time + now.since(at).as_millis() as u64;
        let after = |ms: u64| now + Duration::from_millis(ms.saturating_sub(relay_now));
        self.expiry = Some((after(token::renew_at_ms(relay_now, expires_ms)), after(expires_ms)));
    }

    /// A text frame of the relay. What is no message of the contract is ignored: the contract may grow.
    pub(crate) fn message(&mut self, now: Steady, text: &str, random: f64) {
        let Ok(reply) = serde_json::from_str::<IngestReply>(text) else { return };
        if let Phase::Live { heard, .. } = &mut self.phase {
            *heard = now;
        }
        match (reply, self.phase) {
            (IngestReply::Welcome(welcome), Phase::Greeting { .. }) => self.welcome(now, &welcome),
            (IngestReply::Ack { through }, Phase::Live { .. }) => {
                self.attempt = 0;
                self.acked(through);
                self.pump();
            }
            (IngestReply::Reject { seq, code, detail }, Phase::Live { .. }) => {
                self.rejected += 1;
                self.effects.push(Effect::Rejected { seq, code, detail });
            }
            (IngestReply::Throttle { from, retry_after_ms }, Phase::Live { paused_until, .. }) => {
                let until = now + Duration::from_millis(retry_after_ms);
                self.cursor = self.cursor.min(from);
                self.phase = Phase::Live {
                    heard: now,
                    paused_until: Some(paused_until.map_or(until, |before| before.max(until))),
                };
            }
            (IngestReply::Error { .. }, Phase::Live { .. } | Phase::Greeting { .. }) => {
                // The relay took nothing of a message of ours, so the line stands: begin again, ever slower.
                self.effects.push(Effect::Close);
                self.retry(now, random);
            }
            _ => {}
        }
    }

    /// The disk's answer to [`Effect::Save`] or [`Effect::SaveNumbers`].
    pub(crate) fn saved(&mut self, now: Steady, result: Result<(), DiskFault>) {
        let Some(writing) = self.writing.take() else { return };
        match result {
            Ok(()) => {
                let moved = self.ledger.numbers().offset - writing.offset;
                self.ledger.saved(writing.saved + moved);
                if moved == 0 {
                    self.ledger.marked(writing.marked);
                } else {
                    // The disk has numbers from before the move.
                    self.write(Vec::new());
                }
            }
            Err(DiskFault::TakenOver) => self.taken_over(),
            Err(fault) if self.ledger.shelf() == Shelf::Disk => self.leave_disk(fault),
            // The mark for what the disk still holds cannot be kept: better perhaps twice than never.
            Err(_) if self.ledger.numbers().offset == writing.offset => self.ledger.marked(writing.marked),
            Err(_) => {}
        }
        self.gather(now);
        self.pump();
    }

    /// The disk's answer to [`Effect::Read`], rows with their keys; sent if they are still what comes next.
    pub(crate) fn read(&mut self, result: Result<Vec<(u64, Sample)>, DiskFault>) {
        let Some(asked_key) = self.reading.take() else { return };
        match result {
            Ok(rows) if asked_key == self.ledger.key(self.cursor.max(self.ledger.front())) => {
                if rows.first().is_none_or(|(key, _)| *key != asked_key) {
                    // Rows that should be there are not: the browser has cleared them.
                    self.ledger.give_up_disk_part();
                } else if self.may_send() {
                    let offset = self.ledger.numbers().offset;
                    let samples: Vec<Sample> = rows
                        .into_iter()
                        .map(|(key, sample)| Sample { seq: key + offset, ..sample })
                        .collect();
                    self.send(&samples.iter().collect::<Vec<_>>());
                }
            }
            // The connection has changed since, and so has what comes next.
            Ok(_) => {}
            Err(DiskFault::TakenOver) => self.taken_over(),
            Err(fault) => {
                self.leave_disk(fault);
                self.ledger.give_up_disk_part();
            }
        }
        self.pump();
    }

    /// The recording is over once nothing is pending, unless the link ends before.
    pub(crate) fn complete(&mut self, now: Steady) {
        if self.is_over() {
            return;
        }
        self.completing = true;
        self.gathered_at = None;
        self.gather(now);
        self.pump();
    }

    /// Over at once, whatever is pending.
    pub(crate) fn abandon(&mut self) {
        if !self.is_over() {
            self.effects.push(Effect::Close);
            self.end(LinkEnd::Done);
        }
    }

    /// Goes on after an end, with a token that may be a newer one. False where another visit has the disk since
    /// then, so that the source has to be opened anew.
    pub(crate) fn resume(&mut self, now: Steady, token: &str) -> bool {
        let Phase::Ended(end) = self.phase else { return true };
        let elsewhere = matches!(end, LinkEnd::TakenOver | LinkEnd::Closed(CloseCode::Superseded));
        if elsewhere && self.ledger.shelf() == Shelf::Disk {
            return false;
        }
        token.clone_into(&mut self.token);
        self.attempt = 0;
        self.doubt = Doubt::default();
        self.connect(now);
        true
    }

    /// What the disk lacks when the recorder goes now: rows, and the numbers that belong to them. A write that is
    /// under way counts as missing, since it may be cut off; written twice, a row is the same.
    pub(crate) fn unwritten(&self) -> Option<(Vec<(u64, Sample)>, Numbers)> {
        if self.ledger.shelf() != Shelf::Disk || self.phase == Phase::Ended(LinkEnd::TakenOver) {
            return None;
        }
        let rows = self.rows(usize::MAX);
        let mut numbers = self.ledger.numbers();
        numbers.last = rows.last()?.1.seq;
        // If that write is not cut off, its mark must stand: it comes to the disk before this.
        if let Some(writing) = self.writing.filter(|writing| writing.offset == numbers.offset) {
            numbers.marked = numbers.marked.max(writing.marked);
        }
        Some((rows, numbers))
    }

    fn connect(&mut self, now: Steady) {
        self.phase = Phase::Connecting { until: now + GREETING };
        self.effects.push(Effect::Connect);
    }

    fn retry(&mut self, now: Steady, random: f64) {
        self.phase =
            Phase::Offline { until: now + Duration::from_millis(pause_ms(self.attempt, random).into()) };
        self.attempt += 1;
    }

    fn end(&mut self, end: LinkEnd) {
        self.phase = Phase::Ended(end);
        // Whoever waits for the end hears of this one.
        self.completing = false;
    }

    fn taken_over(&mut self) {
        self.effects.push(Effect::Close);
        self.end(LinkEnd::TakenOver);
    }

    fn leave_disk(&mut self, fault: DiskFault) {
        let why = match fault {
            DiskFault::Full => MemoryReason::DiskFull,
            DiskFault::Unavailable => MemoryReason::Unavailable,
            DiskFault::Broken | DiskFault::TakenOver => MemoryReason::Broken,
        };
        self.mode = StorageMode::Memory { why };
        self.ledger.leave_disk();
    }

    fn welcome(&mut self, now: Steady, welcome: &IngestWelcome) {
        self.max_batch = welcome.limits.max_batch.clamp(1, MAX_BATCH);
        self.max_bytes = welcome.limits.max_message_bytes.clamp(1_024, MAX_MESSAGE_BYTES);
        self.doubt.welcomed();
        self.relay_time = Some((now, welcome.server_time));
        self.learn_expiry(now);
        let before = self.ledger.numbers();
        let front_before = self.ledger.front();
        self.ledger.welcomed(welcome.through);
        self.stored_through = self.stored_through.max(welcome.through);
        let moved = self.ledger.numbers().offset != before.offset;
        self.delete_answered(front_before);
        self.cursor = self.ledger.front();
        if self.ledger.pending() == 0 {
            self.attempt = 0;
        }
        self.phase = Phase::Live { heard: now, paused_until: None };
        if moved && self.ledger.shelf() == Shelf::Disk && self.writing.is_none() {
            self.write(Vec::new());
        }
        self.gather(now);
        self.pump();
    }

    fn acked(&mut self, through: u64) {
        self.stored_through = self.stored_through.max(through);
        let front_before = self.ledger.front();
        self.ledger.acked(through);
        self.delete_answered(front_before);
    }

    fn delete_answered(&mut self, since: u64) {
        if let Some(through_key) = self.ledger.answered_key(since) {
            self.effects.push(Effect::Delete { through_key });
        }
    }

    /// Writes what has gathered, one write at a time.
    fn gather(&mut self, now: Steady) {
        let early = self.gathered_at.is_some_and(|before| now < before + GATHER);
        if self.writing.is_some() || early || self.is_over() {
            return;
        }
        self.gathered_at = Some(now);
        match self.ledger.shelf() {
            Shelf::Disk => {
                let rows = self.rows(SAVE_ROWS);
                if !rows.is_empty() {
                    self.write(rows);
                }
            }
            Shelf::Memory => self.pump(),
        }
    }

    /// The oldest samples that are not on the disk, by key.
    fn rows(&self, count: usize) -> Vec<(u64, Sample)> {
        let unsaved = self.ledger.unsaved(count).into_iter();
        unsaved.map(|sample| (self.ledger.key(sample.seq), sample.clone())).collect()
    }

    /// While connected, the mark goes along with what is written: one transaction for both.
    fn write(&mut self, rows: Vec<(u64, Sample)>) {
        let mut numbers = self.ledger.numbers();
        if let Some((_, newest)) = rows.last() {
            numbers.last = newest.seq;
        }
        if let Phase::Live { .. } = self.phase {
            numbers.marked = numbers.marked.max(numbers.last);
        }
        self.writing = Some(Writing { saved: numbers.last, marked: numbers.marked, offset: numbers.offset });
        self.effects.push(if rows.is_empty() {
            Effect::SaveNumbers(numbers)
        } else {
            Effect::Save { rows, numbers }
        });
    }

    fn may_send(&self) -> bool {
        matches!(self.phase, Phase::Live { paused_until: None, .. })
            && self.cursor.saturating_sub(self.ledger.front()) < WINDOW
    }

    /// Sends what may be sent.
    fn pump(&mut self) {
        while self.may_send() && self.reading.is_none() {
            let next = match self.ledger.next_from(self.cursor, self.max_batch) {
                Next::Nothing => {
                    if self.ledger.wants_mark() && self.writing.is_none() {
                        self.write(Vec::new());
                    }
                    return;
                }
                Next::OnDisk(from, to) => {
                    let (from_key, to_key) = (self.ledger.key(from), self.ledger.key(to));
                    self.reading = Some(from_key);
                    self.effects.push(Effect::Read { from_key, to_key });
                    return;
                }
                Next::Ready(samples) => samples.into_iter().cloned().collect::<Vec<_>>(),
            };
            self.send(&next.iter().collect::<Vec<_>>());
        }
    }

    /// Sends as many of these as one message may hold.
    fn send(&mut self, samples: &[&Sample]) {
        let mut text = String::from(r#"{"type":"samples","samples":["#);
        let mut through = None;
        for sample in samples.iter().take(self.max_batch) {
            let Ok(row) = serde_json::to_string(sample) else { continue };
            // Two for the end, one for the comma. A single sample always goes: the contract's limits fit.
            if through.is_some() && text.len() + row.len() + 3 > self.max_bytes {
                break;
            }
            if through.is_some() {
                text.push(',');
            }
            text.push_str(&row);
            through = Some(sample.seq);
        }
        let Some(through) = through else { return };
        text.push_str("]}");
        if self.cursor <= self.ledger.front() {
            // Nothing was on the way: the wait for an answer begins now.
            if let (Phase::Live { heard, .. }, Some(gathered)) = (&mut self.phase, self.gathered_at) {
                *heard = (*heard).max(gathered);
            }
        }
        self.cursor = through + 1;
        if self.ledger.shelf() == Shelf::Memory {
            self.ledger.marked(through);
        }
        self.bytes_sent += text.len() as u64;
        self.effects.push(Effect::Send(text));
    }

    fn say(&mut self, request: &IngestRequest<'_>) {
        if let Ok(text) = serde_json::to_string(request) {
            self.bytes_sent += text.len() as u64;
            self.effects.push(Effect::Send(text));
        }
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
