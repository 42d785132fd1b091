//! Reads a source's messages: samples, or something that is answered or ends the connection.

use std::borrow::Cow;

use mien_shared::Code;
use mien_shared::limits::MAX_MESSAGE_BYTES;
use mien_shared::protocol::{IngestMessage, MessageFault, read_ingest};

use crate::socket::end::End;
use crate::socket::wire::{Incoming, Wire};
use crate::store::Item;

/// Messages that have arrived are joined into one batch until it has this many samples. A batch costs more than a
/// sample, and a client that catches up sends many messages at once.
const BATCH_SAMPLES: usize = 64;
/// Nor is another message joined to so many bytes: a batch is never larger than two messages may be.
const BATCH_BYTES: usize = MAX_MESSAGE_BYTES;

/// Anything but samples.
#[derive(Debug)]
pub(super) enum NotSamples {
    /// It cannot be used, and the peer is told.
    Invalid(MessageFault),
    End(End),
}

/// The samples of `first` and of the messages that have arrived after it; and what comes next, if that is not samples.
pub(super) fn read_samples(first: Incoming, wire: &mut Wire) -> (Vec<Item>, Option<NotSamples>) {
    let mut items = Vec::new();
    let mut bytes = 0;
    let mut next = Some(first);
    while let Some(incoming) = next {
        if let Incoming::Text(text) = &incoming {
            bytes += text.len();
        }
        match samples_of(incoming) {
            Ok(more) if items.is_empty() => items = more,
            Ok(more) => items.extend(more),
            Err(other) => return (items, Some(other)),
        }
        next = if items.len() < BATCH_SAMPLES && bytes < BATCH_BYTES { wire.next_now() } else { None };
    }
    (items, None)
}

fn samples_of(incoming: Incoming) -> Result<Vec<Item>, NotSamples> {
    let invalid = |code: Code| MessageFault { code, detail: Cow::Borrowed(code.title()) };
    match incoming {
        Incoming::Text(text) => match read_ingest(&text) {
            Ok(IngestMessage::Samples(items)) => Ok(items),
            Ok(IngestMessage::Hello { .. }) => Err(NotSamples::Invalid(invalid(Code::HelloRepeated))),
            Err(fault) => Err(NotSamples::Invalid(fault)),
        },
        Incoming::Idle => Ok(Vec::new()),
        Incoming::Binary => Err(NotSamples::Invalid(invalid(Code::BinaryMessage))),
        Incoming::Gone => Err(NotSamples::End(End::Gone)),
        Incoming::Fault(code) => Err(NotSamples::End(End::Close(code))),
    }
}
