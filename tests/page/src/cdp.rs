//! The wire to the browser: the DevTools protocol over a pair of pipes, zero-terminated JSON each way.
//!
//! It uses pipes and not a port, because the browser exits when they close: a test that dies leaves nothing behind. One
//! thread reads; it answers at once what must not wait for a test, and records the traffic.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// A busy machine may take its time; a minute of silence is a hang.
const ANSWER_DEADLINE: Duration = Duration::from_mins(1);

/// The events that are kept for tests to look at afterwards.
const KEPT: [&str; 7] = [
    "Network.requestWillBeSent",
    "Network.webSocketCreated",
    "Network.webSocketFrameSent",
    "Network.webSocketFrameReceived",
    "Runtime.exceptionThrown",
    "Runtime.consoleAPICalled",
    "Log.entryAdded",
];

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// An answer that the browser gives instead of the server's.
#[derive(Clone, Debug)]
pub(crate) struct Forged {
    /// In the protocol's syntax: `*` stands for anything.
    pub(crate) url_pattern: String,
    pub(crate) status: u16,
    pub(crate) media_type: &'static str,
    pub(crate) body_base64: String,
}

#[derive(Debug)]
pub(crate) struct Connection {
    input: Mutex<ChildStdin>,
    next: AtomicU64,
    pending: Mutex<HashMap<u64, SyncSender<Value>>>,
    events: Mutex<Vec<Event>>,
    forged: Mutex<Vec<Forged>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Connection {
    pub(crate) fn open(input: ChildStdin, output: ChildStdout) -> Arc<Self> {
        let connection = Arc::new(Self {
            input: Mutex::new(input),
            next: AtomicU64::new(1),
            pending: Mutex::default(),
            events: Mutex::default(),
            forged: Mutex::default(),
        });
        let reading = Arc::downgrade(&connection);
        thread::spawn(move || {
            for message in BufReader::new(output).split(0) {
                let (Ok(message), Some(connection)) = (message, reading.upgrade()) else { break };
                if let Ok(message) = serde_json::from_slice(&message) {
                    connection.take(message);
                }
            }
            if let Some(connection) = reading.upgrade() {
                // Tells everyone waiting that no answer will come.
                lock(&connection.pending).clear();
            }
        });
        connection
    }

    /// Sends a command and waits for its answer.
    #[allow(clippy::needless_pass_by_value)] // callers write the value in place
    pub(crate) fn call(&self, session: Option<&str>, method: &str, params: Value) -> Result<Value, String> {
        let (sender, receiver) = sync_channel(1);
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.pending).insert(id, sender);
        self.write(id, session, method, &params)?;
        let answer = receiver
            .recv_timeout(ANSWER_DEADLINE)
            .map_err(|fault| format!("{method}: no answer ({fault})"))?;
        match answer.get("error") {
            Some(error) => Err(format!("{method}: {error}")),
            None => Ok(answer["result"].clone()),
        }
    }

    /// Sends a command whose answer nobody waits for.
    #[allow(clippy::needless_pass_by_value)] // callers write the value in place
    fn tell(&self, session: &str, method: &str, params: Value) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        // If a page closes in the meantime, that is fine.
        let _ = self.write(id, Some(session), method, &params);
    }

    fn write(&self, id: u64, session: Option<&str>, method: &str, params: &Value) -> Result<(), String> {
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        lock(&self.input)
            .write_all(&bytes)
            .map_err(|fault| format!("{method}: the browser is gone ({fault})"))
    }

    fn take(&self, message: Value) {
        if let Some(id) = message["id"].as_u64() {
            if let Some(waiting) = lock(&self.pending).remove(&id) {
                let _ = waiting.send(message);
            }
            return;
        }
        let method = message["method"].as_str().unwrap_or_default();
        let session = message["sessionId"].as_str().unwrap_or_default();
        let params = &message["params"];
        match method {
            "Target.attachedToTarget" if params["waitingForDebugger"] == true => {
                self.welcome(params["sessionId"].as_str().unwrap_or_default());
            }
            "Fetch.requestPaused" => self.answer_in_place(session, params),
            "Fetch.authRequired" => {
                let cancels = json!({ "response": "CancelAuth" });
                let answer = json!({ "requestId": params["requestId"], "authChallengeResponse": cancels });
                self.tell(session, "Fetch.continueWithAuth", answer);
            }
            _ if KEPT.contains(&method) => {
                lock(&self.events).push(Event { method: method.to_owned(), params: params.clone() });
            }
            _ => {}
        }
    }

    /// A worker is paused until its traffic is recorded too.
    fn welcome(&self, session: &str) {
        self.tell(session, "Network.enable", json!({}));
        self.tell(session, "Runtime.enable", json!({}));
        let forged = patterns(&lock(&self.forged));
        if let Some(forged) = forged {
            self.tell(session, "Fetch.enable", forged);
        }
        self.tell(session, "Target.setAutoAttach", auto_attach());
        self.tell(session, "Runtime.runIfWaitingForDebugger", json!({}));
    }

    pub(crate) fn forge(&self, session: &str, forged: Forged) -> Result<(), String> {
        let patterns = {
            let mut all = lock(&self.forged);
            all.retain(|other| other.url_pattern != forged.url_pattern);
            all.push(forged);
            patterns(&all)
        };
        patterns.map_or(Ok(()), |patterns| self.call(Some(session), "Fetch.enable", patterns).map(drop))
    }

    pub(crate) fn forge_nothing(&self) {
        lock(&self.forged).clear();
    }

    fn answer_in_place(&self, session: &str, params: &Value) {
        let url = params["request"]["url"].as_str().unwrap_or_default();
        let forged = lock(&self.forged).iter().find(|forged| matches(&forged.url_pattern, url)).cloned();
        let request = &params["requestId"];
        match forged {
            Some(forged) => self.tell(
                session,
                "Fetch.fulfillRequest",
                json!({
                    "requestId": request,
                    "responseCode": forged.status,
                    "responseHeaders": [{ "name": "content-type", "value": forged.media_type }],
                    "body": forged.body_base64,
                }),
            ),
            None => self.tell(session, "Fetch.continueRequest", json!({ "requestId": request })),
        }
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        lock(&self.events).clone()
    }
}

/// `None` if nothing is forged: an empty list would stand for everything.
fn patterns(forged: &[Forged]) -> Option<Value> {
    let list: Vec<Value> = forged.iter().map(|one| json!({ "urlPattern": one.url_pattern })).collect();
    (!list.is_empty()).then(|| json!({ "patterns": list }))
}

/// Whether the address matches this pattern: its pieces between the `*` occur in order, the outer ones at the ends.
fn matches(pattern: &str, url: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = url.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
    }
    rest.ends_with(last)
}

pub(crate) fn auto_attach() -> Value {
    json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_are_the_protocol_s() {
        for (pattern, url, expected) in [
            ("*model*", "http://a/model-1.onnx", true),
            ("*worker*.wasm", "http://a/worker-1.wasm", true),
            ("*worker*.wasm", "http://a/worker-1.js", false),
            ("http://a/", "http://a/", true),
            ("http://a/", "http://a/demo", false),
            ("*/demo", "http://a/demo", true),
        ] {
            assert_eq!(matches(pattern, url), expected, "{pattern} {url}");
        }
    }
}
