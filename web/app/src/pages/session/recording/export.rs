//! The stored numbers of a session as a file.

use mien_engine::api::ApiFault;
use mien_shared::api::ExportFormat;

use super::state::Recording;
use crate::browser;

/// A file that the browser was given to save.
pub(crate) struct SavedFile {
    pub name: String,
    pub bytes: u64,
}

/// Saves the export. `None` if the browser does not allow it.
pub(crate) async fn save(recording: Recording, format: ExportFormat) -> Result<Option<SavedFile>, ApiFault> {
    let (extension, media_type) = match format {
        ExportFormat::Csv => ("csv", "text/csv"),
        ExportFormat::Json => ("json", "application/json"),
        ExportFormat::Ndjson => ("ndjson", "application/x-ndjson"),
    };
    let content = recording.saved().relay().export(recording.session(), format).await?;
    let name = format!("mien-{}.{extension}", recording.session());
    let is_saved = browser::download(&name, media_type, &content);
    Ok(is_saved.then_some(SavedFile { name, bytes: content.len() as u64 }))
}
