//! Which page an address asks for. Addresses count from the page's `<base>`, under whatever path that is served.

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
    /// What follows the `#` for [`Route::Start`].
    pub const START_FRAGMENT: &'static str = "start";

    /// `path`: what comes after the base.
    pub fn of(path: &str) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let route = match (parts.next(), parts.next()) {
            (None, _) => Some(Self::Home),
            (Some("demo"), None) => Some(Self::Demo),
            (Some("session"), Some(id)) => id.parse().ok().map(Self::Session),
            (Some("watch"), Some(id)) => id.parse().ok().map(Self::Watch),
            _ => None,
        };
        route.filter(|_| parts.next().is_none()).unwrap_or(Self::Missing)
    }

    /// Relative to the base.
    pub fn address(self) -> String {
        // Not the empty string: to a browser's history that is the address that is open.
        match self {
            Self::Home | Self::Missing => "./".to_owned(),
            Self::Demo => "./demo".to_owned(),
            Self::Start => format!("./#{}", Self::START_FRAGMENT),
            Self::Session(id) => format!("./session/{id}"),
            Self::Watch(id) => format!("./watch/{id}"),
        }
    }
}

/// The part of an address's path that comes after the base's, which ends with a slash.
pub fn below<'a>(base: &str, pathname: &'a str) -> &'a str {
    // The base itself may be opened without its slash.
    let bare = base.strip_suffix('/').unwrap_or(base);
    pathname.strip_prefix(bare).filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(pathname)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_routes_agree() {
        let id: SessionId = "0199a1b2-0000-7000-8000-000000000001".parse().unwrap();
        for route in [Route::Home, Route::Demo, Route::Session(id), Route::Watch(id)] {
            assert_eq!(Route::of(route.address().trim_start_matches('.')), route);
        }
        assert_eq!(Route::of(&format!("/session/{id}/")), Route::Session(id));
    }

    #[test]
    fn addresses_count_from_the_base() {
        for (base, pathname, rest) in [
            ("/", "/", "/"),
            ("/", "/demo", "/demo"),
            ("/mien/", "/mien/", "/"),
            ("/mien/", "/mien", ""),
            ("/mien/", "/mien/watch/7", "/watch/7"),
            ("/a/b/", "/a/b/demo", "/demo"),
            ("/mien/", "/mienwood", "/mienwood"),
        ] {
            assert_eq!(below(base, pathname), rest, "{base} {pathname}");
        }
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
