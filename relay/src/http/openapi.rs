//! The OpenAPI document, made from the routes themselves.
//!
//! Handlers describe what they answer when all goes well; what every route refuses is the same rule
//! everywhere, so it is added here, from the codes that the relay has.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use mien_shared::limits::MAX_BODY_BYTES;
use mien_shared::{Code, Problem, schema};
use serde_json::{Map, Value, json};
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};

use super::routes::{free, limited};
use super::tokens::longest_ttl;
use crate::config::Config;

/// The document as text, for a relay with these settings.
pub(super) fn text(config: &Config) -> Bytes {
    let mut document = DOCUMENT.clone();
    if !config.base_path.is_empty() {
        document["servers"] = json!([{"url": config.base_path}]);
    }
    // What is served says what this relay takes, which is never more than what the contract allows.
    if let Some(life) = document.pointer_mut("/components/schemas/TokenSeconds") {
        life["maximum"] = longest_ttl(config).as_secs().into();
    }
    document.to_string().into()
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

const ABOUT: &str = "Sessions, samples and exports of a Mien relay. The WebSockets that take and give samples live \
     are described by `/api/v1/asyncapi.json`. Unknown JSON fields and parameters are ignored by every reader. Times \
     are RFC 3339 in UTC, `at` is Unix milliseconds. Every answer has `X-Request-Id`; every error is a problem \
     (RFC 9457) with a stable `code` and that same id. `HEAD` is allowed where `GET` is; any other method is \
     refused with 405 and `Allow`.";

/// Codes that only sockets send, whatever status they would have.
const OF_SOCKETS: [Code; 8] = [
    Code::UnknownType,
    Code::EmptyBatch,
    Code::TooManySamples,
    Code::InvalidSample,
    Code::OutOfOrder,
    Code::HelloRepeated,
    Code::BinaryMessage,
    Code::SubprotocolRequired,
];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn document() -> Value {
    let info = InfoBuilder::new()
        .title("Mien relay")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    let mut api = OpenApiBuilder::new().info(info).build();
    api.merge(limited().into_openapi());
    api.merge(free().into_openapi());
    let mut document = serde_json::to_value(api).unwrap_or_default();

    let mut statuses = BTreeSet::from([Code::MethodNotAllowed.status()]);
    for (method, path, operation) in each_operation_mut(&mut document) {
        let refusals = refusals(&path, operation);
        let counted = operation.get("security").is_some();
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        for (status, response) in responses.iter_mut() {
            response["headers"] = success_headers(&method, &path, status, counted);
        }
        for status in refusals {
            let status_text = status.to_string();
            // What a handler says of it is more than what is true everywhere.
            let response = match responses.get(&status_text) {
                Some(said) => refusal(status, said["description"].as_str()),
                None => json!({"$ref": format!("#/components/responses/{}", name(status))}),
            };
            responses.insert(status_text, response);
            statuses.insert(status);
        }
    }
    let components = &mut document["components"];
    components["securitySchemes"] = json!({"bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A user token, or a capability token of one session. In open mode none is needed.",
    }});
    components["responses"] = statuses
        .into_iter()
        .map(|status| (name(status), refusal(status, None)))
        .collect::<Map<_, _>>()
        .into();
    add_schemas(components);
    // utoipa has no word for it: a token for `owner` or `watch` is for no source.
    components["schemas"]["TokenRequest"]["dependentSchemas"] = json!({"source": {"anyOf": [
        {"properties": {"role": {"const": "ingest"}}},
        {"properties": {"source": {"type": "null"}}},
    ]}});
    document
}

/// Problems are answered by layers, so no route brings their schema.
fn add_schemas(components: &mut Value) {
    let mut schemas = Vec::new();
    schema::add::<Problem>(&mut schemas);
    for (name, schema) in schemas {
        components["schemas"][name] = serde_json::to_value(schema).unwrap_or_default();
    }
}

/// Method in lower case, path and operation of every operation.
fn each_operation_mut(document: &mut Value) -> Vec<(String, String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            item.as_object_mut().into_iter().flatten().map(move |(method, op)| (path, method, op))
        })
        .filter(|(_, method, _)| METHODS.contains(&method.as_str()))
        .map(|(path, method, operation)| (method.clone(), path.clone(), operation))
        .collect()
}

/// Method, path and the status of success of every operation.
pub(super) fn operations() -> Vec<(String, String, u16)> {
    let mut document = DOCUMENT.clone();
    each_operation_mut(&mut document)
        .into_iter()
        .filter_map(|(method, path, operation)| {
            let statuses = operation["responses"].as_object()?.keys();
            let success = statuses
                .filter_map(|status| status.parse().ok())
                .find(|status| (200..300).contains(status))?;
            Some((method.to_uppercase(), path, success))
        })
        .collect()
}

