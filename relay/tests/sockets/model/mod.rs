//! Ingest, store and watch together against a plain model, through everything that a bad day brings: samples
//! lost, repeated, disordered and spoiled, connections that break off or are taken over, and restarts.
//!
//! A connection that ends in mid-stream leaves open how many of its messages were taken. The model keeps all
//! the answers that the contract allows, one for each message, and what the relay then says must be one of them.

mod plain;
mod steps;

use std::collections::BTreeSet;

use mien_shared::SessionId;
use proptest::prelude::*;
use serde_json::{Value, json};

use mien_in_process::Relay;
use mien_in_process::client::{Client, Heard};
use mien_in_process::samples::sample;

use self::plain::Model;
use self::steps::{Sent, Step, any_step};

/// A watcher and what it saw.
struct Watcher {
    client: Client,
    /// It must see all that is stored after this.
    from: u64,
    seen: Vec<u64>,
}

impl Watcher {
    /// Where it is.
    fn place(&self) -> u64 {
        self.seen.last().copied().unwrap_or(self.from)
    }

    fn note(&mut self, message: &Value) -> Result<(), TestCaseError> {
        for seq in seqs(message) {
            prop_assert!(seq > self.place(), "{} came after {}", seq, self.place());
            self.seen.push(seq);
        }
        Ok(())
    }
}

/// Seqs of the samples that a watcher was sent.
fn seqs(message: &Value) -> Vec<u64> {
    let samples = message["samples"].as_array().map_or(&[][..], Vec::as_slice);
    samples.iter().map(|one| one["seq"].as_u64().unwrap()).collect()
}

struct Day {
    relay: Relay,
    session: SessionId,
    source: Client,
    watchers: Vec<Watcher>,
    /// What is certain.
    model: Model,
    /// Messages whose answers have not been heard yet.
    open: Vec<Vec<(u64, bool)>>,
    /// The highest ack ever heard.
    acked: u64,
}

impl Day {
    async fn begin() -> Self {
        let relay = Relay::start().await;
        let session = relay.session().await;
        let (source, _) = relay.ingest(session).await;
        Self {
            relay,
            session,
            source,
            watchers: Vec::new(),
            model: Model::default(),
            open: Vec::new(),
            acked: 0,
        }
    }

    async fn step(mut self, step: Step) -> Result<Self, TestCaseError> {
        match step {
            Step::Send(messages) => {
                for message in messages {
                    self.send(&message).await;
                }
            }
            Step::Settle => self.settle().await?,
            Step::BreakOff => {
                let (source, welcome) = {
                    // Gone before the new one comes, and without a word.
                    drop(self.source);
                    self.relay.ingest(self.session).await
                };
                self.source = source;
                self.resume(&welcome).await?;
            }
            Step::TakeOver => {
                let (source, welcome) = self.relay.ingest(self.session).await;
                let mut before = std::mem::replace(&mut self.source, source);
                let (code, said) = before.closed().await;
                prop_assert_eq!(code, 4409);
                self.hear_acks(&said)?;
                self.resume(&welcome).await?;
            }
            Step::Restart => return self.restart().await,
            Step::Join { live } => {
                // Live means from what is stored now, which must be known here, too.
                self.settle().await?;
                let since = if live { Value::Null } else { json!({}) };
                let (client, _) = self.relay.watch(self.session, since).await;
                let from = if live { self.model.through } else { 0 };
                self.watchers.push(Watcher { client, from, seen: Vec::new() });
            }
            Step::Rejoin(which) => self.rejoin(which).await?,
        }
        Ok(self)
    }

    /// Seqs are counted from the last one that was sent, whether it was taken or not.
    async fn send(&mut self, message: &[Sent]) {
        let tip = self.open.iter().flatten().map(|(seq, _)| *seq).fold(self.model.through, u64::max);
        let message: Vec<(u64, bool)> =
            message.iter().map(|&(offset, good)| (tip.saturating_add_signed(offset).max(1), good)).collect();
        let samples: Vec<Value> = message
            .iter()
            .map(|&(seq, good)| if good { sample(seq) } else { json!({"seq": seq, "at": "soon"}) })
            .collect();
        self.source.say(&json!({"type": "samples", "samples": samples})).await;
        self.open.push(message);
    }

    /// Sends one more good sample; once that is acked, everything before it is answered.
    async fn settle(&mut self) -> Result<(), TestCaseError> {
        self.send(&[(1, true)]).await;
        let mut expected = Vec::new();
        for message in self.open.drain(..) {
            expected.extend(self.model.take(&message));
        }
        let mut refused = Vec::new();
        while self.acked < self.model.through {
            let message = self.source.hear_message().await;
            match message["type"].as_str().unwrap() {
                "ack" => self.hear_acks(&[message])?,
                "reject" => refused
                    .push((message["seq"].as_u64().unwrap(), message["code"].as_str().unwrap().to_owned())),
                _ => prop_assert!(false, "{}", message),
            }
        }
        let refused: Vec<(u64, &str)> = refused.iter().map(|(seq, code)| (*seq, code.as_str())).collect();
        // Some may have been told before the last connection ended.
        prop_assert!(expected.ends_with(&refused), "{:?} refused, not {:?}", refused, expected);
        self.assert_state().await
    }

