//! The three forms of an export hold the same as the list of samples.

use hyper::{Method, StatusCode};
use mien_shared::api::{SamplesPage, SessionExport, StoredSample};
use mien_shared::{
    Coefficients, Expression, Face, FaceLandmarks, QualityReason, Sample, SkipReason, Skipped,
};

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

/// The columns of every file.
pub(crate) const HEADER: &str = "source,seq,at,face,left,top,width,height,expression,\
    neutral,happiness,sadness,anger,fear,disgust,surprise,quality,media_ms,skipped,valence,neutral_looks,why";

/// Reads the CSV form back, by its header.
pub(crate) fn from_csv(text: &str) -> Vec<StoredSample> {
    let mut lines = text.lines();
    let header = lines.next().unwrap();
    assert!(header.starts_with(HEADER), "{header}");
    let names: Vec<&str> = header.split(',').collect();
    let mut samples: Vec<StoredSample> = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), names.len(), "{line}");
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
            let others = fields[3..17].iter().chain(&fields[19..]);
            assert!(others.into_iter().all(|field| field.is_empty()), "{line}");
            continue;
        }
        samples.last_mut().unwrap().sample.faces.push(face_from(&names, &fields));
    }
    samples
}

fn face_from(names: &[&str], fields: &[&str]) -> Face {
    let cell = |name: &str| names.iter().position(|one| *one == name).map_or("", |place| fields[place]);
    let measured = |name: &str| (!cell(name).is_empty()).then(|| cell(name).parse::<f32>().unwrap());
    let number = |place: usize| fields[place].parse::<f32>().unwrap();
    let why = unquoted(cell("why")).split_terminator(' ');
    let mut face = Face {
        quality: measured("quality"),
        valence: measured("valence"),
        neutral: (!cell("neutral_looks").is_empty()).then(|| cell("neutral_looks").parse().unwrap()),
        why: why.map(|name| QualityReason::from_name(name).unwrap()).collect(),
        ..Face::new(
            fields[3].parse().unwrap(),
            [number(4), number(5), number(6), number(7)].into(),
            Expression::ALL.into_iter().find(|expression| expression.name() == unquoted(fields[8])),
            mien_shared::Scores(std::array::from_fn(|place| number(9 + place))),
        )
    };
    let coefficients =
        Coefficients::NAMES.map(|name| measured(&format!("coefficient_{name}")).unwrap_or(f32::NAN));
    let landmarks = FaceLandmarks {
        yaw: measured("yaw"),
        pitch: measured("pitch"),
        roll: measured("roll"),
        blink_left: measured("blink_left"),
        blink_right: measured("blink_right"),
        gaze: measured("gaze_right").zip(measured("gaze_up")).map(<[f32; 2]>::from),
        coefficients: Coefficients::new(&coefficients),
    };
    face.landmarks = (landmarks != FaceLandmarks::default()).then(|| Box::new(landmarks));
    face
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
