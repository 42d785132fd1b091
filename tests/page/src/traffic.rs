//! What a browser's pages and workers sent.

use std::collections::BTreeMap;

use mien_shared::Sample;
use serde_json::Value;

use crate::cdp::Event;

#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Addresses of requests and sockets. `blob:` and `data:` never leave the browser and are left out.
    pub urls: Vec<String>,
    /// Length of each request body, in bytes.
    pub bodies: Vec<usize>,
    /// Text of each socket message sent.
    pub messages: Vec<String>,
    /// Text of each socket message received.
    pub received: Vec<String>,
    /// Uncaught exceptions, console errors and what the browser itself complained about.
    pub complaints: Vec<String>,
}

impl Traffic {
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut traffic = Self::default();
        for Event { method, params } in events {
            match method.as_str() {
                "Network.requestWillBeSent" => {
                    traffic.url(&params["request"]["url"]);
                    if params["request"]["hasPostData"] == true {
                        traffic.bodies.push(body_len(&params["request"]));
                    }
                }
                "Network.webSocketCreated" => traffic.url(&params["url"]),
                "Network.webSocketFrameSent" => traffic.messages.push(payload(params)),
                "Network.webSocketFrameReceived" => traffic.received.push(payload(params)),
                "Runtime.exceptionThrown" => {
                    let details = &params["exceptionDetails"];
                    traffic
                        .complaints
                        .push(format!("{} {}", details["text"], details["exception"]["description"]));
                }
                "Runtime.consoleAPICalled" if params["type"] == "error" => {
                    traffic.complaints.push(params["args"].to_string());
                }
                "Log.entryAdded" if params["entry"]["level"] == "error" => {
                    traffic
                        .complaints
                        .push(format!("{} {}", params["entry"]["text"], params["entry"]["url"]));
                }
                _ => {}
            }
        }
        traffic
    }

    /// The samples that were sent, each once, in order of seq.
    pub fn samples(&self) -> Vec<Sample> {
        let messages = self.messages.iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let samples: BTreeMap<u64, Sample> = messages
            .filter(|message| message["type"] == "samples")
            .flat_map(|message| message["samples"].as_array().cloned().unwrap_or_default())
            .map(|sample| serde_json::from_value::<Sample>(sample).expect("a sample of the contract"))
            .map(|sample| (sample.seq, sample))
            .collect();
        samples.into_values().collect()
    }

    fn url(&mut self, url: &Value) {
        let url = url.as_str().unwrap_or_default();
        if !["blob:", "data:", "about:", "chrome:"].iter().any(|scheme| url.starts_with(scheme)) {
            self.urls.push(url.to_owned());
        }
    }
}

fn payload(params: &Value) -> String {
    params["response"]["payloadData"].as_str().unwrap_or_default().to_owned()
}

/// The protocol leaves out very long bodies; these count as infinitely long.
fn body_len(request: &Value) -> usize {
    request["postData"].as_str().map_or(usize::MAX, str::len)
}

/// Every network address in a net log that pages of this origin asked for.
pub(crate) fn requested(log: &[u8], origin: &str) -> Vec<String> {
    let log: Value = serde_json::from_slice(log).expect("a whole net log");
    let events = log["events"].as_array().expect("events in the net log");
    let mut urls: Vec<String> = events
        .iter()
        .map(|event| &event["params"])
        .filter(|params| params["initiator"].as_str().is_some_and(|initiator| initiator == origin))
        .filter_map(|params| params["url"].as_str())
        .map(str::to_owned)
        .collect();
    urls.sort_unstable();
    urls.dedup();
    urls
}
