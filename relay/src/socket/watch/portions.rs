//! Samples from the store, cut into messages.

use mien_shared::Sample;

/// Faces, and reasons for skipped time, in one message: some 100 KB.
const MAX_MESSAGE_PARTS: usize = 512;

/// Cuts samples into messages of a size that any client accepts.
pub(super) fn portions(samples: &[Sample]) -> impl Iterator<Item = &[Sample]> {
    let mut rest = samples;
    std::iter::from_fn(move || {
        let mut parts = 0;
        let fit = rest
            .iter()
            .take_while(|sample| {
                // A reason for skipped time is shorter than a face.
                parts += sample.faces.len() + sample.skipped.len();
                parts <= MAX_MESSAGE_PARTS
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
    use mien_shared::{Face, Scores};

    #[test]
    fn portions_leave_nothing_out() {
        let scores = Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        let face = Face::new(1, [0.0, 0.0, 1.0, 1.0].into(), None, scores);
        let samples: Vec<Sample> =
            (1..=100).map(|seq| Sample::new(seq, seq, vec![face.clone(); (seq % 33) as usize])).collect();
        let back: Vec<Sample> = portions(&samples).flatten().cloned().collect();
        assert_eq!(back, samples);
        assert!(
            portions(&samples)
                .all(|part| part.iter().map(|s| s.faces.len()).sum::<usize>() <= MAX_MESSAGE_PARTS)
        );
        assert_eq!(portions(&[]).count(), 0);
    }
}
