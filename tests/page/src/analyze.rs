//! `mien-analyze`, the same inference over files: what a browser should see in the same picture.

use std::path::Path;
use std::process::Command;

use mien_shared::Face;
use serde::Deserialize;

use mien_kit::parts;

#[derive(Deserialize)]
struct Picture {
    faces: Vec<Face>,
}

/// The one face of a picture.
pub fn face(picture: &Path) -> Face {
    let output = Command::new(parts::program("MIEN_ANALYZE", "mien-analyze"))
        .args(["--format", "ndjson"])
        .arg(picture)
        .output()
        .expect("mien-analyze runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let mut picture: Picture = serde_json::from_str(said.trim()).expect("one line for one picture");
    assert_eq!(picture.faces.len(), 1, "{said}");
    picture.faces.remove(0)
}
