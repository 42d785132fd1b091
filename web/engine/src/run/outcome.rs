//! Whether a source has delivered anything that could be analysed.

use crate::faults::RunFault;

#[derive(Debug, Default)]
pub(super) struct Outcome {
    any_analysed: bool,
    /// Why the last frame that failed did.
    last_failure: String,
}

impl Outcome {
    pub(super) fn analysed(&mut self) {
        self.any_analysed = true;
    }

    pub(super) fn failed(&mut self, detail: &str) {
        detail.clone_into(&mut self.last_failure);
    }

    /// The fault of a source that has ended without a single analysed frame.
    pub(super) fn fault(&self) -> Option<RunFault> {
        (!self.any_analysed).then(|| RunFault::NothingAnalysed { detail: self.last_failure.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_one_analysed_frame_is_a_fault() {
        let mut outcome = Outcome::default();
        assert!(outcome.fault().is_some_and(|fault| fault.is_final()), "a video too short for one frame");
        outcome.failed("no memory");
        assert_eq!(outcome.fault(), Some(RunFault::NothingAnalysed { detail: "no memory".to_owned() }));
        outcome.analysed();
        outcome.failed("a later frame");
        assert_eq!(outcome.fault(), None);
    }
}
