//! MediaPipe's canonical face, as far as a head's pose is found by it: the points that move little with an expression,
//! and how much each counts. From `geometry_pipeline_metadata_landmarks.binarypb` in the same `face_landmarker.task` as
//! the networks (sha256 bdbcda96dfcb…, Apache-2.0; see the manifest).

/// One point of the canonical face.
pub(super) struct Anchor {
    /// Its number among the 478.
    pub(super) point: usize,
    pub(super) weight: f32,
    /// In centimetres: towards the person's left, up, and out of the face.
    pub(super) at: [f32; 3],
}

#[rustfmt::skip]
pub(super) const ANCHORS: [Anchor; 33] = [
    Anchor { point: 4, weight: 0.07091, at: [0.0000, -0.4632, 7.5866] },
    Anchor { point: 6, weight: 0.03210, at: [0.0000, 2.4733, 5.7886] },
    Anchor { point: 10, weight: 0.00845, at: [0.0000, 8.2618, 4.4815] },
    Anchor { point: 33, weight: 0.05872, at: [-4.4459, 2.6640, 3.1734] },
    Anchor { point: 54, weight: 0.00767, at: [-6.2793, 6.6154, 1.4259] },
    Anchor { point: 67, weight: 0.00908, at: [-3.5240, 8.0060, 3.7292] },
    Anchor { point: 117, weight: 0.00979, at: [-5.2587, 0.9458, 2.9743] },
    Anchor { point: 119, weight: 0.01456, at: [-3.3007, 0.8616, 3.8728] },
    Anchor { point: 121, weight: 0.01859, at: [-1.8207, 1.4680, 4.2241] },
    Anchor { point: 127, weight: 0.00520, at: [-7.7431, 2.3650, -2.0052] },
    Anchor { point: 129, weight: 0.12062, at: [-1.7858, -0.9783, 4.8505] },
    Anchor { point: 132, weight: 0.00556, at: [-7.2709, -2.8909, -2.2525] },
    Anchor { point: 133, weight: 0.05329, at: [-1.8564, 2.5852, 3.7579] },
    Anchor { point: 136, weight: 0.06689, at: [-5.0853, -7.1786, 0.7147] },
    Anchor { point: 143, weight: 0.01482, at: [-6.4076, 2.2360, 1.5608] },
    Anchor { point: 147, weight: 0.01426, at: [-6.2349, -1.9444, 1.6635] },
    Anchor { point: 198, weight: 0.02546, at: [-1.2468, 0.2303, 5.6810] },
    Anchor { point: 205, weight: 0.04725, at: [-3.8329, -1.5373, 4.1377] },
    Anchor { point: 263, weight: 0.05872, at: [4.4459, 2.6640, 3.1734] },
    Anchor { point: 284, weight: 0.00767, at: [6.2793, 6.6154, 1.4259] },
    Anchor { point: 297, weight: 0.00908, at: [3.5240, 8.0060, 3.7292] },
    Anchor { point: 346, weight: 0.00979, at: [5.2587, 0.9458, 2.9743] },
    Anchor { point: 348, weight: 0.01456, at: [3.3007, 0.8616, 3.8728] },
    Anchor { point: 350, weight: 0.01859, at: [1.8207, 1.4680, 4.2241] },
    Anchor { point: 356, weight: 0.00520, at: [7.7431, 2.3650, -2.0052] },
    Anchor { point: 358, weight: 0.12062, at: [1.7858, -0.9783, 4.8505] },
    Anchor { point: 361, weight: 0.00556, at: [7.2709, -2.8909, -2.2525] },
    Anchor { point: 362, weight: 0.05329, at: [1.8564, 2.5852, 3.7579] },
    Anchor { point: 365, weight: 0.06689, at: [5.0853, -7.1786, 0.7147] },
    Anchor { point: 372, weight: 0.01482, at: [6.4076, 2.2360, 1.5608] },
    Anchor { point: 376, weight: 0.01426, at: [6.2349, -1.9444, 1.6635] },
    Anchor { point: 420, weight: 0.02546, at: [1.2468, 0.2303, 5.6810] },
    Anchor { point: 425, weight: 0.04725, at: [3.8329, -1.5373, 4.1377] },
];
