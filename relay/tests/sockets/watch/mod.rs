//! What watchers see.

mod endings;

use serde_json::{Value, json};

use mien_in_process::Relay;
use mien_in_process::client::{Client, Heard};

#[tokio::test]
async fn since_says_where_to_begin() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    source.send_in_parts(1..=1_000).await;
    source.acked(1_000).await;
    let (mut live, welcome) = relay.watch(session, Value::Null).await;
    assert_eq!(welcome["status"], "active");
    assert_eq!((welcome["sources"].clone(), welcome["watchers"].clone()), (json!(["main"]), json!(1)));
    let (mut all, _) = relay.watch(session, json!({})).await;
    let (mut some, _) = relay.watch(session, json!({"main": 990})).await;
    let (mut beyond, _) = relay.watch(session, json!({"main": 5_000})).await;
    let (mut other, _) = relay.watch(session, json!({"elsewhere": 5})).await;
    source.send_in_parts(1_001..=1_300).await;
    source.acked(1_300).await;
    assert_eq!(live.watched(1_300).await, (1_001..=1_300).collect::<Vec<_>>());
    assert_eq!(all.watched(1_300).await, (1..=1_300).collect::<Vec<_>>());
    assert_eq!(some.watched(1_300).await, (991..=1_300).collect::<Vec<_>>());
    assert_eq!(beyond.watched(1_300).await, (1_001..=1_300).collect::<Vec<_>>());
    assert_eq!(other.watched(1_300).await, (1..=1_300).collect::<Vec<_>>());
    assert!(relay.state.render_metrics().contains("watch_lag_samples 0"));
}

/// Whatever way it comes: live, or from the store. What this relay does not know is left out, and refuses nothing.
#[tokio::test]
async fn what_a_sample_has_besides_faces_comes_too() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    let (mut live, _) = relay.watch(session, Value::Null).await;
    let sent = json!([
        {"seq": 1, "at": 5, "media_ms": 0, "faces": [], "mood": {"x": 1}},
        {"seq": 2, "at": 12_045, "media_ms": 40, "faces": [], "skipped": [
            {"reason": "hidden", "ms": 12_000, "since": 1}, {"reason": "clock_step", "ms": -3_600_000}]},
        {"seq": 3, "at": 12_145, "faces": [], "skipped": [
            {"reason": "asleep", "ms": 60}, {"reason": "lens_cap", "ms": 0}]},
        {"seq": 4, "at": 12_145, "faces": [], "media_ms": null, "skipped": []},
    ]);
    source.say(&json!({"type": "samples", "samples": sent})).await;
    source.acked(4).await;
    let expected = json!([
        {"seq": 1, "at": 5, "media_ms": 0, "faces": []},
        {"seq": 2, "at": 12_045, "media_ms": 40, "skipped": [
            {"reason": "hidden", "ms": 12_000}, {"reason": "clock_step", "ms": -3_600_000}], "faces": []},
        {"seq": 3, "at": 12_145, "skipped": [
            {"reason": "other", "ms": 60}, {"reason": "other", "ms": 0}], "faces": []},
        {"seq": 4, "at": 12_145, "faces": []},
    ]);
    let (mut behind, _) = relay.watch(session, json!({})).await;
    for watcher in [&mut live, &mut behind] {
        assert_eq!(hear_samples(watcher).await["samples"], expected);
    }
}

/// The next message with samples; who comes and goes meanwhile does not matter.
async fn hear_samples(watcher: &mut Client) -> Value {
    loop {
        let message = watcher.hear_message().await;
        if message["type"] == "samples" {
            return message;
        }
    }
}

/// The same, from where the coefficients are rounded on.
#[tokio::test]
async fn what_is_measured_of_a_face_comes_too() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    let (mut live, _) = relay.watch(session, Value::Null).await;
    let sample = |seq: u64, optional: Value| {
        let mut sample = mien_in_process::samples::sample(seq);
        sample["faces"][0].as_object_mut().unwrap().extend(optional.as_object().unwrap().clone());
        sample
    };
    let sent = json!([
        sample(
            1,
            json!({
                "valence": 0.123_456_7, "neutral": 12, "why": ["turned", "masked", "small", "turned"], "mood": 1,
                "landmarks": {
                    "yaw": -12.345_678, "pitch": 4.5, "roll": 0, "blink_left": 0.1, "blink_right": 1, "gaze": [-3.25, 8],
                    "depth": [1, 2], "coefficients": {"jawOpen": 0.123_456, "_neutral": 0, "tongueOut": 7},
                },
            })
        ),
        sample(2, json!({"landmarks": {"yaw": 3, "pitch": null, "coefficients": null}, "why": []})),
        sample(3, json!({"valence": null, "neutral": null, "why": null, "landmarks": null})),
    ]);
    source.say(&json!({"type": "samples", "samples": sent})).await;
    source.acked(3).await;
    let expected = json!([
        sample(
            1,
            json!({
                "valence": 0.123_456_7, "neutral": 12, "why": ["turned", "small"],
                "landmarks": {
                    "yaw": -12.345_678, "pitch": 4.5, "roll": 0.0, "blink_left": 0.1, "blink_right": 1.0,
                    "gaze": [-3.25, 8.0], "coefficients": {"_neutral": 0.0, "jawOpen": 0.123},
                },
            })
        ),
        sample(2, json!({"landmarks": {"yaw": 3.0}})),
        sample(3, json!({})),
    ]);
    let (mut behind, _) = relay.watch(session, json!({})).await;
    for watcher in [&mut live, &mut behind] {
        assert_eq!(hear_samples(watcher).await["samples"], expected);
    }
}

