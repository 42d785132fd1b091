//! How the relay reads what a client sends.
//!
//! Reading is lenient by rule: one bad sample costs only itself, so a message is decoded sample by sample
//! when it does not decode as a whole.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::api::SourceName;
use crate::limits::{MAX_BATCH, MAX_SAFE_INTEGER};
use crate::object::{Object, objects};
use crate::problem::Code;
use crate::sample::Sample;
use crate::whole::{Read, whole};

/// A message that cannot be used as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct MessageFault {
    pub code: Code,
    pub detail: Cow<'static, str>,
}

impl MessageFault {
    fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// A sample that is refused alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSample {
    pub seq: u64,
    pub detail: String,
}

/// A decoded message of a source's client. Samples stand in the order in which they came.
#[derive(Clone, Debug, PartialEq)]
pub enum IngestMessage {
    Hello { token: String },
    Samples(Vec<Result<Sample, RefusedSample>>),
}

/// A decoded message of a watcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchHello {
    pub token: String,
    pub since: Option<BTreeMap<SourceName, u64>>,
}

#[derive(Deserialize)]
struct WholeSamples<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(deserialize_with = "objects")]
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    token: Option<&'a RawValue>,
    #[serde(borrow)]
    samples: Option<&'a RawValue>,
    #[serde(borrow)]
    since: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OnlySeq {
    #[serde(deserialize_with = "whole")]
    seq: u64,
}

/// Reads one text frame of a source's client.
pub fn read_ingest(text: &str) -> Result<IngestMessage, MessageFault> {
    // What is read as an object must be one: derived readers take a list of the same values, too.
    if !is_object(text) {
        return Err(no_object());
    }
    // The way nearly every message takes: one pass, straight into samples.
    if let Ok(WholeSamples { kind, samples }) = serde_json::from_str::<WholeSamples<'_>>(text)
        && kind == "samples"
    {
        check_count(samples.len())?;
        // A seq out of range condemns the message, as one that cannot be read does.
        if let Some(place) = samples.iter().position(|s| !(1..=MAX_SAFE_INTEGER).contains(&s.seq)) {
            return Err(unreadable_seq(place));
        }
        return Ok(IngestMessage::Samples(samples.into_iter().map(refuse_invalid).collect()));
    }
    let envelope = envelope(text)?;
    match kind(&envelope)?.as_str() {
        "hello" => Ok(IngestMessage::Hello { token: token(&envelope) }),
        "samples" => one_by_one(&envelope).map(IngestMessage::Samples),
        _ => Err(MessageFault::new(Code::UnknownType, "type is neither hello nor samples")),
    }
}

/// Reads one text frame of a watcher. All that a watcher may say is hello.
pub fn read_watch(text: &str) -> Result<WatchHello, MessageFault> {
    let envelope = envelope(text)?;
    if kind(&envelope)? != "hello" {
        return Err(MessageFault::new(Code::UnknownType, "type is not hello"));
    }
    let since: Option<BTreeMap<SourceName, Read<u64>>> = match envelope.since {
        None => None,
        Some(raw) => serde_json::from_str(raw.get())
            .map_err(|_| MessageFault::new(Code::Malformed, "since is not an object of seqs by source"))?,
    };
    let since: Option<BTreeMap<SourceName, u64>> =
        since.map(|since| since.into_iter().map(|(source, Read(seq))| (source, seq)).collect());
    if since.as_ref().is_some_and(|since| since.values().any(|&seq| seq > MAX_SAFE_INTEGER)) {
        return Err(MessageFault::new(Code::Malformed, "a seq in since is over 2^53−1"));
    }
    Ok(WatchHello { token: token(&envelope), since })
}

fn envelope(text: &str) -> Result<Envelope<'_>, MessageFault> {
    if !is_object(text) {
        return Err(no_object());
    }
    serde_json::from_str(text).map_err(|_| no_object())
}

fn is_object(json: &str) -> bool {
    json.trim_ascii_start().starts_with('{')
}

fn no_object() -> MessageFault {
    MessageFault::new(Code::Malformed, "the message is not a JSON object")
}

fn kind(envelope: &Envelope<'_>) -> Result<String, MessageFault> {
    envelope
        .kind
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .ok_or_else(|| MessageFault::new(Code::UnknownType, "the message has no type"))
}

/// A hello without a readable token is still a hello: its token is then a bad one.
fn token(envelope: &Envelope<'_>) -> String {
    envelope.token.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}

fn one_by_one(envelope: &Envelope<'_>) -> Result<Vec<Result<Sample, RefusedSample>>, MessageFault> {
    let raws: Vec<&RawValue> = envelope
        .samples
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .ok_or_else(|| MessageFault::new(Code::Malformed, "samples is not a list"))?;
    check_count(raws.len())?;
    raws.iter()
        .enumerate()
        .map(|(place, raw)| {
            let Object(OnlySeq { seq }) =
                serde_json::from_str(raw.get()).map_err(|_| unreadable_seq(place))?;
            if !(1..=MAX_SAFE_INTEGER).contains(&seq) {
                return Err(unreadable_seq(place));
            }
            Ok(match serde_json::from_str(raw.get()) {
                Ok(Object(sample)) => refuse_invalid(sample),
                Err(cause) => Err(RefusedSample { seq, detail: describe(&cause) }),
            })
        })
        .collect()
}

fn check_count(count: usize) -> Result<(), MessageFault> {
    match count {
        0 => Err(MessageFault::new(Code::EmptyBatch, "samples is empty")),
        1..=MAX_BATCH => Ok(()),
        _ => Err(MessageFault::new(Code::TooManySamples, format!("{count} samples; at most {MAX_BATCH}"))),
    }
}

fn unreadable_seq(place: usize) -> MessageFault {
    MessageFault::new(Code::Malformed, format!("samples[{place}].seq is not a number in 1 … 2^53−1"))
}

fn refuse_invalid(sample: Sample) -> Result<Sample, RefusedSample> {
    match sample.validate() {
        Ok(()) => Ok(sample),
        Err(fault) => Err(RefusedSample { seq: sample.seq, detail: fault.to_string() }),
    }
}

/// serde_json's own text names kinds and places; its quotes of the input are cut, so no value is echoed.
fn describe(cause: &serde_json::Error) -> String {
    match cause.classify() {
        serde_json::error::Category::Data => {
            let text = cause.to_string();
            let what =
                ["missing field", "duplicate field", "invalid length", "unknown variant", "invalid value"]
                    .into_iter()
                    .find(|known| text.starts_with(known))
                    .unwrap_or("invalid type");
            format!("{what} at column {}", cause.column())
        }
        _ => format!("a number or the nesting is out of range at column {}", cause.column()),
    }
}
