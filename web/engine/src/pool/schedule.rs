//! Which worker gets which frame. Pure: it owns neither workers nor pixels and only knows who is busy with what.
//!
//! Newest wins: while every worker is busy, one frame waits, and a newer one replaces it. The least recently used idle
//! worker gets the next frame, so that none starves. A crash costs the frame that was in that worker; the worker is
//! restarted after a growing pause, and given up after [`MAX_CRASHES`] crashes without an answer in between.

use mien_messages::FrameId;

/// Crashes of one worker in a row, without an answer in between, after which it is not restarted.
const MAX_CRASHES: u32 = 3;
/// Pause before the first restart; it doubles with each consecutive crash.
const RESTART_MS: u32 = 200;
/// More workers gained nothing: the page and the camera then lack the core.
const MAX_WORKERS: usize = 4;

/// Workers for a machine with this many logical cores: one core is left to the page.
pub(crate) fn size_for(cores: usize) -> usize {
    cores.saturating_sub(1).clamp(1, MAX_WORKERS)
}

/// Index of a worker in the pool.
pub(crate) type Slot = usize;

/// What the owner of the workers has to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action<T> {
    /// Hand this frame to this worker.
    Send { slot: Slot, frame: FrameId, job: T },
    /// No answer will come for this frame.
    Lost { frame: FrameId },
    /// End the worker; start another in its place after the pause.
    Restart { slot: Slot, in_ms: u32 },
    /// End the worker for good.
    Retire { slot: Slot },
    /// No worker is left.
    GiveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Starting,
    /// The lowest is the least recently used.
    Idle(u64),
    Busy(FrameId),
    Retired,
}

#[derive(Debug)]
struct Worker {
    state: State,
    crashes_in_row: u32,
}

/// `T` is a frame to analyse.
#[derive(Debug)]
pub(crate) struct Schedule<T> {
    workers: Vec<Worker>,
    waiting: Option<T>,
    next_frame: u64,
    /// Orders idle workers by when they were last used.
    clock: u64,
    skipped: u64,
}

impl<T> Schedule<T> {
    /// All workers are starting.
    pub(crate) fn new(size: usize) -> Self {
        let workers = (0..size).map(|_| Worker { state: State::Starting, crashes_in_row: 0 }).collect();
        Self { workers, waiting: None, next_frame: 1, clock: 0, skipped: 0 }
    }

    /// Frames that a newer one has replaced so far.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Workers that can take frames.
    pub(crate) fn ready(&self) -> usize {
        self.workers.iter().filter(|w| matches!(w.state, State::Idle(_) | State::Busy(_))).count()
    }

    /// A new frame. It goes to an idle worker at once, or replaces the one that waits.
    pub(crate) fn offer(&mut self, job: T) -> Vec<Action<T>> {
        if self.waiting.replace(job).is_some() {
            self.skipped += 1;
        }
        self.hand_out()
    }

    /// Drops the waiting frame, as its run has ended or paused.
    pub(crate) fn drop_waiting(&mut self) {
        self.waiting = None;
    }

    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The worker has its models.
    pub(crate) fn started(&mut self, slot: Slot) -> Vec<Action<T>> {
        if let Some(worker) = self.workers.get_mut(slot)
            && worker.state == State::Starting
        {
            worker.state = State::Idle(self.clock);
            self.clock += 1;
        }
        self.hand_out()
    }

    /// The worker answered for this frame. False if no answer was expected.
    pub(crate) fn answered(&mut self, slot: Slot, frame: FrameId) -> (bool, Vec<Action<T>>) {
        let Some(worker) = self.workers.get_mut(slot).filter(|w| w.state == State::Busy(frame)) else {
            return (false, Vec::new());
        };
        worker.state = State::Idle(self.clock);
        worker.crashes_in_row = 0;
        self.clock += 1;
        (true, self.hand_out())
    }

    /// The worker died, or is presumed dead.
    pub(crate) fn crashed(&mut self, slot: Slot) -> Vec<Action<T>> {
        let Some(worker) = self.workers.get_mut(slot).filter(|w| w.state != State::Retired) else {
            return Vec::new();
        };
        let mut actions = Vec::new();
        if let State::Busy(frame) = worker.state {
            actions.push(Action::Lost { frame });
        }
        worker.crashes_in_row += 1;
        if worker.crashes_in_row < MAX_CRASHES {
            worker.state = State::Starting;
            actions.push(Action::Restart { slot, in_ms: RESTART_MS << (worker.crashes_in_row - 1) });
        } else {
            actions.extend(self.retire(slot));
        }
        actions
    }

    /// The worker can never run, for example because it refuses the models.
    pub(crate) fn retire(&mut self, slot: Slot) -> Vec<Action<T>> {
        let Some(worker) = self.workers.get_mut(slot).filter(|w| w.state != State::Retired) else {
            return Vec::new();
        };
        worker.state = State::Retired;
        let mut actions = vec![Action::Retire { slot }];
        if self.workers.iter().all(|worker| worker.state == State::Retired) {
            self.waiting = None;
            actions.push(Action::GiveUp);
        }
        actions
    }

