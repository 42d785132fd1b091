//! Pictures and weights, in the binary, because a browser has no files.

use mien_models::Weights;

pub(crate) const NEAR: &[u8] = include_bytes!("../../weights/mediapipe_face_detection_short_range.onnx");
pub(crate) const FAR: &[u8] = include_bytes!("../../weights/human_blazeface_256.onnx");
pub(crate) const EXPRESSION: &[u8] = include_bytes!("../../weights/faceapi_expression_112.onnx");
pub(crate) const WEIGHTS: Weights<'static> = Weights { near: NEAR, expression: EXPRESSION, far: Some(FAR) };

pub(crate) const ASTRONAUT: &[u8] = include_bytes!("../data/astronaut_256.png");
pub(crate) const GRACE_HOPPER: &[u8] = include_bytes!("../data/grace_hopper_256.png");
