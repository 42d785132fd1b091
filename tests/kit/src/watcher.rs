//! A watcher that records every sample it is shown, and continues where it was after each break.
//!
//! It checks what it sees: within a source seqs only increase, and each sample contains what its seq implies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mien_shared::SessionId;
use mien_shared::api::SourceName;
use mien_shared::protocol::{WatchReply, WatchRequest};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::samples::sample;
use crate::socket::{AWAY, BROKEN, Kind, Missed, connect, hear, say};
use crate::wait::patiently;

const RETRY: Duration = Duration::from_millis(25);
/// Close codes after which a watcher may come back.
const WORTH_RETRYING: [u16; 3] = [BROKEN, 1012, 1013];
/// Size of the kernel's buffer for a watcher that is meant to be slow, bytes.
const SMALL_BUFFER: u32 = 4_096;

/// Whether it reads messages as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    Eager,
    /// With small buffers, and without reading until [`Watcher::read_on`].
    Held,
}

/// Runs until it is finished or dropped.
#[derive(Debug)]
pub struct Watcher {
    notes: Arc<Notes>,
    place: watch::Sender<SocketAddr>,
    held: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Notes {
    state: Mutex<State>,
    /// The last seq of each source.
    places: watch::Sender<BTreeMap<SourceName, u64>>,
}

#[derive(Debug, Default)]
struct State {
    seen: BTreeMap<SourceName, Vec<u64>>,
    closes: Vec<u16>,
}

/// What a watcher saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Seqs of each source in the order in which they came.
    pub seqs: BTreeMap<SourceName, Vec<u64>>,
    pub closes: Vec<u16>,
}

impl Watcher {
    /// Watches from the beginning.
    pub fn start(address: SocketAddr, session: SessionId, token: &str, pace: Pace) -> Self {
        let notes = Arc::<Notes>::default();
        let (place, places) = watch::channel(address);
        let (held, holds) = watch::channel(pace == Pace::Held);
        let receive_bytes = (pace == Pace::Held).then_some(SMALL_BUFFER);
        let token = token.to_owned();
        let runner = Runner { notes: Arc::clone(&notes), places, holds, session, token, receive_bytes };
        Self { notes, place, held, task: tokio::spawn(runner.run()) }
    }

    pub fn closes(&self) -> Vec<u16> {
        self.notes.lock().closes.clone()
    }

    /// Samples seen so far.
    pub fn count(&self) -> usize {
        self.notes.lock().seen.values().map(Vec::len).sum()
    }

    pub fn read_on(&self) {
        self.held.send_replace(false);
    }

    /// Disconnects and continues at another relay.
    pub fn move_to(&self, address: SocketAddr) {
        self.place.send_replace(address);
    }

    /// Returns once it has seen this sample.
    pub async fn sees(&mut self, source: &str, seq: u64) {
        let source: SourceName = source.parse().expect("a source's name");
        let mut places = self.notes.places.subscribe();
        let what = format!("a watcher to see {source} {seq}");
        tokio::select! {
            _ = patiently(&what, places.wait_for(|places| places.get(&source) >= Some(&seq))) => {}
            ended = &mut self.task => panic!("a watcher ended: {ended:?}"),
        }
    }

    /// Disconnects.
    pub async fn finish(self) -> Seen {
        self.task.abort();
        if let Err(cause) = self.task.await
            && let Ok(panic) = cause.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
        let state = self.notes.lock();
        Seen { seqs: state.seen.clone(), closes: state.closes.clone() }
    }
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a watcher that failed has failed its test")
    }
}

struct Runner {
    notes: Arc<Notes>,
    places: watch::Receiver<SocketAddr>,
    holds: watch::Receiver<bool>,
    session: SessionId,
    token: String,
    receive_bytes: Option<u32>,
}

impl Runner {
    async fn run(mut self) {
        let mut places = self.places.clone();
        loop {
            let address = *places.borrow_and_update();
            tokio::select! {
                code = self.talk(address) => if let Some(code) = code {
                    self.notes.lock().closes.push(code);
                    assert!(WORTH_RETRYING.contains(&code), "closed with {code}");
                },
                _ = places.changed() => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// One connection; returns the code with which it was closed, if there was one.
    async fn talk(&mut self, address: SocketAddr) -> Option<u16> {
        let mut socket = match connect(address, self.session, Kind::Watch, self.receive_bytes).await {
            Ok(socket) => socket,
            Err(Missed::Refused(status)) => {
                assert!(AWAY.contains(&status), "refused with {status}");
                return None;
            }
            Err(Missed::Nobody) => return None,
        };
        let since = self.notes.places.borrow().clone();
        if say(&mut socket, &WatchRequest::Hello { token: &self.token, since: Some(&since) }).await.is_err() {
            return Some(hear::<WatchReply>(&mut socket).await.err().unwrap_or(BROKEN));
        }
        loop {
            // The sender lives as long as the watcher.
            let _ = self.holds.wait_for(|held| !held).await;
            match hear::<WatchReply>(&mut socket).await {
                Ok(WatchReply::Samples { source, samples }) => self.note(&source, &samples),
                Ok(WatchReply::Error { code, detail }) => panic!("{code}: {detail}"),
                Ok(_) => {}
                Err(code) => return Some(code),
            }
        }
    }

    fn note(&self, source: &SourceName, samples: &[mien_shared::Sample]) {
        let mut state = self.notes.lock();
        let seen = state.seen.entry(source.clone()).or_default();
        for one in samples {
            let last = seen.last().copied().unwrap_or(0);
            assert!(one.seq > last, "{source}: {} came after {last}", one.seq);
            assert_eq!(*one, sample(one.seq, one.faces.len()), "{source}: not what was sent");
            seen.push(one.seq);
        }
        let last = seen.last().copied().unwrap_or(0);
        drop(state);
        self.notes.places.send_modify(|places| {
            places.insert(source.clone(), last);
        });
    }
}
