//! Cameras by name.

use mien_engine::CameraDevice;

use super::format;

/// The name of the camera with this id, as the list of cameras shows it.
pub fn name_of(cameras: &[CameraDevice], id: &str) -> Option<String> {
    let place = cameras.iter().position(|camera| camera.id == id)?;
    Some(format::camera(&cameras[place].label, place + 1))
}

/// Id and name of a camera that is no longer there. A page that may not know the ids of cameras knows of none.
pub fn removed(before: &[CameraDevice], now: &[CameraDevice]) -> Option<(String, String)> {
    let is_there = |id: &str| now.iter().any(|camera| camera.id == id);
    let camera = before.iter().find(|camera| !camera.id.is_empty() && !is_there(&camera.id))?;
    Some((camera.id.clone(), name_of(before, &camera.id)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(id: &str, label: &str) -> CameraDevice {
        CameraDevice { id: id.to_owned(), label: label.to_owned() }
    }

    #[test]
    fn the_camera_that_was_removed_is_named() {
        let before = [camera("a", "Built-in"), camera("b", "USB Camera (046d:0825)"), camera("c", "")];
        let named = |id: &str, name: &str| Some((id.to_owned(), name.to_owned()));
        assert_eq!(removed(&before, &before), None);
        assert_eq!(removed(&before[..1], &before), None, "one that was added");
        assert_eq!(removed(&before, &before[..2]), named("c", "Camera\u{a0}3"));
        assert_eq!(removed(&before, &[before[0].clone(), before[2].clone()]), named("b", "USB Camera"));
        assert_eq!(removed(&[camera("", "")], &[]), None);
        assert_eq!(name_of(&before, "b").as_deref(), Some("USB Camera"));
        assert_eq!(name_of(&before, "x"), None);
    }
}
