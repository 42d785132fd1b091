//! Values kept in a file instead of a variable, as container engines and service managers provide secrets.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::error::ConfigError;

/// Far more than any of them needs. A file that never ends is not a secret.
const MAX_BYTES: u64 = 64 * 1024;

/// The value of the variable, or of the file that `…_FILE` names.
pub(super) fn text(
    variable: &'static str,
    said: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<String>, ConfigError> {
    let bytes = bytes(variable, said, file.clone())?;
    let read =
        |bytes| String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text"));
    bytes.map(read).transpose().map_err(|cause| ConfigError::File {
        variable,
        path: file.unwrap_or_default(),
        cause,
    })
}

/// The same for a value that need not be text.
pub(super) fn bytes(
    variable: &'static str,
    said: Option<String>,
    file: Option<PathBuf>,
) -> Result<Option<Vec<u8>>, ConfigError> {
    let said = said.filter(|text| !text.is_empty());
    let file = file.filter(|path| !path.as_os_str().is_empty());
    match (said, file) {
        (Some(_), Some(_)) => Err(ConfigError::SaidTwice(variable)),
        (Some(text), None) => Ok(Some(text.into_bytes())),
        (None, Some(path)) => {
            read(&path).map(Some).map_err(|cause| ConfigError::File { variable, path, cause })
        }
        (None, None) => Ok(None),
    }
}

/// Without the newline that editors and `echo` append.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    while let Some(b'\n' | b'\r') = bytes.last() {
        bytes.pop();
    }
    match bytes.len() as u64 {
        0 => Err(io::Error::new(ErrorKind::InvalidData, "it is empty")),
        1..=MAX_BYTES => Ok(bytes),
        _ => Err(io::Error::new(ErrorKind::InvalidData, "it has more than 64 KiB")),
    }
}
