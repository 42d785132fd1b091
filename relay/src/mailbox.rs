//! Where one connection finds the batcher's answers.
//!
//! A channel of the library would hold room for 32 answers from the start, some 2.5 KiB; this one holds what is
//! in it. It needs no bound of its own: no more can be in it than its connection has on the way.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use crate::batcher::Answer;

/// Many may put; one takes.
#[derive(Debug, Default)]
pub struct Mailbox {
    answers: Mutex<VecDeque<Answer>>,
    taker: AtomicWaker,
}

impl Mailbox {
    pub fn put(&self, answer: Answer) {
        self.lock().push_back(answer);
        self.taker.wake();
    }

    /// The next answer. Can be dropped and called again without loss.
    pub async fn take(&self) -> Answer {
        poll_fn(|context| {
            // Registered before it is looked at, so that nothing put in between is slept through.
            self.taker.register(context.waker());
            self.try_take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// An answer that is already there.
    pub fn try_take(&self) -> Option<Answer> {
        let mut answers = self.lock();
        let answer = answers.pop_front();
        if answers.is_empty() && answer.is_some() {
            // A connection that idles holds nothing.
            *answers = VecDeque::new();
        }
        answer
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        // Whole whatever panicked: each change is one call.
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn what_is_put_is_taken_in_order() {
        let mailbox = Arc::new(Mailbox::default());
        let taker = Arc::clone(&mailbox);
        let taken = tokio::spawn(async move { (taker.take().await, taker.take().await) });
        tokio::task::yield_now().await;
        mailbox.put(Answer::Ended);
        mailbox.put(Answer::Ended);
        assert_eq!(taken.await.unwrap(), (Answer::Ended, Answer::Ended));
        assert_eq!((mailbox.len(), mailbox.try_take()), (0, None));
    }
}
