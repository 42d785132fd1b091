//! How a head is turned: the rotation that carries MediaPipe's canonical face onto the points, by weighted least
//! squares (Horn 1987, *Closed-form solution of absolute orientation using unit quaternions*), with the points and
//! weights of MediaPipe's own face geometry. Perspective is left out: angles are those seen from the camera.

use super::canonical::ANCHORS;

/// Steps of the power iteration. A face's points at least halve the error in each, and a float has 24 bits.
const STEPS: usize = 48;

/// In degrees, as the unmirrored picture shows the head. The turns are applied in the order pitch, yaw, roll, so that a
/// picture that is turned changes the roll alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pose {
    /// Above 0 where the face looks to the right of the picture, the person's own left; −90 … 90.
    pub yaw: f32,
    /// Above 0 where the face looks up.
    pub pitch: f32,
    /// Above 0 where the head leans clockwise in the picture, to the person's own left shoulder.
    pub roll: f32,
}

/// A rotation: its rows are where the picture's axes (right, down, away from the camera) lie in the head.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rotation([[f32; 3]; 3]);

impl Pose {
    /// From the rotation of a face within its crop, which itself is turned by `tilt` radians.
    pub(super) fn of(rotation: &Rotation, tilt: f32) -> Self {
        let [x, y, z] = rotation.0;
        let roll = (y[0].atan2(x[0]) + tilt).to_degrees();
        Self {
            yaw: z[0].clamp(-1.0, 1.0).asin().to_degrees(),
            pitch: (-z[1]).atan2(z[2]).to_degrees(),
            roll: half_turn(roll),
        }
    }
}

/// The same angle within −180 … 180 degrees.
pub(super) fn half_turn(degrees: f32) -> f32 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

/// A point of the canonical face, and where it was seen.
struct Pair {
    weight: f32,
    from: [f32; 3],
    to: [f32; 3],
}

impl Rotation {
    /// From the canonical face to these points, three numbers each, in pixels; `None` if they are no face.
    pub(super) fn of(points: &[f32]) -> Option<Self> {
        let seen = |point: usize| points.get(3 * point..)?.first_chunk::<3>().copied();
        let pairs = ANCHORS
            .iter()
            .map(|anchor| {
                let [left, up, out] = anchor.at;
                Some(Pair { weight: anchor.weight, from: [left, -up, -out], to: seen(anchor.point)? })
            })
            .collect::<Option<Vec<_>>>()?;
        let weight: f32 = pairs.iter().map(|pair| pair.weight).sum();
        let middle = |of: fn(&Pair) -> [f32; 3]| -> [f32; 3] {
            std::array::from_fn(|axis| {
                pairs.iter().map(|pair| pair.weight * of(pair)[axis]).sum::<f32>() / weight
            })
        };
        let (from_middle, to_middle) = (middle(|pair| pair.from), middle(|pair| pair.to));
        let mut s = [[0.0_f32; 3]; 3];
        let (mut from_size, mut to_size) = (0.0, 0.0);
        for Pair { weight, from, to } in &pairs {
            let from: [f32; 3] = std::array::from_fn(|axis| from[axis] - from_middle[axis]);
            let to: [f32; 3] = std::array::from_fn(|axis| to[axis] - to_middle[axis]);
            for (row, from) in s.iter_mut().zip(from) {
                for (sum, to) in row.iter_mut().zip(to) {
                    *sum += weight * from * to;
                }
            }
            from_size += weight * from.iter().map(|side| side * side).sum::<f32>();
            to_size += weight * to.iter().map(|side| side * side).sum::<f32>();
        }
        // No eigenvalue is larger than this.
        let scale = (from_size * to_size).sqrt();
        if !(scale.is_finite() && scale > 0.0) {
            return None;
        }
        Some(Self::from_quaternion(turn(&s, scale)))
    }

    fn from_quaternion([w, x, y, z]: [f32; 4]) -> Self {
        Self([
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ])
    }

    /// A direction in the picture, as one in the head: right, down, away.
    pub(super) fn into_head(self, [right, down, away]: [f32; 3]) -> [f32; 3] {
        std::array::from_fn(|axis| self.0[0][axis] * right + self.0[1][axis] * down + self.0[2][axis] * away)
    }
}

