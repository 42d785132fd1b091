//! What a source's message comes to: samples, or something that is answered or ends the connection.

use std::borrow::Cow;

use mien_shared::Code;
use mien_shared::protocol::{IngestMessage, MessageFault, read_ingest};

use crate::socket::hello::End;
use crate::socket::wire::{Incoming, Wire};
use crate::store::Item;

/// Samples that go to the store together: messages that have come already join those before them until there
/// are so many. A batch costs more than a sample, and a client that catches up sends many messages at once.
const ENOUGH: usize = 64;

/// Anything but samples.
#[derive(Debug)]
pub(super) enum Other {
    /// It cannot be used, and the peer is told.
    Complaint(MessageFault),
    End(End),
}

/// The samples of `first` and of what came right behind it; and what came behind those.
pub(super) fn samples_from(first: Incoming, wire: &mut Wire) -> (Vec<Item>, Option<Other>) {
    let mut items = Vec::new();
    let mut next = Some(first);
    while let Some(incoming) = next {
        match samples_of(incoming) {
            Ok(more) if items.is_empty() => items = more,
            Ok(more) => items.extend(more),
            Err(other) => return (items, Some(other)),
        }
        next = if items.len() < ENOUGH { wire.next_now() } else { None };
    }
    (items, None)
}

fn samples_of(incoming: Incoming) -> Result<Vec<Item>, Other> {
    let complaint = |code: Code| MessageFault { code, detail: Cow::Borrowed(code.title()) };
    match incoming {
        Incoming::Text(text) => match read_ingest(&text) {
            Ok(IngestMessage::Samples(items)) => Ok(items),
            Ok(IngestMessage::Hello { .. }) => Err(Other::Complaint(complaint(Code::HelloRepeated))),
            Err(fault) => Err(Other::Complaint(fault)),
        },
        Incoming::Idle => Ok(Vec::new()),
        Incoming::Binary => Err(Other::Complaint(complaint(Code::BinaryMessage))),
        Incoming::Gone => Err(Other::End(End::Gone)),
        Incoming::Fault(code) => Err(Other::End(End::Close(code))),
    }
}
