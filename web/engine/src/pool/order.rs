//! Puts answers of several workers back into the order of capture.
//!
//! A frame holds back later ones until it is answered or lost. A worker that has answered gets another frame at once,
//! so one that hangs would hold back more and more pictures until the watchdog ends it. Once more answers are held than
//! a merely slow frame can cause, they are released without it.

use std::collections::BTreeMap;

use mien_messages::FrameId;

/// Answers held per worker at most. A full search takes 2.4 times as long as a near one, so on a slow but healthy
/// machine the other workers answer fewer frames than this in the meantime, and the search still counts. A held picture
/// takes up to 4 MB.
const MAX_HELD_PER_WORKER: usize = 3;

#[derive(Debug)]
pub(crate) struct Order<A> {
    max_held: usize,
    /// Frames that were sent and not yet released; `None` until answered or lost.
    open: BTreeMap<FrameId, Option<Outcome<A>>>,
}

#[derive(Debug)]
enum Outcome<A> {
    Answered(A),
    Lost,
}

impl<A> Order<A> {
    pub(crate) fn new(workers: usize) -> Self {
        Self { max_held: workers * MAX_HELD_PER_WORKER, open: BTreeMap::new() }
    }

    pub(crate) fn sent(&mut self, frame: FrameId) {
        self.open.insert(frame, None);
    }

    /// Whether an answer to this frame is still in time: later ones may have been released without it.
    pub(crate) fn expects(&self, frame: FrameId) -> bool {
        self.open.contains_key(&frame)
    }

    /// Answers that can be released now, in order. An answer to a frame that is not open is dropped.
    pub(crate) fn answered(&mut self, frame: FrameId, answer: A) -> Vec<A> {
        self.settle(frame, Outcome::Answered(answer))
    }

    /// The frame gets no answer; later ones need not wait for it.
    pub(crate) fn lost(&mut self, frame: FrameId) -> Vec<A> {
        self.settle(frame, Outcome::Lost)
    }

    fn settle(&mut self, frame: FrameId, outcome: Outcome<A>) -> Vec<A> {
        if let Some(slot) = self.open.get_mut(&frame) {
            slot.get_or_insert(outcome);
        }
        let mut released = Vec::new();
        loop {
            let overflows = self.held() > self.max_held;
            match self.open.first_entry() {
                Some(first) if first.get().is_some() || overflows => {
                    if let Some(Outcome::Answered(answer)) = first.remove() {
                        released.push(answer);
                    }
                }
                _ => break,
            }
        }
        released
    }

    fn held(&self) -> usize {
        self.open.values().filter(|outcome| matches!(outcome, Some(Outcome::Answered(_)))).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_out_in_order_and_a_lost_frame_holds_nobody_back() {
        let mut order = Order::new(4);
        for frame in 1..=4 {
            order.sent(FrameId(frame));
        }
        assert_eq!(order.answered(FrameId(2), 'b'), []);
        assert_eq!(order.answered(FrameId(2), 'x'), []);
        assert_eq!(order.answered(FrameId(4), 'd'), []);
        assert_eq!(order.answered(FrameId(1), 'a'), ['a', 'b']);
        assert_eq!(order.lost(FrameId(3)), ['d']);
        assert_eq!(order.answered(FrameId(3), 'c'), []);
    }

    #[test]
    fn a_frame_that_hangs_holds_back_a_few_answers_and_no_more() {
        let mut order = Order::new(2);
        for frame in 1..=9 {
            order.sent(FrameId(frame));
        }
        for frame in 2..=7 {
            assert!(order.answered(FrameId(frame), frame).is_empty());
        }
        assert_eq!(order.answered(FrameId(8), 8), [2, 3, 4, 5, 6, 7, 8]);
        assert!(!order.expects(FrameId(1)) && order.expects(FrameId(9)));
        assert!(order.answered(FrameId(1), 1).is_empty());
        assert_eq!(order.answered(FrameId(9), 9), [9]);
    }
}
