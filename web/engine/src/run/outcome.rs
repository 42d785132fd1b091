//! Whether a source has given anything.

use crate::faults::RunFault;

#[derive(Debug, Default)]
pub(super) struct Harvest {
    analysed: bool,
    /// Why the last frame that failed did.
    detail: String,
}

impl Harvest {
    pub(super) fn analysed(&mut self) {
        self.analysed = true;
    }

    pub(super) fn failed(&mut self, detail: &str) {
        detail.clone_into(&mut self.detail);
    }

    /// The fault of a source that is over and of which no frame could be analysed.
    pub(super) fn barren(&self) -> Option<RunFault> {
        (!self.analysed).then(|| RunFault::NothingAnalysed { detail: self.detail.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_one_analysed_frame_is_a_fault() {
        let mut harvest = Harvest::default();
        assert!(harvest.barren().is_some_and(|fault| fault.is_final()), "a video too short for one frame");
        harvest.failed("no memory");
        assert_eq!(harvest.barren(), Some(RunFault::NothingAnalysed { detail: "no memory".to_owned() }));
        harvest.analysed();
        harvest.failed("a later frame");
        assert_eq!(harvest.barren(), None);
    }
}
