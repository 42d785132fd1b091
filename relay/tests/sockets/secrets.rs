//! What a log never holds, however much it is asked for.

use hyper::Method;
use mien_kit::http::{exchange, request};
use mien_kit::relay::Relay;
use mien_relay::auth::{Caller, TokenKey};
use mien_servers::{Postgres, Redis};
use mien_shared::Role;
use serde_json::{Value, json};

use crate::process;
use mien_in_process::client::Client;
use mien_in_process::{FUTURE, SECRET, patiently};

/// Everything that passes, and the libraries that pass it by name.
const EVERYTHING: &str = "trace,tungstenite=trace,tokio_tungstenite=trace,tungstenite::protocol=trace,hyper=trace,\
     sqlx=trace,sqlx_postgres=trace,redis=trace,log=trace";
const PASSWORD: &str = "geheim-und-lang-genug";
const TITLE: &str = "a title of someone";

async fn ask(relay: &Relay, method: Method, path: &str, token: &str, body: &str) -> Value {
    let body = (!body.is_empty()).then_some(body);
    let answer = patiently(exchange(relay.address(), request(method, path, token, body))).await;
    answer.unwrap().json()
}

/// A session from its beginning to its end, with every kind of token. Gives the tokens.
async fn use_it(relay: &Relay) -> Vec<String> {
    let user =
        TokenKey::new(SECRET.as_bytes()).sign(&Caller { user: "alice".to_owned(), grant: None }, FUTURE);
    let body = json!({ "title": TITLE }).to_string();
    let created = ask(relay, Method::POST, "/api/v1/sessions", &user, &body).await;
    let token = |role: &str| created["tokens"][role].as_str().unwrap().to_owned();
    let session: mien_shared::SessionId = serde_json::from_value(created["session"]["id"].clone()).unwrap();

    let mut watcher = Client::connect(relay.address(), session, "watch").await;
    watcher.say(&json!({"type": "hello", "token": token("watch")})).await;
    watcher.hear_type("welcome").await;
    let mut source = Client::connect(relay.address(), session, "ingest").await;
    source.say(&json!({"type": "hello", "token": token("ingest")})).await;
    source.hear_type("welcome").await;
    source.send(1..=20).await;
    source.acked(20).await;
    assert_eq!(watcher.watched(20).await.len(), 20);
    let path = format!("/api/v1/sessions/{session}");
    ask(relay, Method::GET, &format!("{path}/summary"), &token("owner"), "").await;
    let role = json!({ "role": Role::Watch }).to_string();
    let minted = ask(relay, Method::POST, &format!("{path}/tokens"), &token("owner"), &role).await;
    // Refused ones are tokens all the same.
    let forged = format!("{}x", token("owner"));
    ask(relay, Method::GET, &path, &forged, "").await;
    let mut stranger = Client::connect(relay.address(), session, "watch").await;
    stranger.say(&json!({"type": "hello", "token": forged})).await;
    assert_eq!(stranger.close_code().await, 4401);
    vec![
        user,
        token("owner"),
        token("ingest"),
        token("watch"),
        minted["token"].as_str().unwrap().to_owned(),
        forged,
    ]
}

/// As text, and as those write bytes who do not know that they are text.
fn shapes(secret: &str) -> [String; 3] {
    let hex = secret.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let decimal: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
    [secret.to_owned(), hex, decimal.join(", ")]
}

#[track_caller]
fn holds_none(log: &str, secrets: &[String]) {
    // Otherwise this would see nothing.
    for level in ["DEBUG", "INFO"] {
        assert!(log.contains(level), "nothing at {level}");
    }
    let lower = log.to_ascii_lowercase();
    for secret in secrets {
        for shape in shapes(secret) {
            if let Some(at) = lower.find(&shape.to_ascii_lowercase()) {
                let start = lower[..at].rfind('\n').map_or(0, |end| end + 1);
                let line: String = log[start..].chars().take(300).collect();
                panic!("the log holds a secret:\n{line}");
            }
        }
    }
}

#[tokio::test]
async fn no_token_and_no_secret_reach_the_log_at_any_level() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("MIEN_LOG", EVERYTHING), ("MIEN_AUTH", "token")];
    let relay = process::start(folder.path(), &settings).await;
    let mut secrets = use_it(&relay).await;
    secrets.extend([SECRET.to_owned(), TITLE.to_owned()]);
    holds_none(&process::end(relay).await, &secrets);
}

#[tokio::test]
async fn no_password_of_a_database_or_of_redis_reaches_the_log_either() {
    let Some(postgres) = Postgres::if_present() else { return };
    let Some(server) = Redis::if_present() else { return };
    let url = postgres.database();
    postgres.sql(&url, &format!("CREATE ROLE anna SUPERUSER LOGIN PASSWORD '{PASSWORD}'"));
    let hba = "host all mien 127.0.0.1/32 trust\nhost all anna 127.0.0.1/32 scram-sha-256\n";
    std::fs::write(postgres.data().join("pg_hba.conf"), hba).unwrap();
    postgres.sql(&url, "SELECT pg_reload_conf()");
    let url = url.replacen("://mien@", &format!("://anna:{PASSWORD}@"), 1);
    assert!(url.contains(PASSWORD), "{url}");
    let folder = tempfile::tempdir().unwrap();
    let redis_url = server.url().replacen("://", &format!("://default:{PASSWORD}@"), 1);
    let settings = [
        ("MIEN_LOG", EVERYTHING),
        ("MIEN_AUTH", "token"),
        ("MIEN_DATABASE_URL", url.as_str()),
        ("MIEN_REDIS_URL", redis_url.as_str()),
    ];
    let mut operator =
        redis::Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let set = redis::cmd("CONFIG").arg(&["SET", "requirepass", PASSWORD]).exec_async(&mut operator).await;
    set.unwrap();
    let relay = process::start(folder.path(), &settings).await;
    let mut secrets = use_it(&relay).await;
    secrets.extend([SECRET.to_owned(), TITLE.to_owned(), PASSWORD.to_owned()]);
    holds_none(&process::end(relay).await, &secrets);
}
