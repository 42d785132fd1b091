//! What a source's client and the relay say to each other.

use serde::{Deserialize, Serialize};

use crate::api::{SessionId, SourceName};
use crate::expression::Expression;
use crate::limits::{MAX_BATCH, MAX_FACES, MAX_MESSAGE_BYTES};
use crate::problem::Code;
use crate::sample::Sample;

/// What a source's client sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum IngestRequest<'a> {
    Hello {
        token: &'a str,
    },
    Samples {
        #[cfg_attr(feature = "schema", schema(value_type = schema::SampleBatch))]
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
        #[cfg_attr(feature = "schema", schema(value_type = crate::problem::ErrorCode))]
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
        #[cfg_attr(feature = "schema", schema(value_type = crate::problem::ErrorCode))]
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
    #[cfg_attr(feature = "schema", schema(value_type = crate::expression::Expressions))]
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

#[cfg(feature = "schema")]
mod schema {
    use super::Sample;
    use crate::limits::MAX_BATCH;
    use crate::schema::{components, list};

    components! {
        /// The samples of one message, in order of `seq`.
        pub(crate) SampleBatch: list::<Sample>(1..=MAX_BATCH), of Sample;
    }
}
