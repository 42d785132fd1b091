//! Stable error codes, one set for HTTP problems (RFC 9457) and socket messages.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub use crate::close_code::CloseCode;

macro_rules! codes {
    // The name is a `tt`, as utoipa 6.0.0 does not see a `rename` that comes as a `literal`: the generated documents
    // would have the variant's own name.
    ($($(#[$doc:meta])* $variant:ident $name:tt $status:literal $title:literal;)*) => {
        /// What went wrong, as a name that never changes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub enum Code { $($(#[$doc])* #[serde(rename = $name)] $variant,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The name on the wire.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),* } }
            /// The HTTP status that an answer with this code has.
            pub const fn status(self) -> u16 { match self { $(Self::$variant => $status),* } }
            /// One sentence for people, the same each time.
            pub const fn title(self) -> &'static str { match self { $(Self::$variant => $title),* } }
        }
    };
}

codes! {
    /// Cannot be read: not JSON, not the shape, not a number.
    Malformed "malformed" 400 "The request could not be read";
    /// Reads, but is outside what the contract allows.
    Invalid "invalid" 422 "The request is not allowed as it stands";
    UnknownType "unknown_type" 400 "The message has an unknown type";
    EmptyBatch "empty_batch" 400 "A samples message needs at least one sample";
    TooManySamples "too_many_samples" 400 "The message has too many samples";
    InvalidSample "invalid_sample" 422 "The sample is not valid";
    OutOfOrder "out_of_order" 409 "The sample comes after a later one of its source";
    HelloRepeated "hello_repeated" 400 "The connection has already said hello";
    BinaryMessage "binary_message" 400 "Messages are text frames";
    SubprotocolRequired "subprotocol_required" 400 "The WebSocket subprotocol mien.v1 is required";
    Unauthorized "unauthorized" 401 "The token is missing, bad or expired";
    Forbidden "forbidden" 403 "The token is for another session or role";
    ForeignOrigin "foreign_origin" 403 "Requests from this origin are not allowed";
    /// A limit on how many, which waiting does not lift.
    QuotaExceeded "quota_exceeded" 403 "The quota is used up";
    NotFound "not_found" 404 "There is nothing at this address";
    SessionNotFound "session_not_found" 404 "There is no such session";
    MethodNotAllowed "method_not_allowed" 405 "This method is not allowed here";
    Timeout "timeout" 408 "The request did not arrive in time";
    Conflict "conflict" 409 "The session cannot go from its state to that one";
    SessionEnded "session_ended" 410 "The session is completed or erased";
    PayloadTooLarge "payload_too_large" 413 "The request is too large";
    RangeNotSatisfiable "range_not_satisfiable" 416 "The file has no byte in this range";
    UnsupportedMediaType "unsupported_media_type" 415 "The body must be application/json";
    RateLimited "rate_limited" 429 "Too many requests";
    AtCapacity "at_capacity" 503 "The relay has no room for another connection";
    Draining "draining" 503 "The relay is shutting down";
    StoreUnavailable "store_unavailable" 503 "The store cannot be reached; nothing was lost";
    Internal "internal" 500 "Something failed on our side";
}

#[cfg(feature = "schema")]
crate::schema::components! {
    /// A code that an error has today. More may come: one that is not known here means what its status means.
    pub(crate) ErrorCode: crate::schema::open::<Code>(), of Code;
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// An RFC 9457 problem: the body of every HTTP error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`: the code says all that a type's address could.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    pub title: Cow<'static, str>,
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::ErrorStatus))]
    pub status: u16,
    #[cfg_attr(feature = "schema", schema(value_type = ErrorCode))]
    pub code: Code,
    /// What is wrong with this very request.
    pub detail: String,
    /// Equals the header `X-Request-Id`.
    #[cfg_attr(feature = "schema", schema(value_type = crate::schema::RequestId))]
    pub request_id: String,
}

impl Problem {
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    pub fn new(code: Code, detail: impl Into<String>, request_id: impl Into<String>) -> Self {
        Self {
            kind: Cow::Borrowed("about:blank"),
            title: Cow::Borrowed(code.title()),
            status: code.status(),
            code,
            detail: detail.into(),
            request_id: request_id.into(),
        }
    }

    /// For people: the title, and the detail where it says more.
    pub fn sentence(&self) -> String {
        let detail = self.detail.trim_end_matches('.');
        if detail.is_empty() || detail == self.title {
            format!("{}.", self.title)
        } else {
            format!("{}: {detail}.", self.title)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_named_once_and_read_back() {
        for (place, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::ALL.iter().position(|other| other.name() == code.name()), Some(place));
            let text = serde_json::to_string(code).unwrap();
            assert_eq!(text, format!("\"{}\"", code.name()));
            assert_eq!(serde_json::from_str::<Code>(&text).unwrap(), *code);
        }
    }

    #[test]
    fn a_sentence_is_not_said_twice() {
        let said = |detail: &str| Problem::new(Code::RateLimited, detail, "x").sentence();
        assert_eq!(said(Code::RateLimited.title()), "Too many requests.");
        assert_eq!(said(""), "Too many requests.");
        assert_eq!(said("wait a second"), "Too many requests: wait a second.");
    }
}
