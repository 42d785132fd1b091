//! The one active source: the latest request wins, however long it or an older one takes to open.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::event::EndReason;
use crate::faults::SourceFault;

/// Requests are counted from 1.
pub(super) type RequestId = u64;

/// Who holds the slot. Pure: `H` is how the holder learns that it is superseded.
#[derive(Debug)]
struct LatestWins<H> {
    last: RequestId,
    holder: Option<(RequestId, H)>,
}

impl<H> Default for LatestWins<H> {
    fn default() -> Self {
        Self { last: 0, holder: None }
    }
}

impl<H> LatestWins<H> {
    /// The newest request holds the slot at once, and the previous holder is superseded.
    fn ask(&mut self, hold: H) -> (RequestId, Option<H>) {
        self.last += 1;
        let before = self.holder.replace((self.last, hold));
        (self.last, before.map(|(_, hold)| hold))
    }

    fn holds(&self, id: RequestId) -> bool {
        self.holder.as_ref().is_some_and(|(holder, _)| *holder == id)
    }

    /// The request's source is open. Hands `hold` back if another request has the slot by now.
    fn opened(&mut self, id: RequestId, hold: H) -> Result<H, H> {
        match &mut self.holder {
            Some((holder, before)) if *holder == id => Ok(std::mem::replace(before, hold)),
            _ => Err(hold),
        }
    }

    /// The request failed or was dropped, or its run has ended.
    fn ended(&mut self, id: RequestId) -> Option<H> {
        if self.holds(id) { self.clear() } else { None }
    }

    fn clear(&mut self) -> Option<H> {
        self.holder.take().map(|(_, hold)| hold)
    }
}

enum Holder {
    /// Dropping the sender wakes the request.
    Opening {
        _superseded: oneshot::Sender<Infallible>,
    },
    Running(Box<dyn FnOnce(EndReason)>),
}

impl Holder {
    fn end(self, reason: EndReason) {
        if let Self::Running(end) = self {
            end(reason);
        }
    }
}

/// The slot for the one active source. A request takes it when it is made, not when its source has opened: its
/// predecessor ends at that moment, whether it runs or is still opening. A clone is the same slot.
#[derive(Clone, Default)]
pub struct SourceSlot(Rc<RefCell<LatestWins<Holder>>>);

impl std::fmt::Debug for SourceSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = self.0.borrow();
        write!(f, "SourceSlot({:?})", order.holder.as_ref().map(|(id, _)| id))
    }
}

impl SourceSlot {
    /// Takes the slot. What ran ends with [`EndReason::Replaced`] before this returns.
    pub fn request(&self) -> SourceRequest {
        let (tell, superseded) = oneshot::channel();
        let (id, before) = self.0.borrow_mut().ask(Holder::Opening { _superseded: tell });
        // Only once the borrow is over: the callback may make a request of its own.
        if let Some(before) = before {
            before.end(EndReason::Replaced);
        }
        SourceRequest { slot: self.clone(), id, superseded, running: false }
    }

    /// Empties the slot: a source that is opening is given up, one that runs is stopped.
    pub fn clear(&self) {
        let before = self.0.borrow_mut().clear();
        if let Some(before) = before {
            before.end(EndReason::Stopped);
        }
    }

    /// The request's run has ended: the slot is free, unless another request has it by now.
    pub(super) fn ended(&self, id: RequestId) {
        let before = self.0.borrow_mut().ended(id);
        drop(before);
    }
}

/// A newer source was requested, or the slot was cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Another source was asked for meanwhile.")]
pub struct Replaced;

impl From<Replaced> for SourceFault {
    fn from(Replaced: Replaced) -> Self {
        Self::Replaced
    }
}

/// A source that was requested and is not open yet. Dropping the request gives it up.
pub struct SourceRequest {
    slot: SourceSlot,
    id: RequestId,
    superseded: oneshot::Receiver<Infallible>,
    /// The source runs, so that dropping this must not free the slot.
    running: bool,
}

impl std::fmt::Debug for SourceRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceRequest({})", self.id)
    }
}

impl Drop for SourceRequest {
    fn drop(&mut self) {
        if !self.running {
            self.slot.ended(self.id);
        }
    }
}

impl SourceRequest {
    /// Runs work that the source needs before it can start. Once the request is superseded, the work is dropped at
    /// once.
    pub async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Replaced> {
        self.check()?;
        let work = std::pin::pin!(work);
        match select(&mut self.superseded, work).await {
            Either::Left(_) => Err(Replaced),
            Either::Right((done, _)) => Ok(done),
        }
    }

    /// Whether it still holds the slot.
    pub fn check(&self) -> Result<(), Replaced> {
        if self.slot.0.borrow().holds(self.id) { Ok(()) } else { Err(Replaced) }
    }

    pub(super) fn id(&self) -> RequestId {
        self.id
    }

