//! Settings that are worth mentioning in the log.

use crate::config::Warning;

pub(super) fn warn(warnings: &[Warning]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
