//! Gaps without number: what is kept of them, what a summary lists, and the rest page by page.

use hyper::StatusCode;
use mien_shared::Code;
use mien_shared::api::Summary;
use serde_json::{Value, json};

use mien_in_process::Relay;
use mien_in_process::samples::with_faces as sample;

/// Samples with every second seq.
fn holed(gaps: u64) -> Vec<mien_shared::Sample> {
    (1..=gaps).map(|gap| sample(gap * 2, gap * 80, &[])).collect()
}

/// All gaps of a list, page by page.
async fn walk(relay: &Relay, path: &str, token: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page: Value = relay.get(&format!("{path}{cursor}"), token).await.json();
        all.extend(page["gaps"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_summary_lists_the_first_thousand_and_pages_have_them_all() {
    const GAPS: u64 = 2_345;
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let (id, watch) = (created.session.id, &created.tokens.watch);
    relay.store(id, "main", &holed(GAPS)).await;
    relay.store(id, "cam-2", &[sample(1, 1, &[]), sample(5, 2, &[])]).await;
    relay.store(id, "whole", &[sample(1, 1, &[])]).await;

    let session = format!("/api/v1/sessions/{id}");
    let summary: Summary = relay.get(&format!("{session}/summary"), watch).await.json();
    let listed: Vec<(usize, u64, bool)> = summary
        .sources
        .iter()
        .map(|source| (source.gaps.len(), source.gaps_total, source.gaps_merged))
        .collect();
    assert_eq!(listed, [(1, 1, false), (1_000, GAPS, false), (0, 0, false)]);
    assert_eq!(summary.sources[1].gaps[999], [1_999, 1_999]);

    let gap = |source: &str, from: u64, to: u64| json!({"source": source, "from": from, "to": to});
    let main: Vec<Value> = (0..GAPS).map(|place| gap("main", place * 2 + 1, place * 2 + 1)).collect();
    let all: Vec<Value> = std::iter::once(gap("cam-2", 2, 4)).chain(main.clone()).collect();
    for limit in [7, 1_000] {
        assert_eq!(walk(&relay, &format!("{session}/gaps?limit={limit}"), watch).await, all);
    }
    assert_eq!(walk(&relay, &format!("{session}/gaps?source=main&limit=500"), watch).await, main);
    assert!(walk(&relay, &format!("{session}/gaps?source=whole"), watch).await.is_empty());
    let first: Value = relay.get(&format!("{session}/gaps"), watch).await.json();
    assert_eq!(first["gaps"].as_array().unwrap().len(), 100);

    relay.get(&format!("{session}/gaps?limit=1001"), watch).await.is_problem(Code::Invalid);
    relay.get(&format!("{session}/gaps?cursor=x"), watch).await.is_problem(Code::Malformed);
    relay.get(&format!("{session}/gaps"), &created.tokens.ingest).await.is_problem(Code::Forbidden);
    relay.get(&format!("{session}/gaps"), &relay.user("bob")).await.is_problem(Code::Forbidden);
}

#[tokio::test]
async fn beyond_ten_thousand_the_last_range_grows_and_the_relay_says_so() {
    const KEPT: u64 = 10_000;
    let relay = Relay::guarded().await;
    let created = relay.create("alice").await;
    let (id, watch) = (created.session.id, &created.tokens.watch);
    relay.store(id, "main", &holed(KEPT)).await;
    let session = format!("/api/v1/sessions/{id}");
    let summary: Summary = relay.get(&format!("{session}/summary"), watch).await.json();
    assert_eq!((summary.sources[0].gaps_total, summary.sources[0].gaps_merged), (KEPT, false));

    let more: Vec<_> = (1..=2_000).map(|gap| sample(2 * (KEPT + gap), gap, &[])).collect();
    relay.store(id, "main", &more).await;
    let answer = relay.get(&format!("{session}/summary"), watch).await;
    assert_eq!(answer.status, StatusCode::OK);
    let source = answer.json::<Summary>().sources.remove(0);
    assert_eq!((source.gaps_total, source.gaps_merged, source.stored), (KEPT, true, KEPT + 2_000));
    let gaps = walk(&relay, &format!("{session}/gaps?limit=1000"), watch).await;
    assert_eq!(gaps.len() as u64, KEPT);
    assert_eq!(gaps[9_998], json!({"source": "main", "from": 19_997, "to": 19_997}));
    assert_eq!(gaps[9_999], json!({"source": "main", "from": 19_999, "to": 23_999, "merged": true}));
}
