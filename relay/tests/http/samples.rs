//! Samples, series, summary and markers, against figures computed here in another way.

use std::collections::BTreeMap;

use hyper::StatusCode;
use mien_relay::store::Batch;
use mien_shared::api::{Marker, MarkerList, SamplesPage, Series, SessionCreated, StoredSample, Summary};
use mien_shared::limits::MAX_MARKERS;
use mien_shared::protocol::RefusedSample;
use mien_shared::{Code, Expression, Sample, SessionId, SkipReason, Skipped};

use mien_in_process::Relay;
use mien_in_process::samples::with_faces as sample;

const START: u64 = 1_763_907_600_000;

/// Two sources; pauses, several faces, nobody, abstentions.
pub(crate) fn recording() -> Vec<(&'static str, Vec<Sample>)> {
    use Expression::{Anger, Happiness, Neutral, Surprise};
    let shown: [&[Option<Expression>]; 6] = [
        &[Some(Happiness)],
        &[Some(Happiness), Some(Anger)],
        &[],
        &[None],
        &[Some(Neutral), None, Some(Surprise)],
        &[Some(Happiness)],
    ];
    let source = |count: u64, step: u64| {
        (1..=count)
            // Seqs 11 to 13 never came; after seq 20 the camera paused for a minute.
            .filter(|seq| !(11..=13).contains(seq))
            .map(|seq| {
                let pause = if seq > 20 { 60_000 } else { 0 };
                let mut sample = sample(seq, START + seq * step + pause, shown[(seq % 6) as usize]);
                if seq == 21 {
                    sample.skipped.push(Skipped { reason: SkipReason::Paused, ms: 60_000 });
                }
                sample
            })
            .collect()
    };
    let (mut camera, mut file): (Vec<Sample>, Vec<Sample>) = (source(90, 333), source(57, 40));
    for sample in &mut file {
        sample.media_ms = Some(sample.seq * 40);
    }
    // Hidden for half a second, and the clock set back by a minute meanwhile, then forward again.
    let step = |sample: &mut Sample, ms| sample.skipped.push(Skipped { reason: SkipReason::ClockStep, ms });
    camera[40].skipped.push(Skipped { reason: SkipReason::Hidden, ms: 300 });
    step(&mut camera[40], -60_000);
    for sample in &mut camera[40..50] {
        sample.at -= 60_000;
    }
    step(&mut camera[50], 60_000);
    vec![("cam-2", camera), ("main", file)]
}

pub(crate) async fn recorded(relay: &Relay) -> (SessionCreated, Vec<StoredSample>) {
    let created = relay.create("alice").await;
    let mut all = Vec::new();
    for (source, samples) in recording() {
        relay.store(created.session.id, source, &samples).await;
        let source: mien_shared::SourceName = source.parse().unwrap();
        all.extend(samples.into_iter().map(|sample| StoredSample { source: source.clone(), sample }));
    }
    (created, all)
}

fn path(id: SessionId, tail: &str) -> String {
    format!("/api/v1/sessions/{id}/{tail}")
}

#[tokio::test]
async fn cursors_walk_every_sample_once_in_order() {
    let relay = Relay::guarded().await;
    let (created, all) = recorded(&relay).await;
    let watch = &created.tokens.watch;
    for limit in [1, 7, 100, 1_000] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let tail = format!("samples?limit={limit}{cursor}");
            let page: SamplesPage = relay.get(&path(created.session.id, &tail), watch).await.json();
            assert!(page.samples.len() <= limit);
            seen.extend(page.samples);
            let Some(next) = page.next else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, all, "limit {limit}");
    }
    let page: SamplesPage = relay.get(&path(created.session.id, "samples"), watch).await.json();
    assert_eq!(page.samples, all[..100]);
}

