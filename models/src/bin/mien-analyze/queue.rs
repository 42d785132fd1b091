//! Which picture is next, and how far the threads may run ahead of the output.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

#[derive(Debug)]
pub(crate) struct Queue {
    pictures: usize,
    /// How many pictures may be begun beyond the first one that is not written yet.
    window: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next: usize,
    written: usize,
    stopped: bool,
}

impl Queue {
    pub(crate) fn new(pictures: usize, window: usize) -> Self {
        Self { pictures, window, state: Mutex::default(), moved: Condvar::new() }
    }

    /// The next picture's position, once it may be begun; `None` if there are no more or everything is to stop.
    pub(crate) fn next(&self) -> Option<usize> {
        let mut state = self
            .moved
            .wait_while(self.lock(), |state| {
                !state.stopped && state.next < self.pictures && state.next >= state.written + self.window
            })
            .unwrap_or_else(PoisonError::into_inner);
        if state.stopped || state.next >= self.pictures {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    /// Everything before this position has been written.
    pub(crate) fn written(&self, place: usize) {
        self.lock().written = place;
        self.moved.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Only three numbers: they are consistent whatever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{RecvTimeoutError, channel};
    use std::time::Duration;

    #[test]
    fn nobody_runs_further_ahead_than_the_window() {
        let queue = Queue::new(5, 2);
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while let Some(place) = queue.next() {
                    sender.send(place).unwrap();
                }
                sender.send(usize::MAX).unwrap();
            });
            assert_eq!((receiver.recv(), receiver.recv()), (Ok(0), Ok(1)));
            let early = receiver.recv_timeout(Duration::from_millis(50));
            assert_eq!(early, Err(RecvTimeoutError::Timeout), "0 is not written yet");
            queue.written(2);
            assert_eq!((receiver.recv(), receiver.recv()), (Ok(2), Ok(3)));
            queue.stop();
            assert_eq!(receiver.recv(), Ok(usize::MAX));
        });
    }

    #[test]
    fn the_last_picture_is_the_last() {
        let queue = Queue::new(2, 8);
        assert_eq!([queue.next(), queue.next(), queue.next(), queue.next()], [Some(0), Some(1), None, None]);
    }
}
