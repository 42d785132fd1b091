//! The weights of this checkout, for programs that embed them. A page fetches its own.

use crate::analyzer::Weights;
use crate::mesh::LandmarkWeights;

/// The three networks that every reading needs.
pub const WEIGHTS: Weights<'static> = Weights {
    near: include_bytes!("../weights/mediapipe_face_detection_short_range.onnx"),
    expression: include_bytes!("../weights/faceapi_expression_112.onnx"),
    far: Some(include_bytes!("../weights/human_blazeface_256.onnx")),
};

/// The two that landmarks need in addition.
pub const LANDMARKS: LandmarkWeights<'static> = LandmarkWeights {
    landmarks: include_bytes!("../weights/mediapipe_face_landmarks_256.onnx"),
    blendshapes: include_bytes!("../weights/mediapipe_face_blendshapes.onnx"),
};
