//! Rows as several releases wrote them, side by side in one store.

use mien_relay::http::chunks::SampleChunks;
use mien_relay::http::series;
use mien_relay::limits::ReadPermits;
use mien_relay::store::{Batch, Item, SampleQuery, StoreError, codec};
use mien_shared::api::{SourceName, StoredSample};
use mien_shared::series::SeriesBuilder;
use mien_shared::{Face, Sample, Scores, SessionId, SkipReason, Skipped};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::place::{Place, over_both};

over_both!(rows_of_both_versions_are_read_by_every_reader, rows_of_a_newer_relay_are_refused_by_every_reader,);

/// Another program's connection to the store.
enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    async fn of(place: &Place) -> Self {
        if place.url.starts_with("sqlite") {
            Self::Sqlite(SqliteConnection::connect(&place.url).await.unwrap())
        } else {
            Self::Postgres(PgConnection::connect(&place.url).await.unwrap())
        }
    }

    /// Puts a sample's bytes where its only source has them.
    async fn put(&mut self, seq: i64, at: i64, bytes: &[u8]) {
        match self {
            Self::Sqlite(database) => {
                sqlx::query("INSERT INTO samples SELECT key, ?, ?, ? FROM sources")
                    .bind(seq)
                    .bind(at)
                    .bind(bytes)
                    .execute(database)
                    .await
                    .unwrap();
            }
            Self::Postgres(database) => {
                sqlx::query("INSERT INTO samples SELECT key, $1, $2, $3 FROM sources")
                    .bind(seq)
                    .bind(at)
                    .bind(bytes)
                    .execute(database)
                    .await
                    .unwrap();
            }
        }
    }

    async fn execute(&mut self, sql: String) {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(database) => {
                sql.execute(database).await.unwrap();
            }
            Self::Postgres(database) => {
                sql.execute(database).await.unwrap();
            }
        }
    }

    /// How many rows begin with this byte.
    async fn rows_of_version(&mut self, version: u8) -> i64 {
        match self {
            Self::Sqlite(database) => {
                sqlx::query_scalar("SELECT count(*) FROM samples WHERE substr(faces, 1, 1) = ?")
                    .bind(vec![version])
                    .fetch_one(database)
                    .await
                    .unwrap()
            }
            Self::Postgres(database) => {
                sqlx::query_scalar("SELECT count(*) FROM samples WHERE get_byte(faces, 0) = $1")
                    .bind(i32::from(version))
                    .fetch_one(database)
                    .await
                    .unwrap()
            }
        }
    }
}

/// Byte by byte what the releases before version 2 wrote.
fn version_1(faces: &[Face]) -> Vec<u8> {
    let mut bytes = vec![1];
    for face in faces {
        bytes.extend(face.id.to_le_bytes());
        let bounds: [f32; 4] = face.bounds.into();
        bytes.extend(bounds.into_iter().flat_map(f32::to_le_bytes));
        bytes.push(face.expression.map_or(255, |expression| expression.index() as u8));
        bytes.extend(face.scores.0.into_iter().flat_map(f32::to_le_bytes));
        bytes.extend(face.quality.unwrap_or(f32::NAN).to_le_bytes());
    }
    bytes
}

/// Scores whose sums are exact, in whichever order they are added.
fn face(seq: u64) -> Face {
    let happiness = (seq % 5) as f32 / 8.0;
    Face {
        quality: (!seq.is_multiple_of(2)).then_some(0.5),
        ..Face::new(
            seq as u32,
            [0.25, 0.125, 0.5, 0.5].into(),
            mien_shared::Expression::from_index((seq % 8) as usize),
            Scores([1.0 - happiness, happiness, 0.0, 0.0, 0.0, 0.0, 0.0]),
        )
    }
}

/// Of up to three faces; every third of a file, every fourth after something was skipped.
fn sample(seq: u64) -> Sample {
    let skipped = [
        Skipped { reason: SkipReason::Hidden, ms: 12_000 },
        Skipped { reason: SkipReason::ClockStep, ms: -120_000 },
        Skipped { reason: SkipReason::Other, ms: 0 },
    ];
    Sample {
        media_ms: seq.is_multiple_of(3).then_some(seq * 40),
        skipped: if seq.is_multiple_of(4) { skipped[..(seq % 3 + 1) as usize].to_vec() } else { Vec::new() },
        ..Sample::new(seq, seq * 10, vec![face(seq); (seq % 4) as usize])
    }
}

/// The same with what may be measured of a face: one of them everything, another some of it.
fn measured(seq: u64) -> Sample {
    let mut sample = sample(seq);
    let whole = mien_in_process::samples::measured(seq, 0).faces;
    for (face, whole) in sample.faces.iter_mut().zip(whole) {
        *face = Face { id: face.id, scores: face.scores, valence: whole.valence.map(|_| 0.25), ..whole };
    }
    sample
}

