//! Bootstrap intervals. Deterministic: the same answers give the same interval.

use serde::Serialize;

const RESAMPLES: usize = 2_000;

/// 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// The interval of the difference between two shares. What is resampled are clusters (people), each given as how many
/// of its pictures are right and how many there are.
pub(crate) fn of_difference(a: &[(usize, usize)], b: &[(usize, usize)]) -> Interval {
    let mut random = SplitMix(0x9E37_79B9_7F4A_7C15);
    let mut differences: Vec<f64> = (0..RESAMPLES).map(|_| random.share_of(a) - random.share_of(b)).collect();
    differences.sort_by(f64::total_cmp);
    let at = |share: f64| differences[((RESAMPLES - 1) as f64 * share).round() as usize];
    Interval { low: at(0.025), high: at(0.975) }
}

/// SplitMix64: good enough for resampling with replacement.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn share_of(&mut self, clusters: &[(usize, usize)]) -> f64 {
        let (mut right, mut all) = (0, 0);
        for _ in 0..clusters.len() {
            let (some, of) = clusters[(self.next() % clusters.len() as u64) as usize];
            right += some;
            all += of;
        }
        right as f64 / all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_difference_and_shrinks_with_people() {
        let people =
            |right: usize, of: usize| -> Vec<_> { (0..of).map(|n| (usize::from(n < right), 1)).collect() };
        let wide = of_difference(&people(9, 10), &people(5, 10));
        let narrow = of_difference(&people(900, 1_000), &people(500, 1_000));
        assert!(
            wide.low < 0.4 && 0.4 < wide.high && narrow.low > 0.35 && narrow.high < 0.45,
            "{wide:?} {narrow:?}"
        );
        assert!(wide.low <= 0.05, "ten people say little: {wide:?}");
        assert_eq!(wide, of_difference(&people(9, 10), &people(5, 10)));
        assert_eq!(of_difference(&people(3, 3), &people(2, 2)), Interval { low: 0.0, high: 0.0 });
    }
}
