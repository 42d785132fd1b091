//! Whether HTTP gets through where a socket did not.

use mien_shared::{Code, Problem};

use super::download::Download;
use super::http::asks_for_password;

/// The answer is short.
const TIMEOUT_MS: u32 = 10_000;

/// The outcome of an HTTP request to the address of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// A Mien relay answered as it should.
    Relay,
    /// It refused this page's origin.
    ForeignOrigin,
    /// Something else asked for a password.
    ProxyPassword,
    /// No answer, or not the relay's, or the relay was in trouble.
    Nobody,
}

/// Requests the address of a socket. A POST, because the relay allows it the same origins as a socket and otherwise
/// answers 405; and without credentials, as the browser would ask the person for a password each time.
pub(crate) async fn reach(origin: &str, path: &str) -> Reach {
    let init = web_sys::RequestInit::new();
    init.set_method("POST");
    init.set_credentials(web_sys::RequestCredentials::Omit);
    init.set_cache(web_sys::RequestCache::NoStore);
    let url = format!("{}{path}", origin.trim_end_matches('/'));
    let Ok(download) = Download::begin(&url, &init, TIMEOUT_MS).await else { return Reach::Nobody };
    let (status, password) = (download.response.status(), asks_for_password(&download.response));
    let Ok(body) = download.bytes(|_| {}).await else { return Reach::Nobody };
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) if problem.code == Code::ForeignOrigin => Reach::ForeignOrigin,
        // A relay in trouble refuses sockets as well.
        Ok(_) if status < 500 => Reach::Relay,
        Err(_) if password => Reach::ProxyPassword,
        Ok(_) | Err(_) => Reach::Nobody,
    }
}
