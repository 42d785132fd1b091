//! Whether the open page is still the one that its server delivers.
//!
//! File names of the page contain the hash of their content. When a newer page replaces it they are gone, and only a
//! reload helps; yet a file that is gone looks the same as one that was never built.

use super::download::Download;
use super::page::BootScript;

/// The answer is one small file.
const TIMEOUT_MS: u32 = 10_000;
/// The attribute that tells a page of ours from anything else that answers at its address.
const MARK: &str = "data-worker-boot=";

/// Whether the server now delivers another page than the open one. False if that cannot be found out.
pub async fn page_is_outdated() -> bool {
    let Some(names) = BootScript::find().map(|script| script.names()) else { return false };
    match page_of_now().await {
        Some(html) => names_others(&html, &names),
        None => false,
    }
}

async fn page_of_now() -> Option<String> {
    let address = web_sys::window()?.location().pathname().ok()?;
    let headers = web_sys::Headers::new().ok()?;
    headers.set("Accept", "text/html").ok()?;
    let init = web_sys::RequestInit::new();
    init.set_headers(&headers);
    init.set_cache(web_sys::RequestCache::NoStore);
    let download = Download::begin(&address, &init, TIMEOUT_MS).await.ok()?;
    if !download.response.ok() {
        return None;
    }
    String::from_utf8(download.bytes(|_| {}).await.ok()?).ok()
}

fn names_others(html: &str, names: &[String]) -> bool {
    html.contains(MARK) && names.iter().any(|name| !html.contains(&format!("\"{name}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str =
        r#"<script src="/boot-1.js" data-worker-boot="/worker/boot-1.js" data-demo="/demo-1.webm">"#;

    #[test]
    fn a_page_that_names_another_file_is_another() {
        let names = ["/boot-1.js", "/worker/boot-1.js", "/demo-1.webm"].map(str::to_owned);
        assert!(!names_others(PAGE, &names));
        assert!(names_others(&PAGE.replace("demo-1", "demo-2"), &names));
        assert!(names_others(&PAGE.replace("/worker/boot-1", "/worker/boot-2"), &names));
    }

    #[test]
    fn what_is_no_page_of_ours_says_nothing() {
        let names = ["/boot-1.js".to_owned()];
        assert!(!names_others("<html>Log in to this network", &names));
        assert!(!names_others("", &names));
    }
}
