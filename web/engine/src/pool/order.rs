//! Puts answers of several workers back into the order of capture.
//!
//! A frame holds back later ones until it is answered or lost. As a worker that has answered gets another frame
//! at once, one that hangs would hold back ever more pictures until the watchdog ends it; so once more answers
//! wait than a merely slow frame can cause, they go on without it.

use std::collections::BTreeMap;

use mien_messages::FrameId;

/// Answers held for each worker at most. A full look takes 2.4 times as long as a near one, so on a machine that
/// is slow but well the other workers bring fewer than this in the meantime, and the look still counts. A held
/// picture takes up to 4 MB.
const HELD_PER_WORKER: usize = 3;

#[derive(Debug)]
pub(crate) struct Order<A> {
    most_held: usize,
    /// Frames that were sent and not yet released; `None` while the answer is out.
    open: BTreeMap<FrameId, Option<Fate<A>>>,
}

#[derive(Debug)]
enum Fate<A> {
    Answered(A),
    Lost,
}

impl<A> Order<A> {
    pub(crate) fn new(workers: usize) -> Self {
        Self { most_held: workers * HELD_PER_WORKER, open: BTreeMap::new() }
    }

    pub(crate) fn sent(&mut self, frame: FrameId) {
        self.open.insert(frame, None);
    }

    /// Whether an answer to this frame still has a place: later ones may have gone on without it.
    pub(crate) fn waits_for(&self, frame: FrameId) -> bool {
        self.open.contains_key(&frame)
    }

    /// Answers that can go on now, in order. An answer to a frame that is not open is dropped.
    pub(crate) fn answered(&mut self, frame: FrameId, answer: A) -> Vec<A> {
        self.settle(frame, Fate::Answered(answer))
    }

    /// The frame gets no answer; those behind it need not wait.
    pub(crate) fn lost(&mut self, frame: FrameId) -> Vec<A> {
        self.settle(frame, Fate::Lost)
    }

    fn settle(&mut self, frame: FrameId, fate: Fate<A>) -> Vec<A> {
        if let Some(place) = self.open.get_mut(&frame) {
            place.get_or_insert(fate);
        }
        let mut released = Vec::new();
        loop {
            let crowded = self.held() > self.most_held;
            match self.open.first_entry() {
                Some(first) if first.get().is_some() || crowded => {
                    if let Some(Fate::Answered(answer)) = first.remove() {
                        released.push(answer);
                    }
                }
                _ => break,
            }
        }
        released
    }

    fn held(&self) -> usize {
        self.open.values().filter(|fate| matches!(fate, Some(Fate::Answered(_)))).count()
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
        assert!(!order.waits_for(FrameId(1)) && order.waits_for(FrameId(9)));
        assert!(order.answered(FrameId(1), 1).is_empty());
        assert_eq!(order.answered(FrameId(9), 9), [9]);
    }
}