/// A message of the largest samples: each is taken, and a watcher who reads the store gets them in messages of a size
/// that it may have.
#[tokio::test]
async fn large_samples_come_in_messages_of_bounded_size() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    let coefficients: serde_json::Map<_, _> =
        mien_shared::Coefficients::NAMES.iter().map(|name| ((*name).to_owned(), json!(0.123))).collect();
    let large = |seq: u64| {
        let mut sample = mien_in_process::samples::sample(seq);
        let mut face = sample["faces"][0].take();
        face["landmarks"] = json!({"yaw": 1.5, "coefficients": coefficients});
        sample["faces"] = json!(vec![face; 32]);
        sample
    };
    let last = 150;
    for seq in (1..=last).step_by(2) {
        let message = json!({"type": "samples", "samples": [large(seq), large(seq + 1)]});
        assert!(message.to_string().len() <= mien_shared::limits::MAX_MESSAGE_BYTES);
        source.say(&message).await;
    }
    source.acked(last).await;
    let (mut behind, _) = relay.watch(session, json!({})).await;
    let mut seen = Vec::new();
    while seen.len() < last as usize {
        let message = hear_samples(&mut behind).await;
        let bytes = message.to_string().len();
        assert!(bytes <= mien_shared::limits::MAX_MESSAGE_BYTES, "{bytes}");
        let samples = message["samples"].as_array().unwrap();
        seen.extend(samples.iter().map(|sample| sample["seq"].as_u64().unwrap()));
    }
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
}

/// Whoever has seen `throughs` has seen all that was stored when it was welcomed, and nothing of that is still to
/// come; what was rejected last is not waited for.
#[tokio::test]
async fn the_welcome_says_how_far_each_source_has_come() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (_early, welcome) = relay.watch(session, Value::Null).await;
    assert_eq!(welcome["throughs"], json!({}), "no source yet");
    let (mut main, _) = relay.ingest(session).await;
    let (mut side, _) = relay.ingest_as(session, "cam-2").await;
    let (_silent, _) = relay.ingest_as(session, "cam-3").await;
    main.send_in_parts(1..=700).await;
    main.acked(700).await;
    side.send([5, 9]).await;
    side.acked(9).await;
    // The last two of this source are rejected: acked, but never sent to a watcher.
    side.say(&json!({"type": "samples", "samples": [{"seq": 10}, {"seq": 11}]})).await;
    while side.hear_message().await["through"] != 11 {}
    let throughs = json!({"main": 700, "cam-2": 9, "cam-3": 0});
    let (_live, welcome) = relay.watch(session, Value::Null).await;
    assert_eq!(welcome["throughs"], throughs);
    let (mut behind, welcome) = relay.watch(session, json!({"main": 650, "cam-2": 3})).await;
    assert_eq!(welcome["throughs"], throughs, "whatever it has seen");
    let mut seen = json!({"cam-3": 0});
    while seen != throughs {
        let message = hear_samples(&mut behind).await;
        let last = message["samples"].as_array().unwrap().last().unwrap();
        seen[message["source"].as_str().unwrap()] = last["seq"].clone();
    }
    side.send([12]).await;
    side.acked(12).await;
    let message = behind.hear_type("samples").await;
    assert_eq!(
        (&message["source"], &message["samples"][0]["seq"]),
        (&json!("cam-2"), &json!(12)),
        "all else came"
    );
    // Beginning behind it leaves nothing out.
    let (_, welcome) = relay.watch(session, Value::Null).await;
    let (mut again, _) = relay.watch(session, welcome["throughs"].clone()).await;
    main.send([701]).await;
    assert_eq!(again.watched(701).await, [701]);
    // Also of one that is over.
    relay.complete(session).await;
    let (_, welcome) = relay.watch(session, json!({})).await;
    assert_eq!(welcome["throughs"]["main"], 701);
}