/// What the releases before version 2 left, then what this one adds.
const OLD: u64 = 1_300;
const ALL: u64 = 2_600;

async fn fill(place: &Place, store: &mien_relay::store::Store) -> (SessionId, Vec<Sample>) {
    let session = store.create_session("alice", "", "").await.unwrap().id;
    let (key, _) = store.open_source(session, &SourceName::default()).await.unwrap();
    let mut database = Database::of(place).await;
    let mut samples = Vec::new();
    for seq in 1..=OLD {
        let Sample { at, faces, .. } = sample(seq);
        database.put(seq as i64, at as i64, &version_1(&faces)).await;
        samples.push(Sample::new(seq, at, faces));
    }
    database
        .execute(format!(
            "UPDATE sources SET through = {OLD}, stored = {OLD}, first_at = 10, last_at = {}",
            OLD * 10
        ))
        .await;
    assert_eq!(store.most_landmarks(session).await.unwrap(), 0);
    let new: Vec<Sample> =
        (OLD + 1..=ALL).map(|seq| if seq.is_multiple_of(5) { measured(seq) } else { sample(seq) }).collect();
    let items: Vec<Item> = new.iter().cloned().map(Ok).collect();
    store.commit(&[Batch { source: key, items }]).await.unwrap();
    samples.extend(new);
    assert_eq!(store.most_landmarks(session).await.unwrap(), 2);
    assert!(database.rows_of_version(1).await > OLD as i64, "what version 1 can say is written so");
    assert!(database.rows_of_version(2).await > 500);
    (session, samples)
}

pub(crate) async fn rows_of_both_versions_are_read_by_every_reader(place: &Place) {
    let store = place.open().await;
    let (session, samples) = fill(place, &store).await;
    let main = SourceName::default();
    for (from, to) in [(None, None), (Some(OLD * 10 - 500), Some(OLD * 10 + 900))] {
        let in_time = |at: u64| from.is_none_or(|from| at >= from) && to.is_none_or(|to| at < to);
        let expected: Vec<StoredSample> = samples
            .iter()
            .filter(|sample| in_time(sample.at))
            .map(|sample| StoredSample { source: main.clone(), sample: sample.clone() })
            .collect();
        let mut query = SampleQuery { from, to, limit: 397, ..SampleQuery::default() };
        let mut read = Vec::new();
        loop {
            let page = store.samples(session, &query).await.unwrap();
            read.extend(page.rows);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!(read, expected);
        let mut chunks = SampleChunks::new(&store, &ReadPermits::new(5), session, query.clone());
        let mut read = Vec::new();
        while let Some(chunk) = chunks.next().await.unwrap() {
            read.extend(chunk);
        }
        assert_eq!(read, expected);
        let mut buckets = SeriesBuilder::new(250);
        for StoredSample { source, sample } in &expected {
            buckets.add(source, sample.at, &sample.faces);
        }
        let read =
            series::read(&store, session, &query, 250, usize::MAX, &ReadPermits::new(5)).await.unwrap();
        assert_eq!(read.finish(), buckets.finish());
    }
    let behind = store.samples_after(session, &main, OLD - 100, ALL, 200).await.unwrap();
    assert_eq!(behind, samples[(OLD - 100) as usize..(OLD + 100) as usize]);
    store.close().await;
}

/// Not left out, and not read by half.
pub(crate) async fn rows_of_a_newer_relay_are_refused_by_every_reader(place: &Place) {
    let store = place.open().await;
    let (session, _) = fill(place, &store).await;
    let mut newer = codec::encode(&Sample { media_ms: Some(1), ..Sample::new(1, 1, vec![face(1)]) });
    // One more part of the face.
    newer[11] |= 0x80;
    newer.extend([0; 4]);
    let mut database = Database::of(place).await;
    let seq = ALL + 1;
    database.put(seq as i64, seq as i64 * 10, &newer).await;
    database.execute(format!("UPDATE sources SET through = {seq}, last_at = {}", seq * 10)).await;
    let is_newer = |cause: &StoreError| matches!(cause, StoreError::Corrupt(codec::CodecFault::Version));
    let query = SampleQuery { limit: 10_000, ..SampleQuery::default() };
    assert!(is_newer(&store.samples(session, &query).await.unwrap_err()));
    let main = SourceName::default();
    assert!(is_newer(&store.samples_after(session, &main, ALL, seq, 10).await.unwrap_err()));
    let stretches = store.stretches(session, &query).await.unwrap();
    let mut buckets = SeriesBuilder::new(250);
    assert!(is_newer(&store.add_to_series(&stretches[0], &query, &mut buckets).await.unwrap_err()));
    // What is before it is read.
    assert_eq!(store.samples_after(session, &main, ALL - 10, ALL, 10).await.unwrap().len(), 10);
    store.close().await;
}
