//! The three forms of an export hold the same as the list of samples.

use hyper::{Method, StatusCode};
use mien_shared::api::{SamplesPage, SessionExport, StoredSample};
use mien_shared::{Expression, Face, Sample, SkipReason, Skipped};

use crate::samples::recorded;
use mien_in_process::samples::with_faces as sample;
use mien_in_process::{Relay, request};

#[tokio::test]
async fn each_form_holds_every_sample() {
    let relay = Relay::guarded().await;
    let (created, all) = recorded(&relay).await;
    let path = format!("/api/v1/sessions/{}", created.session.id);
    let get = async |format: &str| relay.get(&format!("{path}/export{format}"), &created.tokens.watch).await;

    let page: SamplesPage =
        relay.get(&format!("{path}/samples?limit=1000"), &created.tokens.watch).await.json();
    assert_eq!(page.samples, all);

    let json = get("?format=json").await;
    assert_eq!(json.header("content-type"), "application/json");
    let whole: SessionExport = json.json();
    assert_eq!((&whole.session, &whole.samples), (&created.session, &all));

    let ndjson = get("?format=ndjson").await;
    assert_eq!(ndjson.header("content-type"), "application/x-ndjson");
    let lines: Vec<StoredSample> =
        ndjson.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, all);

    let csv = get("?format=csv").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert_eq!(from_csv(&csv.text()), all);
    assert_eq!(get("").await.body, csv.body);

    for (answer, extension) in [(json, "json"), (ndjson, "ndjson"), (csv, "csv")] {
        let expected = format!("attachment; filename=\"mien-{}.{extension}\"", created.session.id);
        assert_eq!(answer.header("content-disposition"), expected);
        assert_eq!(answer.header("transfer-encoding"), "chunked");
    }
}

/// Reads the CSV form back, by its header.
fn from_csv(text: &str) -> Vec<StoredSample> {
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "source,seq,at,face,left,top,width,height,expression,\
         neutral,happiness,sadness,anger,fear,disgust,surprise,quality,media_ms,skipped"
    );
    let mut samples: Vec<StoredSample> = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), 19, "{line}");
        let source = unquoted(fields[0]).parse().unwrap();
        let (seq, at) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
        if samples.last().is_none_or(|last| (&last.source, last.sample.seq) != (&source, seq)) {
            let media_ms = (!fields[17].is_empty()).then(|| fields[17].parse().unwrap());
            let skipped =
                unquoted(fields[18]).split(';').filter(|entry| !entry.is_empty()).map(skipped).collect();
            let sample = Sample { media_ms, skipped, ..Sample::new(seq, at, Vec::new()) };
            samples.push(StoredSample { source, sample });
        }
        if fields[3].is_empty() {
            assert!(fields[3..17].iter().all(|field| field.is_empty()), "{line}");
            continue;
        }
        let number = |place: usize| fields[place].parse::<f32>().unwrap();
        samples.last_mut().unwrap().sample.faces.push(Face {
            quality: (!fields[16].is_empty()).then(|| number(16)),
            ..Face::new(
                fields[3].parse().unwrap(),
                [number(4), number(5), number(6), number(7)].into(),
                Expression::ALL.into_iter().find(|expression| expression.name() == unquoted(fields[8])),
                mien_shared::Scores(std::array::from_fn(|place| number(9 + place))),
            )
        });
    }
    samples
}

fn skipped(entry: &str) -> Skipped {
    let (name, ms) = entry.split_once(':').unwrap();
    let reason = SkipReason::ALL.into_iter().find(|reason| reason.name() == name).unwrap();
    Skipped { reason, ms: ms.parse().unwrap() }
}

/// What is in quotes; an empty field has none.
fn unquoted(field: &str) -> &str {
    let quoted = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    assert!(quoted.is_some() || field.is_empty(), "{field} is text without quotes");
    quoted.unwrap_or_default()
}

#[tokio::test]
async fn an_export_goes_on_over_many_chunks_and_an_empty_one_is_whole_too() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let path = format!("/api/v1/sessions/{}/export", created.session.id);
    let get = async |format: &str| relay.get(&format!("{path}?format={format}"), &created.tokens.watch).await;
    assert_eq!(get("csv").await.text().lines().count(), 1);
    assert_eq!(get("ndjson").await.text(), "");
    assert!(get("json").await.json::<SessionExport>().samples.is_empty());

    let samples: Vec<_> = (1..=17_003).map(|seq| sample(seq, seq * 10, &[Some(Expression::Fear)])).collect();
    relay.store(created.session.id, "main", &samples).await;
    let whole: SessionExport = get("json").await.json();
    assert_eq!(whole.samples.into_iter().map(|stored| stored.sample).collect::<Vec<_>>(), samples);
    assert_eq!(get("csv").await.text().lines().count(), 17_004);
    assert_eq!(get("ndjson").await.text().lines().count(), 17_003);

    let head = relay.send(request(Method::HEAD, &path, &created.tokens.watch, None)).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}