#[tokio::test]
async fn each_stored_sample_comes_once_also_over_reconnects() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    let mut seen = Vec::new();
    let sending = async {
        let mut next = 1;
        while next <= 1_500 {
            source.send(next..next + 7).await;
            next += 7;
            // Gaps and refusals are part of life.
            if next % 3 == 0 {
                source.say(&json!({"type": "samples", "samples": [{"seq": next}]})).await;
                next += 2;
            }
        }
        source.send([2_000]).await;
        while source.hear_message().await["through"].as_u64() != Some(2_000) {}
    };
    let watching = async {
        let mut place = 0;
        while place < 2_000 {
            let (mut watcher, _) = relay.watch(session, json!({"main": place})).await;
            for _ in 0..5 {
                if place == 2_000 {
                    break;
                }
                let message = watcher.hear_message().await;
                if message["type"] != "samples" {
                    continue;
                }
                for sample in message["samples"].as_array().unwrap() {
                    place = sample["seq"].as_u64().unwrap();
                    seen.push(place);
                }
            }
        }
    };
    tokio::join!(sending, watching);
    assert_eq!(seen, relay.stored(session).await);
}

#[tokio::test]
async fn a_watcher_that_does_not_read_holds_up_no_other_and_misses_nothing() {
    let relay = Relay::start_with(&["--samples-per-second", "1000000", "--samples-burst", "1000000"]).await;
    let session = relay.session().await;
    let (mut slow, _) = relay.watch(session, Value::Null).await;
    let (mut fast, _) = relay.watch(session, Value::Null).await;
    let (mut source, _) = relay.ingest(session).await;
    let total = 30_000;
    let (seen, ()) = tokio::join!(fast.watched(total), async {
        let mut next = 1;
        while next <= total {
            source.send(next..next + 250).await;
            next += 250;
            // At most a few messages ahead, as a client with an outbox would be.
            while source.hear_message().await["through"].as_u64().unwrap() + 2_500 < next {}
        }
    });
    assert_eq!(seen, (1..=total).collect::<Vec<_>>());
    assert_eq!(slow.watched(total).await, seen);
}

#[tokio::test]
async fn presence_tells_who_comes_and_goes() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, welcome) = relay.watch(session, Value::Null).await;
    assert_eq!((welcome["sources"].clone(), welcome["watchers"].clone()), (json!([]), json!(1)));
    let presence =
        |sources: Value, watchers: u64| json!({"type": "presence", "sources": sources, "watchers": watchers});
    let (source, _) = relay.ingest_as(session, "cam-2").await;
    assert_eq!(watcher.hear().await, Heard::Message(presence(json!(["cam-2"]), 1)));
    let (other, _) = relay.watch(session, Value::Null).await;
    assert_eq!(watcher.hear().await, Heard::Message(presence(json!(["cam-2"]), 2)));
    source.leave().await;
    assert_eq!(watcher.hear().await, Heard::Message(presence(json!([]), 2)));
    other.leave().await;
    assert_eq!(watcher.hear().await, Heard::Message(presence(json!([]), 1)));
}

#[tokio::test]
async fn a_watcher_says_hello_and_no_more() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut watcher, _) = relay.watch(session, Value::Null).await;
    watcher.say(&json!({"type": "hello", "token": ""})).await;
    assert_eq!(watcher.hear_type("error").await["code"], "hello_repeated");
    watcher.say_binary().await;
    assert_eq!(watcher.hear_type("error").await["code"], "binary_message");
    for _ in 0..8 {
        watcher.send([1]).await;
    }
    let (code, before) = watcher.closed().await;
    assert_eq!((code, before.len()), (4400, 8));
    assert_eq!(before[0]["code"], "unknown_type");
}

/// Many rest between sends, so that a large hall costs little; nobody misses anything by it.
#[tokio::test]
async fn many_watchers_see_every_sample() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut source, _) = relay.ingest(session).await;
    let mut watchers = Vec::new();
    for _ in 0..60 {
        watchers.push(relay.watch(session, Value::Null).await.0);
    }
    for seq in 1..=100 {
        source.send([seq]).await;
        source.acked(seq).await;
    }
    for mut watcher in watchers {
        assert_eq!(watcher.watched(100).await, (1..=100).collect::<Vec<_>>());
    }
}

/// A commit that took too long may have been done, and then the retry finds only duplicates.
#[tokio::test]
async fn what_was_committed_unheard_is_seen_when_it_is_sent_again() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let (mut client, _) = relay.ingest(session).await;
    let (mut watcher, _) = relay.watch(session, Value::Null).await;
    relay.commit_unheard(session, 1..=3).await;
    client.send(1..=3).await;
    client.acked(3).await;
    assert_eq!(watcher.watched(3).await, [1, 2, 3]);
}
