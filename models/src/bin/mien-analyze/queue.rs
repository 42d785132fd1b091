//! Which picture is next, and how far the threads may run ahead of the output.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Pictures in order, of which each thread takes the next.
#[derive(Debug)]
pub(crate) struct Queue<I> {
    /// Locked while the next one is waited for: nobody else could begin it either.
    pictures: Mutex<std::iter::Enumerate<I>>,
    /// How many pictures may be begun beyond those that are written.
    window: usize,
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    written: usize,
    stopped: bool,
}

impl<I: Iterator> Queue<I> {
    pub(crate) fn new(pictures: I, window: usize) -> Self {
        Self {
            pictures: Mutex::new(pictures.enumerate()),
            window,
            state: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// The next picture and its place, once it may be begun; `None` if there are no more or everything is to stop.
    pub(crate) fn next(&self) -> Option<(usize, I::Item)> {
        let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
        let (place, picture) = pictures.next()?;
        let state = self
            .moved
            .wait_while(self.lock(), |state| !state.stopped && place >= state.written + self.window)
            .unwrap_or_else(PoisonError::into_inner);
        (!state.stopped).then_some((place, picture))
    }

    /// So many pictures have been written.
    pub(crate) fn written(&self, pictures: usize) {
        self.lock().written = pictures;
        self.moved.notify_all();
    }

    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Only two numbers: they are consistent whatever panicked.
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
        let queue = Queue::new("abcde".chars(), 2);
        let (sender, receiver) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while let Some(next) = queue.next() {
                    sender.send(next).unwrap();
                }
                sender.send((usize::MAX, '.')).unwrap();
            });
            assert_eq!((receiver.recv(), receiver.recv()), (Ok((0, 'a')), Ok((1, 'b'))));
            let early = receiver.recv_timeout(Duration::from_millis(50));
            assert_eq!(early, Err(RecvTimeoutError::Timeout), "0 is not written yet");
            queue.written(2);
            assert_eq!((receiver.recv(), receiver.recv()), (Ok((2, 'c')), Ok((3, 'd'))));
            queue.stop();
            assert_eq!(receiver.recv(), Ok((usize::MAX, '.')));
        });
    }

    #[test]
    fn the_last_picture_is_the_last() {
        let queue = Queue::new("ab".chars(), 8);
        assert_eq!([queue.next(), queue.next(), queue.next()], [Some((0, 'a')), Some((1, 'b')), None]);
        assert_eq!(queue.next(), None);
    }
}
