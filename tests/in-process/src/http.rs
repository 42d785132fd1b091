//! Requests to the relay; each answer must be one that the OpenAPI document provides for.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use mien_kit::http::{Answer, exchange, request, request_with};
use mien_shared::api::SessionCreated;
use tokio::sync::OnceCell;

use crate::conformance::Exchange;
use crate::document::Document;
use crate::relay::Relay;

/// As the first relay of this process served it.
static DOCUMENT: OnceCell<Document> = OnceCell::const_new();

impl Relay {
    pub async fn create(&self, user: &str) -> SessionCreated {
        let answer = self.post("/api/v1/sessions", &self.user(user), r#"{"title":"T"}"#).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
        answer.json()
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::GET, path, token, None)).await
    }

    pub async fn post(&self, path: &str, token: &str, body: &str) -> Answer {
        self.send(request(Method::POST, path, token, Some(body))).await
    }

    pub async fn patch(&self, path: &str, token: &str, body: &str) -> Answer {
        self.send(request(Method::PATCH, path, token, Some(body))).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(request(Method::DELETE, path, token, None)).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, path, headers, "").await
    }

    pub async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(request_with(method, path, headers, body)).await
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (method, target) = (request.method().clone(), request.uri().to_string());
        let answer = self.exchange(request).await;
        let Answer { status, headers, body } = &answer;
        hold_to_contract(&Exchange { method: &method, target: &target, status: *status, headers, body });
        answer
    }

    /// Once per process, before a test changes anything about its relay.
    pub(crate) async fn read_document(&self) {
        let read = async || {
            Document::new(self.exchange(request(Method::GET, "/api/v1/openapi.json", "", None)).await.json())
        };
        DOCUMENT.get_or_init(read).await;
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Answer {
        exchange(self.address, request).await.expect("the relay answers")
    }
}

/// For an answer that did not come through [`Relay::send`].
pub fn hold_to_contract(exchange: &Exchange<'_>) {
    exchange.check(DOCUMENT.get().expect("a relay was started"));
}
