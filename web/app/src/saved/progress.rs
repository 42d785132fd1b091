//! How far a recording has got on this device: consent and pause for a tab, markers in flight, and bytes sent.

use mien_shared::SessionId;
use mien_shared::api::CreateMarker;

use crate::browser::WebStorage;

const CAMERA_KEY: &str = "mien.camera";
const WANTS_NEUTRAL_KEY: &str = "mien.wants-neutral";

fn consent_key(session: SessionId) -> String {
    format!("mien.consent.{session}")
}

/// Whether the person in this tab has agreed to this recording.
pub(crate) fn has_consent(session: SessionId) -> bool {
    WebStorage::Tab.read(&consent_key(session)).unwrap_or(false)
}

pub(crate) fn save_consent(session: SessionId) {
    WebStorage::Tab.write(&consent_key(session), &true);
}

pub(crate) fn withdraw_consent(session: SessionId) {
    WebStorage::Tab.remove(&consent_key(session));
    WebStorage::Tab.remove(&paused_key(session));
    WebStorage::Tab.remove(&neutral_first_key(session));
}

fn neutral_first_key(session: SessionId) -> String {
    format!("mien.neutral-first.{session}")
}

/// Whether this recording waits in this tab until the own neutral face is taken.
pub(crate) fn is_neutral_first(session: SessionId) -> bool {
    WebStorage::Tab.read(&neutral_first_key(session)).unwrap_or(false)
}

pub(crate) fn save_neutral_first(session: SessionId, first: bool) {
    if first {
        WebStorage::Tab.write(&neutral_first_key(session), &true);
    } else {
        WebStorage::Tab.remove(&neutral_first_key(session));
    }
}

/// What this device's last recording chose.
pub(crate) fn wants_neutral() -> bool {
    WebStorage::Device.read(WANTS_NEUTRAL_KEY).unwrap_or(false)
}

pub(crate) fn save_wants_neutral(wants: bool) {
    WebStorage::Device.write(WANTS_NEUTRAL_KEY, &wants);
}

fn paused_key(session: SessionId) -> String {
    format!("mien.paused.{session}")
}

/// Whether the person in this tab has paused this recording.
pub(crate) fn is_paused(session: SessionId) -> bool {
    WebStorage::Tab.read(&paused_key(session)).unwrap_or(false)
}

pub(crate) fn save_paused(session: SessionId, paused: bool) {
    WebStorage::Tab.write(&paused_key(session), &paused);
}

fn markers_key(session: SessionId) -> String {
    format!("mien.markers.{session}")
}

/// Markers of this recording that the relay may not have yet.
pub(crate) fn unsent_markers(session: SessionId) -> Vec<CreateMarker> {
    WebStorage::Device.read(&markers_key(session)).unwrap_or_default()
}

pub(crate) fn save_unsent_markers(session: SessionId, markers: &Vec<CreateMarker>) {
    if markers.is_empty() {
        WebStorage::Device.remove(&markers_key(session));
    } else {
        WebStorage::Device.write(&markers_key(session), markers);
    }
}

fn bytes_sent_key(session: SessionId) -> String {
    format!("mien.sent.{session}")
}

/// Bytes that this device has sent for this recording.
pub(crate) fn bytes_sent(session: SessionId) -> u64 {
    WebStorage::Device.read(&bytes_sent_key(session)).unwrap_or(0)
}

/// It never falls: another tab may have sent more in the meantime.
pub(crate) fn save_bytes_sent(session: SessionId, bytes: u64) {
    if bytes > bytes_sent(session) {
        WebStorage::Device.write(&bytes_sent_key(session), &bytes);
    }
}

pub(super) fn forget_bytes_sent(session: SessionId) {
    WebStorage::Device.remove(&bytes_sent_key(session));
}

pub(super) fn forget(session: SessionId) {
    WebStorage::Device.remove(&markers_key(session));
    forget_bytes_sent(session);
    withdraw_consent(session);
}

/// The camera that this device recorded with last.
pub(crate) fn camera() -> Option<String> {
    WebStorage::Device.read(CAMERA_KEY)
}

pub(crate) fn save_camera(id: &str) {
    WebStorage::Device.write(CAMERA_KEY, &id);
}
