//! What may be measured of a face beside its expression: in exports, series and summaries.

use mien_shared::Expression;
use mien_shared::api::{NeutralUse, Series, SessionExport, StoredSample, Summary};

use crate::export::{HEADER, from_csv};
use mien_in_process::Relay;
use mien_in_process::samples::{measured, with_faces as sample};

/// Each form, and with more samples than are read at a time.
#[tokio::test]
async fn what_is_measured_of_a_face_is_in_each_form() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let path = format!("/api/v1/sessions/{}/export", created.session.id);
    let get = async |format: &str| relay.get(&format!("{path}?format={format}"), &created.tokens.watch).await;
    let mut samples = vec![sample(1, 10, &[Some(Expression::Fear)]), sample(2, 20, &[])];
    relay.store(created.session.id, "main", &samples).await;
    assert_eq!(get("csv").await.text().lines().next(), Some(HEADER), "nothing has landmarks");

    let more: Vec<_> = (3..=1_003).map(|seq| measured(seq, seq * 10)).collect();
    relay.store(created.session.id, "main", &more).await;
    samples.extend(more);
    let only = |stored: Vec<StoredSample>| stored.into_iter().map(|stored| stored.sample).collect::<Vec<_>>();
    let csv = get("csv").await.text();
    assert_eq!(csv.lines().next().unwrap().split(',').count(), 22 + 7 + 52);
    assert_eq!(only(from_csv(&csv)), samples);
    let whole: SessionExport = get("json").await.json();
    assert_eq!(only(whole.samples), samples);
    let ndjson = get("ndjson").await.text();
    assert_eq!(only(ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect()), samples);
}

#[tokio::test]
async fn valence_is_averaged_and_the_use_of_a_neutral_face_is_summed_up() {
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let id = created.session.id;
    let path = format!("/api/v1/sessions/{id}");
    let measured: Vec<_> = (1..=100).map(|seq| measured(seq, 1_000 + seq)).collect();
    relay.store(id, "main", &measured).await;
    relay.store(id, "side", &[sample(1, 1_500, &[None, None])]).await;
    let series: Series = relay.get(&format!("{path}/series"), &created.tokens.watch).await.json();
    let means: Vec<_> = series.points.iter().map(|point| (point.source.as_str(), point.valence)).collect();
    // Of three faces two have one.
    assert_eq!(means, [("main", Some(f32::midpoint(0.25, -0.75))), ("side", None)]);
    let summary = relay.get(&format!("{path}/summary"), &created.tokens.watch).await;
    let summary: Summary = summary.json();
    let neutral: Vec<_> = summary.sources.iter().map(|source| source.neutral).collect();
    assert_eq!(neutral, [Some(NeutralUse { faces: 100, of: 300, fewest_looks: 7, most_looks: 9 }), None]);
}
