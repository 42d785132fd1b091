//! Polls only what was woken.
//!
//! A task that waits for several futures polls all of them whenever one of them wakes it. With thousands of connections
//! none of them is in the processor's cache, and a needless poll costs as much as the message. Here each has its own
//! waker that sets a bit, and is not polled until its bit is set; the bits of a task are in one word, so that one look
//! shows which are set.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::time::{Instant, Sleep};

/// The readiness of everything that one task waits for.
pub(super) struct ReadySet(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// A bit for each.
    ready: AtomicU32,
    /// How many bits are taken.
    registered: AtomicU32,
    /// The task. Kept when it is woken, so that its waker need not be cloned again.
    task: Mutex<Option<Waker>>,
}

impl ReadySet {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Adds a bit. It starts out set, as nothing has been polled yet.
    pub(super) fn register(&self) -> ReadyBit {
        let index = self.0.registered.fetch_add(1, Ordering::Relaxed);
        assert!(index < u32::BITS, "a task registers a handful, all before it waits");
        let bit = 1 << index;
        self.0.ready.fetch_or(bit, Ordering::Release);
        ReadyBit {
            waker: Waker::from(Arc::new(BitWaker { shared: Arc::clone(&self.0), bit })),
            shared: Arc::clone(&self.0),
            bit,
        }
    }

    /// A future that is polled only when it was woken: for what happens at most once in a connection's life.
    pub(super) fn when_woken<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let ready = self.register();
        async move {
            let mut future = pin!(future);
            std::future::poll_fn(|task| ready.poll(task, |task| future.as_mut().poll(task))).await
        }
    }

    pub(super) fn timer(&self, time: Instant) -> Timer {
        Timer { sleep: Box::pin(tokio::time::sleep_until(time)), ready: self.register() }
    }
}

/// Whether one future may be polled.
pub(super) struct ReadyBit {
    shared: Arc<Shared>,
    bit: u32,
    /// Sets the bit.
    waker: Waker,
}

struct BitWaker {
    shared: Arc<Shared>,
    bit: u32,
}

impl ReadyBit {
    /// Polls if the bit is set. What is ready may be ready again, so it is polled the next time, too.
    pub(super) fn poll<T>(
        &self,
        task: &Context<'_>,
        polls: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Before the look at the bit, so that no wake in between is missed.
        self.shared.register_task(task.waker());
        self.poll_now(polls)
    }

    /// The same for a caller that does not wait.
    pub(super) fn poll_now<T>(&self, polls: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        if self.shared.ready.load(Ordering::Acquire) & self.bit == 0 {
            return Poll::Pending;
        }
        self.shared.ready.fetch_and(!self.bit, Ordering::AcqRel);
        let polled = polls(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            self.shared.ready.fetch_or(self.bit, Ordering::Release);
        }
        polled
    }
}

impl Shared {
    fn register_task(&self, waker: &Waker) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if !task.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }
}

impl Wake for BitWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // If the bit was set, the task was woken already, or will look at it before it waits.
        if self.shared.ready.fetch_or(self.bit, Ordering::AcqRel) & self.bit == 0
            && let Some(task) = &*self.shared.task.lock().unwrap_or_else(PoisonError::into_inner)
        {
            task.wake_by_ref();
        }
    }
}

/// A timer that can be reset. Boxed, as a `Sleep` is large and its owner may be moved.
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
    ready: ReadyBit,
}

impl Timer {
    pub(super) fn reset(&mut self, time: Instant) {
        self.sleep.as_mut().reset(time);
    }

    /// Ready from its time on, until it is reset.
    pub(super) fn poll(&mut self, task: &Context<'_>) -> Poll<()> {
        self.ready.poll(task, |task| self.sleep.as_mut().poll(task))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    #[tokio::test]
    async fn it_is_polled_only_when_it_was_woken() {
        let (yes, answer) = oneshot::channel::<u32>();
        let polls = Cell::new(0);
        let mut answer = pin!(answer);
        let set = ReadySet::new();
        let mut rare = pin!(set.when_woken(std::future::poll_fn(|task| {
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

    #[tokio::test(start_paused = true)]
    async fn a_timer_fires_again_when_it_was_reset() {
        let set = ReadySet::new();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut timer = set.timer(at(5));
        let fires = async |timer: &mut Timer| {
            std::future::poll_fn(|task| timer.poll(task)).await;
            start.elapsed().as_secs()
        };
        assert_eq!(fires(&mut timer).await, 5);
        assert_eq!(fires(&mut timer).await, 5, "until it is set");
        for (time, first) in [(9, false), (12, true), (10, true)] {
            timer.reset(at(time));
            let polled = futures_util::poll!(std::future::poll_fn(|task| timer.poll(task)));
            assert!(polled.is_pending(), "{time}, {first}");
        }
        assert_eq!(fires(&mut timer).await, 10, "set later and then earlier while it is waited for");
    }

    /// Many messages from another thread, read both by waiting and without waiting beside a second inbox: none is
    /// missed.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_wake_is_missed() {
        const MESSAGES: u32 = 20_000;
        let (sender, mut inbox) = mpsc::channel(64);
        let (other_sender, mut other_inbox) = mpsc::channel(64);
        let reader = tokio::spawn(async move {
            let set = ReadySet::new();
            let (ready, other_ready) = (set.register(), set.register());
            let (mut count, mut others) = (0, 0);
            while count < MESSAGES || others < MESSAGES {
                std::future::poll_fn(|task| {
                    if let Poll::Ready(Some(next)) = ready.poll(task, |task| inbox.poll_recv(task)) {
                        assert_eq!(next, count);
                        count += 1;
                        return Poll::Ready(());
                    }
                    let other = other_ready.poll(task, |task| other_inbox.poll_recv(task));
                    if let Poll::Ready(Some(next)) = other {
                        assert_eq!(next, others);
                        others += 1;
                        return Poll::Ready(());
                    }
                    Poll::Pending
                })
                .await;
                while let Poll::Ready(Some(next)) = ready.poll_now(|task| inbox.poll_recv(task)) {
                    assert_eq!(next, count);
                    count += 1;
                }
            }
            (count, others)
        });
        let send = async |sender: mpsc::Sender<u32>, every: u32| {
            for message in 0..MESSAGES {
                sender.send(message).await.unwrap();
                if message % every == 0 {
                    tokio::task::yield_now().await;
                }
            }
            sender
        };
        let other = tokio::spawn(async move { send(other_sender, 5).await });
        let _sender = send(sender, 7).await;
        let _other_sender = other.await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(30), reader).await;
        assert_eq!(read.expect("it sleeps").unwrap(), (MESSAGES, MESSAGES));
    }
}