    fn hear_acks(&mut self, messages: &[Value]) -> Result<(), TestCaseError> {
        for message in messages.iter().filter(|message| message["type"] == "ack") {
            let through = message["through"].as_u64().unwrap();
            prop_assert!(through >= self.acked, "an ack went back from {} to {}", self.acked, through);
            prop_assert!(self.open.is_empty() || through <= self.tip(), "acked what was never sent");
            self.acked = through;
        }
        Ok(())
    }

    fn tip(&self) -> u64 {
        self.open.iter().flatten().map(|(seq, _)| *seq).fold(self.model.through, u64::max)
    }

    /// A new connection was told how far the source has come: that, and what is stored, must be what follows
    /// from some of the messages that were open, without a hole and in order.
    async fn resume(&mut self, welcome: &Value) -> Result<(), TestCaseError> {
        let through = welcome["through"].as_u64().unwrap();
        prop_assert!(through >= self.acked, "{} was acked, {} is known", self.acked, through);
        let stored: BTreeSet<u64> = self.relay.stored(self.session).await.into_iter().collect();
        let mut possible = self.model.clone();
        let mut open = std::mem::take(&mut self.open).into_iter();
        while possible.through != through || possible.stored != stored || !self.agrees(&possible).await {
            let Some(message) = open.next() else {
                return Err(TestCaseError::fail(format!(
                    "through {through} and {stored:?} follow from nothing"
                )));
            };
            possible.take(&message);
        }
        self.model = possible;
        // A welcome answers for as much as an ack.
        self.acked = through;
        Ok(())
    }

    /// Whether the store counts as many refused samples.
    async fn agrees(&self, model: &Model) -> bool {
        let states = self.relay.state.store.source_states(self.session).await.unwrap();
        states[0].rejected == model.rejected.len() as u64
    }

    async fn assert_state(&self) -> Result<(), TestCaseError> {
        let stored: BTreeSet<u64> = self.relay.stored(self.session).await.into_iter().collect();
        prop_assert_eq!(&stored, &self.model.stored);
        let state = self.relay.state.store.source_states(self.session).await.unwrap().remove(0);
        let missing: Vec<u64> = state.gaps.iter().flat_map(|&[first, last]| first..=last).collect();
        let Model { stored, rejected, through } = &self.model;
        let expected: Vec<u64> =
            (1..=*through).filter(|seq| !stored.contains(seq) && !rejected.contains(seq)).collect();
        prop_assert_eq!(missing, expected);
        prop_assert_eq!(state.rejected, rejected.len() as u64);
        Ok(())
    }

    /// In order: everyone is told, and whoever comes again finds all that was acked.
    async fn restart(self) -> Result<Self, TestCaseError> {
        let Self { relay, session, mut source, watchers, model, open, acked } = self;
        // Each goes as soon as it was told, as the relay waits for that.
        let source = async move { source.closed().await };
        let watchers = async {
            let mut ended = Vec::new();
            for Watcher { mut client, from, seen } in watchers {
                ended.push((client.closed().await, from, seen));
            }
            ended
        };
        let (relay, (code, said), ended) = tokio::join!(relay.restart(), source, watchers);
        prop_assert_eq!(code, 1012);
        let (source, welcome) = relay.ingest(session).await;
        let mut day = Self { relay, session, source, watchers: Vec::new(), model, open, acked };
        day.hear_acks(&said)?;
        let acked = day.acked;
        day.resume(&welcome).await?;
        prop_assert_eq!(acked, day.model.through, "what was taken was acked before the end");
        for ((code, said), from, seen) in ended {
            prop_assert_eq!(code, 1012);
            let place = said.iter().flat_map(seqs).chain(seen.iter().copied()).fold(from, u64::max);
            let client = day.relay.watch(session, json!({"main": place})).await.0;
            let mut watcher = Watcher { client, from, seen };
            for message in &said {
                watcher.note(message)?;
            }
            day.watchers.push(watcher);
        }
        Ok(day)
    }

    async fn rejoin(&mut self, which: usize) -> Result<(), TestCaseError> {
        if self.watchers.is_empty() {
            return Ok(());
        }
        let which = which % self.watchers.len();
        let watcher = &mut self.watchers[which];
        // Half of what it has not seen of what is certain.
        let unseen: Vec<u64> = self.model.stored.range(watcher.place() + 1..).copied().collect();
        if let Some(goal) = unseen.get(unseen.len() / 2) {
            while watcher.place() < *goal {
                let message = watcher.client.hear_message().await;
                watcher.note(&message)?;
            }
        }
        let since = json!({"main": watcher.place()});
        watcher.client = self.relay.watch(self.session, since).await.0;
        Ok(())
    }

    /// Everyone has seen everything, once.
    async fn end(mut self) -> Result<(), TestCaseError> {
        self.settle().await?;
        for watcher in &mut self.watchers {
            let expected: Vec<u64> = self.model.stored.range(watcher.from + 1..).copied().collect();
            while watcher.seen.len() < expected.len() {
                match watcher.client.hear().await {
                    Heard::Message(message) => watcher.note(&message)?,
                    Heard::Closed(code) => return Err(TestCaseError::fail(format!("closed with {code}"))),
                }
            }
            prop_assert_eq!(&watcher.seen, &expected);
        }
        Ok(())
    }
}

async fn live(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut day = Day::begin().await;
    for step in steps {
        day = day.step(step).await?;
    }
    day.end().await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_over_any_sequence_of_events(steps in proptest::collection::vec(any_step(), 1..24)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(live(steps))?;
    }
}
