//! A person's own neutral face. Compared with it, a faint smile can be told from a mouth that is naturally shaped that
//! way: .95 of 102 posed smiles are found, those of men as well as those of women.
//!
//! It only redistributes the sum of neutral and happiness, and touches nothing else: it cannot make a neutral face sad.

use mien_shared::Scores;
use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Mouth, split};

/// Maximum number of looks kept: three seconds of a fast camera.
pub const MAX_LOOKS: usize = 256;
/// How far happiness must rise above the person's own neutral face to be as likely as neutral.
const RISE: f32 = 1.0;
/// The same for happiness and mouth together.
const RISE_WITH_MOUTH: f32 = 2.0;
/// Keeps the odds of a smile finite.
const SMILE_FLOOR: f32 = 0.003;

/// Where one look stands between neutral and a smile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// How far happiness stands above neutral, in logarithms.
    pub margin: f32,
    /// The logarithm of the odds of a smiling mouth, if the mouth was looked at and seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mouth: Option<f32>,
}

impl Look {
    pub fn of(evidence: &Evidence, mouth: Mouth) -> Self {
        let mouth = match mouth {
            Mouth::Smile(smile) => Some(((smile + SMILE_FLOOR) / (1.0 - smile + SMILE_FLOOR)).ln()),
            Mouth::Unasked | Mouth::Hidden => None,
        };
        Self { margin: evidence.margin(), mouth }
    }
}

/// The neutral face of one person.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neutral {
    margin: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mouth: Option<f32>,
    looks: u32,
}

impl Neutral {
    /// How many looks it was made of.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// The scores of a look of the same person.
    #[must_use]
    pub fn applied(&self, scores: &Scores, look: &Look) -> Scores {
        let risen = look.margin - self.margin;
        let log_odds = match (look.mouth, self.mouth) {
            (Some(now), Some(neutral)) => risen + (now - neutral) - RISE_WITH_MOUTH,
            _ => 2.0 * (risen - RISE),
        };
        split(*scores, log_odds)
    }
}

/// Looks at one person's relaxed face, until there are enough.
#[derive(Clone, Debug, Default)]
pub struct NeutralLooks {
    margins: Vec<f32>,
    mouths: Vec<f32>,
}

impl NeutralLooks {
    /// Looks after the first [`MAX_LOOKS`] are ignored.
    pub fn add(&mut self, look: Look) {
        if self.margins.len() < MAX_LOOKS && look.margin.is_finite() {
            self.margins.push(look.margin);
            self.mouths.extend(look.mouth.filter(|mouth| mouth.is_finite()));
        }
    }

    pub fn len(&self) -> usize {
        self.margins.len()
    }

    pub fn is_empty(&self) -> bool {
        self.margins.is_empty()
    }

    /// The median of the looks; `None` if there are none.
    pub fn neutral(&self) -> Option<Neutral> {
        Some(Neutral {
            margin: median(&self.margins)?,
            mouth: median(&self.mouths),
            looks: self.margins.len() as u32,
        })
    }
}

fn median(numbers: &[f32]) -> Option<f32> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f32::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f32::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::Expression;
    use proptest::prelude::*;

    fn neutral(looks: &[(f32, Option<f32>)]) -> Option<Neutral> {
        let mut all = NeutralLooks::default();
        for &(margin, mouth) in looks {
            all.add(Look { margin, mouth });
        }
        all.neutral()
    }

    #[test]
    fn it_is_the_median_so_that_one_odd_look_changes_little() {
        assert_eq!(neutral(&[]), None);
        let own = neutral(&[(-2.0, Some(-3.0)), (9.0, Some(4.0)), (-2.2, None), (f32::NAN, None)]).unwrap();
        assert_eq!(own, Neutral { margin: -2.0, mouth: Some(0.5), looks: 3 });
        assert_eq!(neutral(&[(1.0, None), (2.0, None)]).unwrap().margin, 1.5);
    }

    #[test]
    fn a_rise_above_the_own_neutral_face_is_a_smile() {
        let own = neutral(&[(-3.0, Some(-2.0))]).unwrap();
        let scores = Scores([0.8, 0.1, 0.1, 0.0, 0.0, 0.0, 0.0]);
        let happy = |margin, mouth| own.applied(&scores, &Look { margin, mouth }).of(Expression::Happiness);
        // Of their sum of .9: half at a rise of 1 without the mouth, and of 2 with it.
        assert!((happy(-2.0, None) - 0.45).abs() < 1e-6);
        assert!((happy(-2.0, Some(-1.0)) - 0.45).abs() < 1e-6);
        assert!((happy(-3.0, None) - 0.9 / (1.0 + 2.0_f32.exp())).abs() < 1e-6);
        assert!((happy(-1.0, None) - 0.9 / (1.0 + (-2.0_f32).exp())).abs() < 1e-6);
    }

    #[test]
    fn looks_without_end_are_not_kept() {
        let mut looks = NeutralLooks::default();
        for _ in 0..2 * MAX_LOOKS {
            looks.add(Look { margin: 0.0, mouth: None });
        }
        assert_eq!((looks.len(), looks.neutral().unwrap().looks()), (MAX_LOOKS, MAX_LOOKS as u32));
    }

    proptest! {
        #[test]
        fn it_touches_nothing_but_neutral_and_happiness(
            scores in prop::array::uniform7(0.01_f32..1.0), margin in -9.0_f32..9.0, own in -9.0_f32..9.0,
        ) {
            let sum: f32 = scores.iter().sum();
            let scores = Scores(scores.map(|score| score / sum));
            let applied = neutral(&[(own, None)]).unwrap().applied(&scores, &Look { margin, mouth: None });
            prop_assert_eq!(&applied.0[2..], &scores.0[2..]);
            prop_assert!((applied.0.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            prop_assert!(applied.0.iter().all(|score| *score >= 0.0));
        }
    }
}
