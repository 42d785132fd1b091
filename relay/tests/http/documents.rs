//! The documents that the relay serves, held against the relay that serves them.

use hyper::{Method, StatusCode};
use mien_shared::Problem;
use mien_shared::problem::{CloseCode, Code};
use serde_json::{Value, json};

use mien_in_process::Relay;

#[tokio::test]
async fn every_call_of_the_contract_is_described_and_answers() {
    let relay = Relay::guarded().await;
    let answer = relay.get("/api/v1/openapi.json", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    let document: Value = answer.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    // Written out from the contract: what it names must be there, under these very names.
    for (method, path) in [
        ("post", "/api/v1/sessions"),
        ("get", "/api/v1/sessions"),
        ("get", "/api/v1/sessions/{id}"),
        ("patch", "/api/v1/sessions/{id}"),
        ("delete", "/api/v1/sessions/{id}"),
        ("post", "/api/v1/sessions/{id}/tokens"),
        ("post", "/api/v1/sessions/{id}/revoke"),
        ("get", "/api/v1/sessions/{id}/samples"),
        ("get", "/api/v1/sessions/{id}/series"),
        ("get", "/api/v1/sessions/{id}/summary"),
        ("get", "/api/v1/sessions/{id}/gaps"),
        ("get", "/api/v1/sessions/{id}/export"),
        ("post", "/api/v1/sessions/{id}/markers"),
        ("get", "/api/v1/sessions/{id}/markers"),
        ("delete", "/api/v1/sessions/{id}/markers/{marker}"),
        ("get", "/healthz"),
        ("get", "/readyz"),
        ("get", "/metrics"),
        ("get", "/api/v1/openapi.json"),
        ("get", "/api/v1/asyncapi.json"),
    ] {
        assert!(paths[path][method].is_object(), "{method} {path}");
    }
    let id = relay.create("alice").await.session.id.to_string();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            let target = path.replace("{id}", &id).replace("{marker}", &id);
            let method: Method = method.to_uppercase().parse().unwrap();
            let answer = relay.call(method.clone(), &target, &[], "").await;
            // Without a token, what needs one says so; the rest answers. Either way it is described.
            let expected = if operation.get("security").is_some() { 401 } else { 200 };
            assert_eq!(answer.status.as_u16(), expected, "{method} {path}");
            assert!(operation["responses"][answer.status.as_str()].is_object(), "{method} {path}");
            if expected == 401 {
                answer.is_problem(Code::Unauthorized);
            }
        }
    }
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(document["components"]["schemas"]["Code"]["enum"], json!(codes));
    let problem = document["components"]["schemas"]["Problem"]["properties"].as_object().unwrap();
    let written = serde_json::to_value(Problem::new(Code::Invalid, "x", "y")).unwrap();
    assert_eq!(problem.keys().collect::<Vec<_>>(), written.as_object().unwrap().keys().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_sockets_are_described_too() {
    let relay = Relay::guarded().await;
    let answer = relay.get("/api/v1/asyncapi.json", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    let document: Value = answer.json();
    assert_eq!(document["asyncapi"], "3.0.0");
    for (socket, messages) in [("ingest", 7), ("watch", 6)] {
        let channel = &document["channels"][socket];
        assert_eq!(channel["address"], format!("/api/v1/sessions/{{id}}/{socket}"));
        assert_eq!(channel["messages"].as_object().unwrap().len(), messages);
    }
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(document["components"]["schemas"]["Code"]["enum"], json!(names));
    let codes = document["x-close-codes"].as_array().unwrap();
    for close in CloseCode::ALL {
        assert!(
            codes.iter().any(|one| one["code"] == close.code() && one["reason"] == close.reason()),
            "{close:?}"
        );
    }
}
