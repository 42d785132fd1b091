//! Samples from the store, cut into messages.

use mien_shared::Sample;

use crate::live::json_bytes;

/// Of one message, roughly.
const MESSAGE_BYTES: usize = 100_000;

/// Cuts samples into messages of a size that any client accepts.
pub(super) fn portions(samples: &[Sample]) -> impl Iterator<Item = &[Sample]> {
    let mut rest = samples;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fit = rest
            .iter()
            .take_while(|sample| {
                bytes += json_bytes(sample);
                bytes <= MESSAGE_BYTES
            })
            .count();
        // A single sample always fits: it has at most 32 faces, and 16 reasons.
        let (portion, others) = rest.split_at(fit);
        rest = others;
        (!portion.is_empty()).then_some(portion)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::limits::{MAX_FACES, MAX_MESSAGE_BYTES, MAX_SKIPPED};
    use mien_shared::{Coefficients, Face, FaceLandmarks, Scores, SkipReason, Skipped};

    fn face() -> Face {
        let scores = Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, scores)
    }

    #[test]
    fn portions_leave_nothing_out() {
        let coefficients = Coefficients::new(&[0.123; Coefficients::COUNT]);
        let landmarks = Some(Box::new(FaceLandmarks { coefficients, ..FaceLandmarks::default() }));
        let faces = [face(), Face { landmarks, ..face() }];
        let sample =
            |seq: u64| Sample::new(seq, seq, vec![faces[(seq % 2) as usize].clone(); (seq % 33) as usize]);
        let samples: Vec<Sample> = (1..=100).map(sample).collect();
        let back: Vec<Sample> = portions(&samples).flatten().cloned().collect();
        assert_eq!(back, samples);
        for portion in portions(&samples) {
            let bytes = serde_json::to_string(portion).unwrap().len();
            assert!(bytes <= MAX_MESSAGE_BYTES, "{bytes} bytes");
        }
        assert_eq!(portions(&[]).count(), 0);
    }

    #[test]
    fn the_largest_sample_fits() {
        let landmarks = Some(Box::default());
        let sample = Sample {
            skipped: vec![Skipped { reason: SkipReason::Other, ms: 1 }; MAX_SKIPPED],
            ..Sample::new(1, 1, vec![Face { landmarks, ..face() }; MAX_FACES])
        };
        assert_eq!(portions(&[sample.clone(), sample]).count(), 2);
    }
}
