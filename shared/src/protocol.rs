//! The WebSocket messages of `mien.v1`, and how the relay reads what a client sends.
//!
//! Reading is lenient by rule: one bad sample costs only itself, so a message is decoded sample by sample
//! when it does not decode as a whole.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::{SessionId, SessionStatus, SourceName};
use crate::expression::Expression;
use crate::limits::{MAX_BATCH, MAX_FACES, MAX_MESSAGE_BYTES, MAX_SAFE_INTEGER};
use crate::problem::Code;
use crate::sample::{Object, Sample, objects};
use crate::whole::{Read, whole};

pub const SUBPROTOCOL: &str = "mien.v1";

/// What a source's client sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum IngestRequest<'a> {
    Hello {
        token: &'a str,
    },
    Samples {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SampleBatch))]
        samples: &'a [Sample],
    },
}

/// What the relay answers a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum IngestReply {
    Welcome(IngestWelcome),
    /// Every sample up to `through` is durably committed or was rejected.
    Ack {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Through))]
        through: u64,
    },
    /// This one sample is refused for good.
    Reject {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Seq))]
        seq: u64,
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::ErrorCode))]
        code: Code,
        detail: String,
    },
    /// Samples from `from` on were not taken; send them again after the pause.
    Throttle {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Seq))]
        from: u64,
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Milliseconds))]
        retry_after_ms: u64,
    },
    /// The message as a whole could not be used.
    Error {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::ErrorCode))]
        code: Code,
        detail: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IngestWelcome {
    pub session: SessionId,
    pub source: SourceName,
    /// Go on from `through` + 1.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Through))]
    pub through: u64,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Expressions))]
    pub expressions: Vec<Expression>,
    /// Unix milliseconds.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::UnixMilliseconds))]
    pub server_time: u64,
    pub limits: IngestLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct IngestLimits {
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SampleCount))]
    pub samples_per_second: u32,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SampleCount))]
    pub burst: u32,
    pub max_batch: usize,
    pub max_message_bytes: usize,
    pub max_faces: usize,
}

impl IngestLimits {
    pub const fn new(samples_per_second: u32, burst: u32) -> Self {
        Self {
            samples_per_second,
            burst,
            max_batch: MAX_BATCH,
            max_message_bytes: MAX_MESSAGE_BYTES,
            max_faces: MAX_FACES,
        }
    }
}

/// What a watcher sends: `since` names the last seq seen of each source; absent means live from now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum WatchRequest<'a> {
    Hello {
        token: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schema(value_type = Option<BTreeMap<SourceName, crate::schema::Through>>))]
        since: Option<&'a BTreeMap<SourceName, u64>>,
    },
}

