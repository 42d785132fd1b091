//! What the AsyncAPI document calls valid is what the relay takes, at every limit and one past it.

use serde_json::{Value, json};

use mien_in_process::Relay;
use mien_in_process::client::document;
use mien_in_process::samples::sample;

/// A sample with one value put in the place that a pointer says.
fn with(pointer: &str, value: Value) -> Value {
    let mut sample = sample(1);
    sample["media_ms"] = json!(5);
    sample["skipped"] = json!([{"reason": "paused", "ms": 1}]);
    let face = sample["faces"][0].as_object_mut().unwrap();
    face.extend([
        ("valence".to_owned(), json!(0.5)),
        ("neutral".to_owned(), json!(1)),
        ("why".to_owned(), json!(["dark"])),
        (
            "landmarks".to_owned(),
            json!({
                "yaw": 0, "pitch": 0, "roll": 0, "blink_left": 0, "blink_right": 0, "gaze": [0, 0],
                "coefficients": {"jawOpen": 0},
            }),
        ),
    ]);
    *sample.pointer_mut(pointer).unwrap() = value;
    sample
}

fn without(field: &str) -> Value {
    let mut sample = sample(1);
    let face = sample["faces"][0].as_object_mut().unwrap();
    face.remove(field).unwrap();
    sample
}

/// Samples, each with whether it may be sent.
fn cases() -> Vec<(Value, bool)> {
    let max = 9_007_199_254_740_991_u64;
    let face = sample(1)["faces"][0].clone();
    let mut cases = vec![(sample(1), true)];
    for (pointer, good, bad) in [
        ("/seq", vec![json!(1), json!(1.0), json!(max)], vec![]),
        (
            "/at",
            vec![json!(0), json!(5.0), json!(max)],
            vec![json!(-1), json!(max + 1), json!(0.5), json!("1"), json!(null)],
        ),
        ("/media_ms", vec![json!(0), json!(max), json!(null)], vec![json!(-1), json!(max + 1)]),
        ("/skipped/0/ms", vec![json!(1), json!(max)], vec![json!(max + 1), json!(0.5)]),
        (
            "/skipped/0/reason",
            vec![json!("clock_step"), json!("hidden"), json!("of a later version")],
            vec![json!(null), json!(5)],
        ),
        (
            "/faces",
            vec![json!([]), json!(vec![&face; 32])],
            vec![json!(vec![&face; 33]), json!(null), json!({})],
        ),
        ("/faces/0/id", vec![json!(0), json!(u32::MAX)], vec![json!(-1), json!(u64::from(u32::MAX) + 1)]),
        ("/faces/0/box/0", vec![json!(-1), json!(2)], vec![json!(-1.01), json!(2.01), json!("0")]),
        ("/faces/0/box/2", vec![json!(0.001), json!(2)], vec![json!(0), json!(-0.5), json!(2.01)]),
        ("/faces/0/box", vec![], vec![json!([0, 0, 1]), json!([0, 0, 1, 1, 1])]),
        ("/faces/0/expression", vec![json!(null), json!("fear")], vec![json!("Fear"), json!("bored")]),
        ("/faces/0/scores", vec![], vec![json!([1, 0, 0, 0, 0, 0]), json!([1, 0, 0, 0, 0, 0, 0, 0])]),
        ("/faces/0/scores/1", vec![json!(1)], vec![json!(1.01), json!(-0.01)]),
        ("/faces/0/quality", vec![json!(0), json!(1), json!(null)], vec![json!(1.01), json!(-0.01)]),
        (
            "/faces/0/valence",
            vec![json!(-1), json!(1), json!(null)],
            vec![json!(-1.01), json!(1.01), json!("0"), json!([])],
        ),
        (
            "/faces/0/neutral",
            vec![json!(1), json!(5.0), json!(u32::MAX), json!(null)],
            vec![json!(0), json!(-1), json!(1.5), json!(u64::from(u32::MAX) + 1), json!(true)],
        ),
        (
            "/faces/0/why",
            vec![json!([]), json!(["small", "turned", "dark", "blurred", "cut"])],
            vec![json!("dark")],
        ),
        ("/faces/0/why/0", vec![json!("cut"), json!("of a later version")], vec![json!(1), json!(null)]),
        ("/faces/0/landmarks", vec![json!({}), json!(null)], vec![json!([]), json!(1)]),
        (
            "/faces/0/landmarks/pitch",
            vec![json!(-180), json!(180), json!(null)],
            vec![json!(-180.5), json!(180.5), json!("1")],
        ),
        ("/faces/0/landmarks/yaw", vec![json!(-180)], vec![json!(181)]),
        ("/faces/0/landmarks/roll", vec![json!(180)], vec![json!(-181)]),
        (
            "/faces/0/landmarks/blink_left",
            vec![json!(0), json!(1), json!(null)],
            vec![json!(-0.01), json!(1.01)],
        ),
        ("/faces/0/landmarks/blink_right", vec![json!(1)], vec![json!(1.01)]),
        (
            "/faces/0/landmarks/gaze",
            vec![json!([-90, 90]), json!(null)],
            vec![json!([-91, 0]), json!([0, 91]), json!([0]), json!([0, 0, 0]), json!({})],
        ),
        ("/faces/0/landmarks/coefficients", vec![json!({})], vec![json!([]), json!(1)]),
        (
            "/faces/0/landmarks/coefficients/jawOpen",
            vec![json!(0), json!(1), json!(0.5), json!(null)],
            vec![json!(-0.01), json!(1.01), json!("1")],
        ),
    ] {
        cases.extend(good.into_iter().map(|value| (with(pointer, value), true)));
        cases.extend(bad.into_iter().map(|value| (with(pointer, value), false)));
    }
    cases.extend(["expression", "id", "box", "scores"].map(|field| (without(field), false)));
    cases.push((without("quality"), true));
    cases
}

