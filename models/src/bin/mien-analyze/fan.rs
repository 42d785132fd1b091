//! Fans pictures out over threads, each of which works on one at a time, and brings the answers back together.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{io, thread};

use anyhow::bail;
use mien_models::Analyzer;
use mien_models::picture::PictureError;

use crate::fault::Fault;
use crate::queue::Queue;
use crate::reading::{Found, Reading};
use crate::source::{Label, Source, Waiting};

/// How many pictures per thread may be finished or begun while an earlier one is still in progress: one slow picture
/// then neither holds up the others nor makes all results pile up in memory.
const AHEAD: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    AsGiven,
    AsTheyCome,
}

pub(crate) type Answer = (Label, Result<Found, Fault>);

/// Calls `take` with each answer. Its error ends everything.
pub(crate) fn read_all(
    source: Source,
    (reading, analyzers, order): (Reading, Vec<Analyzer>, Order),
    take: impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    let window = analyzers.len() * AHEAD;
    let queue = Arc::new(Queue::new(source, window));
    let (sender, receiver) = sync_channel(window);
    for analyzer in analyzers {
        let (sender, queue) = (sender.clone(), Arc::clone(&queue));
        // Not waited for: if results cannot be written, a thread may still wait for a stream that says nothing.
        thread::spawn(move || work(analyzer, reading, &queue, &sender));
    }
    drop(sender);
    let taken = gather(receiver, order, &queue, take);
    queue.stop();
    taken
}

/// One for each thread, loaded side by side.
pub(crate) fn analyzers(reading: Reading, threads: usize) -> anyhow::Result<Vec<Analyzer>> {
    thread::scope(|scope| {
        let loading: Vec<_> = (0..threads).map(|_| scope.spawn(|| reading.analyzer())).collect();
        let loaded = |one: thread::ScopedJoinHandle<'_, _>| match one.join() {
            Ok(analyzer) => analyzer,
            Err(_) => bail!("a thread ended while it loaded the models"),
        };
        loading.into_iter().map(loaded).collect()
    })
}

fn work(
    mut analyzer: Analyzer,
    reading: Reading,
    queue: &Queue<Source>,
    sender: &SyncSender<(usize, Answer)>,
) {
    while let Some((place, Waiting { label, picture })) = queue.next() {
        // A decoder that panics on a crafted file loses that one picture, not the thread that others wait for.
        let found = catch_unwind(AssertUnwindSafe(|| reading.read(&mut analyzer, picture)))
            .unwrap_or(Err(Fault::Picture(PictureError::GaveUp)));
        if sender.send((place, (label, found))).is_err() {
            return;
        }
    }
}

/// Takes the receiver, so that threads whose answers nobody wants any more do not wait to hand them in.
fn gather(
    receiver: Receiver<(usize, Answer)>,
    order: Order,
    queue: &Queue<Source>,
    mut take: impl FnMut(Answer) -> io::Result<()>,
) -> io::Result<()> {
    // Bounded, because the queue limits how far ahead the threads run.
    let mut early = BTreeMap::new();
    let mut written = 0;
    for (place, answer) in receiver {
        early.insert(if order == Order::AsGiven { place } else { written }, answer);
        while let Some(answer) = early.remove(&written) {
            take(answer)?;
            written += 1;
            queue.written(written);
        }
    }
    Ok(())
}