#[tokio::test]
async fn source_from_and_to_select() {
    let relay = Relay::guarded().await;
    let (created, all) = recorded(&relay).await;
    let get = async |query: String| -> Vec<StoredSample> {
        let answer = relay
            .get(&path(created.session.id, &format!("samples?limit=1000&{query}")), &created.tokens.owner)
            .await;
        answer.json::<SamplesPage>().samples
    };
    let (from, to) = (all[5].sample.at, all[40].sample.at);
    let expect = |keep: &dyn Fn(&StoredSample) -> bool| -> Vec<StoredSample> {
        all.iter().filter(|stored| keep(stored)).cloned().collect()
    };
    assert_eq!(get("source=main".into()).await, expect(&|s| s.source.as_str() == "main"));
    assert_eq!(get("source=none".into()).await, []);
    assert_eq!(get(format!("from={from}&to={to}")).await, expect(&|s| (from..to).contains(&s.sample.at)));
    assert_eq!(
        get(format!("to={to}&source=cam-2")).await,
        expect(&|s| s.sample.at < to && s.source.as_str() == "cam-2")
    );
    assert_eq!(get(format!("from={to}&to={from}")).await, []);
    assert_eq!(get("to=9007199254740992".into()).await, all);
    assert_eq!(get("unknown=1".into()).await, all);
}

#[tokio::test]
async fn queries_are_refused_by_the_one_rule() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let alice = relay.user("alice");
    let sessions_cursor = {
        relay.create("alice").await;
        let page: mien_shared::api::SessionList = relay.get("/api/v1/sessions?limit=1", &alice).await.json();
        page.next.unwrap()
    };
    let foreign = format!("samples?cursor={sessions_cursor}");
    for (tail, code) in [
        ("samples?limit=abc", Code::Malformed),
        ("samples?limit=", Code::Malformed),
        ("samples?limit=1&limit=2", Code::Malformed),
        ("samples?limit=0", Code::Invalid),
        ("samples?limit=1001", Code::Invalid),
        ("samples?limit=-1", Code::Invalid),
        ("samples?from=1.5", Code::Malformed),
        ("samples?from=yesterday", Code::Malformed),
        ("samples?to=99999999999999999999", Code::Invalid),
        ("samples?source=Main", Code::Invalid),
        ("samples?source=", Code::Invalid),
        ("samples?cursor=", Code::Malformed),
        ("samples?cursor=%00", Code::Malformed),
        ("samples?cursor=bm90IG91cnM", Code::Malformed),
        (&foreign, Code::Malformed),
        ("series?resolution_ms=0", Code::Invalid),
        ("series?resolution_ms=x", Code::Malformed),
        ("export?format=xml", Code::Invalid),
        ("export?format=CSV", Code::Invalid),
    ] {
        let answer = relay.get(&path(created.session.id, tail), &alice).await;
        assert_eq!(answer.is_problem(code).code, code, "{tail}");
    }
    relay.get("/api/v1/sessions?limit=0", &alice).await.is_problem(Code::Invalid);
    relay.get("/api/v1/sessions?cursor=x", &alice).await.is_problem(Code::Malformed);
}

#[tokio::test]
async fn a_series_is_the_mean_of_each_bucket() {
    let relay = Relay::guarded().await;
    let (created, all) = recorded(&relay).await;
    // Times that are long are read in halves: one whose middle is in the middle of a bucket, and of which one half
    // is empty.
    let (long_before, long_after) = (START - 600_000, START + 601_234);
    for (query, resolution) in [
        (String::new(), 1_000),
        ("?resolution_ms=250".to_owned(), 250),
        ("?resolution_ms=60000&source=main".to_owned(), 60_000),
        (format!("?from={long_before}&to={long_after}"), 1_000),
        (format!("?from={long_before}"), 1_000),
    ] {
        let series: Series = relay
            .get(&path(created.session.id, &format!("series{query}")), &created.tokens.watch)
            .await
            .json();
        assert_eq!(series.resolution_ms, resolution);
        let mut buckets: BTreeMap<(u64, String), Vec<[f32; 7]>> = BTreeMap::new();
        for stored in all.iter().filter(|s| !query.contains("main") || s.source.as_str() == "main") {
            for face in &stored.sample.faces {
                let begin = stored.sample.at / resolution * resolution;
                buckets.entry((begin, stored.source.to_string())).or_default().push(face.scores.0);
            }
        }
        assert_eq!(series.points.len(), buckets.len());
        for (point, ((at, source), faces)) in series.points.iter().zip(buckets) {
            assert_eq!((point.at, point.source.as_str()), (at, source.as_str()));
            assert_eq!(point.faces, faces.len() as u64);
            for place in 0..Expression::COUNT {
                let mean =
                    faces.iter().map(|scores| f64::from(scores[place])).sum::<f64>() / faces.len() as f64;
                assert!((f64::from(point.scores.0[place]) - mean).abs() < 1e-6);
            }
        }
    }
    let empty: Series =
        relay.get(&path(created.session.id, "series?from=0&to=1"), &created.tokens.watch).await.json();
    assert!(empty.points.is_empty());
}

