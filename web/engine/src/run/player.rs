//! The one owner of what plays: who holds the slot, the run that has the workers, and what carries over from run to
//! run.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use mien_models::Tracker;

use super::active::ActiveRun;
use super::carry_over::CarryOver;
use super::event::RunEvent;
use super::handle::Run;
use super::input::Input;
use super::people::People;
use super::slot::{SourceRequest, SourceSlot};
use super::source::SourceChoice;
use super::state::FrameTag;
use crate::faults::SourceFault;
use crate::pool::{PoolEvent, WorkerPool};

#[derive(Debug)]
pub(crate) struct Player {
    slot: SourceSlot,
    carry_over: Rc<CarryOver>,
    /// The run that has the workers.
    current: RefCell<Weak<ActiveRun>>,
}

impl Player {
    pub(crate) fn new(slot: SourceSlot) -> Self {
        Self { slot, carry_over: Rc::default(), current: RefCell::default() }
    }

    pub(crate) fn request(&self) -> SourceRequest {
        self.slot.request()
    }

    /// Faces of later runs get identities from `next_face` on, or higher.
    pub(crate) fn continue_faces(&self, next_face: u32) {
        self.carry_over.set_next_face(self.carry_over.next_face().max(next_face));
    }

    /// Opens the source and runs it, unless another one is requested meanwhile.
    pub(crate) async fn play(
        &self,
        mut request: SourceRequest,
        source: &SourceChoice,
        pool: Rc<WorkerPool<FrameTag>>,
        on: Box<dyn Fn(RunEvent)>,
    ) -> Result<Run, SourceFault> {
        let input = request.wait(Input::open(source)).await??;
        let people = People::new(Tracker::resume(self.carry_over.next_face()));
        let (id, slot, carry_over) = (request.id(), self.slot.clone(), self.carry_over.clone());
        let active = ActiveRun::new(id, pool, slot, carry_over, input, people, on);
        let weak = Rc::downgrade(&active);
        request.run(move |reason| {
            if let Some(active) = weak.upgrade() {
                active.end(reason);
            }
        })?;
        *self.current.borrow_mut() = Rc::downgrade(&active);
        active.begin();
        Ok(Run { active })
    }

    /// What the pool reports goes to the run that has it.
    pub(crate) fn on_pool(&self, event: PoolEvent<FrameTag>) {
        let current = self.current.borrow().upgrade();
        if let Some(run) = current {
            run.on_pool(event);
        }
    }
}
