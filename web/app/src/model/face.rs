//! Which face the figures are about when there are several, and how its scores rank.

use mien_shared::{Expression, Face, Scores, speaker};

/// Which face was asked for or shown before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Preferred {
    pub chosen: Option<u32>,
    pub shown: Option<u32>,
}

/// The chosen face while it is in view, otherwise the one that speaks for the person. `certainty` is the detector's, by
/// identity, where it is known.
pub fn main_face(
    faces: &[Face],
    certainty: impl Fn(u32) -> Option<f32>,
    preferred: Preferred,
) -> Option<&Face> {
    let chosen = faces.iter().find(|face| Some(face.id) == preferred.chosen);
    chosen.or_else(|| speaker(faces, certainty, preferred.shown))
}

/// Probability of what is shown: of the named expression, or of the likeliest one if the analyser abstains.
pub fn confidence(face: &Face) -> f32 {
    face.expression.map_or_else(|| face.scores.top().1, |expression| face.scores.of(expression))
}

/// The strongest first.
pub fn by_score(scores: &Scores) -> [Expression; Expression::COUNT] {
    let mut order = Expression::ALL;
    order.sort_by(|a, b| scores.of(*b).total_cmp(&scores.of(*a)));
    order
}

/// Place of each expression from the strongest, 0 … 6, in the order of [`Expression::ALL`].
pub fn ranks(scores: &Scores) -> [u8; Expression::COUNT] {
    let mut ranks = [0; Expression::COUNT];
    for (rank, expression) in by_score(scores).into_iter().enumerate() {
        ranks[expression.index()] = rank as u8;
    }
    ranks
}

/// Quality in words, for what a person can do about it.
pub const fn quality_hint(quality: f32) -> &'static str {
    if quality >= 0.6 {
        "Clear view of the face"
    } else if quality >= 0.3 {
        "Fair view; more light or a frontal view would help"
    } else {
        "Poor view; come closer, face the camera, add light"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mien_shared::FaceBox;

    fn face(id: u32, width: f32) -> Face {
        let bounds = FaceBox::from([0.0, 0.0, width, width]);
        Face::new(id, bounds, None, Scores([0.1, 0.5, 0.1, 0.1, 0.1, 0.05, 0.05]))
    }

    #[test]
    fn the_chosen_face_wins_while_it_is_there() {
        let faces = [face(1, 0.1), face(2, 0.3), face(3, 0.25)];
        let main =
            |chosen, shown| main_face(&faces, |_| None, Preferred { chosen, shown }).map(|face| face.id);
        assert_eq!(main(None, None), Some(2));
        assert_eq!(main(Some(3), None), Some(3));
        assert_eq!(main(Some(9), None), Some(2));
        assert_eq!(main(None, Some(3)), Some(3), "nearly as large, and shown so far");
        assert_eq!(main_face(&[], |_| None, Preferred { chosen: Some(1), shown: None }), None);
    }

    #[test]
    fn ranks_are_a_permutation_and_stable_on_ties() {
        assert_eq!(ranks(&face(1, 0.1).scores), [1, 0, 2, 3, 4, 5, 6]);
    }
}
