//! What is drawn over the areas of the chart.

/// Whether the chart has a line for valence, and readings name it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValenceLine {
    #[default]
    Hidden,
    Shown,
}

impl ValenceLine {
    pub fn is_shown(self) -> bool {
        self == Self::Shown
    }

    #[must_use]
    pub fn toggled(self) -> Self {
        if self.is_shown() { Self::Hidden } else { Self::Shown }
    }
}
