//! Puts answers of several workers back into the order of capture.
//!
//! A frame holds back later ones until it is answered or lost. As each worker has one frame, at most as many
//! answers wait as there are workers, and none longer than the watchdog of a worker allows.

use std::collections::BTreeMap;

use mien_messages::FrameId;

#[derive(Debug)]
pub(crate) struct Order<A> {
    /// Frames that were sent and not yet released; `None` while the answer is out.
    open: BTreeMap<FrameId, Option<Fate<A>>>,
}

#[derive(Debug)]
enum Fate<A> {
    Answered(A),
    Lost,
}

impl<A> Order<A> {
    pub(crate) fn new() -> Self {
        Self { open: BTreeMap::new() }
    }

    pub(crate) fn sent(&mut self, frame: FrameId) {
        self.open.insert(frame, None);
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
        while let Some(first) = self.open.first_entry() {
            if first.get().is_none() {
                break;
            }
            if let Some(Fate::Answered(answer)) = first.remove() {
                released.push(answer);
            }
        }
        released
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_out_in_order_and_a_lost_frame_holds_nobody_back() {
        let mut order = Order::new();
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
}