    /// The source is open and runs from here on; `end` ends it. [`SourceSlot::ended`] frees the slot.
    pub(super) fn run(mut self, end: impl FnOnce(EndReason) + 'static) -> Result<(), Replaced> {
        let opened = self.slot.0.borrow_mut().opened(self.id, Holder::Running(Box::new(end)));
        self.running = opened.is_ok();
        opened.map(drop).map_err(|_| Replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_was_asked_for_holds_the_slot_whichever_opens_first() {
        let mut order = LatestWins::default();
        let (demo, before) = order.ask("demo opens");
        assert_eq!(before, None);
        let (file, before) = order.ask("file opens");
        assert_eq!(before, Some("demo opens"), "told at once, not when the file is open");
        assert_eq!(order.opened(file, "file runs"), Ok("file opens"));
        assert_eq!(order.opened(demo, "demo runs"), Err("demo runs"), "too late");
        assert!(order.holds(file) && !order.holds(demo));
        assert_eq!(order.ended(demo), None, "the end of one that was superseded is nobody else's");
        assert!(order.holds(file));
        assert_eq!(order.ask("camera opens").1, Some("file runs"));
    }

    #[test]
    fn a_failed_or_stopped_source_leaves_the_slot_empty() {
        let mut order = LatestWins::default();
        let (first, _) = order.ask("first");
        assert_eq!(order.ended(first), Some("first"));
        assert_eq!(order.opened(first, "again"), Err("again"), "given up");
        let (second, before) = order.ask("second");
        assert_eq!(before, None);
        assert_eq!(order.opened(second, "runs"), Ok("second"));
        assert_eq!(order.clear(), Some("runs"));
        assert_eq!((order.clear(), order.ended(second)), (None, None));
    }

    #[test]
    fn a_request_that_is_superseded_drops_its_work() {
        use futures_util::FutureExt;
        let slot = SourceSlot::default();
        let mut older = slot.request();
        let camera = Rc::new(());
        let open = camera.clone();
        let mut opening = Box::pin(async move {
            older
                .wait(async move {
                    std::future::pending::<()>().await;
                    drop(open);
                })
                .await
        });
        assert!(opening.as_mut().now_or_never().is_none());
        assert_eq!(Rc::strong_count(&camera), 2);
        let mut newer = slot.request();
        assert_eq!(opening.as_mut().now_or_never(), Some(Err(Replaced)));
        assert_eq!(Rc::strong_count(&camera), 1, "the camera is released");
        assert_eq!(newer.wait(async { 7 }).now_or_never(), Some(Ok(7)));
        slot.clear();
        assert_eq!(newer.wait(async { 7 }).now_or_never(), Some(Err(Replaced)), "nothing begins any more");
    }

    #[test]
    fn a_run_is_told_why_it_ends_and_may_ask_again_meanwhile() {
        let slot = SourceSlot::default();
        let ends = Rc::new(RefCell::new(Vec::new()));
        let (told, again) = (ends.clone(), slot.clone());
        let end = move |reason| {
            told.borrow_mut().push(reason);
            drop(again.request());
        };
        assert_eq!(slot.request().run(end), Ok(()));
        let overtaken = slot.request();
        assert_eq!(*ends.borrow(), [EndReason::Replaced]);
        assert_eq!(overtaken.run(|_| {}), Err(Replaced), "what asked meanwhile is newer");

        let told = ends.clone();
        assert_eq!(slot.request().run(move |reason| told.borrow_mut().push(reason)), Ok(()));
        slot.clear();
        assert_eq!(*ends.borrow(), [EndReason::Replaced, EndReason::Stopped]);
    }

    #[cfg(not(target_arch = "wasm32"))]
    mod orders {
        use super::super::LatestWins;
        use proptest::prelude::*;

        proptest! {
            /// In whatever order sources are requested, open, fail and end: only the newest can get to run, each holder
            /// is released once, and what was released never comes back.
            #[test]
            fn only_the_newest_runs(steps in prop::collection::vec((0..4_u8, 1..12_u64), 1..120)) {
                let mut order = LatestWins::default();
                let mut newest = 0;
                let mut over = std::collections::BTreeSet::new();
                for (kind, rank) in steps {
                    let let_go = match kind {
                        0 => {
                            let (asked, before) = order.ask(newest + 1);
                            prop_assert_eq!(asked, newest + 1);
                            newest = asked;
                            before
                        }
                        1 => {
                            let opened = order.opened(rank, rank);
                            prop_assert_eq!(opened.is_ok(), rank == newest && !over.contains(&rank));
                            None
                        }
                        2 => order.ended(rank),
                        _ => order.clear(),
                    };
                    if let Some(rank) = let_go {
                        prop_assert!(over.insert(rank), "let go twice");
                        prop_assert!(!order.holds(rank));
                    }
                    prop_assert_eq!(order.holds(newest), newest > 0 && !over.contains(&newest));
                }
            }
        }
    }
}
