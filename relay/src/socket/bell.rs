//! Polls only what was woken.
//!
//! A task that waits for several things polls all of them whenever one of them wakes it. With thousands of
//! connections none of it is in the processor's cache, and looking in vain costs as much as the message. What is
//! polled behind a bell is left alone until it has rung.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Belongs to one thing that is polled, and is rung by it.
pub(super) struct Bell {
    rope: Arc<Rope>,
    /// Pulls the rope.
    waker: Waker,
}

struct Rope {
    rung: AtomicBool,
    /// Who listens.
    task: AtomicWaker,
}

impl Bell {
    /// One that has rung, as nothing was polled yet.
    pub(super) fn new() -> Self {
        let rope = Arc::new(Rope { rung: AtomicBool::new(true), task: AtomicWaker::new() });
        Self { waker: Waker::from(Arc::clone(&rope)), rope }
    }

    /// Polls if the bell has rung. What is ready may be so again, so it is polled the next time, too.
    pub(super) fn poll<T>(
        &self,
        task: &Context<'_>,
        polls: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Registered before it is looked at, so that nothing that rings in between is slept through.
        self.rope.task.register(task.waker());
        self.poll_now(polls)
    }

    /// The same for someone who does not wait.
    pub(super) fn poll_now<T>(&self, polls: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        if !self.rope.rung.swap(false, Ordering::AcqRel) {
            return Poll::Pending;
        }
        let polled = polls(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            self.rope.rung.store(true, Ordering::Release);
        }
        polled
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One that has rung already has woken its task, or is looked at when it comes.
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.task.wake();
        }
    }
}

/// A future that is polled only when it was woken: for what happens at most once in a connection's life.
pub(super) async fn rarely<F: Future>(future: F) -> F::Output {
    let bell = Bell::new();
    let mut future = pin!(future);
    std::future::poll_fn(|task| bell.poll(task, |task| future.as_mut().poll(task))).await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn it_is_polled_only_when_it_was_woken() {
        let (yes, answer) = oneshot::channel::<u32>();
        let polls = Cell::new(0);
        let mut answer = pin!(answer);
        let mut rare = pin!(rarely(std::future::poll_fn(|task| {
            polls.set(polls.get() + 1);
            answer.as_mut().poll(task)
        })));
        for _ in 0..3 {
            assert!(futures_util::poll!(rare.as_mut()).is_pending());
        }
        assert_eq!(polls.get(), 1);
        yes.send(7).unwrap();
        assert_eq!(rare.await, Ok(7));
        assert_eq!(polls.get(), 2);
    }

    /// Many messages from another thread, read by waiting and in passing: none is slept through.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_slept_through() {
        const MESSAGES: u32 = 20_000;
        let (sender, mut inbox) = mpsc::channel(64);
        let reader = tokio::spawn(async move {
            let bell = Bell::new();
            let mut count = 0;
            while count < MESSAGES {
                let first = std::future::poll_fn(|task| bell.poll(task, |task| inbox.poll_recv(task))).await;
                assert_eq!(first, Some(count));
                count += 1;
                while let Poll::Ready(next) = bell.poll_now(|task| inbox.poll_recv(task)) {
                    if next.is_none() {
                        return count;
                    }
                    assert_eq!(next, Some(count));
                    count += 1;
                }
            }
            count
        });
        for message in 0..MESSAGES {
            sender.send(message).await.unwrap();
            if message % 7 == 0 {
                tokio::task::yield_now().await;
            }
        }
        let read = tokio::time::timeout(std::time::Duration::from_secs(30), reader).await;
        assert_eq!(read.expect("it sleeps").unwrap(), MESSAGES);
    }
}
