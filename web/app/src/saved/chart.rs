//! How the person wants charts to be drawn, on this device.

use crate::browser::WebStorage;
use crate::model::timeline::ValenceLine;

const VALENCE_KEY: &str = "mien.valence_line";

pub(crate) fn valence_line() -> ValenceLine {
    if WebStorage::Device.read(VALENCE_KEY).unwrap_or(false) {
        ValenceLine::Shown
    } else {
        ValenceLine::Hidden
    }
}

pub(crate) fn save_valence_line(line: ValenceLine) {
    WebStorage::Device.write(VALENCE_KEY, &line.is_shown());
}