#[tokio::test]
async fn a_sample_is_valid_by_the_document_where_the_relay_takes_it() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let document = document(relay.address).await;
    let validator = document.validator("/components/messages/ingestRequest-samples/payload");
    for (place, (sample, good)) in (0_u64..).zip(cases()) {
        let (mut client, _) = relay.ingest_as(session, &format!("s{place}")).await;
        let message = json!({"type": "samples", "samples": [sample]});
        assert_eq!(validator.is_valid(&message), good, "by the document: {message}");
        client.say(&message).await;
        let answer = client.hear_message().await;
        assert_eq!(answer["type"], if good { "ack" } else { "reject" }, "{message}: {answer}");
    }
    for (count, good) in [(0, false), (1, true), (256, true), (257, false)] {
        let (mut client, _) = relay.ingest_as(session, &format!("many-{count}")).await;
        let message = json!({"type": "samples", "samples": (1..=count).map(mien_in_process::samples::sample).collect::<Vec<_>>()});
        assert_eq!(validator.is_valid(&message), good, "by the document: {count} samples");
        client.say(&message).await;
        let answer = client.hear_message().await;
        assert_eq!(answer["type"], if good { "ack" } else { "error" }, "{count}: {answer}");
    }
}

#[tokio::test]
async fn a_hello_is_valid_by_the_document_where_the_relay_reads_it() {
    let relay = Relay::start().await;
    let session = relay.session().await;
    let token = relay.token(session, mien_shared::Role::Watch);
    let document = document(relay.address).await;
    let validator = document.validator("/components/messages/watchRequest-hello/payload");
    for (since, good) in [
        (json!(null), true),
        (json!({}), true),
        (json!({"main": 0, "cam-2": 9_007_199_254_740_991_u64}), true),
        (json!({"main": 9_007_199_254_740_992_u64}), false),
        (json!({"main": 5.0}), true),
        (json!({"main": 5.5}), false),
        (json!({"main": -1}), false),
        (json!({"Main": 1}), false),
        (json!({"": 1}), false),
        (json!([]), false),
    ] {
        let message = json!({"type": "hello", "token": token, "since": since});
        assert_eq!(validator.is_valid(&message), good, "by the document: {message}");
        let mut client = relay.connect(session, "watch").await;
        client.say(&message).await;
        if good {
            client.hear_type("welcome").await;
        } else {
            assert_eq!(client.close_code().await, 4400, "{since}");
        }
    }
}
