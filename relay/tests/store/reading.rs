//! Reading back what was stored.

use mien_relay::http::chunks::SampleChunks;
use mien_relay::http::series;
use mien_relay::limits::ReadPermits;
use mien_relay::store::{Batch, Item, SampleQuery, StoreError};
use mien_shared::api::SourceName;
use mien_shared::series::SeriesBuilder;
use mien_shared::{Face, Sample, Scores};

use crate::place::{Place, over_both};

over_both!(
    pages_are_complete_and_in_order,
    a_series_has_each_sample_once,
    sessions_are_listed_newest_first_and_go_one_way,
);

/// Times go up, or not: pages must be the same either way.
pub(crate) async fn pages_are_complete_and_in_order(place: &Place) {
    let store = place.open().await;
    let session = store.create_session("alice", "", "").await.unwrap().id;
    let mut all = Vec::new();
    let clocks = [
        ("a", (|seq| seq * 10) as fn(u64) -> u64),
        ("b", |seq| 10_000 - seq * 7),
        // Set back by some seconds now and then.
        ("c", |seq| 20_000 + seq * 10 - seq / 200 * 3_000),
    ];
    for (name, at) in clocks {
        let name: SourceName = name.parse().unwrap();
        let (source, _) = store.open_source(session, &name).await.unwrap();
        let items: Vec<Item> = (1..=700)
            .filter(|seq| seq % 97 != 0)
            .map(|seq| Ok(Sample::new(seq, at(seq), Vec::new())))
            .collect();
        store.commit(&[Batch { source, items }]).await.unwrap();
        all.extend((1..=700).filter(|seq| seq % 97 != 0).map(|seq| (name.clone(), seq, at(seq))));
    }
    for (from, to) in [
        (None, None),
        (Some(3_000), None),
        (None, Some(6_000)),
        (Some(5_150), Some(5_990)),
        (Some(90_000), None),
        (None, Some(0)),
        (Some(21_000), Some(22_500)),
        (Some(20_010), Some(20_011)),
    ] {
        for source in [None, Some("b"), Some("c")] {
            let source: Option<SourceName> = source.map(|name| name.parse().unwrap());
            let expected: Vec<(SourceName, u64, u64)> = all
                .iter()
                .filter(|(name, _, at)| {
                    source.as_ref().is_none_or(|source| source == name)
                        && from.is_none_or(|from| *at >= from)
                        && to.is_none_or(|to| *at < to)
                })
                .cloned()
                .collect();
            let mut query = SampleQuery { source: source.clone(), from, to, after: None, limit: 97 };
            let mut read = Vec::new();
            loop {
                let page = store.samples(session, &query).await.unwrap();
                read.extend(page.rows.into_iter().map(|row| (row.source, row.sample.seq, row.sample.at)));
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            assert_eq!(read, expected, "{from:?} {to:?} {source:?}");
            let mut chunks = SampleChunks::new(
                &store,
                &ReadPermits::new(5),
                session,
                SampleQuery { after: None, ..query },
            );
            let mut count = 0;
            while let Some(chunk) = chunks.next().await.unwrap() {
                count += chunk.len();
            }
            assert_eq!(count, expected.len());
        }
    }
}

/// Over pieces, gaps that nobody could count through, and clocks that go back.
pub(crate) async fn a_series_has_each_sample_once(place: &Place) {
    let store = place.open().await;
    let session = store.create_session("alice", "", "").await.unwrap().id;
    let (permits, last) = (ReadPermits::new(5), mien_shared::limits::MAX_SAFE_INTEGER);
    let seqs: [(&str, Vec<u64>); 3] = [
        ("a", [1, 2, 3, 20_000, last / 2, last - 1, last].into()),
        ("b", (1..=9_000).collect()),
        ("c", (1..=20).map(|step| step * 5_000).collect()),
    ];
    let mut all = Vec::new();
    for (name, seqs) in seqs {
        let source: SourceName = name.parse().unwrap();
        let (key, _) = store.open_source(session, &source).await.unwrap();
        for part in seqs.chunks(1_000) {
            let samples = part.iter().map(|&seq| {
                let at = seq % 100_000 * 10 + seq % 7 * 300;
                Sample::new(seq, at, vec![face(seq); (seq % 3) as usize])
            });
            let samples: Vec<Sample> = samples.collect();
            all.extend(samples.iter().cloned().map(|sample| (source.clone(), sample)));
            let items = samples.into_iter().map(Ok).collect();
            store.commit(&[Batch { source: key, items }]).await.unwrap();
        }
    }
    for (from, to) in
        [(None, None), (Some(30_000), Some(60_000)), (None, Some(100)), (Some(u64::MAX / 4), None)]
    {
        for source in [None, Some("a"), Some("b")] {
            let source: Option<SourceName> = source.map(|name| name.parse().unwrap());
            let mut expected = SeriesBuilder::new(1_000);
            for (name, sample) in &all {
                if source.as_ref().is_none_or(|source| source == name)
                    && from.is_none_or(|from| sample.at >= from)
                    && to.is_none_or(|to| sample.at < to)
                {
                    expected.add(name, sample.at, sample.faces.iter().map(|face| face.scores));
                }
            }
            let query = SampleQuery { source: source.clone(), from, to, ..SampleQuery::default() };
            let read = series::read(&store, session, &query, 1_000, usize::MAX, &permits).await.unwrap();
            assert_eq!(read.finish(), expected.finish(), "{from:?} {to:?} {source:?}");
        }
    }
}

/// Scores whose sums are exact, in whichever order they are added.
fn face(seq: u64) -> Face {
    let happiness = (seq % 5) as f32 / 8.0;
    let scores = Scores([1.0 - happiness, happiness, 0.0, 0.0, 0.0, 0.0, 0.0]);
    Face::new(1, [0.25, 0.125, 0.5, 0.5].into(), None, scores)
}

pub(crate) async fn sessions_are_listed_newest_first_and_go_one_way(place: &Place) {
    use mien_shared::SessionStatus::{Active, Completed};
    use mien_shared::api::PatchSession;
    let store = place.open().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(store.create_session("alice", "", "").await.unwrap());
    }
    store.create_session("bob", "", "").await.unwrap();
    made.reverse();
    let mut read = Vec::new();
    let mut after = None;
    loop {
        let page = store.list_sessions("alice", after, 2).await.unwrap();
        read.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(read, made);
    let id = made[0].id;
    let patch = |status| PatchSession { title: Some("new".into()), status };
    let done = store.update_session(id, &patch(Some(Completed))).await.unwrap().unwrap();
    assert_eq!((done.status, done.title.as_str()), (Completed, "new"));
    assert_eq!(store.update_session(id, &patch(Some(Completed))).await.unwrap().unwrap(), done);
    assert!(matches!(store.update_session(id, &patch(Some(Active))).await, Err(StoreError::Conflict)));
    assert_eq!(store.session(id).await.unwrap(), Some(done));
    let source = SourceName::default();
    assert!(matches!(store.open_source(id, &source).await, Err(StoreError::Ended)));
}
