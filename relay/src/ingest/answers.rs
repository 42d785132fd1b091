//! What became of batches, and the mailbox in which a connection finds it.
//!
//! Answers come in the order in which the batches were submitted, so those not yet taken are merged into one: a tokio
//! channel would allocate room for 32 of them from the start, some 2.5 KiB.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use mien_shared::Code;

/// What became of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Committed(Committed),
    /// The session has ended; nothing of the batch was taken.
    Ended,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Committed {
    /// How many samples the batch had.
    pub samples: usize,
    pub through: u64,
    pub rejects: Vec<Reject>,
}

/// A sample that was refused for good.
#[derive(Debug, PartialEq, Eq)]
pub struct Reject {
    pub seq: u64,
    pub code: Code,
    pub detail: String,
}

/// Many may put; one takes.
#[derive(Debug, Default)]
pub struct Mailbox(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    answers: Answers,
    /// The task that waits for the next answer.
    taker: Option<Waker>,
}

/// What was answered since the mailbox was last emptied.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answers {
    pub batches: usize,
    /// How many of them were committed: the first ones, as nothing is once the session has ended.
    pub committed: usize,
    /// Samples in those, together.
    pub samples: usize,
    /// The source's `through` after them; 0 if nothing was committed.
    pub through: u64,
    pub rejects: Vec<Reject>,
}

impl Answers {
    fn add(&mut self, answer: Answer) {
        self.batches += 1;
        if let Answer::Committed(committed) = answer {
            self.committed += 1;
            self.samples += committed.samples;
            self.through = self.through.max(committed.through);
            self.rejects.extend(committed.rejects);
        }
    }
}

impl Mailbox {
    pub fn put(&self, answer: Answer) {
        let mut inside = self.lock();
        inside.answers.add(answer);
        let taker = inside.taker.take();
        drop(inside);
        if let Some(taker) = taker {
            taker.wake();
        }
    }

    /// Waits for the next answer and takes all that are there. Can be dropped and called again without loss.
    pub async fn take(&self) -> Answers {
        std::future::poll_fn(|task| {
            let mut inside = self.lock();
            if inside.answers.batches > 0 {
                return Poll::Ready(std::mem::take(&mut inside.answers));
            }
            if !inside.taker.as_ref().is_some_and(|taker| taker.will_wake(task.waker())) {
                inside.taker = Some(task.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    /// All answers that are there, if any are.
    pub fn try_take(&self) -> Option<Answers> {
        let mut inside = self.lock();
        (inside.answers.batches > 0).then(|| std::mem::take(&mut inside.answers))
    }

    /// Batches whose answers are there.
    pub fn batches(&self) -> usize {
        self.lock().answers.batches
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        // No change in here can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn committed(through: u64) -> Answer {
        Answer::Committed(Committed { samples: 2, through, rejects: Vec::new() })
    }

    #[tokio::test]
    async fn what_is_put_is_taken_as_one_and_once() {
        let mailbox = Arc::new(Mailbox::default());
        let taker = Arc::clone(&mailbox);
        let taken = tokio::spawn(async move { taker.take().await });
        tokio::task::yield_now().await;
        mailbox.put(committed(2));
        assert_eq!(
            taken.await.unwrap(),
            Answers { batches: 1, committed: 1, samples: 2, through: 2, rejects: vec![] }
        );
        for answer in [committed(4), committed(6), Answer::Ended] {
            mailbox.put(answer);
        }
        let gathered = Answers { batches: 3, committed: 2, samples: 4, through: 6, rejects: vec![] };
        assert_eq!((mailbox.batches(), mailbox.try_take()), (3, Some(gathered)));
        assert_eq!((mailbox.batches(), mailbox.try_take()), (0, None));
    }
}