/// What a route may refuse, by what it takes, and by what its handler says.
fn refusals(path: &str, operation: &Value) -> BTreeSet<u16> {
    // A page of another origin may reach any route, any handler may fail, and there may be too many requests.
    let mut statuses = BTreeSet::from([403, 500]);
    if path != "/healthz" {
        statuses.insert(503);
    }
    let said = operation["responses"].as_object().into_iter().flat_map(Map::keys);
    statuses.extend(said.filter_map(|status| status.parse::<u16>().ok()).filter(|status| *status >= 400));
    let takes_query =
        operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
    if operation.get("security").is_some() {
        statuses.extend([401, 429]);
    }
    if path.contains("{id}") {
        statuses.insert(404);
    }
    if takes_query {
        statuses.extend([400, 422]);
    }
    if operation.get("requestBody").is_some() {
        statuses.extend([400, 408, 413, 415, 422]);
    }
    statuses
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

/// A header that is always there.
fn header(about: &str, schema: &Value) -> Value {
    json!({"description": about, "required": true, "schema": schema})
}

fn request_id() -> Value {
    header("Names the request", &json!({"$ref": "#/components/schemas/RequestId"}))
}

/// What the limiter adds.
fn add_rate(headers: &mut Value) {
    let text = json!({"type": "string"});
    headers["RateLimit"] = header("What is left, as in draft-ietf-httpapi-ratelimit-headers", &text);
    headers["RateLimit-Policy"] = header("The rate, as in draft-ietf-httpapi-ratelimit-headers", &text);
}

fn success_headers(method: &str, path: &str, status: &str, counted: bool) -> Value {
    let mut headers = json!({"X-Request-Id": request_id()});
    if counted {
        add_rate(&mut headers);
    }
    if (method, path, status) == ("post", "/api/v1/sessions", "201") {
        headers["Location"] =
            header("Address of the session", &json!({"type": "string", "format": "uri-reference"}));
    }
    if path.ends_with("/export") {
        headers["Content-Disposition"] = header("A name for the file", &json!({"type": "string"}));
    }
    headers
}

/// A problem of this status: what an operation says of it, and the codes that it can have.
fn refusal(status: u16, about: Option<&str>) -> Value {
    let codes: Vec<String> = Code::ALL
        .iter()
        .filter(|code| code.status() == status && !OF_SOCKETS.contains(code))
        .map(|code| format!("`{}`: {}", code.name(), code.title()))
        .collect();
    let codes = codes.join(". ");
    let mut description = about.map_or(codes.clone(), |about| format!("{about}. {codes}"));
    if status == 413 {
        description = format!("{description} (at most {MAX_BODY_BYTES} bytes)");
    }
    let mut headers = json!({"X-Request-Id": request_id()});
    let text = json!({"type": "string"});
    let seconds = json!({"type": "integer", "minimum": 1});
    match status {
        401 => headers["WWW-Authenticate"] = header("`Bearer`", &text),
        405 => headers["Allow"] = header("The methods that are allowed", &text),
        429 => {
            headers["Retry-After"] = header("Seconds", &seconds);
            add_rate(&mut headers);
        }
        // Some of them pass, at a time that nobody knows.
        503 => headers["Retry-After"] = json!({"description": "Seconds", "schema": seconds}),
        _ => {}
    }
    json!({
        "description": description,
        "headers": headers,
        "content": {(Problem::MEDIA_TYPE): {"schema": {"$ref": "#/components/schemas/Problem"}}},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let text = DOCUMENT.to_string();
        let mut rest = text.as_str();
        let mut count = 0;
        while let Some(start) = rest.find("\"$ref\":\"#") {
            rest = &rest[start + "\"$ref\":\"#".len()..];
            let pointer = &rest[..rest.find('"').unwrap()];
            assert!(DOCUMENT.pointer(pointer).is_some(), "{pointer} is missing");
            count += 1;
        }
        assert!(count > 50, "only {count} references");
    }

    #[test]
    fn every_operation_has_an_id_of_its_own_and_says_what_it_refuses() {
        let mut document = DOCUMENT.clone();
        let mut ids = BTreeSet::new();
        for (method, path, operation) in each_operation_mut(&mut document) {
            assert!(ids.insert(operation["operationId"].to_string()), "{method} {path}");
            assert!(operation["responses"]["500"].is_object(), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
        assert!(ids.len() >= 18, "{ids:?}");
    }
}
