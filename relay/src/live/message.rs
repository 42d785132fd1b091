//! A watcher's `samples` message, and how large a sample is in it.

use mien_shared::Sample;
use mien_shared::api::SourceName;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

pub fn samples_message<S: Serialize>(source: &SourceName, samples: &[S]) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Message<'a, S> {
        #[serde(rename = "type")]
        kind: &'static str,
        source: &'a SourceName,
        samples: &'a [S],
    }
    serde_json::to_string(&Message { kind: "samples", source, samples })
        .expect("samples are plain JSON")
        .into()
}

/// Bytes of a face as JSON, and how many more there are with landmarks: what they take with usual numbers.
const FACE_BYTES: usize = 200;
const LANDMARKS_BYTES: usize = 1_400;
/// Of a reason for skipped time.
const SKIPPED_BYTES: usize = 50;
const SAMPLE_BYTES: usize = 60;

/// Roughly how many bytes a sample takes as JSON.
pub fn json_bytes(sample: &Sample) -> usize {
    let landmarks = sample.faces.iter().filter(|face| face.landmarks.is_some()).count();
    SAMPLE_BYTES
        + SKIPPED_BYTES * sample.skipped.len()
        + FACE_BYTES * sample.faces.len()
        + LANDMARKS_BYTES * landmarks
}

#[cfg(test)]
mod tests {
    use mien_shared::protocol::WatchReply;
    use mien_shared::{Coefficients, Face, FaceLandmarks, QualityReason, Scores};

    use super::*;

    #[test]
    fn the_message_is_the_contracts() {
        let source = SourceName::default();
        let sample = |seq| Sample::new(seq, seq, Vec::new());
        let text = samples_message(&source, &[sample(1), sample(2)]);
        let reply: WatchReply = serde_json::from_str(&text).unwrap();
        assert_eq!(reply, WatchReply::Samples { source, samples: vec![sample(1), sample(2)] });
    }

    #[test]
    fn what_a_sample_takes_is_about_what_is_said() {
        let scores = Scores([0.1234567, 0.5234567, 0.1234567, 0.1234567, 0.01234567, 0.01234567, 0.08]);
        let bounds = [0.3123456, 0.2234567, 0.1834567, 0.2434567].into();
        let plain = Face {
            quality: Some(0.9345678),
            valence: Some(0.1234567),
            ..Face::new(1, bounds, Some(mien_shared::Expression::Happiness), scores)
        };
        let landmarks = FaceLandmarks {
            yaw: Some(-12.345678),
            pitch: Some(1.2345678),
            roll: Some(-1.2345678),
            blink_left: Some(0.1234567),
            blink_right: Some(0.1234567),
            gaze: Some([-12.345678, 1.2345678]),
            coefficients: Coefficients::new(&[0.123; Coefficients::COUNT]),
        };
        let why = vec![QualityReason::Turned];
        let whole = Face { neutral: Some(12), why, landmarks: Some(Box::new(landmarks)), ..plain.clone() };
        for faces in [vec![plain; 3], vec![whole; 3]] {
            let sample = Sample::new(1_000, 1_763_907_600_123, faces);
            let bytes = serde_json::to_string(&sample).unwrap().len();
            let said = json_bytes(&sample);
            assert!(bytes.abs_diff(said) < said / 3, "{bytes} bytes, {said} said");
        }
    }
}
