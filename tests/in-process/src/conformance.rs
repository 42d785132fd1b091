//! Every answer that a test gets is checked against the OpenAPI document that the same relay serves.

use std::collections::BTreeSet;

use hyper::body::Bytes;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderMap};
use hyper::{Method, StatusCode};
use mien_shared::Problem;
use serde_json::Value;

use crate::document::Document;

/// An answer, and the request that it answers.
#[derive(Debug)]
pub struct Exchange<'a> {
    pub method: &'a Method,
    /// May include a query.
    pub target: &'a str,
    pub status: StatusCode,
    pub headers: &'a HeaderMap,
    pub body: &'a Bytes,
}

impl Exchange<'_> {
    /// Panics if the document does not provide for the answer.
    pub fn check(&self, document: &Document) {
        let path = self.target.split('?').next().unwrap_or_default();
        let Some(template) = template(document, path) else { return self.check_elsewhere(document, path) };
        let item = format!("/paths/{}", escaped(&template));
        let method = if self.method == Method::HEAD { Method::GET } else { self.method.clone() };
        let operation = format!("{item}/{}", method.as_str().to_ascii_lowercase());
        if document.value.pointer(&operation).is_none() {
            return self.check_other_method(document, &item);
        }
        let status = format!("{operation}/responses/{}", self.status.as_u16());
        let Some((place, response)) = resolve(document, &status) else {
            panic!("{} {template} may not answer {}: {self:?}", self.method, self.status)
        };
        self.check_headers(document, &place, response);
        self.check_content(document, &place, response);
    }

    /// What is not a call of the API: the page, the sockets, nothing.
    fn check_elsewhere(&self, document: &Document, path: &str) {
        let socket = path.ends_with("/ingest") || path.ends_with("/watch");
        assert!(
            !path.starts_with("/api/") || socket || self.status.is_client_error(),
            "{path} is not in the contract and answers: {self:?}"
        );
        if self.status.is_client_error() || self.status.is_server_error() {
            self.check_problem(document);
        }
    }

    fn check_other_method(&self, document: &Document, item: &str) {
        match self.status {
            // A page that the configuration names sends a preflight before it calls.
            StatusCode::NO_CONTENT => assert_eq!(self.method, Method::OPTIONS, "{self:?}"),
            StatusCode::METHOD_NOT_ALLOWED => {
                let mut documented: BTreeSet<String> = document
                    .value
                    .pointer(item)
                    .and_then(Value::as_object)
                    .unwrap()
                    .keys()
                    .map(|method| method.to_uppercase())
                    .collect();
                if documented.contains("GET") {
                    documented.insert("HEAD".to_owned());
                }
                let allow = self.headers.get(ALLOW).map_or("", |allow| allow.to_str().unwrap());
                let allowed: BTreeSet<String> =
                    allow.split(',').map(|method| method.trim().to_owned()).collect();
                assert_eq!(allowed, documented, "{self:?}");
                let place = "/components/responses/Problem405";
                self.check_headers(document, place, document.value.pointer(place).unwrap());
                self.check_problem(document);
            }
            _ => {
                assert_eq!(self.status, StatusCode::FORBIDDEN, "{self:?}");
                self.check_problem(document);
            }
        }
    }

    fn check_headers(&self, document: &Document, place: &str, response: &Value) {
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let Some(value) = self.headers.get(name) else {
                assert_ne!(header["required"], true, "{name} is missing: {self:?}");
                continue;
            };
            let text = value.to_str().unwrap();
            let value =
                if header["schema"]["type"] == "integer" { text.parse().unwrap() } else { text.into() };
            document.check(&format!("{place}/headers/{name}/schema"), &value);
        }
    }

    fn check_content(&self, document: &Document, place: &str, response: &Value) {
        let Some(content) = response["content"].as_object() else {
            return assert!(self.body.is_empty(), "the contract knows no body here: {self:?}");
        };
        let kind = self.kind();
        assert!(content.contains_key(kind), "the contract does not know {kind} here: {self:?}");
        if self.method == Method::HEAD {
            return assert!(self.body.is_empty(), "{self:?}");
        }
        if kind == Problem::MEDIA_TYPE {
            return self.check_problem(document);
        }
        let value = if kind == "application/json" { self.json() } else { self.text().into() };
        document.check(&format!("{place}/content/{}/schema", escaped(kind)), &value);
        if kind == "application/x-ndjson" {
            for line in self.text().lines() {
                document.check("/components/schemas/StoredSample", &serde_json::from_str(line).unwrap());
            }
        }
    }

    fn check_problem(&self, document: &Document) {
        assert_eq!(self.kind(), Problem::MEDIA_TYPE, "{self:?}");
        if self.method == Method::HEAD {
            return;
        }
        let problem = self.json();
        document.check("/components/schemas/Problem", &problem);
        assert_eq!(problem["status"], self.status.as_u16(), "{self:?}");
        // Clients accept any code, as more may be added; this relay sends only those on its list.
        document.check("/components/schemas/Code", &problem["code"]);
    }

    /// The media type without its parameters.
    fn kind(&self) -> &str {
        let kind = self.headers.get(CONTENT_TYPE).map_or("", |kind| kind.to_str().unwrap());
        kind.split(';').next().unwrap_or_default().trim()
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(self.body).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }
}

/// Follows references, starting at a JSON pointer.
fn resolve<'a>(document: &'a Document, pointer: &str) -> Option<(String, &'a Value)> {
    let value = document.value.pointer(pointer)?;
    match value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        Some(elsewhere) => resolve(document, elsewhere),
        None => Some((pointer.to_owned(), value)),
    }
}

/// The path template of the document that this path is an instance of.
fn template(document: &Document, path: &str) -> Option<String> {
    let fits = |template: &str| {
        let mut pairs = path.split('/').zip(template.split('/'));
        path.split('/').count() == template.split('/').count()
            && pairs.all(|(part, name)| part == name || (name.starts_with('{') && !part.is_empty()))
    };
    document.value["paths"].as_object()?.keys().find(|template| fits(template)).cloned()
}

/// Escaped as a JSON pointer requires.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
