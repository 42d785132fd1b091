//! What this device saves of its recordings, so that a reload continues where it was, and how its person wants charts to
//! be drawn. The samples are the engine's: they are in its outbox, not here.

mod chart;
mod progress;
mod recordings;
mod tokens;

pub(crate) use chart::{save_valence_line, valence_line};
pub(crate) use progress::{
    bytes_sent, camera, has_consent, is_neutral_first, is_paused, save_bytes_sent, save_camera, save_consent,
    save_neutral_first, save_paused, save_unsent_markers, save_wants_landmarks, save_wants_neutral,
    unsent_markers, wants_landmarks, wants_neutral, withdraw_consent,
};
pub(crate) use recordings::{SavedRecording, find, forget, forget_erased, list, save, was_erased};
pub(crate) use tokens::{
    RenewalLimit, renew, renew_watch_token, save_user_token, save_watch_token, user_token, watch_token,
};
