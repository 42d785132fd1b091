//! One page of a browser, used as a person uses it: by what it shows, and with real mouse clicks.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::cdp::{Connection, Forged, auto_attach};
use crate::wait;

#[derive(Debug)]
pub struct Page {
    connection: Arc<Connection>,
    session: String,
    target: String,
}

impl Page {
    pub(crate) fn attach(connection: Arc<Connection>, target: &Value) -> Self {
        let attached = connection
            .call(None, "Target.attachToTarget", json!({ "targetId": target, "flatten": true }))
            .expect("the page can be attached to");
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let page = Self { connection, session, target: target.as_str().expect("an id").to_owned() };
        for method in ["Page.enable", "Runtime.enable", "Network.enable", "Log.enable"] {
            page.call(method, json!({}));
        }
        page.call("Target.setAutoAttach", auto_attach());
        page
    }

    fn call(&self, method: &str, params: Value) -> Value {
        self.connection.call(Some(&self.session), method, params).unwrap_or_else(|fault| panic!("{fault}"))
    }

    /// Navigates there and returns once the page answers; the test itself waits for what it shows then.
    pub fn goto(&self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer.get("errorText").is_none(), "{url}: {}", answer["errorText"]);
    }

    pub fn reload(&self) {
        self.call("Page.reload", json!({}));
    }

    /// Hides its window, or shows it again, like a person who looks at something else for a while.
    pub fn set_hidden(&self, hidden: bool) {
        let of = json!({ "targetId": self.target });
        let window = self.connection.call(None, "Browser.getWindowForTarget", of).expect("a window");
        let state = if hidden { "minimized" } else { "normal" };
        let bounds = json!({ "windowId": window["windowId"], "bounds": { "windowState": state } });
        self.connection.call(None, "Browser.setWindowBounds", bounds).expect("a window that can be put away");
        self.wait_for(state, &format!("document.hidden === {hidden}"));
    }

    /// Closes it; responses forged for it are no longer forged.
    pub fn close(self) {
        self.connection.forge_nothing();
        let _ = self.connection.call(None, "Target.closeTarget", json!({ "targetId": self.target }));
    }

    /// Runs before any script of every page opened from here on.
    pub fn before_each_load(&self, script: &str) {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
    }

    /// The value of an expression, with promises awaited. `None` while the page is between documents, or if it throws.
    pub fn ask(&self, expression: &str) -> Option<Value> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.connection.call(Some(&self.session), "Runtime.evaluate", params).ok()?;
        answer.get("exceptionDetails").is_none().then(|| answer["result"]["value"].clone())
    }

    /// Waits until the expression is neither null nor false nor empty.
    pub fn wait_for(&self, what: &str, expression: &str) -> Value {
        let mut last = None;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until(what, || {
                last = self.ask(expression);
                last.clone()
                    .filter(|value| *value != Value::Null && *value != json!(false) && *value != json!(""))
            })
        }));
        found.unwrap_or_else(|panic| {
            eprintln!("last answer: {last:?}\nthe page shows:\n{}", self.text());
            std::panic::resume_unwind(panic)
        })
    }

    /// Everything a person could read.
    pub fn text(&self) -> String {
        let text = self.ask("location.href + '\\n' + document.body.innerText");
        text.and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
    }

    pub fn wait_for_element(&self, testid: &str) {
        self.wait_for(testid, &format!("!!{}", element(testid)));
    }

    /// Text of an element, or the value of a field.
    pub fn text_of(&self, testid: &str) -> Option<String> {
        let one = element(testid);
        self.ask(&format!("(e => e && (e.value ?? e.innerText))({one})"))?.as_str().map(str::to_owned)
    }

    pub fn attribute(&self, testid: &str, name: &str) -> Option<String> {
        self.ask(&format!("{}?.getAttribute({name:?})", element(testid)))?.as_str().map(str::to_owned)
    }

    /// A number that an element carries in `data-count`.
    pub fn count(&self, testid: &str) -> Option<u64> {
        self.attribute(testid, "data-count")?.parse().ok()
    }

    /// Moves the mouse there and clicks, as soon as the element exists and is enabled and not covered.
    pub fn click(&self, testid: &str) {
        let one = element(testid);
        let place = self.wait_for(
            &format!("{testid} to be clickable"),
            &format!(
                "(e => {{
                    if (!e || e.disabled) return null;
                    e.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                    const r = e.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;
                    const hit = document.elementFromPoint(x, y);
                    return hit && (e.contains(hit) || hit.contains(e)) ? [x, y] : null;
                }})({one})"
            ),
        );
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let params = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
                "buttons": i32::from(kind == "mousePressed"),
            });
            self.call("Input.dispatchMouseEvent", params);
        }
    }

    /// Presses a key that types nothing, such as `ArrowDown`, in the focused element.
    pub fn press(&self, key: &str) {
        for kind in ["rawKeyDown", "keyUp"] {
            let code = match key {
                "ArrowUp" => 38,
                "ArrowDown" => 40,
                "Escape" => 27,
                "Tab" => 9,
                " " => 32,
                "Delete" => 46,
                _ => 0,
            };
            let params = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", params);
        }
    }

    /// Gives a file to a file field.
    pub fn choose_file(&self, selector: &str, file: &Path) {
        self.wait_for(selector, &format!("!!document.querySelector({selector:?})"));
        let params = json!({ "expression": format!("document.querySelector({selector:?})") });
        let field = self.call("Runtime.evaluate", params);
        let params = json!({ "files": [file], "objectId": field["result"]["objectId"] });
        self.call("DOM.setFileInputFiles", params);
    }

    /// From now on requests for addresses that match get this body.
    pub fn forge(&self, url_pattern: &str, body: &[u8]) {
        self.answer(url_pattern, 200, "application/octet-stream", body);
    }

    /// The same with a status and a media type.
    pub fn answer(&self, url_pattern: &str, status: u16, media_type: &'static str, body: &[u8]) {
        let url_pattern = url_pattern.to_owned();
        let forged = Forged { url_pattern, status, media_type, body_base64: BASE64.encode(body) };
        self.connection.forge(&self.session, forged).unwrap_or_else(|fault| panic!("{fault}"));
    }

    /// From now on the server answers everything again.
    pub fn forge_nothing(&self) {
        self.connection.forge_nothing();
    }

    /// Whenever the browser asks for an HTTP authentication password, the user cancels. (A headless Chromium 156 waits
    /// for one for ever.)
    pub fn cancel_passwords(&self) {
        let calls = json!({ "patterns": [{ "urlPattern": "*/api/*" }], "handleAuthRequests": true });
        self.call("Fetch.enable", calls);
    }

    /// Sets the size in CSS pixels, and the colour scheme that the user's system prefers.
    pub fn look(&self, width: u32, height: u32, scheme: &str) {
        let mobile = width < 600;
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile }),
        );
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] }),
        );
    }

    /// What the user's system asks of every page, such as `forced-colors`.
    pub fn prefer(&self, feature: &str, value: &str) {
        let feature = json!({ "name": feature, "value": value });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    pub fn picture(&self, file: &Path) {
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = BASE64.decode(answer["data"].as_str().unwrap_or_default()).expect("base64");
        fs::write(file, bytes).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
    }
}

fn element(testid: &str) -> String {
    format!("document.querySelector('[data-testid=\"{testid}\"]')")
}
