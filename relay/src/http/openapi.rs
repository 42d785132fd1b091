//! The OpenAPI document, made from the routes themselves.
//!
//! Handlers describe what they answer when all goes well; what every route refuses is the same rule
//! everywhere, so it is added here, from the codes that the relay has.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use mien_shared::limits::MAX_BODY_BYTES;
use mien_shared::{Code, Problem};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{InfoBuilder, OpenApiBuilder};

use super::{free, limited};

/// The document as text.
pub(super) static TEXT: LazyLock<Bytes> = LazyLock::new(|| DOCUMENT.to_string().into());

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

const ABOUT: &str = "Sessions, samples and exports of a Mien relay. The WebSockets that take and give samples live \
     are described by `/api/v1/asyncapi.json`. Unknown JSON fields are ignored by every reader. Times are RFC 3339 \
     in UTC, `at` is Unix milliseconds. Every answer has `X-Request-Id`; every error is a problem (RFC 9457) with a \
     stable `code` and that same id.";

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

    let mut statuses = BTreeSet::new();
    for (method, path, operation) in each_operation_mut(&mut document) {
        for status in refusals(&method, &path, operation) {
            statuses.insert(status);
            operation["responses"]
                .as_object_mut()
                .map(|responses| responses.entry(status.to_string()).or_insert_with(|| reference(status)));
        }
    }
    let components = &mut document["components"];
    components["securitySchemes"] = json!({"bearer": {
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A user token, or a capability token of one session. In open mode none is needed.",
    }});
    components["responses"] =
        statuses.into_iter().map(|status| (name(status), refusal(status))).collect::<Map<_, _>>().into();
    add_schemas(components);
    document
}

/// Problems are answered by layers, so no route brings their schema.
fn add_schemas(components: &mut Value) {
    let mut schemas = vec![(Problem::name().into_owned(), <Problem as utoipa::PartialSchema>::schema())];
    Problem::schemas(&mut schemas);
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

/// What a route may refuse, by what it takes.
fn refusals(method: &str, path: &str, operation: &Value) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from([500]);
    let takes_query =
        operation["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["in"] == "query"));
    if operation.get("security").is_some() {
        statuses.extend([401, 403, 429, 503]);
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
    if method != "get" {
        statuses.insert(403);
    }
    if path == "/readyz" {
        statuses.insert(503);
    }
    statuses
}

fn name(status: u16) -> String {
    format!("Problem{status}")
}

fn reference(status: u16) -> Value {
    json!({"$ref": format!("#/components/responses/{}", name(status))})
}

/// A problem of this status, with the codes that it can have.
fn refusal(status: u16) -> Value {
    let codes: Vec<String> = Code::ALL
        .iter()
        .filter(|code| code.status() == status)
        .map(|code| format!("`{}`: {}", code.name(), code.title()))
        .collect();
    let mut description = codes.join(". ");
    if status == 413 {
        description = format!("{description} (at most {MAX_BODY_BYTES} bytes)");
    }
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    let mut headers = json!({"X-Request-Id": text("Equals `request_id`")});
    if status == 429 {
        headers["Retry-After"] = json!({"description": "Seconds", "schema": {"type": "integer"}});
        headers["RateLimit"] = text("What is left, as in draft-ietf-httpapi-ratelimit-headers");
        headers["RateLimit-Policy"] = text("The rate, as in draft-ietf-httpapi-ratelimit-headers");
    }
    if status == 401 {
        headers["WWW-Authenticate"] = text("`Bearer`");
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
