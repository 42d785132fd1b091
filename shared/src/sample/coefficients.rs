//! The 52 coefficients of a face's movements.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// How strongly a face shows each of 52 movements, 0 … 1, by the names that MediaPipe publishes. Of a coefficient that
/// was not measured there is no value. Values have three decimals, far finer than what is measured: so they take little
/// room, and stay the same however often they are stored and read.
#[derive(Clone, PartialEq, Eq)]
pub struct Coefficients([u16; Self::COUNT]);

/// A value of this many is 1.
const ONE: u16 = 1_000;
const ABSENT: u16 = u16::MAX;
/// Came as a number outside 0 … 1; kept so that the sample can be refused with the coefficient's name.
const INVALID: u16 = ABSENT - 1;

impl Coefficients {
    pub const COUNT: usize = 52;

    /// In the order of MediaPipe's outputs, which is also that of their bytes.
    pub const NAMES: [&'static str; Self::COUNT] = [
        "_neutral",
        "browDownLeft",
        "browDownRight",
        "browInnerUp",
        "browOuterUpLeft",
        "browOuterUpRight",
        "cheekPuff",
        "cheekSquintLeft",
        "cheekSquintRight",
        "eyeBlinkLeft",
        "eyeBlinkRight",
        "eyeLookDownLeft",
        "eyeLookDownRight",
        "eyeLookInLeft",
        "eyeLookInRight",
        "eyeLookOutLeft",
        "eyeLookOutRight",
        "eyeLookUpLeft",
        "eyeLookUpRight",
        "eyeSquintLeft",
        "eyeSquintRight",
        "eyeWideLeft",
        "eyeWideRight",
        "jawForward",
        "jawLeft",
        "jawOpen",
        "jawRight",
        "mouthClose",
        "mouthDimpleLeft",
        "mouthDimpleRight",
        "mouthFrownLeft",
        "mouthFrownRight",
        "mouthFunnel",
        "mouthLeft",
        "mouthLowerDownLeft",
        "mouthLowerDownRight",
        "mouthPressLeft",
        "mouthPressRight",
        "mouthPucker",
        "mouthRight",
        "mouthRollLower",
        "mouthRollUpper",
        "mouthShrugLower",
        "mouthShrugUpper",
        "mouthSmileLeft",
        "mouthSmileRight",
        "mouthStretchLeft",
        "mouthStretchRight",
        "mouthUpperUpLeft",
        "mouthUpperUpRight",
        "noseSneerLeft",
        "noseSneerRight",
    ];

    /// From a network's outputs, in the order of [`Self::NAMES`]. What is a little outside 0 … 1 is drawn in; NaN is no
    /// measurement.
    pub fn new(values: &[f32; Self::COUNT]) -> Self {
        Self(values.map(|value| if value.is_nan() { ABSENT } else { rounded(value.clamp(0.0, 1.0)) }))
    }

    /// From thousandths, in the order of [`Self::NAMES`]. `None` where one is over 1,000.
    pub fn from_thousandths(values: [Option<u16>; Self::COUNT]) -> Option<Self> {
        let valid = values.iter().flatten().all(|&value| value <= ONE);
        valid.then(|| Self(values.map(|value| value.unwrap_or(ABSENT))))
    }

    /// In thousandths, in the order of [`Self::NAMES`].
    pub fn thousandths(&self) -> [Option<u16>; Self::COUNT] {
        self.0.map(|value| (value <= ONE).then_some(value))
    }

    /// In the order of [`Self::NAMES`].
    pub fn values(&self) -> impl Iterator<Item = Option<f32>> {
        self.0.iter().map(|&value| (value <= ONE).then(|| f32::from(value) / f32::from(ONE)))
    }

    /// By its published name.
    pub fn get(&self, name: &str) -> Option<f32> {
        self.values().nth(index(name)?)?
    }

    /// Those that were measured.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f32)> {
        Self::NAMES.into_iter().zip(self.values()).filter_map(|(name, value)| Some((name, value?)))
    }

    /// Whether none was measured.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&value| value == ABSENT)
    }

    /// The name of one that is outside 0 … 1.
    pub(super) fn invalid(&self) -> Option<&'static str> {
        let place = self.0.iter().position(|&value| value == INVALID)?;
        Some(Self::NAMES[place])
    }
}

/// None is measured.
impl Default for Coefficients {
    fn default() -> Self {
        Self([ABSENT; Self::COUNT])
    }
}

impl fmt::Debug for Coefficients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.named()).finish()
    }
}

fn rounded(value: f32) -> u16 {
    (value * f32::from(ONE)).round() as u16
}

fn index(name: &str) -> Option<usize> {
    Coefficients::NAMES.binary_search(&name).ok()
}

