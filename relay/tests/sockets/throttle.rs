//! Over the rate: nothing is lost, and who does not listen is shown out.

use serde_json::json;

use mien_in_process::Relay;
use mien_in_process::client::Heard;

/// One sample a second, so that a bucket stays empty for the length of a test's few messages.
const SLOW: [&str; 4] = ["--samples-per-second", "1", "--samples-burst", "10"];

#[tokio::test]
async fn samples_over_the_rate_are_asked_for_again() {
    let relay = Relay::start_with(&["--samples-per-second", "50", "--samples-burst", "10"]).await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    // A client as the contract wants it: it goes back to `from` after the pause.
    let mut next = 1;
    let mut acked = 0;
    while acked < 60 {
        if next <= 60 {
            client.send(next..=60).await;
            next = 61;
        }
        let message = client.hear_message().await;
        match message["type"].as_str().unwrap() {
            "ack" => acked = message["through"].as_u64().unwrap(),
            "throttle" => {
                next = message["from"].as_u64().unwrap();
                let pause = message["retry_after_ms"].as_u64().unwrap();
                assert!(pause > 0);
                tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(relay.stored(session).await, (1..=60).collect::<Vec<_>>());
    assert!(!relay.state.render_metrics().contains("rate_limited_total{kind=\"samples\"} 0"));
}

/// As while a source moves between relays: it is not left to wait for a sample that nobody sends again.
#[tokio::test]
async fn a_throttle_that_was_overtaken_is_begun_anew() {
    let relay = Relay::start_with(&SLOW).await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    client.send(1..=12).await;
    let heard = [client.hear_message().await, client.hear_message().await];
    assert!(heard.iter().any(|message| message["type"] == "throttle" && message["from"] == 11), "{heard:?}");
    relay.commit_unheard(session, 11..=14).await;
    client.send([10]).await;
    let (code, before) = client.closed().await;
    assert_eq!((code, before.last().unwrap()["through"].as_u64()), (1013, Some(14)));
    let (_, welcome) = relay.ingest(session).await;
    assert_eq!(welcome["through"], 14);
}

#[tokio::test]
async fn nothing_passes_a_throttle_but_its_own_seq() {
    let relay = Relay::start_with(&SLOW).await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    client.send(1..=100).await;
    client.send(101..=200).await;
    let mut heard = [client.hear_message().await, client.hear_message().await];
    heard.sort_by_key(|message| message["type"].to_string());
    assert_eq!((heard[0]["through"].as_u64(), heard[1]["from"].as_u64()), (Some(10), Some(11)));
    client.send(1..=10).await;
    client.acked(10).await;
    assert_eq!(relay.stored(session).await, (1..=10).collect::<Vec<_>>());
}

#[tokio::test]
async fn rejected_samples_cost_and_duplicates_do_not() {
    let relay = Relay::start_with(&SLOW).await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    for _ in 0..5 {
        client.send(1..=5).await;
        client.acked(5).await;
    }
    let bad: Vec<_> = (6..=100).map(|seq| json!({"seq": seq})).collect();
    client.say(&json!({"type": "samples", "samples": bad})).await;
    let mut rejected = Vec::new();
    let mut throttled = None;
    let mut acked = false;
    while throttled.is_none() || !acked {
        let message = client.hear_message().await;
        match message["type"].as_str().unwrap() {
            "reject" => rejected.push(message["seq"].as_u64().unwrap()),
            "throttle" => throttled = message["from"].as_u64(),
            _ => acked = true,
        }
    }
    let from = throttled.unwrap();
    assert!(from <= 12, "five stored and five rejected are the burst, and a second may have passed");
    assert_eq!(rejected, (6..from).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_sends_on_is_shown_out() {
    let relay = Relay::start_with(&SLOW).await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let mut message = 0;
    let code = loop {
        client.send(message * 250 + 1..=message * 250 + 250).await;
        message += 1;
        if message > 25 {
            break client.closed().await;
        }
    };
    let (code, before) = code;
    assert_eq!(code, 4429);
    let throttles = before.iter().filter(|message| message["type"] == "throttle").count();
    assert_eq!(throttles, 1, "what is on the way is not told again");
    let acked = before.iter().filter_map(|message| message["through"].as_u64()).max().unwrap();
    assert_eq!(relay.stored(session).await, (1..=acked).collect::<Vec<_>>());
    let (mut client, welcome) = relay.ingest(session).await;
    assert_eq!(welcome["through"].as_u64(), Some(acked), "a new connection goes on from there");
    client.send([1]).await;
    assert!(matches!(client.hear().await, Heard::Message(_)));
}
