//! Polls only what was woken.
//!
//! A task that waits for several things polls all of them whenever one of them wakes it. With thousands of
//! connections none of it is in the processor's cache, and looking in vain costs as much as the message. What is
//! polled behind a bell is left alone until it has rung; and all bells of a task hang together, so that one look
//! tells which have.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::time::{Instant, Sleep};

/// All bells of one task.
pub(super) struct Bells(Arc<Tower>);

#[derive(Default)]
struct Tower {
    /// A bit for each bell.
    rung: AtomicU32,
    hung: AtomicU32,
    /// The task. Kept when a bell rings, so that it need not be told anew who listens.
    listener: Mutex<Option<Waker>>,
}

impl Bells {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// One more bell. It has rung, as nothing was polled yet.
    pub(super) fn hang(&self) -> Bell {
        let place = self.0.hung.fetch_add(1, Ordering::Relaxed);
        assert!(place < u32::BITS, "a task has a handful of bells, all hung before it waits");
        let bit = 1 << place;
        self.0.rung.fetch_or(bit, Ordering::Release);
        Bell {
            waker: Waker::from(Arc::new(Rope { tower: Arc::clone(&self.0), bit })),
            tower: Arc::clone(&self.0),
            bit,
        }
    }

    /// A future that is polled only when it was woken: for what happens at most once in a connection's life.
    pub(super) fn rarely<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let bell = self.hang();
        async move {
            let mut future = pin!(future);
            std::future::poll_fn(|task| bell.poll(task, |task| future.as_mut().poll(task))).await
        }
    }

    /// One that rings at `time`.
    pub(super) fn alarm(&self, time: Instant) -> Alarm {
        Alarm { sleep: Box::pin(tokio::time::sleep_until(time)), bell: self.hang() }
    }
}

/// Belongs to one thing that is polled, and is rung by it.
pub(super) struct Bell {
    tower: Arc<Tower>,
    bit: u32,
    /// Pulls the rope.
    waker: Waker,
}

struct Rope {
    tower: Arc<Tower>,
    bit: u32,
}

impl Bell {
    /// Polls if the bell has rung. What is ready may be so again, so it is polled the next time, too.
    pub(super) fn poll<T>(
        &self,
        task: &Context<'_>,
        polls: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // Before it is looked at, so that nothing that rings in between is slept through.
        self.tower.listen(task.waker());
        self.poll_now(polls)
    }

    /// The same for someone who does not wait.
    pub(super) fn poll_now<T>(&self, polls: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        if self.tower.rung.load(Ordering::Acquire) & self.bit == 0 {
            return Poll::Pending;
        }
        self.tower.rung.fetch_and(!self.bit, Ordering::AcqRel);
        let polled = polls(&mut Context::from_waker(&self.waker));
        if polled.is_ready() {
            self.tower.rung.fetch_or(self.bit, Ordering::Release);
        }
        polled
    }
}

impl Tower {
    fn listen(&self, waker: &Waker) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        if !listener.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *listener = Some(waker.clone());
        }
    }
}

impl Wake for Rope {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One that has rung already has woken its task, or is looked at when it comes.
        if self.tower.rung.fetch_or(self.bit, Ordering::AcqRel) & self.bit == 0
            && let Some(task) = &*self.tower.listener.lock().unwrap_or_else(PoisonError::into_inner)
        {
            task.wake_by_ref();
        }
    }
}

/// A bell that rings at a time. Behind a box, as a timer is large and its owner may be moved.
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    bell: Bell,
}

impl Alarm {
    pub(super) fn set(&mut self, time: Instant) {
        self.sleep.as_mut().reset(time);
    }

    /// Ready from its time on, until it is set anew.
    pub(super) fn poll(&mut self, task: &Context<'_>) -> Poll<()> {
        self.bell.poll(task, |task| self.sleep.as_mut().poll(task))
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
        let bells = Bells::new();
        let mut rare = pin!(bells.rarely(std::future::poll_fn(|task| {
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
    async fn an_alarm_rings_again_when_it_was_set_anew() {
        let bells = Bells::new();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut alarm = bells.alarm(at(5));
        let rings = async |alarm: &mut Alarm| {
            std::future::poll_fn(|task| alarm.poll(task)).await;
            start.elapsed().as_secs()
        };
        assert_eq!(rings(&mut alarm).await, 5);
        assert_eq!(rings(&mut alarm).await, 5, "until it is set");
        for (set, first) in [(9, false), (12, true), (10, true)] {
            alarm.set(at(set));
            let polled = futures_util::poll!(std::future::poll_fn(|task| alarm.poll(task)));
            assert!(polled.is_pending(), "{set}, {first}");
        }
        assert_eq!(rings(&mut alarm).await, 10, "set later and then earlier while it is waited for");
    }

    /// Many messages from another thread, read by waiting and in passing beside a second inbox: none is slept
    /// through.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_slept_through() {
        const MESSAGES: u32 = 20_000;
        let (sender, mut inbox) = mpsc::channel(64);
        let (other_sender, mut other_inbox) = mpsc::channel(64);
        let reader = tokio::spawn(async move {
            let bells = Bells::new();
            let (bell, other_bell) = (bells.hang(), bells.hang());
            let (mut count, mut others) = (0, 0);
            while count < MESSAGES || others < MESSAGES {
                std::future::poll_fn(|task| {
                    if let Poll::Ready(Some(next)) = bell.poll(task, |task| inbox.poll_recv(task)) {
                        assert_eq!(next, count);
                        count += 1;
                        return Poll::Ready(());
                    }
                    let other = other_bell.poll(task, |task| other_inbox.poll_recv(task));
                    if let Poll::Ready(Some(next)) = other {
                        assert_eq!(next, others);
                        others += 1;
                        return Poll::Ready(());
                    }
                    Poll::Pending
                })
                .await;
                while let Poll::Ready(Some(next)) = bell.poll_now(|task| inbox.poll_recv(task)) {
                    assert_eq!(next, count);
                    count += 1;
                }
            }
            (count, others)
        });
        let send = async |sender: mpsc::Sender<u32>, rests: u32| {
            for message in 0..MESSAGES {
                sender.send(message).await.unwrap();
                if message % rests == 0 {
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
