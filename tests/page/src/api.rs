//! The relay's HTTP API, as the tests read it: as user `local` of an open relay.

use std::net::SocketAddr;
use std::time::Duration;

use mien_shared::api::{
    MarkerList, Role, SamplesPage, Session, SessionCreated, Summary, TokenGrant, TokenRequest,
};
use mien_shared::{Sample, SessionId, SourceName};
use serde::de::DeserializeOwned;

const PAGE: usize = 1_000;

#[derive(Clone, Debug)]
pub struct Api {
    agent: ureq::Agent,
    base: String,
}

impl Api {
    pub fn at(address: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(30)));
        let agent = config.http_status_as_error(false).max_idle_connections(0).build().new_agent();
        Self { agent, base: format!("http://{address}") }
    }

    pub fn is_ready(&self) -> bool {
        self.agent.get(format!("{}/readyz", self.base)).call().is_ok_and(|answer| answer.status() == 200)
    }

    /// `None` while the relay is away or busy; a wrong answer is a failed test.
    fn get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call().ok()?;
        match answer.status().as_u16() {
            200 => Some(answer.body_mut().read_json().expect("an answer of the contract")),
            429 | 503 => None,
            status => {
                panic!("{path} answered {status}: {}", answer.body_mut().read_to_string().unwrap_or_default())
            }
        }
    }

    pub fn header(&self, path: &str, name: &str) -> Option<String> {
        let answer =
            self.agent.get(format!("{}{path}", self.base)).header("accept", "text/html").call().ok()?;
        answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    /// Says something to the relay, which must take it.
    fn tell<T: DeserializeOwned>(&self, method: &str, path: &str, body: &str) -> Option<T> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("content-type", "application/json")
            .body(body.to_owned())
            .expect("a request");
        let mut answer = self.agent.run(request).expect("an answer");
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        assert!(answer.status().is_success(), "{method} {path} answered {}: {text}", answer.status());
        serde_json::from_str(&text).ok()
    }

    pub fn create_session(&self, title: &str) -> SessionCreated {
        let body = serde_json::json!({ "title": title });
        self.tell("POST", "/api/v1/sessions", &body.to_string()).expect("a session")
    }

    /// A capability token of this session, asked for by the owner's.
    pub fn token(
        &self,
        session: SessionId,
        owner: &str,
        role: Role,
        source: Option<SourceName>,
        life: Duration,
    ) -> String {
        let request = TokenRequest { role, source, ttl_s: Some(life.as_secs()) };
        let mut answer = self
            .agent
            .post(format!("{}/api/v1/sessions/{session}/tokens", self.base))
            .header("authorization", format!("Bearer {owner}"))
            .send_json(&request)
            .expect("an answer");
        let grant: TokenGrant = answer.body_mut().read_json().expect("a token");
        grant.token
    }

    pub fn complete(&self, session: SessionId) {
        let path = format!("/api/v1/sessions/{session}");
        let done: Option<Session> = self.tell("PATCH", &path, r#"{"status":"completed"}"#);
        assert!(done.is_some_and(|session| session.completed_at.is_some()));
    }

    pub fn erase(&self, session: SessionId) {
        let path = format!("/api/v1/sessions/{session}");
        let _: Option<serde_json::Value> = self.tell("DELETE", &path, "");
    }

    pub fn summary(&self, session: SessionId) -> Option<Summary> {
        self.get(&format!("/api/v1/sessions/{session}/summary"))
    }

    /// Labels of the session's markers, in order of time.
    pub fn markers(&self, session: SessionId) -> Option<Vec<String>> {
        let list: MarkerList = self.get(&format!("/api/v1/sessions/{session}/markers"))?;
        Some(list.markers.into_iter().map(|marker| marker.label).collect())
    }

    /// Every stored sample of the source `main`, in the relay's order.
    pub fn samples(&self, session: SessionId) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let next = cursor.as_ref().map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let path = format!("/api/v1/sessions/{session}/samples?source=main&limit={PAGE}{next}");
            let page: SamplesPage = crate::wait::until("a page of samples", || self.get(&path));
            samples.extend(page.samples.into_iter().map(|stored| stored.sample));
            cursor = page.next;
            if cursor.is_none() {
                return samples;
            }
        }
    }

    pub fn stored(&self, session: SessionId) -> u64 {
        self.summary(session).map_or(0, |summary| summary.stored)
    }

    /// Waits until at least so many samples are stored.
    pub fn wait_for_samples(&self, session: SessionId, count: u64) -> u64 {
        crate::wait::until(&format!("{count} stored samples"), || {
            Some(self.stored(session)).filter(|stored| *stored >= count)
        })
    }
}

/// The whole promise in one check: 1, 2, …, n, in order, each once.
pub fn assert_gapless(samples: &[Sample]) {
    let seqs: Vec<u64> = samples.iter().map(|sample| sample.seq).collect();
    let expected: Vec<u64> = (1..=samples.len() as u64).collect();
    assert_eq!(seqs, expected, "a gap or a double");
}
