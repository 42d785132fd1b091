//! What becomes of samples.

use mien_shared::api::{PatchSession, SourceName};
use mien_shared::{Role, SessionStatus};
use serde_json::json;

use mien_in_process::samples::{sample, samples};
use mien_in_process::{Relay, patiently, until};

#[tokio::test]
async fn a_welcome_tells_where_and_how_to_go_on() {
    let relay = Relay::start_with(&["--samples-per-second", "7", "--samples-burst", "70"]).await;
    let session = relay.session().await;
    let (_client, welcome) = relay.ingest_as(session, "cam-2").await;
    assert_eq!(welcome["session"], session.to_string());
    assert_eq!(welcome["source"], "cam-2");
    assert_eq!(welcome["through"], 0);
    assert_eq!(welcome["expressions"][1], "happiness");
    assert!(welcome["server_time"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(
        welcome["limits"],
        json!({"samples_per_second": 7, "burst": 70, "max_batch": 256, "max_message_bytes": 131_072, "max_faces": 32})
    );
}

#[tokio::test]
async fn acked_samples_are_stored_once() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    client.send(1..=3).await;
    client.acked(3).await;
    client.send(2..=4).await;
    client.acked(4).await;
    client.send([4]).await;
    assert_eq!(client.hear_type("ack").await["through"], 4, "a duplicate is acked again");
    assert_eq!(relay.stored(session).await, [1, 2, 3, 4]);
    let read = relay.state.store.samples_after(session, &SourceName::default(), 0, 9, 9).await.unwrap();
    assert_eq!(serde_json::to_value(&read[0]).unwrap(), sample(1));
}

#[tokio::test]
async fn among_many_sources_acks_rest_and_come_all_the_same() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    relay.state.sources.inc_by(2_000);
    let (mut client, _) = relay.ingest(session).await;
    let last = 9;
    for seq in 1..=last {
        client.send([seq]).await;
        patiently(async { while relay.stored(session).await.len() < seq as usize {} }).await;
    }
    let (mut acks, mut through) = (0, 0);
    while through < last {
        through = client.hear_type("ack").await["through"].as_u64().unwrap();
        acks += 1;
    }
    assert!(acks < last, "{acks} acks for {last} samples");
}

#[tokio::test]
async fn many_messages_may_be_on_the_way() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    for message in 0..100 {
        client.send(message * 10 + 1..=message * 10 + 10).await;
    }
    client.acked(1_000).await;
    assert_eq!(relay.stored(session).await, (1..=1_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_invalid_sample_is_refused_alone_and_no_gap() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let mut bad = sample(2);
    bad["faces"][0]["scores"][0] = json!(7);
    client.say(&json!({"type": "samples", "samples": [sample(1), bad, sample(3)]})).await;
    let reject = client.hear_type("reject").await;
    assert_eq!((reject["seq"].as_u64(), reject["code"].as_str()), (Some(2), Some("invalid_sample")));
    assert_eq!(reject["detail"], "faces[0].scores[0] is not a number in 0 … 1");
    client.acked(3).await;
    let mut last = sample(4);
    last["at"] = json!(-1);
    client.say(&json!({"type": "samples", "samples": [last]})).await;
    assert_eq!(client.hear_type("reject").await["seq"], 4);
    client.acked(4).await;
    client.leave().await;

    let relay = relay.restart().await;
    let (mut client, welcome) = relay.ingest(session).await;
    assert_eq!(welcome["through"], 4, "rejects are answered for, also after a restart");
    client.say(&json!({"type": "samples", "samples": [{"seq": 2, "at": -1}]})).await;
    client.hear_type("reject").await;
    client.acked(4).await;
    let states = relay.state.store.source_states(session).await.unwrap();
    assert_eq!((states[0].stored, states[0].rejected, states[0].gaps.len()), (2, 2, 0), "counted once");
}

#[tokio::test]
async fn a_jump_is_a_gap_and_a_late_sample_is_refused() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    client.send([1, 5]).await;
    client.acked(5).await;
    client.send([3]).await;
    let reject = client.hear_type("reject").await;
    assert_eq!((reject["seq"].as_u64(), reject["code"].as_str()), (Some(3), Some("out_of_order")));
    client.acked(5).await;
    client.send([8, 7]).await;
    let reject = client.hear_type("reject").await;
    assert_eq!((reject["seq"].as_u64(), reject["code"].as_str()), (Some(7), Some("out_of_order")));
    client.acked(8).await;
    client.send([3]).await;
    client.hear_type("reject").await;
    client.acked(8).await;
    assert_eq!(relay.stored(session).await, [1, 5, 8]);
    let states = relay.state.store.source_states(session).await.unwrap();
    assert_eq!(states[0].gaps, [[2, 2], [4, 4], [6, 6]], "a rejected seq is no gap");
    assert_eq!((states[0].through, states[0].stored, states[0].rejected), (8, 3, 2));
}

