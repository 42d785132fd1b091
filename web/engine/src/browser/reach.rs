//! Whether HTTP gets through where a socket did not.

use mien_shared::{Code, Problem};

use super::download::Download;
use super::http::asks_for_password;

/// The answer is a few words.
const PATIENCE_MS: u32 = 10_000;

/// What an HTTP request to the address of a socket came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A Mien relay answered, as it answers to such a request.
    Relay,
    /// It refused this page's origin.
    ForeignOrigin,
    /// Something else asked for a password.
    ProxyPassword,
    /// Nobody answered, or it was not the relay, or it was in trouble.
    Nobody,
}

/// Asks at the address of a socket. A POST, because the relay holds it to the same origins as a socket and answers
/// it with 405 whatever else it is; and without what the browser knows of passwords, as it would ask the person for
/// one, each time anew.
pub(crate) async fn reach(origin: &str, path: &str) -> Reach {
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_credentials(web_sys::RequestCredentials::Omit);
    init.set_cache(web_sys::RequestCache::NoStore);
    let url = format!("{}{path}", origin.trim_end_matches('/'));
    let Ok(download) = Download::begin(&url, &init, PATIENCE_MS).await else { return Reach::Nobody };
    let (status, password) = (download.response.status(), asks_for_password(&download.response));
    let Ok(body) = download.bytes(|_| {}).await else { return Reach::Nobody };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) if problem.code == Code::ForeignOrigin => Reach::ForeignOrigin,
        // A relay in trouble refuses sockets by itself.
        Ok(_) if status < 500 => Reach::Relay,
        Err(_) if password => Reach::ProxyPassword,
        Ok(_) | Err(_) => Reach::Nobody,
    }
}
