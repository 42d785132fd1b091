//! Which model files there are, and what their bytes must hash to. Owns no bytes: whatever runs the networks supplies
//! them, from disk or over HTTP.

use serde::{Deserialize, Serialize};

/// The networks. Every reading needs the first three; only landmarks need the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelId {
    /// Finds faces within about two metres of the camera (BlazeFace short range, 128 px).
    Near,
    /// Finds small faces and groups (BlazeFace back camera, 256 px).
    Far,
    /// Reads the expression of one face (face-api, 112 px).
    Expression,
    /// Finds the points of one face (MediaPipe, 256 px).
    Landmarks,
    /// Turns those points into 52 coefficients (MediaPipe).
    Blendshapes,
}

impl ModelId {
    pub const ALL: [Self; 5] = [Self::Near, Self::Far, Self::Expression, Self::Landmarks, Self::Blendshapes];

    /// The manifest's entry for this model.
    pub const fn info(self) -> &'static ModelInfo {
        &MODELS[self as usize]
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "far",
            Self::Expression => "expression",
            Self::Landmarks => "landmarks",
            Self::Blendshapes => "blendshapes",
        }
    }
}

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// One entry of `weights/manifest.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    pub id: ModelId,
    /// Name of the file in `weights/`.
    pub file: &'static str,
    pub bytes: u64,
    /// Hash of the ONNX file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// SPDX identifier.
    pub licence: &'static str,
    pub labels: &'static [&'static str],
    pub input_shape: &'static [usize],
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

// `ModelId::info` indexes by the order of the enum.
const _: () = {
    let mut index = 0;
    while index < MODELS.len() {
        assert!(MODELS[index].id as usize == index, "the manifest is in the order of ModelId");
        index += 1;
    }
};

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::Expression;

    #[test]
    fn the_expression_labels_are_ours_in_our_order() {
        assert_eq!(ModelId::Expression.info().labels, Expression::ALL.map(Expression::name));
    }
}
