//! Somebody else writes to the relays' Redis.

use mien_servers::Redis;
use serde_json::{Value, json};

use super::pair::pair;

/// Says something to Redis that no relay said; whatever it answers.
fn forge(redis: &Redis, words: &[&str]) {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    let mut line = vec![format!("*{}\r\n", words.len())];
    line.extend(words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())));
    stream.write_all(line.concat().as_bytes()).unwrap();
    let mut answer = [0; 64];
    assert!(stream.read(&mut answer).unwrap() > 0 && answer[0] != b'-', "{words:?}");
}

/// Neither who owns a session nor what became of it is decided by whoever can write to Redis.
#[tokio::test]
async fn a_forged_entry_gives_nobody_a_session() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let mallory = json!({
        "id": session, "user_id": "mallory", "title": "", "purpose": "", "status": "active",
        "started_at": "2026-01-01T00:00:00Z", "completed_at": null,
    });
    for entry in [
        json!({"updated": mallory}),
        json!({"at": mien_relay::clock::now().as_second(), "kept": {"here": {"session": mallory, "revoked": {}}}}),
    ] {
        let key = format!("mien:session:{session}");
        forge(&redis, &["SET", &key, &entry.to_string()]);
        two.state.cache.forget(session).await;
        assert_eq!(two.state.session(session).await.unwrap().user_id, "alice");
        forge(&redis, &["DEL", &key]);
    }
}

#[tokio::test]
async fn forged_words_end_no_socket_and_show_nobody_a_sample() {
    let Some(redis) = Redis::if_present() else { return };
    let (one, two) = pair(&redis).await;
    let session = one.session().await;
    let (mut source, _) = one.ingest(session).await;
    let (mut watcher, _) = two.watch(session, Value::Null).await;
    let shown =
        json!({"type": "samples", "source": "main", "samples": [mien_in_process::samples::sample(1)]});
    let change = json!({"type": "changed", "session": session, "change": "erased"}).to_string();
    for channel in ["mien:all".to_owned(), format!("mien:live:{session}")] {
        forge(&redis, &["PUBLISH", &channel, &change]);
    }
    let piece = format!("0 1 1 main\n{shown}");
    forge(&redis, &["PUBLISH", &format!("mien:samples:{session}"), &piece]);
    forge(
        &redis,
        &["XADD", &format!("mien:window:{session}:main"), "5-0", "m", &format!("0 1 5 main\n{shown}")],
    );
    // What is said after it is heard after it.
    for last in [10, 20, 30] {
        source.send(last - 9..=last).await;
        source.acked(last).await;
        assert_eq!(watcher.watched(last).await, (last - 9..=last).collect::<Vec<_>>());
    }
    let (mut behind, _) = two.watch(session, json!({})).await;
    assert_eq!(behind.watched(30).await, (1..=30).collect::<Vec<_>>());
}
