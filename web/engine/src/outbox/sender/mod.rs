//! How samples get to the relay: the protocol of one source's recording. Pure.
//!
//! The order that no failure may break: a sample is on the disk, with the mark that it may be sent, before it goes to
//! the socket, and leaves the disk only after its ack.

use std::time::Duration;

use mien_shared::Sample;
use mien_shared::problem::CloseCode;
use mien_shared::protocol::{IngestReply, IngestRequest, IngestWelcome};

use super::batch::{Batch, BatchLimits};
use super::credential::Credential;
use super::effect::{Effect, Save};
use super::flow::Flow;
use super::ledger::{Ledger, Next};
use super::status::{LinkState, RecorderStatus};
use super::storage::StorageFault;
use super::writer::{Answer, Writer};
use crate::browser::{DatabaseFault, Reach};
use crate::clock::Steady;
use crate::link::{self, Link, LinkEnd, Phase, Protocol};

#[derive(Debug)]
pub(crate) struct Sender {
    link: Link<Effect>,
    credential: Credential,
    ledger: Ledger,
    /// Of the present connection, once it is welcomed.
    flow: Flow,
    limits: BatchLimits,
    stored_through: u64,
    bytes_sent: u64,
    rejected: u64,
    writer: Writer,
    /// The first key of the read under way.
    reading: Option<u64>,
    completing: bool,
}

impl Protocol for Sender {
    type Effect = Effect;

    /// Called about every [`super::writer::GATHER`].
    fn tick(&mut self, now: Steady, random: f64) {
        self.gather(now);
        if !self.link.is_over() && self.credential.is_due(now) {
            self.link.push(Effect::TokenExpiring);
        }
        if !self.link.is_open() {
            return self.link.tick(now, random);
        }
        if self.flow.end_pause(now) {
            self.pump();
        } else if self.flow.is_dead(now, self.ledger.front()) {
            self.link.give_up_connection(now, random);
        }
    }

    fn hurry(&mut self, now: Steady) {
        self.link.hurry(now);
    }

    fn opened(&mut self, now: Steady) {
        if !self.link.opened(now) {
            return;
        }
        if let Ok(text) = serde_json::to_string(&IngestRequest::Hello { token: self.credential.token() }) {
            self.bytes_sent += text.len() as u64;
            self.link.send(text);
        }
        self.credential.used();
    }

    /// Anything that is not a message of the contract is ignored: the contract may grow.
    fn message(&mut self, now: Steady, text: &str, random: f64) {
        let Ok(reply) = serde_json::from_str::<IngestReply>(text) else { return };
        self.flow.heard(now);
        match (reply, self.link.phase()) {
            (IngestReply::Welcome(welcome), Phase::Greeting { .. }) => self.welcome(now, &welcome),
            (IngestReply::Ack { through }, Phase::Open) => {
                self.link.reset_backoff();
                self.acked(through);
                self.pump();
            }
            (IngestReply::Reject { seq, code, detail }, Phase::Open) => {
                self.rejected += 1;
                self.link.push(Effect::Rejected { seq, code, detail });
            }
            (IngestReply::Throttle { from, retry_after_ms }, Phase::Open) => {
                self.flow.throttled(now + Duration::from_millis(retry_after_ms), from);
            }
            // The relay took nothing of a message of ours: begin again, at ever longer intervals.
            (IngestReply::Error { .. }, Phase::Open | Phase::Greeting { .. }) => {
                self.link.give_up_connection(now, random);
            }
            _ => {}
        }
    }

    fn closed(&mut self, now: Steady, code: u16, random: f64) {
        let expired = CloseCode::from_code(code) == Some(CloseCode::Unauthorized);
        if expired && self.credential.is_newer() && !self.link.is_over() {
            // The token that the connection began with has expired, and there is a newer one.
            return self.link.connect(now);
        }
        // What waits here is nowhere else, so no answer of a relay that does not know the session makes us give it up.
        self.link.closed(now, code, random, true);
    }

