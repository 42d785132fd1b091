//! The relay's HTTP API, as the tests read it: as user `local` of an open relay.

use std::net::SocketAddr;
use std::time::Duration;

use mien_kit::blocking::block_on;
use mien_kit::http::{exchange, request_with};
use mien_shared::api::{MarkerList, Role, SamplesPage, SessionCreated, Summary};
use mien_shared::{Sample, SessionId, SourceName};
use serde::de::DeserializeOwned;

const PAGE: usize = 1_000;

#[derive(Clone, Debug)]
pub struct Api(mien_kit::api::Api);

impl Api {
    pub fn at(address: SocketAddr) -> Self {
        Self(mien_kit::api::Api::at(address))
    }

    /// `None` while the relay is away or busy; a wrong answer fails the test.
    fn get<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        block_on(self.0.try_get(path))
    }

    pub fn header(&self, path: &str, name: &str) -> Option<String> {
        let request = request_with("GET".parse().ok()?, path, &[("accept", "text/html")], "");
        let answer = block_on(exchange(self.0.address, request))?;
        answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    }

    pub fn create_session(&self, title: &str) -> SessionCreated {
        block_on(self.0.create_session_titled(title))
    }

    /// A capability token of this session, requested with the owner's token.
    pub fn token(
        &self,
        session: SessionId,
        owner: &str,
        role: Role,
        source: Option<SourceName>,
        life: Duration,
    ) -> String {
        let owner = mien_kit::api::Api { token: Some(owner.to_owned()), ..self.0.clone() };
        block_on(owner.token(session, role, source, Some(life)))
    }

    pub fn complete(&self, session: SessionId) {
        block_on(self.0.complete(session));
    }

    pub fn erase(&self, session: SessionId) {
        block_on(self.0.erase(session));
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

    /// Waits until at least this many samples are stored.
    pub fn wait_for_samples(&self, session: SessionId, count: u64) -> u64 {
        crate::wait::until(&format!("{count} stored samples"), || {
            Some(self.stored(session)).filter(|stored| *stored >= count)
        })
    }
}

/// The whole guarantee in one check: 1, 2, …, n, in order, each once.
pub fn assert_gapless(samples: &[Sample]) {
    let seqs: Vec<u64> = samples.iter().map(|sample| sample.seq).collect();
    let expected: Vec<u64> = (1..=samples.len() as u64).collect();
    assert_eq!(seqs, expected, "a gap or a double");
}
