//! The W3C trace context: which trace a request belongs to, so that what a client, a proxy and the relay report of one
//! request can be correlated.
//!
//! A valid `traceparent` is continued; a missing or invalid one is replaced, as the recommendation requires. The answer
//! carries the relay's own. Without a collector the ids are still in the log and in the answer.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// `00-` trace `-` span `-` flags, of version 0; later versions may be longer.
const LENGTH: usize = 55;
const SAMPLED: u8 = 1;

/// A place in a trace. Neither id is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
}

impl TraceContext {
    /// The caller's, if it sent one.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        parse(headers.get(TRACEPARENT)?.as_bytes())
    }

    /// Makes `span` part of the caller's trace, and returns the span's own place in it: the exported one, or if nothing
    /// is exported, one in the same trace.
    pub fn enter(span: &Span, caller: Option<Self>) -> Self {
        if let Some(caller) = caller {
            caller.adopt(span);
        }
        let exported = span.context().span().span_context().clone();
        if exported.is_valid() {
            return Self {
                trace_id: u128::from_be_bytes(exported.trace_id().to_bytes()),
                span_id: u64::from_be_bytes(exported.span_id().to_bytes()),
                flags: exported.trace_flags().to_u8(),
            };
        }
        let (fresh, span_id) = fresh_ids();
        caller.map_or(Self { trace_id: fresh, span_id, flags: 0 }, |caller| Self { span_id, ..caller })
    }

    /// Makes this the parent of `span`.
    pub fn adopt(self, span: &Span) {
        let parent = SpanContext::new(
            TraceId::from_bytes(self.trace_id.to_be_bytes()),
            SpanId::from_bytes(self.span_id.to_be_bytes()),
            TraceFlags::new(self.flags),
            true,
            TraceState::NONE,
        );
        // Fails if nothing is exported, which does not matter.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }

    /// For logs.
    pub fn trace_id(self) -> impl fmt::Display {
        fmt::from_fn(move |f| write!(f, "{:032x}", self.trace_id))
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// Random, and not zero: a UUID's version bits are set.
fn fresh_ids() -> (u128, u64) {
    let (high, low) = Uuid::new_v4().as_u64_pair();
    (Uuid::new_v4().as_u128(), high ^ low | 1)
}

fn parse(text: &[u8]) -> Option<TraceContext> {
    let version: u8 = hex(text.get(..2)?)? as u8;
    // For a later version, the first four fields are read; this version has no others.
    let fits = if version == 0 { text.len() == LENGTH } else { text.get(LENGTH).is_none_or(|&c| c == b'-') };
    let dashes = [2, 35, 52].iter().all(|&place| text.get(place) == Some(&b'-'));
    if version == 0xff || !fits || !dashes {
        return None;
    }
    let trace_id = hex(text.get(3..35)?)?;
    let span_id = hex(text.get(36..52)?)? as u64;
    let flags = hex(text.get(53..55)?)? as u8;
    (trace_id != 0 && span_id != 0).then_some(TraceContext { trace_id, span_id, flags: flags & SAMPLED })
}

/// Lower case only, as the recommendation requires. At most 32 digits.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, &digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_recommendations_example_is_read_and_written() {
        assert_eq!(parse(EXAMPLE.as_bytes()).unwrap().to_string(), EXAMPLE);
        let later = format!("cc{}-what-comes-later", &EXAMPLE[2..]);
        assert_eq!(parse(later.as_bytes()), parse(EXAMPLE.as_bytes()));
    }

    #[test]
    fn odd_ones_are_none() {
        for odd in [
            String::new(),
            format!("{EXAMPLE}-more"),
            EXAMPLE.to_uppercase(),
            EXAMPLE.replace("00-", "ff-"),
            EXAMPLE.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            EXAMPLE.replace("b7ad6b7169203331", &"0".repeat(16)),
            EXAMPLE.replace('-', "_"),
            EXAMPLE.replace("00-", "cc-") + "x",
        ] {
            assert_eq!(parse(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn the_callers_trace_goes_on_in_a_place_of_its_own() {
        let caller = parse(EXAMPLE.as_bytes()).unwrap();
        let ours = TraceContext::enter(&Span::none(), Some(caller));
        assert_eq!((ours.trace_id, ours.flags), (caller.trace_id, caller.flags));
        assert_ne!(ours.span_id, caller.span_id);
        let fresh = TraceContext::enter(&Span::none(), None);
        assert!(parse(fresh.to_string().as_bytes()).is_some());
        assert_ne!(fresh.trace_id, TraceContext::enter(&Span::none(), None).trace_id);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
        }
    }
}
