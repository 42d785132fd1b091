//! Cameras by name. A camera is its id and its label.

use super::format;

/// The name of the camera with this id, as the list of cameras says it.
pub fn name_of(cameras: &[(&str, &str)], id: &str) -> Option<String> {
    let place = cameras.iter().position(|(other, _)| *other == id)?;
    Some(format::camera(cameras[place].1, place + 1))
}

/// Id and name of a camera that was there and is not any more. A page that may not know cameras' ids knows of none.
pub fn gone(before: &[(&str, &str)], now: &[(&str, &str)]) -> Option<(String, String)> {
    let is_there = |id: &str| now.iter().any(|(other, _)| *other == id);
    let (id, _) = before.iter().find(|(id, _)| !id.is_empty() && !is_there(id))?;
    Some(((*id).to_owned(), name_of(before, id)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_that_is_gone_is_named() {
        let before = [("a", "Built-in"), ("b", "USB Camera (046d:0825)"), ("c", "")];
        let named = |id: &str, name: &str| Some((id.to_owned(), name.to_owned()));
        assert_eq!(gone(&before, &before), None);
        assert_eq!(gone(&before[..1], &before), None, "one that came");
        assert_eq!(gone(&before, &before[..2]), named("c", "Camera\u{a0}3"));
        assert_eq!(gone(&before, &[before[0], before[2]]), named("b", "USB Camera"));
        assert_eq!(gone(&[("", "")], &[]), None);
        assert_eq!(name_of(&before, "b").as_deref(), Some("USB Camera"));
        assert_eq!(name_of(&before, "x"), None);
    }
}
