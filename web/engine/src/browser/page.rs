//! The document that the engine runs in, and its addresses.

/// Where the page is, without a trailing slash: its origin, for example `http://127.0.0.1:8080`, and the path under
/// which it is served, if there is one, as its `<base>` names it. Empty outside a window.
pub fn page_base() -> String {
    page_url(".").trim_end_matches('/').to_owned()
}

/// Where the page's sockets go, as an HTTP address: where the page itself is, unless its boot script says otherwise in
/// `data-relay`. Only a page served by Trunk has that: Trunk's proxy answers a socket without its subprotocol, and
/// browsers then close it.
pub fn sockets_base() -> String {
    BootScript::find()
        .and_then(|script| script.url("relay"))
        .and_then(|url| web_sys::Url::new(&url).ok())
        .map_or_else(page_base, |url| url.origin())
}

fn page_origin() -> String {
    web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default()
}

/// The script that started the page. Its `data-` attributes name what was built.
#[derive(Debug)]
pub(crate) struct BootScript(web_sys::Element);

impl BootScript {
    pub(crate) fn find() -> Option<Self> {
        let document = web_sys::window()?.document()?;
        document.query_selector("script[data-worker-boot]").ok().flatten().map(Self)
    }

    /// The attribute `data-NAME` as an absolute address.
    pub(crate) fn url(&self, name: &str) -> Option<String> {
        let relative = self.0.get_attribute(&format!("data-{name}")).filter(|text| !text.is_empty())?;
        let base = self.0.base_uri().ok().flatten()?;
        web_sys::Url::new_with_base(&relative, &base).ok().map(|url| url.href())
    }

    /// Every file that it names, itself included, as the page writes them.
    pub(crate) fn names(&self) -> Vec<String> {
        let attributes = self.0.get_attribute_names();
        let named = attributes.iter().filter_map(|name| name.as_string());
        let files = named.filter(|name| name == "src" || name.starts_with("data-"));
        files.filter_map(|name| self.0.get_attribute(&name)).filter(|value| !value.is_empty()).collect()
    }
}

/// 0 … 1, for spreading retries.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}

/// This address as an absolute one, resolved against the document.
pub(crate) fn page_url(relative: &str) -> String {
    let base = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|page| page.base_uri().ok().flatten());
    base.and_then(|base| web_sys::Url::new_with_base(relative, &base).ok())
        .map_or_else(|| relative.to_owned(), |url| url.href())
}

/// Whether this absolute address is on another origin than the page. What is in the page itself (`blob:`, `data:`) is
/// not.
pub(crate) fn is_other_origin(address: &str) -> bool {
    web_sys::Url::new(address).is_ok_and(|url| {
        matches!(url.protocol().as_str(), "http:" | "https:") && url.origin() != page_origin()
    })
}
