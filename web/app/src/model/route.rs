//! Which page an address asks for.

use mien_shared::SessionId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Home,
    /// The first page with its demo running.
    Demo,
    /// The step before a recording. A fragment of the first page, so that the relay need not know it.
    Start,
    /// A recording on this device.
    Session(SessionId),
    /// The live view behind a share link.
    Watch(SessionId),
    Missing,
}

impl Route {
    /// What stands behind the `#` for [`Route::Start`].
    pub const START_FRAGMENT: &'static str = "start";

    pub fn of(pathname: &str) -> Self {
        let mut parts = pathname.split('/').filter(|part| !part.is_empty());
        let route = match (parts.next(), parts.next()) {
            (None, _) => Some(Self::Home),
            (Some("demo"), None) => Some(Self::Demo),
            (Some("session"), Some(id)) => id.parse().ok().map(Self::Session),
            (Some("watch"), Some(id)) => id.parse().ok().map(Self::Watch),
            _ => None,
        };
        route.filter(|_| parts.next().is_none()).unwrap_or(Self::Missing)
    }

    pub fn path(self) -> String {
        match self {
            Self::Home | Self::Missing => "/".to_owned(),
            Self::Demo => "/demo".to_owned(),
            Self::Start => format!("/#{}", Self::START_FRAGMENT),
            Self::Session(id) => format!("/session/{id}"),
            Self::Watch(id) => format!("/watch/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_routes_agree() {
        let id: SessionId = "0199a1b2-0000-7000-8000-000000000001".parse().unwrap();
        for route in [Route::Home, Route::Demo, Route::Session(id), Route::Watch(id)] {
            assert_eq!(Route::of(&route.path()), route);
        }
        assert_eq!(Route::of(&format!("/session/{id}/")), Route::Session(id));
    }

    #[test]
    fn what_is_no_address_is_missing() {
        for path in ["/session", "/session/", "/session/7", "/watch/x", "/nothing", "/demo/1"] {
            assert_eq!(Route::of(path), Route::Missing, "{path}");
        }
        let deep = "/session/0199a1b2-0000-7000-8000-000000000001/more";
        assert_eq!(Route::of(deep), Route::Missing);
    }
}
