//! What one user may keep: each limit is a setting, and what is over it is told apart from what passes by itself.

use hyper::StatusCode;
use mien_shared::Code;

use mien_in_process::Relay;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_of_one_user_are_counted_exactly_also_where_many_are_made_at_once() {
    const MOST: usize = 5;
    let relay =
        Relay::start_with(&["--auth=token", "--requests-burst=10000", "--max-sessions-per-user=5"]).await;
    let relay = std::sync::Arc::new(relay);
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..4 * MOST {
        let (relay, alice) = (relay.clone(), relay.user("alice"));
        asked.spawn(async move { relay.post("/api/v1/sessions", &alice, "{}").await });
    }
    let answers = asked.join_all().await;
    let made = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, MOST);
    for answer in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        let problem = answer.is_problem(Code::QuotaExceeded);
        assert!(problem.detail.contains("5 sessions"), "{}", problem.detail);
    }
    // Others have room of their own, and so has alice where she erases one.
    relay.create("bob").await;
    let alice = relay.user("alice");
    let list: mien_shared::api::SessionList = relay.get("/api/v1/sessions", &alice).await.json();
    assert_eq!(list.sessions.len(), MOST);
    let one = format!("/api/v1/sessions/{}", list.sessions[0].id);
    assert_eq!(relay.delete(&one, &alice).await.status, StatusCode::NO_CONTENT);
    relay.create("alice").await;
    relay.post("/api/v1/sessions", &alice, "{}").await.is_problem(Code::QuotaExceeded);
}

#[tokio::test]
async fn markers_and_sources_of_one_session_are_as_many_as_the_settings_say() {
    let flags = ["--auth=token", "--max-markers-per-session=2", "--max-sources-per-session=3"];
    let relay = Relay::start_with(&flags).await;
    let created = relay.create("alice").await;
    let (id, owner) = (created.session.id, &created.tokens.owner);
    let markers = format!("/api/v1/sessions/{id}/markers");
    for at in 0..2 {
        let body = format!(r#"{{"at":{at},"label":"x"}}"#);
        assert_eq!(relay.post(&markers, owner, &body).await.status, StatusCode::CREATED);
    }
    let more = relay.post(&markers, owner, r#"{"at":2,"label":"x"}"#).await;
    assert!(more.is_problem(Code::QuotaExceeded).detail.contains("2 markers"));

    for name in ["a", "b", "c"] {
        relay.state.store.open_source(id, &name.parse().unwrap()).await.unwrap();
    }
    let more = relay.state.store.open_source(id, &"d".parse().unwrap()).await.unwrap_err();
    let problem = mien_relay::http::problem::ApiError::from(more);
    assert_eq!(problem.code, Code::QuotaExceeded);
    assert!(problem.detail.contains("3 sources"), "{}", problem.detail);
    // One that is there is no new one.
    relay.state.store.open_source(id, &"b".parse().unwrap()).await.unwrap();
}
