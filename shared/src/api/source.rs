//! Names of sources.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_SOURCE_CHARS;

/// Name of a source: 1–32 of `a-z 0-9 - _`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceName(std::sync::Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a source's name is 1–{MAX_SOURCE_CHARS} of a-z 0-9 - _")]
pub struct SourceNameFault;

impl SourceName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `main`, the source of whoever names none.
impl Default for SourceName {
    fn default() -> Self {
        Self("main".into())
    }
}

impl FromStr for SourceName {
    type Err = SourceNameFault;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if (1..=MAX_SOURCE_CHARS).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(SourceNameFault)
        }
    }
}

impl TryFrom<String> for SourceName {
    type Error = SourceNameFault;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SourceName> for String {
    fn from(name: SourceName) -> Self {
        (*name.0).to_owned()
    }
}

impl std::fmt::Display for SourceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(feature = "schema")]
mod schema {
    use utoipa::openapi::RefOr;
    use utoipa::openapi::schema::Schema;
    use utoipa::{PartialSchema, ToSchema};

    use super::SourceName;
    use crate::limits::{MAX_SOURCE_CHARS, MAX_SOURCES};
    use crate::schema::{components, list, source_chars, text};

    components! {
        /// Names of sources.
        pub(crate) SourceNames: list::<SourceName>(0..=MAX_SOURCES), of SourceName;
    }

    impl PartialSchema for SourceName {
        fn schema() -> RefOr<Schema> {
            let about = format!("Name of a source: 1–{MAX_SOURCE_CHARS} of `a-z 0-9 - _`.");
            let pattern = format!("^{}$", source_chars());
            let name = text(1..=MAX_SOURCE_CHARS, &pattern).description(Some(about));
            Schema::from(name.build()).into()
        }
    }

    impl ToSchema for SourceName {}
}

#[cfg(feature = "schema")]
pub(crate) use schema::SourceNames;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_names() {
        for good in ["main", "a", "cam-2_b", &"x".repeat(32)] {
            assert_eq!(good.parse::<SourceName>().unwrap().as_str(), good);
        }
        for bad in ["", "Main", "ä", "a b", "a/b", &"x".repeat(33)] {
            assert_eq!(bad.parse::<SourceName>(), Err(SourceNameFault));
        }
        assert_eq!(SourceName::default().as_str(), "main");
    }
}
