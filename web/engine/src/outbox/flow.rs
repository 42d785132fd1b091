//! Flow control of one connection: how far it has sent, and when it may send on. Pure.

use std::time::Duration;

use crate::clock::Steady;

/// Samples in flight without an ack: four full messages, enough to fill a slow line, and the most that is sent again
/// after a cut.
const WINDOW: u64 = 1_024;
/// Samples in flight for this long without any answer: the line is dead, though nothing has reported it.
const SILENT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(super) struct Flow {
    /// The next seq to send on this connection.
    cursor: u64,
    /// When the relay was last heard, or last had nothing to answer.
    heard: Steady,
    /// Until when the relay wants a pause.
    paused_until: Option<Steady>,
}

impl Flow {
    /// A connection begins. `front`: the first seq without an ack.
    pub(super) fn new(now: Steady, front: u64) -> Self {
        Self { cursor: front, heard: now, paused_until: None }
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    pub(super) fn paused_until(&self) -> Option<Steady> {
        self.paused_until
    }

    pub(super) fn heard(&mut self, now: Steady) {
        self.heard = now;
    }

    /// The relay takes nothing until then, and then everything from this seq on.
    pub(super) fn throttled(&mut self, until: Steady, from: u64) {
        self.cursor = self.cursor.min(from);
        self.paused_until = self.paused_until.max(Some(until));
    }

    /// True if a pause has just ended.
    pub(super) fn end_pause(&mut self, now: Steady) -> bool {
        let ended = self.paused_until.is_some_and(|until| now >= until);
        if ended {
            self.heard = self.heard.max(now);
            self.paused_until = None;
        }
        ended
    }

    pub(super) fn is_dead(&self, now: Steady, front: u64) -> bool {
        self.paused_until.is_none() && self.cursor > front && now >= self.heard + SILENT
    }

    pub(super) fn may_send(&self, front: u64) -> bool {
        self.paused_until.is_none() && self.cursor.saturating_sub(front) < WINDOW
    }

    /// Everything up to this seq is in flight. `gathered_at`: when it was taken for sending.
    pub(super) fn sent(&mut self, through: u64, front: u64, gathered_at: Option<Steady>) {
        if self.cursor <= front
            && let Some(gathered) = gathered_at
        {
            // Nothing was in flight: the wait for an answer begins now.
            self.heard = self.heard.max(gathered);
        }
        self.cursor = through + 1;
    }
}
