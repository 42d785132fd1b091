//! Stored samples, by the page and as a file.

use serde::{Deserialize, Serialize};

use super::session::Session;
use super::source::SourceName;
use crate::sample::Sample;

/// A sample with the source it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoredSample {
    pub source: SourceName,
    #[serde(flatten)]
    pub sample: Sample,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SamplesPage {
    #[cfg_attr(feature = "schema", schema(value_type = schema::SamplePage))]
    pub samples: Vec<StoredSample>,
    /// Cursor of the next page.
    #[cfg_attr(feature = "schema", schema(required))]
    pub next: Option<String>,
}

/// An export as JSON: a session with all its samples, by source, then by seq.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SessionExport {
    pub session: Session,
    pub samples: Vec<StoredSample>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    Csv,
    Json,
    Ndjson,
}

#[cfg(feature = "schema")]
mod schema {
    use super::StoredSample;
    use crate::limits::MAX_PAGE;
    use crate::schema::{components, list};

    components! {
        /// The samples of a page.
        pub(crate) SamplePage: list::<StoredSample>(0..=MAX_PAGE as usize), of StoredSample;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_sample_stands_flat() {
        let stored = StoredSample { source: SourceName::default(), sample: Sample::new(1, 2, Vec::new()) };
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(text, r#"{"source":"main","seq":1,"at":2,"faces":[]}"#);
        assert_eq!(serde_json::from_str::<StoredSample>(&text).unwrap(), stored);
    }
}
