use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::api::SourceName;
use crate::expression::{Expression, Scores};
use crate::limits::{MAX_BATCH, MAX_SAFE_INTEGER};
use crate::problem::Code;
use crate::sample::{Coefficients, Face, FaceBox, FaceLandmarks, QualityReason, Sample};

const GOOD: &str = r#"{"seq":7,"at":1,"faces":[]}"#;

fn samples(list: &str) -> Result<IngestMessage, MessageFault> {
    read_ingest(&format!(r#"{{"type":"samples","samples":[{list}]}}"#))
}

fn refused(list: &str) -> Vec<u64> {
    match samples(list).unwrap() {
        IngestMessage::Samples(samples) => {
            samples.into_iter().filter_map(Result::err).map(|refused| refused.seq).collect()
        }
        IngestMessage::Hello { .. } => panic!("not samples"),
    }
}

#[test]
fn a_bad_sample_is_refused_alone() {
    for bad in [
        r#"{"seq":8,"at":-1,"faces":[]}"#,
        r#"{"seq":8,"at":1}"#,
        r#"{"seq":8,"at":1,"faces":7}"#,
        r#"{"seq":8,"at":1e999,"faces":[]}"#,
        r#"{"seq":8,"at":1,"faces":[[1,[0,0,1,1],null,[1,0,0,0,0,0,0],null]]}"#,
        r#"{"seq":8,"at":1,"faces":[{"id":1,"box":[0,0,1e999,1],"expression":null,"scores":[1,0,0,0,0,0,0]}]}"#,
        r#"{"seq":8,"at":1,"faces":[{"id":1,"box":[0,0,1,1],"expression":"joy","scores":[1,0,0,0,0,0,0]}]}"#,
        r#"{"seq":8,"at":1,"faces":[{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0]}]}"#,
        r#"{"seq":8,"at":1,"faces":[{"id":-1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0]}]}"#,
    ] {
        assert_eq!(refused(&format!("{GOOD},{bad}")), [8], "{bad}");
    }
    for bad in [
        r#""valence":2"#,
        r#""valence":1e39"#,
        r#""neutral":0"#,
        r#""why":"dark""#,
        r#""landmarks":[1,2,3]"#,
        r#""landmarks":{"roll":-181}"#,
        r#""landmarks":{"coefficients":{"jawOpen":-1}}"#,
    ] {
        let bad = format!(
            r#"{{"seq":8,"at":1,"faces":[{{"id":1,"box":[0,0,1,1],"expression":null,"scores":[1,0,0,0,0,0,0],{bad}}}]}}"#
        );
        assert_eq!(refused(&format!("{GOOD},{bad}")), [8], "{bad}");
    }
    let deep = format!(r#"{{"seq":8,"at":1,"faces":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(refused(&format!("{GOOD},{deep}")), [8]);
}

#[test]
fn unknown_fields_are_ignored_however_deep() {
    let deep = format!(r#"{{"seq":8,"at":1,"faces":[],"x":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(refused(&deep), [0_u64; 0]);
}

#[test]
fn a_message_that_cannot_be_used_says_why() {
    let check = |text: &str, code: Code| assert_eq!(read_ingest(text).unwrap_err().code, code, "{text}");
    check("", Code::Malformed);
    check("[]", Code::Malformed);
    check("null", Code::Malformed);
    check(r#"["samples",[{"seq":1,"at":1,"faces":[]}]]"#, Code::Malformed);
    check(r#"["hello","token",null,null]"#, Code::Malformed);
    check(r#"{"type":"samples","samples":[[1,1,[]]]}"#, Code::Malformed);
    check(r#"{"type":"samples"}"#, Code::Malformed);
    check(r#"{"type":"samples","samples":{}}"#, Code::Malformed);
    check(r#"{"type":"samples","samples":[]}"#, Code::EmptyBatch);
    check(r#"{"type":"samples","samples":[7]}"#, Code::Malformed);
    check(r#"{"type":"samples","samples":[{"seq":0,"at":1,"faces":[]}]}"#, Code::Malformed);
    check(r#"{"type":"samples","samples":[{"seq":9007199254740992,"at":1,"faces":[]}]}"#, Code::Malformed);
    check(r#"{"type":"samples","samples":[{"seq":"1","at":1,"faces":[]}]}"#, Code::Malformed);
    check(r#"{"type":"sample"}"#, Code::UnknownType);
    check(r#"{"type":7}"#, Code::UnknownType);
    check("{}", Code::UnknownType);
    let many = vec![GOOD; MAX_BATCH + 1].join(",");
    assert_eq!(samples(&many).unwrap_err().code, Code::TooManySamples);
    assert!(samples(&vec![GOOD; MAX_BATCH].join(",")).is_ok());
}

#[test]
fn hello_without_a_readable_token_is_a_hello_with_a_bad_one() {
    for text in [r#"{"type":"hello"}"#, r#"{"type":"hello","token":7}"#, r#"{"token":null,"type":"hello"}"#] {
        assert_eq!(read_ingest(text), Ok(IngestMessage::Hello { token: String::new() }), "{text}");
    }
}

#[test]
fn since_tells_live_from_start() {
    let since = |text: &str| read_watch(text).map(|hello| hello.since);
    assert_eq!(since(r#"{"type":"hello","token":"t"}"#), Ok(None));
    assert_eq!(since(r#"{"type":"hello","token":"t","since":null}"#), Ok(None));
    assert_eq!(since(r#"{"type":"hello","token":"t","since":{}}"#), Ok(Some(BTreeMap::new())));
    let one = BTreeMap::from([(SourceName::default(), 12)]);
    assert_eq!(since(r#"{"type":"hello","token":"t","since":{"main":12}}"#), Ok(Some(one)));
    for bad in [r#"{"A":1}"#, r#"{"main":-1}"#, r#"{"main":9007199254740992}"#, "7"] {
        let fault = since(&format!(r#"{{"type":"hello","token":"t","since":{bad}}}"#)).unwrap_err();
        assert_eq!(fault.code, Code::Malformed);
    }
}

prop_compose! {
    fn any_landmarks()(yaw in proptest::option::of(-180.0_f32..=180.0),
                       blink_left in proptest::option::of(0.0_f32..=1.0),
                       gaze in proptest::option::of(proptest::array::uniform2(-90.0_f32..=90.0)),
                       some in proptest::array::uniform(proptest::option::of(0..=1_000_u16))) -> FaceLandmarks {
        let coefficients = Coefficients::from_thousandths(some).unwrap();
        FaceLandmarks { yaw, blink_left, gaze, coefficients, ..FaceLandmarks::default() }
    }
}

prop_compose! {
    fn any_face()(id: u32, left in -1.0_f32..=2.0, top in -1.0_f32..=2.0, width in 0.001_f32..=2.0,
                  height in 0.001_f32..=2.0, label in 0..8_usize, at in 0..7_usize,
                  share in 0.0_f32..=1.0, quality in proptest::option::of(0.0_f32..=1.0),
                  valence in proptest::option::of(-1.0_f32..=1.0), neutral in proptest::option::of(1..=u32::MAX),
                  why in proptest::sample::subsequence(QualityReason::ALL.to_vec(), 0..=5).prop_shuffle(),
                  landmarks in proptest::option::of(any_landmarks().prop_map(Box::new))) -> Face {
        let mut scores = [0.0; 7];
        scores[at] = share;
        scores[(at + 1) % 7] = 1.0 - share;
        let bounds = FaceBox { left, top, width, height };
        Face {
            quality,
            valence,
            neutral,
            why,
            landmarks,
            ..Face::new(id, bounds, Expression::from_index(label), Scores(scores))
        }
    }
}

prop_compose! {
    fn any_sample()(seq in 1..=MAX_SAFE_INTEGER, at in 0..=MAX_SAFE_INTEGER,
                    faces in proptest::collection::vec(any_face(), 0..4)) -> Sample {
        Sample::new(seq, at, faces)
    }
}

proptest! {
    #[test]
    fn samples_arrive_as_they_were_sent(sent in proptest::collection::vec(any_sample(), 1..8)) {
        let text = serde_json::to_string(&IngestRequest::Samples { samples: &sent }).unwrap();
        let expected = sent.into_iter().map(Ok).collect();
        prop_assert_eq!(read_ingest(&text), Ok(IngestMessage::Samples(expected)));
    }

    #[test]
    fn no_text_panics(text in ".{0,200}") {
        let _ = read_ingest(&text);
        let _ = read_watch(&text);
    }

    #[test]
    fn near_json_never_panics_and_never_lets_an_invalid_sample_through(
        value in r#"(-?[0-9]{1,20}(\.[0-9]{1,5})?(e[0-9]{1,3})?|null|true|"[a-z]{0,5}"|\[\]|\{\})"#,
        place in 0..5_usize,
    ) {
        let mut fields = ["7", "1", "0.1", "1.0", "0.5"].map(str::to_owned);
        fields[place] = value;
        let [seq, at, left, score, quality] = fields;
        let text = format!(
            r#"{{"type":"samples","samples":[{{"seq":{seq},"at":{at},"faces":[{{"id":1,"box":[{left},0,1,1],"expression":null,"scores":[{score},0,0,0,0,0,0],"quality":{quality}}}]}}]}}"#
        );
        if let Ok(IngestMessage::Samples(samples)) = read_ingest(&text) {
            for sample in samples.into_iter().flatten() {
                prop_assert_eq!(sample.validate(), Ok(()));
            }
        }
    }
}
