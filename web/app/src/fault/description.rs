//! A fault as the page shows it.

use super::kind::FaultKind;

pub(super) const KEPT: &str = "Everything up to then is kept; nothing was lost.";

/// What to do about a fault; the first button of its view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Try the same again; with the label of the button.
    Retry(&'static str),
    /// Load the page again.
    Reload,
    /// Back to the home page.
    Home,
    /// Pick another file.
    OtherFile,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub kind: FaultKind,
    pub title: &'static str,
    pub text: String,
    /// For developers, folded away.
    pub detail: Option<String>,
    pub remedy: Remedy,
    /// Whether a video file or the demo would work instead.
    pub offers_other_source: bool,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, title: &'static str, text: impl Into<String>, remedy: Remedy) -> Self {
        Self { kind, title, text: text.into(), detail: None, remedy, offers_other_source: false }
    }

    pub(super) fn with(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned()).filter(|detail| !detail.is_empty());
        self
    }

    /// Names the camera that is gone.
    pub(crate) fn of_camera(mut self, name: Option<&str>) -> Self {
        if let (FaultKind::CameraUnplugged, Some(name)) = (self.kind, name) {
            self.text = format!("“{name}” was unplugged or switched off. Connect it, then try again. {KEPT}");
        }
        self
    }

    pub(super) fn or_other_source(mut self) -> Self {
        self.offers_other_source = true;
        self
    }

    /// The server has a newer page than the one that is open.
    fn outdated() -> Self {
        Self::new(
            FaultKind::Outdated,
            "There is a newer version of this page",
            "It has replaced the one that is open here, and parts of the old one are gone. Reload the page to continue.",
            Remedy::Reload,
        )
    }

    /// The fault itself, or its cause if this page was replaced since it was opened: parts that it has not loaded yet
    /// are then gone or different.
    pub(crate) async fn explained(self) -> Self {
        if self.kind.is_about_parts() && mien_engine::page_is_outdated().await {
            let mut outdated = Self::outdated();
            outdated.detail =
                Some(self.detail.map_or(self.text.clone(), |detail| format!("{} {detail}", self.text)));
            return outdated;
        }
        self
    }
}