/// The unit quaternion that belongs to the largest eigenvalue of Horn's matrix.
fn turn(s: &[[f32; 3]; 3], scale: f32) -> [f32; 4] {
    let [[xx, xy, xz], [yx, yy, yz], [zx, zy, zz]] = *s;
    let n = [
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ];
    // Any start but one at right angles to the answer.
    let mut q = [0.9_f32, 0.3, 0.25, 0.2];
    for _ in 0..STEPS {
        // Shifted, so that the largest eigenvalue is the largest in size, too.
        let next: [f32; 4] =
            std::array::from_fn(|row| q[row] + n[row].iter().zip(q).map(|(n, q)| n / scale * q).sum::<f32>());
        let length = next.iter().map(|part| part * part).sum::<f32>().sqrt();
        q = next.map(|part| part / length);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::super::crop::POINTS;
    use super::*;
    use proptest::prelude::*;

    /// The canonical face turned by pitch, yaw and roll, in pixels.
    fn posed(pose: Pose, size: f32) -> Vec<f32> {
        let [yaw, pitch, roll] = [pose.yaw, pose.pitch, pose.roll].map(f32::to_radians);
        let mut points = vec![0.0; 3 * POINTS];
        for anchor in &ANCHORS {
            let [x, y, z] = [anchor.at[0], -anchor.at[1], -anchor.at[2]];
            // Up is towards the camera for what lies below.
            let (y, z) = (y * pitch.cos() + z * pitch.sin(), z * pitch.cos() - y * pitch.sin());
            let (x, z) = (x * yaw.cos() - z * yaw.sin(), z * yaw.cos() + x * yaw.sin());
            let (x, y) = (x * roll.cos() - y * roll.sin(), y * roll.cos() + x * roll.sin());
            let place = [128.0 + size * x, 120.0 + size * y, 3.0 + size * z];
            points[3 * anchor.point..3 * anchor.point + 3].copy_from_slice(&place);
        }
        points
    }

    fn found(points: &[f32], tilt: f32) -> Pose {
        Pose::of(&Rotation::of(points).expect("a face"), tilt)
    }

    #[test]
    fn the_nose_shows_where_the_signs_point() {
        let nose = |pose| {
            let points = posed(pose, 10.0);
            [points[12] - 128.0, points[13] - 120.0]
        };
        let straight = Pose { yaw: 0.0, pitch: 0.0, roll: 0.0 };
        let [across, down] = nose(straight);
        assert!(nose(Pose { yaw: 30.0, ..straight })[0] > across + 20.0, "to the right of the picture");
        assert!(nose(Pose { pitch: 30.0, ..straight })[1] < down - 20.0, "up");
        // The chin is below the middle: clockwise takes it to the left.
        let chin = |pose| posed(pose, 10.0)[3 * 136];
        assert!(chin(Pose { roll: 30.0, ..straight }) < chin(straight) - 10.0);
    }

    #[test]
    fn the_crop_s_own_turn_is_part_of_the_roll() {
        let points = posed(Pose { yaw: 10.0, pitch: -5.0, roll: 100.0 }, 9.0);
        let pose = found(&points, 2.0);
        let expected = 100.0 + 2.0_f32.to_degrees() - 360.0;
        assert!((pose.roll - expected).abs() < 0.01 && (pose.yaw - 10.0).abs() < 0.01, "{pose:?}");
    }

    #[test]
    fn what_is_no_face_has_no_pose() {
        assert_eq!(Rotation::of(&[0.0; 3 * POINTS]), None);
        assert_eq!(Rotation::of(&[f32::NAN; 3 * POINTS]), None);
        assert_eq!(Rotation::of(&[1.0; 30]), None);
    }

    proptest! {
        #[test]
        fn every_turn_is_found(
            yaw in -80.0_f32..80.0, pitch in -80.0_f32..80.0, roll in -179.0_f32..179.0, size in 1.0_f32..20.0,
        ) {
            let pose = found(&posed(Pose { yaw, pitch, roll }, size), 0.0);
            let off = [pose.yaw - yaw, pose.pitch - pitch, half_turn(pose.roll - roll)];
            prop_assert!(off.iter().all(|off| off.abs() < 0.1), "{off:?}");
        }
    }
}