#[tokio::test]
async fn a_message_that_cannot_be_used_is_an_error_and_the_tenth_is_the_last() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let many = samples(1..=257).to_string();
    let hello = json!({"type": "hello", "token": relay.token(session, Role::Ingest)}).to_string();
    let cases = [
        ("{", "malformed"),
        ("[]", "malformed"),
        (r#"{"type":"samples"}"#, "malformed"),
        (r#"{"type":"samples","samples":[]}"#, "empty_batch"),
        (&many, "too_many_samples"),
        (r#"{"type":"dance"}"#, "unknown_type"),
        (r#"{"type":"samples","samples":[{"seq":1,"at":1,"faces":[]},{"seq":0}]}"#, "malformed"),
        (&hello, "hello_repeated"),
    ];
    for (text, code) in cases {
        client.say_text(text).await;
        assert_eq!(client.hear_type("error").await["code"], code, "{text}");
    }
    client.say_binary().await;
    assert_eq!(client.hear_type("error").await["code"], "binary_message");
    client.send([1]).await;
    client.acked(1).await;
    client.say_text("").await;
    let (code, before) = client.closed().await;
    assert_eq!((code, before.len()), (4400, 1), "the tenth is told, then the end");
    assert_eq!(relay.stored(session).await, [1], "of an unusable message nothing is taken");
}

#[tokio::test]
async fn the_newer_connection_takes_over_and_goes_on_after_what_was_taken() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut old, _) = relay.ingest(session).await;
    old.send(1..=2).await;
    old.acked(2).await;
    let blocked = relay.block_commits().await;
    old.send(3..=9).await;
    // The error comes back once the samples before it have been taken.
    old.say_text("x").await;
    old.hear_type("error").await;
    let (welcome, ()) = tokio::join!(relay.ingest(session), async {
        tokio::task::yield_now().await;
        blocked.unblock().await;
    });
    let (mut new, welcome) = welcome;
    assert_eq!(welcome["through"], 9);
    let (code, before) = old.closed().await;
    assert_eq!(code, 4409);
    assert_eq!(before.last().unwrap()["through"], 9, "what was taken is acked before the end");
    new.send([10]).await;
    new.acked(10).await;
    let (_other, _) = relay.ingest_as(session, "other").await;
    new.send([11]).await;
    new.acked(11).await;
}

#[tokio::test]
async fn completing_lets_taken_samples_finish_and_takes_no_more() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    for message in 0..50 {
        client.send(message * 10 + 1..=message * 10 + 10).await;
    }
    let patch = PatchSession { title: None, status: Some(SessionStatus::Completed) };
    relay.state.update_session(session, &patch).await.unwrap();
    let (code, before) = client.closed().await;
    assert_eq!(code, 4410);
    let acked = before.last().map_or(0, |ack| ack["through"].as_u64().unwrap());
    assert_eq!(
        relay.stored(session).await,
        (1..=acked).collect::<Vec<_>>(),
        "what is acked is what is there"
    );
}

#[tokio::test]
async fn erasing_leaves_nothing() {
    let relay = Relay::start_with(&["--samples-burst", "100000"]).await;
    let (session, kept) = (relay.session().await, relay.session().await);
    let (mut client, _) = relay.ingest(session).await;
    let (mut other, _) = relay.ingest(kept).await;
    for message in 0..20 {
        client.send(message * 250 + 1..=message * 250 + 250).await;
        other.send([message * 2 + 1]).await;
    }
    let (code, ()) = tokio::join!(client.close_code(), async {
        relay.state.erase_session(session).await.unwrap();
    });
    assert_eq!(code, 4410);
    relay.state.store.sweep(None).await.unwrap();
    let mut database = relay.database().await;
    for (table, expected) in [("samples", 20_i64), ("sources", 1), ("sessions", 1)] {
        if table == "samples" {
            other.acked(39).await;
        }
        assert_eq!(database.count(table).await, expected, "{table}");
    }
}

#[tokio::test]
async fn while_the_store_fails_nothing_is_acked_and_nothing_is_lost() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    relay.state.ready().await.unwrap();
    let blocked = relay.block_commits().await;
    client.send(1..=100).await;
    until(async || relay.state.batcher.is_failing()).await;
    assert!(relay.state.ready().await.is_err());
    assert!(relay.state.render_metrics().contains("store_errors_total{kind=\"timeout\"} 1"));
    assert_eq!(relay.stored(session).await, [0; 0]);
    blocked.unblock().await;
    client.acked(100).await;
    assert_eq!(relay.stored(session).await, (1..=100).collect::<Vec<_>>());
    relay.state.ready().await.unwrap();
}