    fn hand_out(&mut self) -> Vec<Action<T>> {
        let idle = |worker: &Worker| match worker.state {
            State::Idle(since) => Some(since),
            _ => None,
        };
        let oldest = self
            .workers
            .iter()
            .enumerate()
            .filter_map(|(slot, worker)| idle(worker).map(|since| (since, slot)))
            .min();
        let Some((_, slot)) = oldest else { return Vec::new() };
        let Some(job) = self.waiting.take() else { return Vec::new() };
        let frame = FrameId(self.next_frame);
        self.next_frame += 1;
        self.workers[slot].state = State::Busy(frame);
        vec![Action::Send { slot, frame, job }]
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ready(size: usize) -> Schedule<u32> {
        let mut pool = Schedule::new(size);
        for slot in 0..size {
            assert_eq!(pool.started(slot), []);
        }
        pool
    }

    fn send(slot: Slot, frame: u64, job: u32) -> Vec<Action<u32>> {
        vec![Action::Send { slot, frame: FrameId(frame), job }]
    }

    #[test]
    fn one_core_is_left_to_the_page() {
        let sizes = [0, 1, 2, 3, 5, 64].map(size_for);
        assert_eq!(sizes, [1, 1, 1, 2, 4, 4]);
    }

    #[test]
    fn the_newest_frame_wins_and_the_others_are_counted() {
        let mut pool = ready(1);
        assert_eq!(pool.offer(1), send(0, 1, 1));
        for job in 2..=5 {
            assert_eq!(pool.offer(job), []);
        }
        assert_eq!(pool.skipped(), 3);
        assert_eq!(pool.answered(0, FrameId(1)), (true, send(0, 2, 5)));
    }

    #[test]
    fn the_least_recently_used_worker_is_next() {
        let mut pool = ready(3);
        assert_eq!(pool.offer(1), send(0, 1, 1));
        assert_eq!(pool.answered(0, FrameId(1)).1, []);
        assert_eq!(pool.offer(2), send(1, 2, 2));
        assert_eq!(pool.offer(3), send(2, 3, 3));
        assert_eq!(pool.offer(4), send(0, 4, 4));
    }

    #[test]
    fn a_frame_waits_for_the_first_worker_to_start() {
        let mut pool = Schedule::new(2);
        assert_eq!(pool.offer(1), []);
        assert_eq!(pool.started(1), send(1, 1, 1));
    }

    #[test]
    fn a_crash_costs_one_frame_and_pauses_longer_each_time() {
        let mut pool = ready(1);
        pool.offer(1);
        assert_eq!(
            pool.crashed(0),
            [Action::Lost { frame: FrameId(1) }, Action::Restart { slot: 0, in_ms: 200 }]
        );
        assert_eq!(pool.offer(2), []);
        assert_eq!(pool.started(0), send(0, 2, 2));
        assert_eq!(
            pool.crashed(0),
            [Action::Lost { frame: FrameId(2) }, Action::Restart { slot: 0, in_ms: 400 }]
        );
        assert_eq!(pool.crashed(0), [Action::Retire { slot: 0 }, Action::GiveUp]);
        assert_eq!(pool.crashed(0), []);
    }

    #[test]
    fn an_answer_forgives_crashes_and_a_late_one_counts_for_nothing() {
        let mut pool = ready(1);
        for frame in 1..=9 {
            let sent = pool.offer(0);
            assert_eq!(sent, send(0, frame, 0));
            if frame % 3 == 0 {
                assert!(pool.answered(0, FrameId(frame)).0);
            } else {
                assert!(matches!(pool.crashed(0)[1], Action::Restart { .. }));
                assert!(!pool.answered(0, FrameId(frame)).0);
                pool.started(0);
            }
        }
    }

    proptest! {
        /// Whatever happens, each frame that was sent has exactly one end, no worker has two frames, and a
        /// frame never waits while a worker is idle.
        #[test]
        fn every_sent_frame_ends_once(steps in prop::collection::vec((0..4_u8, 0..3_usize), 1..200)) {
            let mut pool = Schedule::new(3);
            let mut open = std::collections::BTreeMap::new();
            let mut ended = std::collections::BTreeSet::new();
            for (kind, slot) in steps {
                let actions = match kind {
                    0 => pool.offer(()),
                    1 => pool.started(slot),
                    2 => match open.get(&slot).copied() {
                        Some(frame) => {
                            let (known, actions) = pool.answered(slot, frame);
                            prop_assert!(known);
                            open.remove(&slot);
                            prop_assert!(ended.insert(frame));
                            actions
                        }
                        None => pool.answered(slot, FrameId(u64::MAX)).1,
                    },
                    _ => pool.crashed(slot),
                };
                for action in actions {
                    match action {
                        Action::Send { slot, frame, .. } => prop_assert!(open.insert(slot, frame).is_none()),
                        Action::Lost { frame } => {
                            prop_assert_eq!(open.remove(&slot), Some(frame));
                            prop_assert!(ended.insert(frame));
                        }
                        Action::Restart { .. } | Action::Retire { .. } | Action::GiveUp => {}
                    }
                }
                let idle = pool.workers.iter().any(|w| matches!(w.state, State::Idle(_)));
                prop_assert!(!(idle && pool.has_waiting()));
            }
        }
    }
}
