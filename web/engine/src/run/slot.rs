//! The one active source: the latest request wins, however long it or an older one takes to open.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};

use super::event::EndReason;

/// Number of a request, from 1; a later one is higher.
pub(crate) type Rank = u64;

/// Who holds the slot. Pure: `H` is how the holder is told that it is superseded.
#[derive(Debug)]
struct Order<H> {
    asked: Rank,
    holder: Option<(Rank, H)>,
}

impl<H> Default for Order<H> {
    fn default() -> Self {
        Self { asked: 0, holder: None }
    }
}

impl<H> Order<H> {
    /// The newest request holds the slot at once; whoever held it is superseded.
    fn ask(&mut self, hold: H) -> (Rank, Option<H>) {
        self.asked += 1;
        let before = self.holder.replace((self.asked, hold));
        (self.asked, before.map(|(_, hold)| hold))
    }

    fn holds(&self, rank: Rank) -> bool {
        self.holder.as_ref().is_some_and(|(holder, _)| *holder == rank)
    }

    /// The request's source is open. Gives back what was brought where the slot is another's by now.
    fn opened(&mut self, rank: Rank, hold: H) -> Result<H, H> {
        match &mut self.holder {
            Some((holder, before)) if *holder == rank => Ok(std::mem::replace(before, hold)),
            _ => Err(hold),
        }
    }

    /// The request failed or was given up, or its run has ended.
    fn ended(&mut self, rank: Rank) -> Option<H> {
        if self.holds(rank) { self.clear() } else { None }
    }

    fn clear(&mut self) -> Option<H> {
        self.holder.take().map(|(_, hold)| hold)
    }
}

enum Hold {
    /// Dropping it tells whoever waits.
    Opening {
        _superseded: oneshot::Sender<Infallible>,
    },
    Running(Box<dyn FnOnce(EndReason)>),
}

impl Hold {
    fn end(self, reason: EndReason) {
        if let Self::Running(end) = self {
            end(reason);
        }
    }
}

/// The one place for a source. A request takes it when it is made, not when its source has opened: the one before
/// it ends then, whether it runs or still opens. A clone is the same place.
#[derive(Clone, Default)]
pub struct SourceSlot(Rc<RefCell<Order<Hold>>>);

impl std::fmt::Debug for SourceSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let order = self.0.borrow();
        write!(f, "SourceSlot({:?})", order.holder.as_ref().map(|(rank, _)| rank))
    }
}

impl SourceSlot {
    /// From now on this source is wanted and no other. What ran gets [`EndReason::Replaced`] before this returns.
    pub fn request(&self) -> SourceRequest {
        let (tell, superseded) = oneshot::channel();
        let (rank, before) = self.0.borrow_mut().ask(Hold::Opening { _superseded: tell });
        // Not before the borrow is over: a run that is told may ask at once.
        if let Some(before) = before {
            before.end(EndReason::Replaced);
        }
        SourceRequest { slot: self.clone(), rank, superseded, kept: false }
    }

    /// No source is wanted any more: one that opens is given up, one that runs is stopped.
    pub fn clear(&self) {
        let before = self.0.borrow_mut().clear();
        if let Some(before) = before {
            before.end(EndReason::Stopped);
        }
    }

    pub(crate) fn ended(&self, rank: Rank) {
        let before = self.0.borrow_mut().ended(rank);
        drop(before);
    }
}

/// A newer source was asked for, or none is wanted any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Another source was asked for meanwhile.")]
pub struct Replaced;

/// A source that was asked for and is not open yet. Dropping it gives it up.
pub struct SourceRequest {
    slot: SourceSlot,
    rank: Rank,
    superseded: oneshot::Receiver<Infallible>,
    kept: bool,
}

impl std::fmt::Debug for SourceRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SourceRequest({})", self.rank)
    }
}

impl Drop for SourceRequest {
    fn drop(&mut self) {
        if !self.kept {
            self.slot.ended(self.rank);
        }
    }
}

impl SourceRequest {
    /// Runs the work that comes before the source can start, until the request is superseded. Work that is not needed any
    /// more is dropped at once.
    pub async fn wait<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Replaced> {
        self.check()?;
        let work = std::pin::pin!(work);
        match select(&mut self.superseded, work).await {
            Either::Left(_) => Err(Replaced),
            Either::Right((done, _)) => Ok(done),
        }
    }

    /// Whether it is still wanted.
    pub fn check(&self) -> Result<(), Replaced> {
        if self.slot.0.borrow().holds(self.rank) { Ok(()) } else { Err(Replaced) }
    }

    pub(crate) fn rank(&self) -> Rank {
        self.rank
    }

    /// The source is open and runs from here on; `end` is how it is ended. [`SourceSlot::ended`] frees the slot.
    pub(crate) fn run(mut self, end: impl FnOnce(EndReason) + 'static) -> Result<(), Replaced> {
        let opened = self.slot.0.borrow_mut().opened(self.rank, Hold::Running(Box::new(end)));
        self.kept = opened.is_ok();
        opened.map(drop).map_err(|_| Replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_that_was_asked_for_holds_the_slot_whichever_opens_first() {
        let mut order = Order::default();
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
        let mut order = Order::default();
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
        use super::super::Order;
        use proptest::prelude::*;

        proptest! {
            /// In whatever order sources are asked for, open, fail and end: only the newest can come to run, each
            /// holder is let go once, and what is let go never comes back.
            #[test]
            fn only_the_newest_runs(steps in prop::collection::vec((0..4_u8, 1..12_u64), 1..120)) {
                let mut order = Order::default();
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
