//! Whole numbers as JSON has them: `5`, `5.0` and `5e0` are one number, to JSON Schema as to JavaScript, and what
//! counts in floats (Python's clock, R) writes the second.

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// What a float still says exactly: 2^53.
const MAX_EXACT: f64 = (1_u64 << 53) as f64;

/// For `deserialize_with`.
pub(crate) fn whole<'de, T: Whole, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    // Asks for an integer, as formats that do not say what they hold need to know; JSON says, and may say a float.
    deserializer.deserialize_u64(WholeVisitor(std::marker::PhantomData))
}

/// The same where there may be none.
pub(crate) fn whole_if_any<'de, T: Whole, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::<Read<T>>::deserialize(deserializer).map(|read| read.map(|Read(number)| number))
}

/// The same inside of something else.
pub(crate) struct Read<T>(pub(crate) T);

impl<'de, T: Whole> Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole(deserializer).map(Self)
    }
}

pub(crate) trait Whole: TryFrom<u64> + TryFrom<i64> {}

impl<T: TryFrom<u64> + TryFrom<i64>> Whole for T {}

struct WholeVisitor<T>(std::marker::PhantomData<T>);

impl<T: Whole> Visitor<'_> for WholeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a whole number within its range")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        if number.fract() != 0.0 {
            return Err(E::invalid_type(Unexpected::Float(number), &self));
        }
        if number.abs() > MAX_EXACT {
            return Err(E::invalid_value(Unexpected::Float(number), &self));
        }
        self.visit_i64(number as i64)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Numbers {
        #[serde(deserialize_with = "super::whole")]
        all: u64,
        #[serde(deserialize_with = "super::whole")]
        small: u32,
        #[serde(deserialize_with = "super::whole")]
        signed: i64,
        #[serde(default, deserialize_with = "super::whole_if_any")]
        some: Option<u64>,
    }

    fn read(text: &str) -> Result<Numbers, String> {
        serde_json::from_str(text).map_err(|fault| fault.to_string())
    }

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let numbers = Numbers { all: 5, small: 7, signed: -2, some: Some(1_000) };
        for text in [
            r#"{"all":5,"small":7,"signed":-2,"some":1000}"#,
            r#"{"all":5.0,"small":7e0,"signed":-2.0,"some":1e3}"#,
        ] {
            assert_eq!(read(text).unwrap(), numbers, "{text}");
        }
        let none = Numbers { some: None, ..numbers };
        assert_eq!(read(r#"{"all":5,"small":7,"signed":-2}"#).unwrap(), none);
        assert_eq!(read(r#"{"all":5,"small":7,"signed":-2,"some":null}"#).unwrap(), none);
        let largest = read(r#"{"all":18446744073709551615,"small":0,"signed":0}"#).unwrap();
        assert_eq!(largest.all, u64::MAX);
    }

    #[test]
    fn a_part_is_of_the_wrong_type_and_a_size_out_of_range() {
        for (value, fault) in [
            ("1.5", "invalid type"),
            ("\"1\"", "invalid type"),
            ("null", "invalid type"),
            ("-1", "invalid value"),
            ("-1.0", "invalid value"),
            ("4294967296.0", "invalid value"),
            ("1e300", "invalid value"),
        ] {
            let text = format!(r#"{{"all":1,"small":{value},"signed":0}}"#);
            assert!(read(&text).unwrap_err().starts_with(fault), "{text}");
        }
    }
}