    fn reached(&mut self, _now: Steady, reach: Reach) {
        self.link.reached(reach);
    }

    /// Whatever the event was, a recording that is complete ends here.
    fn take_effects(&mut self) -> Vec<link::Effect<Effect>> {
        if self.completing && self.ledger.pending() == 0 && !self.link.is_over() {
            self.link.close(LinkEnd::Done);
        }
        self.link.take_effects()
    }

    fn is_over(&self) -> bool {
        self.link.is_over()
    }
}

impl Sender {
    pub(crate) fn new(token: String, ledger: Ledger, now: Steady) -> Self {
        let front = ledger.front();
        Self {
            link: Link::new(now),
            credential: Credential::new(token),
            ledger,
            flow: Flow::new(now, front),
            limits: BatchLimits::default(),
            stored_through: front - 1,
            bytes_sent: 0,
            rejected: 0,
            writer: Writer::default(),
            reading: None,
            completing: false,
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn status(&self, now: Steady) -> RecorderStatus {
        let left = |until: Steady| until.since(now).as_millis() as u32;
        RecorderStatus {
            link: match (self.link.phase(), self.flow.paused_until()) {
                (Phase::Offline { until }, _) => LinkState::Offline { retry_in_ms: left(until) },
                (Phase::Connecting { .. } | Phase::Greeting { .. }, _) => LinkState::Connecting,
                (Phase::Open, Some(until)) => LinkState::Throttled { retry_in_ms: left(until) },
                (Phase::Open, None) => LinkState::Live,
                (Phase::Ended(end), _) => LinkState::Ended(end),
            },
            trouble: self.link.trouble(),
            pending: self.ledger.pending(),
            stored_through: self.stored_through,
            bytes_sent: self.bytes_sent,
            mode: self.ledger.storage(),
            dropped: self.ledger.dropped(),
            rejected: self.rejected,
        }
    }

    /// If the relay has closed the link, a sample still waits, as [`Self::resume`] may open the link again; after any
    /// other end nothing is taken.
    pub(crate) fn push(&mut self, now: Steady, sample: Sample) {
        if !self.link.is_over() || matches!(self.link.phase(), Phase::Ended(LinkEnd::Closed(_))) {
            self.ledger.push(sample);
            self.gather(now);
        }
    }

    /// Takes another token for the connections to come.
    pub(crate) fn renew(&mut self, now: Steady, token: &str) {
        self.credential.renew(now, token);
    }

    /// The disk's answer to [`Effect::Save`].
    pub(crate) fn saved(&mut self, now: Steady, result: Result<(), StorageFault>) {
        match self.writer.answered(&mut self.ledger, result) {
            None => return,
            Some(Answer::Accepted) => {}
            Some(Answer::Outdated) => self.write(Vec::new()),
            Some(Answer::TakenOver) => self.link.close(LinkEnd::TakenOver),
        }
        self.gather(now);
        self.pump();
    }

    /// The disk's answer to [`Effect::Read`], rows with their keys; sent if they are still what comes next.
    pub(crate) fn read(&mut self, result: Result<Vec<(u64, Sample)>, DatabaseFault>) {
        let Some(asked_key) = self.reading.take() else { return };
        match result {
            Ok(rows) if asked_key == self.ledger.key(self.flow.cursor().max(self.ledger.front())) => {
                if rows.first().is_none_or(|(key, _)| *key != asked_key) {
                    // Rows that should be there are not: the browser has cleared them.
                    self.ledger.give_up_disk_part();
                } else if self.may_send() {
                    let offset = self.ledger.numbers().offset;
                    let numbered = |(key, sample)| Sample { seq: key + offset, ..sample };
                    let samples: Vec<Sample> = rows.into_iter().map(numbered).collect();
                    self.send(&samples);
                }
            }
            // The connection has changed since, and with it what comes next.
            Ok(_) => {}
            Err(fault) => {
                self.ledger.leave_disk(fault);
                self.ledger.give_up_disk_part();
            }
        }
        self.pump();
    }

    /// The recording is over once nothing is pending, unless the link ends before that.
    pub(crate) fn complete(&mut self, now: Steady) {
        if self.link.is_over() {
            return;
        }
        self.completing = true;
        self.writer.hurry();
        self.gather(now);
        self.pump();
    }

    /// Over at once, whatever is pending.
    pub(crate) fn abandon(&mut self) {
        if !self.link.is_over() {
            self.link.close(LinkEnd::Done);
        }
    }

    /// Continues after an end, with a token that may be a newer one. False if another visit has had the disk since
    /// then, so that the source has to be opened anew.
    pub(crate) fn resume(&mut self, now: Steady, token: &str) -> bool {
        let Phase::Ended(end) = self.link.phase() else { return true };
        let elsewhere = matches!(end, LinkEnd::TakenOver | LinkEnd::Closed(CloseCode::Superseded));
        if elsewhere && self.ledger.is_on_disk() {
            return false;
        }
        self.completing = false;
        self.credential.replace(token);
        self.link.resume(now);
        true
    }

    /// What the disk lacks if the recorder goes now.
    pub(crate) fn unwritten(&self) -> Option<Save> {
        let is_ours = self.link.phase() != Phase::Ended(LinkEnd::TakenOver);
        self.writer.unwritten(&self.ledger).filter(|_| is_ours)
    }

    fn welcome(&mut self, now: Steady, welcome: &IngestWelcome) {
        self.limits = BatchLimits::from(&welcome.limits);
        self.link.welcomed();
        self.credential.set_relay_time(now, welcome.server_time);
        let before = self.ledger.numbers();
        let front_before = self.ledger.front();
        self.ledger.welcomed(welcome.through);
        self.stored_through = self.stored_through.max(welcome.through);
        let moved = self.ledger.numbers().offset != before.offset;
        self.delete_answered(front_before);
        self.flow = Flow::new(now, self.ledger.front());
        if self.ledger.pending() == 0 {
            self.link.reset_backoff();
        }
        if moved && self.ledger.is_on_disk() && !self.writer.is_busy() {
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
            self.link.push(Effect::Delete { through_key });
        }
    }

    /// Writes or sends what has gathered.
    fn gather(&mut self, now: Steady) {
        if self.link.is_over() || !self.writer.is_due(now) {
            return;
        }
        if !self.ledger.is_on_disk() {
            self.pump();
        } else if let Some(rows) = Writer::rows(&self.ledger) {
            self.write(rows);
        }
    }

    fn write(&mut self, rows: Vec<(u64, Sample)>) {
        let save = self.writer.begin(&self.ledger, rows, self.link.is_open());
        self.link.push(Effect::Save(save));
    }

    fn may_send(&self) -> bool {
        self.link.is_open() && self.flow.may_send(self.ledger.front())
    }

    /// Sends what may be sent.
    fn pump(&mut self) {
        while self.may_send() && self.reading.is_none() {
            let next: Vec<Sample> = match self.ledger.next_from(self.flow.cursor(), self.limits.max_samples) {
                Next::Nothing => {
                    if self.ledger.needs_mark() && !self.writer.is_busy() {
                        self.write(Vec::new());
                    }
                    return;
                }
                Next::OnDisk(from, to) => {
                    let (from_key, to_key) = (self.ledger.key(from), self.ledger.key(to));
                    self.reading = Some(from_key);
                    return self.link.push(Effect::Read { from_key, to_key });
                }
                Next::Ready(samples) => samples.into_iter().cloned().collect(),
            };
            self.send(&next);
        }
    }

    /// Sends as many of these as one message may hold.
    fn send(&mut self, samples: &[Sample]) {
        let Some(Batch { text, through }) = Batch::of(samples, self.limits) else { return };
        self.flow.sent(through, self.ledger.front(), self.writer.gathered_at());
        if !self.ledger.is_on_disk() {
            self.ledger.marked(through);
        }
        self.bytes_sent += text.len() as u64;
        self.link.send(text);
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
