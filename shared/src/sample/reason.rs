//! What lowers the quality of a face.

use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// What lowers the quality of a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum QualityReason {
    /// Too few pixels.
    Small,
    /// Turned away from the camera.
    Turned,
    /// Too little light.
    Dark,
    /// Out of focus, or moving.
    Blurred,
    /// Partly outside the frame.
    Cut,
}

impl QualityReason {
    pub const ALL: [Self; 5] = [Self::Small, Self::Turned, Self::Dark, Self::Blurred, Self::Cut];

    /// The word on the wire and in exports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Turned => "turned",
            Self::Dark => "dark",
            Self::Blurred => "blurred",
            Self::Cut => "cut",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Reads a list of reasons that may be null. A newer writer may know more reasons: those are left out, as are repeated
/// ones.
pub(super) fn reasons<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<QualityReason>, D::Error> {
    let names = Option::<Vec<Name>>::deserialize(deserializer)?.unwrap_or_default();
    let mut reasons = Vec::new();
    for reason in names.into_iter().filter_map(|Name(known)| known) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Ok(reasons)
}

struct Name(Option<QualityReason>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Name;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a reason")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(Name(QualityReason::from_name(name)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::Ref;
    use utoipa::openapi::schema::ArrayBuilder;

    use super::QualityReason;
    use crate::schema::{components, open};

    components! {
        /// What lowers the quality of a face. More reasons may come: one that is not known here is left out.
        pub(crate) AnyQualityReason: open::<QualityReason>(), of QualityReason;
        /// What lowers the quality of a face, each once.
        pub(crate) QualityReasons:
            ArrayBuilder::new().items(Ref::from_schema_name("AnyQualityReason")), of AnyQualityReason;
    }
}

#[cfg(feature = "schema")]
pub(super) use schema::QualityReasons;
