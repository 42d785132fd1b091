//! Calls to the relay that failed.

use mien_engine::api::ApiFault;

use super::description::{Fault, Remedy};
use super::kind::FaultKind;
use crate::model::refusal;

/// Whether it is worth asking again: anything but a refusal may be transient.
pub(crate) fn is_transient(fault: &ApiFault) -> bool {
    match fault {
        ApiFault::Problem(problem) => refusal::is_transient(problem.status),
        _ => true,
    }
}

/// A call that failed, in whole sentences.
pub(crate) fn sentences(fault: &ApiFault) -> String {
    match fault {
        ApiFault::Problem(problem) => refusal::sentences(problem),
        other => other.to_string(),
    }
}

impl From<ApiFault> for Fault {
    fn from(fault: ApiFault) -> Self {
        let text = sentences(&fault);
        let retry = Remedy::Retry("Try again");
        match &fault {
            ApiFault::Problem(_) => {
                Self::new(FaultKind::Refused, "The relay refused the request", text, retry)
            }
            ApiFault::Unreachable { detail } => {
                Self::new(FaultKind::Offline, "The relay cannot be reached", text, retry).with(detail)
            }
            ApiFault::Timeout => Self::new(FaultKind::Offline, "The relay does not answer", text, retry),
            ApiFault::ProxyPassword => {
                Self::new(FaultKind::ProxyPassword, "A proxy asks for a password", text, Remedy::Reload)
            }
            ApiFault::Foreign { status } => {
                Self::new(FaultKind::NotTheRelay, "That was not the relay", text, retry)
                    .with(&format!("HTTP {status}"))
            }
        }
    }
}
