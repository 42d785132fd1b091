//! How well identities hold. IDF1 is that of Ristani, Solera, Zou, Cucchiara and Tomasi, "Performance Measures and a Data
//! Set for Multi-Target, Multi-Camera Tracking" (ECCV 2016 workshops): people and identities are paired one to one so
//! that as many detections as possible agree, and `IDF1 = 2 IDTP / (2 IDTP + IDFP + IDFN)`. A switch is counted as in
//! CLEAR MOT: a person is seen under another identity than when seen last.

use std::collections::{BTreeMap, BTreeSet};

use mien_shared::{Face, FaceBox};

/// Overlap from which a shown box is that of a person.
const SAME: f32 = 0.5;

#[derive(Debug, Default)]
pub(crate) struct Account {
    /// In how many frames a person was shown under an identity.
    agreed: BTreeMap<(usize, u32), usize>,
    last: BTreeMap<usize, u32>,
    identities: BTreeSet<u32>,
    people: usize,
    shown: usize,
    missed: usize,
    switches: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) switches: usize,
    /// Share of the faces that were to be seen and were not shown.
    pub(crate) misses: f32,
    pub(crate) idf1: f32,
    pub(crate) identities: usize,
}

impl Account {
    pub(crate) fn add(&mut self, people: &[(usize, FaceBox)], faces: &[Face]) {
        self.people += people.len();
        self.shown += faces.len();
        self.identities.extend(faces.iter().map(|face| face.id));
        for (person, bounds) in people {
            let overlap = |face: &Face| face.bounds.iou(bounds);
            let best = faces.iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
            let Some(face) = best.filter(|face| overlap(face) >= SAME) else {
                self.missed += 1;
                continue;
            };
            *self.agreed.entry((*person, face.id)).or_default() += 1;
            if self.last.insert(*person, face.id).is_some_and(|before| before != face.id) {
                self.switches += 1;
            }
        }
    }

    pub(crate) fn figures(&self) -> Figures {
        let agreed = self.best_pairing();
        Figures {
            switches: self.switches,
            misses: self.missed as f32 / self.people as f32,
            // Twice the true positives, plus what is false in either: all that were to be seen, and all that were shown.
            idf1: 2.0 * agreed as f32 / (self.people + self.shown) as f32,
            identities: self.identities.len(),
        }
    }

    /// The most frames in which people and identities agree, when each has at most one of the other.
    fn best_pairing(&self) -> usize {
        let people: Vec<usize> =
            self.agreed.keys().map(|(person, _)| *person).collect::<BTreeSet<_>>().into_iter().collect();
        // By the set of people who have an identity: few enough to try all.
        let mut best = vec![0; 1 << people.len()];
        for identity in &self.identities {
            for set in (0..best.len()).rev() {
                for (place, person) in people.iter().enumerate().filter(|(place, _)| set >> place & 1 == 1) {
                    let agreed = self.agreed.get(&(*person, *identity)).copied().unwrap_or_default();
                    best[set] = best[set].max(best[set & !(1 << place)] + agreed);
                }
            }
        }
        best.last().copied().unwrap_or_default()
    }
}

#[test]
fn the_measure_is_the_published_one() {
    let face = |id: u32, left: f32| {
        let bounds = FaceBox { left, top: 0.0, width: 0.1, height: 0.1 };
        Face::new(id, bounds, None, mien_shared::Scores([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    };
    let mut account = Account::default();
    // Six frames of one person, of which one is missed, and two have another identity.
    for id in [Some(1), Some(1), Some(1), None, Some(2), Some(2)] {
        let faces: Vec<Face> = id.map(|id| face(id, 0.5)).into_iter().collect();
        account.add(&[(0, face(0, 0.5).bounds)], &faces);
    }
    let figures = account.figures();
    assert_eq!((figures.switches, figures.identities), (1, 2));
    // Three true, two false positives, three false negatives.
    assert!((figures.idf1 - 6.0 / (6.0 + 2.0 + 3.0)).abs() < 1e-6);
    assert!((figures.misses - 1.0 / 6.0).abs() < 1e-6);
}