impl Serialize for Coefficients {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.named() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

/// Names that are not known here are left out: they are a newer writer's.
impl<'de> Deserialize<'de> for Coefficients {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = Coefficients;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of coefficients by name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Coefficients, A::Error> {
                let mut coefficients = Coefficients::default();
                let mut seen = 0_u64;
                while let Some(Key(index)) = map.next_key()? {
                    let Some(index) = index else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    };
                    if seen & (1 << index) != 0 {
                        return Err(A::Error::duplicate_field(Coefficients::NAMES[index]));
                    }
                    seen |= 1 << index;
                    coefficients.0[index] = match map.next_value::<Option<f32>>()? {
                        None => ABSENT,
                        Some(value) if (0.0..=1.0).contains(&value) => rounded(value),
                        Some(_) => INVALID,
                    };
                }
                Ok(coefficients)
            }
        }
        deserializer.deserialize_map(Values)
    }
}

/// Where a coefficient stands, if its name is known.
struct Key(Option<usize>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;
        impl Visitor<'_> for Name {
            type Value = Key;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a coefficient")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
                Ok(Key(index(name)))
            }
        }
        deserializer.deserialize_identifier(Name)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
    use utoipa::openapi::{Ref, RefOr};
    use utoipa::{PartialSchema, ToSchema};

    use super::Coefficients;
    use crate::schema::{Schemas, add, components};

    components! {
        /// How strongly a face shows a movement, with three decimals; null as if it were absent.
        pub(crate) Coefficient: ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Number, Type::Null]))
            .minimum(Some(0.0))
            .maximum(Some(1.0));
    }

    impl PartialSchema for Coefficients {
        fn schema() -> RefOr<Schema> {
            let about = "How strongly a face shows each of 52 movements, by the names that MediaPipe publishes. What \
                         is not measured is absent.";
            let coefficient = Ref::from_schema_name(Coefficient::name());
            let object = Self::NAMES
                .into_iter()
                .fold(ObjectBuilder::new(), |object, name| object.property(name, coefficient.clone()));
            Schema::from(object.description(Some(about)).build()).into()
        }
    }

    impl ToSchema for Coefficients {
        fn schemas(schemas: &mut Schemas) {
            add::<Coefficient>(schemas);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_searchable_and_stand_where_the_network_has_them() {
        assert!(Coefficients::NAMES.is_sorted());
        for (place, name) in [(0, "_neutral"), (9, "eyeBlinkLeft"), (25, "jawOpen"), (44, "mouthSmileLeft")] {
            assert_eq!(index(name), Some(place));
        }
        assert_eq!(index("tongueOut"), None);
    }

    #[test]
    fn a_value_has_three_decimals_and_stays_as_it_is() {
        let values = std::array::from_fn(|place| place as f32 / 51.0);
        let coefficients = Coefficients::new(&values);
        for (kept, value) in coefficients.values().zip(values) {
            assert!((kept.unwrap() - value).abs() <= 0.0005001);
        }
        let text = serde_json::to_string(&coefficients).unwrap();
        assert!(text.starts_with(r#"{"_neutral":0.0,"browDownLeft":0.02,"browDownRight":0.039,"#), "{text}");
        assert_eq!(serde_json::from_str::<Coefficients>(&text).unwrap(), coefficients);
        let all = std::array::from_fn(|place| Some(place as u16 * 19));
        assert_eq!(Coefficients::from_thousandths(all).unwrap().thousandths(), all);
        assert_eq!(Coefficients::from_thousandths([Some(1_001); Coefficients::COUNT]), None);
        for thousandth in 0..=ONE {
            let text = serde_json::to_string(&(f32::from(thousandth) / f32::from(ONE))).unwrap();
            assert!(text.len() <= "0.123".len(), "{text}");
            assert_eq!(rounded(serde_json::from_str(&text).unwrap()), thousandth);
        }
    }

    #[test]
    fn outputs_of_a_network_are_drawn_in() {
        let mut values = [0.5; Coefficients::COUNT];
        (values[0], values[1], values[2]) = (-0.01, 1.01, f32::NAN);
        let coefficients = Coefficients::new(&values);
        let first: Vec<_> = coefficients.values().take(4).collect();
        assert_eq!(first, [Some(0.0), Some(1.0), None, Some(0.5)]);
        assert_eq!(coefficients.invalid(), None);
    }

    #[test]
    fn what_is_absent_stays_absent_and_what_is_newer_is_left_out() {
        let read = |text: &str| serde_json::from_str::<Coefficients>(text);
        let some = read(r#"{"tongueOut":{"x":[7]},"jawOpen":0.25,"jawLeft":null,"jawRight":1}"#).unwrap();
        assert_eq!(some.named().collect::<Vec<_>>(), [("jawOpen", 0.25), ("jawRight", 1.0)]);
        assert_eq!(
            (some.get("jawOpen"), some.get("jawLeft"), some.get("tongueOut")),
            (Some(0.25), None, None)
        );
        assert_eq!(serde_json::to_string(&some).unwrap(), r#"{"jawOpen":0.25,"jawRight":1.0}"#);
        assert!(read("{}").unwrap().is_empty() && !some.is_empty());
        for bad in ["[]", "[0.5]", "7", r#"{"jawOpen":"1"}"#, r#"{"jawOpen":1,"jawOpen":1}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
