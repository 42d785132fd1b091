//! From a face to the views that the expression network sees, from the network's answers to calibrated scores, and from
//! those to scores for a person whose neutral face is known. Runs no network.

mod evidence;
mod neutral;
mod views;

pub(crate) use evidence::softmax;
pub use evidence::{Evidence, Mouth};
pub use neutral::{Look, MAX_LOOKS, Neutral, NeutralLooks};
pub(crate) use views::tilt;
pub use views::{CROP_SIDE, views, views_of_crop};