#[tokio::test]
async fn a_series_has_its_limit() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let samples: Vec<_> = (1..=16_385).map(|seq| sample(seq, seq, &[None])).collect();
    relay.store(created.session.id, "main", &samples).await;
    let get = async |tail: &str| relay.get(&path(created.session.id, tail), &created.tokens.watch).await;
    get("series?resolution_ms=1").await.is_problem(Code::Invalid);
    let at_the_limit: Series = get("series?resolution_ms=1&to=16385").await.json();
    assert_eq!(at_the_limit.points.len(), 16_384);
    assert_eq!(get("series?resolution_ms=2").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_summary_adds_up() {
    let relay = Relay::guarded().await;
    let (created, all) = recorded(&relay).await;
    let id = created.session.id;
    // One refused sample at the end of `main`.
    let (key, through) = relay.state.store.open_source(id, &"main".parse().unwrap()).await.unwrap();
    assert_eq!(through, 57);
    let refused = RefusedSample { seq: 58, detail: "scores".into() };
    relay.state.store.commit(&[Batch { source: key, items: vec![Err(refused)] }]).await.unwrap();

    let summary: Summary = relay.get(&path(id, "summary"), &created.tokens.watch).await.json();
    assert_eq!(summary.session, id);
    assert_eq!((summary.stored, summary.rejected), (all.len() as u64, 1));
    assert_eq!(summary.acked, summary.stored + 1);
    assert_eq!(summary.faces, all.iter().map(|s| s.sample.faces.len() as u64).sum::<u64>());
    assert_eq!(summary.sources.iter().map(|s| s.source.as_str()).collect::<Vec<_>>(), ["cam-2", "main"]);
    let mut total = [0; 8];
    for (source, (name, samples)) in summary.sources.iter().zip(recording()) {
        assert_eq!(source.source.as_str(), name);
        assert_eq!((source.stored, source.gaps.clone()), (samples.len() as u64, vec![[11, 13]]));
        assert_eq!(
            (source.rejected, source.acked),
            (u64::from(name == "main"), source.stored + source.rejected)
        );
        let first_and_last =
            (samples.iter().map(|sample| sample.at).min(), samples.iter().map(|sample| sample.at).max());
        assert_eq!((source.first_at, source.last_at), first_and_last);
        // Each sample stands until the next, two seconds at most, for each of its faces, but for what was skipped.
        let (mut expected, mut analysed) = ([0; 8], 0);
        for pair in samples.windows(2) {
            let skipped: i64 = pair[1].skipped.iter().map(|skipped| skipped.ms).sum();
            let between = u64::try_from(pair[1].at as i64 - pair[0].at as i64 - skipped).unwrap();
            analysed += between;
            let held = between.min(2_000);
            for face in &pair[0].faces {
                expected[face.expression.map_or(7, Expression::index)] += held;
            }
        }
        assert_eq!(times(&source.time_by_expression_ms), expected, "{name}");
        let skipped = match name {
            "cam-2" => {
                &[(SkipReason::Paused, 60_000), (SkipReason::Hidden, 300), (SkipReason::ClockStep, 0)][..]
            }
            _ => &[(SkipReason::Paused, 60_000)],
        };
        assert_eq!(source.skipped_ms, skipped.iter().copied().collect());
        let length = source.last_at.unwrap() - source.first_at.unwrap();
        assert_eq!(length as i64, analysed as i64 + source.skipped_ms.values().sum::<i64>(), "{name}");
        for (sum, one) in total.iter_mut().zip(expected) {
            *sum += one;
        }
    }
    assert_eq!(times(&summary.time_by_expression_ms), total);
    assert!(total[Expression::Happiness.index()] > 0 && total[7] > 0);

    let empty = relay.create("alice").await;
    let nothing: Summary = relay.get(&path(empty.session.id, "summary"), &empty.tokens.watch).await.json();
    assert_eq!((nothing.stored, nothing.sources.len()), (0, 0));
}

fn times(time: &mien_shared::api::TimeByExpression) -> [u64; 8] {
    let value = serde_json::to_value(time).unwrap();
    let mut times = [0; 8];
    for expression in Expression::ALL {
        times[expression.index()] = value[expression.name()].as_u64().unwrap();
    }
    times[7] = value["unsure"].as_u64().unwrap();
    times
}

#[tokio::test]
async fn markers_are_put_listed_and_taken_away() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let (id, owner) = (created.session.id, &created.tokens.owner);
    let markers = path(id, "markers");
    let late = relay.post(&markers, owner, r#"{"at":2000,"label":"Question 2"}"#).await;
    assert_eq!(late.status, StatusCode::CREATED);
    let late: Marker = late.json();
    assert_eq!((late.at, late.label.as_str(), late.source), (2_000, "Question 2", None));
    let early = format!(r#"{{"at":0,"label":"{}","source":"main"}}"#, "ä".repeat(500));
    let early: Marker = relay.post(&markers, owner, &early).await.json();
    assert_eq!(early.source.as_ref().unwrap().as_str(), "main");
    let list: MarkerList = relay.get(&markers, &created.tokens.watch).await.json();
    assert_eq!(list.markers.iter().map(|marker| marker.id).collect::<Vec<_>>(), [early.id, late.id]);

    for (body, code) in [
        (r#"{"at":1}"#, Code::Malformed),
        (r#"{"label":"x"}"#, Code::Malformed),
        (r#"{"at":"1","label":"x"}"#, Code::Malformed),
        (r#"{"at":1.5,"label":"x"}"#, Code::Malformed),
        (r#"{"at":-1,"label":"x"}"#, Code::Invalid),
        (r#"{"at":9007199254740992,"label":"x"}"#, Code::Invalid),
        (r#"{"at":1,"label":""}"#, Code::Invalid),
        (r#"{"at":1,"label":"x","source":"A"}"#, Code::Invalid),
        (&format!(r#"{{"at":1,"label":"{}"}}"#, "x".repeat(501)), Code::Invalid),
    ] {
        relay.post(&markers, owner, body).await.is_problem(code);
    }

    let session = format!("/api/v1/sessions/{id}");
    assert_eq!(relay.patch(&session, owner, r#"{"status":"completed"}"#).await.status, StatusCode::OK);
    assert_eq!(relay.post(&markers, owner, r#"{"at":1,"label":"later"}"#).await.status, StatusCode::CREATED);

    let one = format!("{markers}/{}", late.id);
    let elsewhere = relay.create("alice").await;
    let foreign = path(elsewhere.session.id, &format!("markers/{}", late.id));
    relay.delete(&foreign, &elsewhere.tokens.owner).await.is_problem(Code::NotFound);
    assert_eq!(relay.delete(&one, owner).await.status, StatusCode::NO_CONTENT);
    relay.delete(&one, owner).await.is_problem(Code::NotFound);
    relay.delete(&format!("{markers}/none"), owner).await.is_problem(Code::NotFound);
    let left: MarkerList = relay.get(&markers, &created.tokens.watch).await.json();
    assert_eq!(left.markers.len(), 2);
}

#[tokio::test]
async fn one_marker_too_many_is_over_the_quota() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let id = created.session.id;
    for at in 0..MAX_MARKERS as u64 {
        relay.state.store.create_marker(id, at, "x", None).await.unwrap();
    }
    let more = relay.post(&path(id, "markers"), &created.tokens.owner, r#"{"at":1,"label":"more"}"#).await;
    assert_eq!(more.is_problem(Code::QuotaExceeded).status, 403);
}
