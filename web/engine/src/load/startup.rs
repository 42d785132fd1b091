//! Why the analysis did not start. Of a worker a browser only reports that it did not; the reason is found out here, once
//! it has failed.

use crate::browser::fetch::{self, FetchFault, Foreign};
use crate::browser::policy::{self, PolicyWatch, Refusal, WASM_EVAL};
use crate::browser::worker::StartFault;
use crate::browser::{is_other_origin, trusted};
use crate::faults::LoadFault;

const CONTENT_POLICY: &str = "Content-Security-Policy";
const EMBEDDER_POLICY: &str = "Cross-Origin-Embedder-Policy";
/// The types that browsers accept for scripts.
const SCRIPT_TYPES: [&str; 3] = ["text/javascript", "application/javascript", "application/x-javascript"];

/// What permanently keeps the script at this address from starting; `None` if another try may help.
pub(crate) async fn script_fault(
    address: &str,
    fault: &StartFault,
    policies: &PolicyWatch,
) -> Option<LoadFault> {
    if *fault == StartFault::Untrusted {
        let why = format!("its trusted-types must allow the policy “{}”", trusted::POLICY);
        return Some(LoadFault::Blocked { header: CONTENT_POLICY, why });
    }
    if is_other_origin(address) {
        let detail =
            format!("a browser starts workers only from the page’s own origin, and {address} is on another");
        return Some(LoadFault::WorkerFailed { detail });
    }
    // A page may be allowed to run what it is not allowed to fetch.
    let head = fetch::head(address).await.ok();
    if let Some(missing) = head.as_ref().and_then(|head| missing_script(address, head)) {
        return Some(missing);
    }
    if let Some(refusal) = policies.refusal(address).await {
        return Some(blocked(address, refusal));
    }
    let head = head?;
    if policy::is_isolated() && !head.has_embedder_policy {
        return Some(blocked(address, Refusal::Embedder));
    }
    if !SCRIPT_TYPES.contains(&head.media_type.as_str()) {
        let found = if head.media_type.is_empty() { "without one" } else { &head.media_type };
        let why = format!("{address} comes as {found}, and a browser runs text/javascript alone");
        return Some(LoadFault::Blocked { header: "Content-Type", why });
    }
    None
}

/// What keeps the worker's own glue from being imported.
pub(crate) async fn glue_fault(address: &str) -> Option<LoadFault> {
    let head = fetch::head(address).await.ok()?;
    missing_script(address, &head)
}

fn missing_script(address: &str, head: &fetch::Head) -> Option<LoadFault> {
    const WHAT: &str = "the worker’s script";
    if !(200..300).contains(&head.status) {
        return Some(LoadFault::absent(WHAT, address, head.status));
    }
    (head.media_type == "text/html").then(|| foreign(WHAT, address, Foreign::Page))
}

/// What came instead of the worker's code, or why nothing did.
pub(crate) async fn code_fault(address: &str, fault: FetchFault, policies: &PolicyWatch) -> LoadFault {
    const WHAT: &str = "the worker’s code";
    match fault {
        FetchFault::Status(status) => LoadFault::absent(WHAT, address, status),
        FetchFault::Foreign(found) => foreign(WHAT, address, found),
        FetchFault::Network(detail) => unreached(address, detail, policies).await,
        FetchFault::Unusable(detail) => match policies.refusal(WASM_EVAL).await {
            Some(_) => LoadFault::Blocked {
                header: CONTENT_POLICY,
                why: "its script-src must allow 'wasm-unsafe-eval'".to_owned(),
            },
            None => LoadFault::WorkerFailed { detail },
        },
    }
}

/// A fetch fails in the same way whether the network is down or the page is forbidden to make it.
pub(crate) async fn unreached(address: &str, detail: String, policies: &PolicyWatch) -> LoadFault {
    match policies.refusal(address).await {
        Some(refusal) => blocked(address, refusal),
        None => LoadFault::Network { detail },
    }
}

/// Something else is at this address.
pub(crate) fn foreign(what: &str, address: &str, found: Foreign) -> LoadFault {
    let found = match found {
        Foreign::Page => "a web page",
        Foreign::Other => "something else",
    };
    LoadFault::NotBuilt { what: format!("at {address} is {found} instead of {what}") }
}

fn blocked(address: &str, refusal: Refusal) -> LoadFault {
    match refusal {
        Refusal::Content { directive } => LoadFault::Blocked {
            header: CONTENT_POLICY,
            why: format!("its {directive} must allow {address}"),
        },
        Refusal::Embedder => LoadFault::Blocked {
            header: EMBEDDER_POLICY,
            why: format!("the page has it, so {address} must be served with it, too"),
        },
    }
}