/// What the relay sends a watcher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum WatchReply {
    Welcome(WatchWelcome),
    Samples {
        source: SourceName,
        samples: Vec<Sample>,
    },
    /// Sources and watchers connected now, oneself included.
    Presence {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SourceNames))]
        sources: Vec<SourceName>,
        watchers: u64,
    },
    Session {
        status: SessionStatus,
    },
    Error {
        #[cfg_attr(feature = "schema", schema(value_type = crate::schema::ErrorCode))]
        code: Code,
        detail: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct WatchWelcome {
    pub session: SessionId,
    pub status: SessionStatus,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::Expressions))]
    pub expressions: Vec<Expression>,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::SourceNames))]
    pub sources: Vec<SourceName>,
    pub watchers: u64,
    /// The seq of each source's newest stored sample at this moment, 0 where none is stored: whoever has seen that
    /// has caught up, and whoever begins behind it sees only what is new. Absent from an older relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughs: Option<BTreeMap<SourceName, u64>>,
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Scores;
    use crate::sample::{Face, FaceBox};
    use proptest::prelude::*;

    const GOOD: &str = r#"{"seq":7,"at":1,"faces":[]}"#;

    fn samples(list: &str) -> Result<IngestMessage, MessageFault> {
        read_ingest(&format!(r#"{{"type":"samples","samples":[{list}]}}"#))
    }

    fn refused(list: &str) -> Vec<u64> {
        match samples(list).unwrap() {
            IngestMessage::Samples(samples) => {
                samples.into_iter().filter_map(Result::err).map(|refused| refused.seq).collect()
            }
            IngestMessage::Hello { .. } => panic!("not samples"),
        }
    }

    #[test]
    fn a_bad_sample_is_refused_alone() {
        for bad in [
            r#"{"seq":8,"at":-1,"faces":[]}"#,
            r#"{"seq":8,"at":1}"#,
            r#"{"seq":8,"at":1,"faces":7}"#,
            r#"{"seq":8,"at":1e999,"faces":[]}"#,
            r#"{"seq":8,"at":1,"faces":[[1,[0,0,1,1],null,[1,0,0,0,0,0,0],null]]}"#,
            r#"{"seq":8,"at":1,"faces":[{"id":1,"box":[0,0,1e999,1],"expression":null,"scores":[1,0,0,0,0,0,0]}]}"#,
            r#"{"seq":8,"at":1,"faces":[{"id":1,"box":[0,0,1,1],"expression":"joy","scores":[1,0,0,0,0,0,0]}]}"#,
            r#"{"seq":8,"at":1,"faces":[{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0]}]}"#,
            r#"{"seq":8,"at":1,"faces":[{"id":-1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0]}]}"#,
        ] {
            assert_eq!(refused(&format!("{GOOD},{bad}")), [8], "{bad}");
        }
        let deep = format!(r#"{{"seq":8,"at":1,"faces":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(refused(&format!("{GOOD},{deep}")), [8]);
    }

    #[test]
    fn unknown_fields_are_ignored_however_deep() {
        let deep = format!(r#"{{"seq":8,"at":1,"faces":[],"x":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(refused(&deep), [0_u64; 0]);
    }

    #[test]
    fn a_message_that_cannot_be_used_says_why() {
        let check = |text: &str, code: Code| assert_eq!(read_ingest(text).unwrap_err().code, code, "{text}");
        check("", Code::Malformed);
        check("[]", Code::Malformed);
        check("null", Code::Malformed);
        check(r#"["samples",[{"seq":1,"at":1,"faces":[]}]]"#, Code::Malformed);
        check(r#"["hello","token",null,null]"#, Code::Malformed);
        check(r#"{"type":"samples","samples":[[1,1,[]]]}"#, Code::Malformed);
        check(r#"{"type":"samples"}"#, Code::Malformed);
        check(r#"{"type":"samples","samples":{}}"#, Code::Malformed);
        check(r#"{"type":"samples","samples":[]}"#, Code::EmptyBatch);
        check(r#"{"type":"samples","samples":[7]}"#, Code::Malformed);
        check(r#"{"type":"samples","samples":[{"seq":0,"at":1,"faces":[]}]}"#, Code::Malformed);
        check(
            r#"{"type":"samples","samples":[{"seq":9007199254740992,"at":1,"faces":[]}]}"#,
            Code::Malformed,
        );
        check(r#"{"type":"samples","samples":[{"seq":"1","at":1,"faces":[]}]}"#, Code::Malformed);
        check(r#"{"type":"sample"}"#, Code::UnknownType);
        check(r#"{"type":7}"#, Code::UnknownType);
        check("{}", Code::UnknownType);
        let many = vec![GOOD; MAX_BATCH + 1].join(",");
        assert_eq!(samples(&many).unwrap_err().code, Code::TooManySamples);
        assert!(samples(&vec![GOOD; MAX_BATCH].join(",")).is_ok());
    }

    #[test]
    fn hello_without_a_readable_token_is_a_hello_with_a_bad_one() {
        for text in
            [r#"{"type":"hello"}"#, r#"{"type":"hello","token":7}"#, r#"{"token":null,"type":"hello"}"#]
        {
            assert_eq!(read_ingest(text), Ok(IngestMessage::Hello { token: String::new() }), "{text}");
        }
    }

    #[test]
    fn since_tells_live_from_start() {
        let since = |text: &str| read_watch(text).map(|hello| hello.since);
        assert_eq!(since(r#"{"type":"hello","token":"t"}"#), Ok(None));
        assert_eq!(since(r#"{"type":"hello","token":"t","since":null}"#), Ok(None));
        assert_eq!(since(r#"{"type":"hello","token":"t","since":{}}"#), Ok(Some(BTreeMap::new())));
        let one = BTreeMap::from([(SourceName::default(), 12)]);
        assert_eq!(since(r#"{"type":"hello","token":"t","since":{"main":12}}"#), Ok(Some(one)));
        for bad in [r#"{"A":1}"#, r#"{"main":-1}"#, r#"{"main":9007199254740992}"#, "7"] {
            let fault = since(&format!(r#"{{"type":"hello","token":"t","since":{bad}}}"#)).unwrap_err();
            assert_eq!(fault.code, Code::Malformed);
        }
    }

    prop_compose! {
        fn any_face()(id: u32, left in -1.0_f32..=2.0, top in -1.0_f32..=2.0, width in 0.001_f32..=2.0,
                      height in 0.001_f32..=2.0, label in 0..8_usize, at in 0..7_usize,
                      share in 0.0_f32..=1.0, quality in proptest::option::of(0.0_f32..=1.0)) -> Face {
            let mut scores = [0.0; 7];
            scores[at] = share;
            scores[(at + 1) % 7] = 1.0 - share;
            Face { id, bounds: FaceBox { left, top, width, height }, expression: Expression::from_index(label),
                   scores: Scores(scores), quality }
        }
    }

    prop_compose! {
        fn any_sample()(seq in 1..=MAX_SAFE_INTEGER, at in 0..=MAX_SAFE_INTEGER,
                        faces in proptest::collection::vec(any_face(), 0..4)) -> Sample {
            Sample::new(seq, at, faces)
        }
    }

    proptest! {
        #[test]
        fn samples_arrive_as_they_were_sent(sent in proptest::collection::vec(any_sample(), 1..8)) {
            let text = serde_json::to_string(&IngestRequest::Samples { samples: &sent }).unwrap();
            let expected = sent.into_iter().map(Ok).collect();
            prop_assert_eq!(read_ingest(&text), Ok(IngestMessage::Samples(expected)));
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = read_ingest(&text);
            let _ = read_watch(&text);
        }

        #[test]
        fn near_json_never_panics_and_never_lets_an_invalid_sample_through(
            value in r#"(-?[0-9]{1,20}(\.[0-9]{1,5})?(e[0-9]{1,3})?|null|true|"[a-z]{0,5}"|\[\]|\{\})"#,
            place in 0..5_usize,
        ) {
            let mut fields = ["7", "1", "0.1", "1.0", "0.5"].map(str::to_owned);
            fields[place] = value;
            let [seq, at, left, score, quality] = fields;
            let text = format!(
                r#"{{"type":"samples","samples":[{{"seq":{seq},"at":{at},"faces":[{{"id":1,"box":[{left},0,1,1],"expression":null,"scores":[{score},0,0,0,0,0,0],"quality":{quality}}}]}}]}}"#
            );
            if let Ok(IngestMessage::Samples(samples)) = read_ingest(&text) {
                for sample in samples.into_iter().flatten() {
                    prop_assert_eq!(sample.validate(), Ok(()));
                }
            }
        }
    }
}
