//! What may happen.

use proptest::prelude::*;

/// One sample of a message: its seq as seen from the last one, and whether it is good.
pub(crate) type Sent = (i64, bool);

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Messages, one after the other.
    Send(Vec<Vec<Sent>>),
    /// Until all that was sent is answered.
    Settle,
    /// The source's connection breaks off, and a new one comes.
    BreakOff,
    /// A new connection comes while the one before is there.
    TakeOver,
    Restart,
    /// A watcher comes: from the beginning, or live.
    Join {
        live: bool,
    },
    /// A watcher reads a little, breaks off, and goes on where it was.
    Rejoin(usize),
}

pub(crate) fn any_step() -> impl Strategy<Value = Step> {
    let message = proptest::collection::vec((-20..6_i64, proptest::bool::weighted(0.85)), 1..10);
    prop_oneof![
        8 => proptest::collection::vec(message, 1..5).prop_map(Step::Send),
        3 => Just(Step::Settle),
        3 => Just(Step::BreakOff),
        2 => Just(Step::TakeOver),
        1 => Just(Step::Restart),
        2 => any::<bool>().prop_map(|live| Step::Join { live }),
        3 => (0..8_usize).prop_map(Step::Rejoin),
    ]
}
