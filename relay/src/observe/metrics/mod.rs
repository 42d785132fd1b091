//! What the relay counts, under the names of the contract.
//!
//! Every series is there from the start, at zero, so that a dashboard or an alert never waits for a first
//! event. Handles are held, not looked up: counting is one atomic addition.

mod rendered;

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::store::StoreError;

pub use rendered::Rendered;

/// Content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, from a cached answer to a request that someone waits for.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Rows of a commit, up to the largest batch.
const ROWS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: String,
    endpoint: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    queue: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SampleOutcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheOutcome {
    level: &'static str,
    outcome: &'static str,
}

type Requests = Family<Request, Histogram, fn() -> Histogram>;

/// Samples by what became of them.
#[derive(Clone, Debug, Default)]
pub struct SampleCounts {
    pub accepted: Counter,
    pub duplicate: Counter,
    /// Refused as not valid.
    pub invalid: Counter,
    pub out_of_order: Counter,
    /// Not taken: over the rate.
    pub throttled: Counter,
}

/// Questions to one level of the cache.
#[derive(Clone, Debug, Default)]
pub struct CacheCounts {
    pub hit: Counter,
    pub miss: Counter,
}

/// Handles to every metric. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Registry>,
    requests: Requests,
    pub ingest_connections: Gauge,
    pub watch_connections: Gauge,
    /// Batches that wait for the store.
    pub batch_queue: Gauge,
    pub samples: SampleCounts,
    pub batch_rows: Histogram,
    pub batch_commit_seconds: Histogram,
    /// From the arrival of a message to its ack.
    pub ack_latency_seconds: Histogram,
    /// Samples by which watchers are behind when they turn to the store.
    pub watch_lag_samples: Gauge,
    pub rate_limited_samples: Counter,
    pub rate_limited_requests: Counter,
    pub rate_limited_reads: Counter,
    pub memory_cache: CacheCounts,
    pub redis_cache: CacheCounts,
    /// Batches that wait for Redis.
    pub redis_queue: Gauge,
    /// Batches that Redis did not get.
    pub redis_dropped: Counter,
    /// 1 while Redis answers.
    pub redis_up: Gauge,
    /// 1 while the other relays are heard.
    pub redis_linked: Gauge,
    store_errors: Family<Kind, Counter>,
    pub pool_in_use: Gauge,
    pub pool_idle: Gauge,
    pub pool_wait_seconds: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let requests: Requests = Family::new_with_constructor(seconds as fn() -> Histogram);
        registry.register("http_request_duration_seconds", "Duration of HTTP requests", requests.clone());

        let connections = Family::<Kind, Gauge>::default();
        registry.register("websocket_active_connections", "Open WebSockets", connections.clone());
        let queues = Family::<Queue, Gauge>::default();
        registry.register("queue_depth", "Items that wait in a queue", queues.clone());
        let outcomes = Family::<SampleOutcome, Counter>::default();
        registry.register("samples", "Samples by what became of them", outcomes.clone());
        let outcome = |outcome| outcomes.get_or_create_owned(&SampleOutcome { outcome });
        let samples = SampleCounts {
            accepted: outcome("accepted"),
            duplicate: outcome("duplicate"),
            invalid: outcome("invalid_sample"),
            out_of_order: outcome("out_of_order"),
            throttled: outcome("throttled"),
        };

        let batch_rows = Histogram::new(ROWS);
        registry.register("batch_rows", "Samples of one commit", batch_rows.clone());
        let batch_commit_seconds = seconds();
        registry.register("batch_commit_seconds", "Duration of a commit", batch_commit_seconds.clone());
        let ack_latency_seconds = seconds();
        registry.register(
            "ack_latency_seconds",
            "From the arrival of samples to their ack",
            ack_latency_seconds.clone(),
        );
        let watch_lag_samples = Gauge::default();
        registry.register(
            "watch_lag_samples",
            "Samples that watchers have yet to be served from the store",
            watch_lag_samples.clone(),
        );
        let limited = Family::<Kind, Counter>::default();
        registry.register("rate_limited", "What was refused for its rate", limited.clone());

        let cache = Family::<CacheOutcome, Counter>::default();
        registry.register("cache_requests", "Questions to the cache", cache.clone());
        let level = |level| CacheCounts {
            hit: cache.get_or_create_owned(&CacheOutcome { level, outcome: "hit" }),
            miss: cache.get_or_create_owned(&CacheOutcome { level, outcome: "miss" }),
        };
        let redis_dropped = Counter::default();
        registry.register(
            "redis_dropped",
            "Committed batches that were not passed to Redis, which was slow or away",
            redis_dropped.clone(),
        );
        let redis_up = Gauge::default();
        registry.register("redis_up", "Whether Redis answers", redis_up.clone());
        let redis_linked = Gauge::default();
        registry.register("redis_linked", "Whether the other relays are heard", redis_linked.clone());

        let store_errors = Family::<Kind, Counter>::default();
        registry.register("store_errors", "Failed calls to the store", store_errors.clone());
        for kind in StoreError::KINDS {
            drop(store_errors.get_or_create(&Kind { kind }));
        }

        let pool_in_use = Gauge::default();
        registry.register("database_pool_in_use", "Database connections at work", pool_in_use.clone());
        let pool_idle = Gauge::default();
        registry.register("database_pool_idle", "Database connections at rest", pool_idle.clone());
        let pool_wait_seconds = seconds();
        registry.register(
            "database_pool_wait_seconds",
            "Time until a database connection was free",
            pool_wait_seconds.clone(),
        );

        Self {
            requests,
            ingest_connections: connections.get_or_create_owned(&Kind { kind: "ingest" }),
            watch_connections: connections.get_or_create_owned(&Kind { kind: "watch" }),
            batch_queue: queues.get_or_create_owned(&Queue { queue: "batch" }),
            samples,
            batch_rows,
            batch_commit_seconds,
            ack_latency_seconds,
            watch_lag_samples,
            rate_limited_samples: limited.get_or_create_owned(&Kind { kind: "samples" }),
            rate_limited_requests: limited.get_or_create_owned(&Kind { kind: "requests" }),
            rate_limited_reads: limited.get_or_create_owned(&Kind { kind: "reads" }),
            memory_cache: level("memory"),
            redis_cache: level("redis"),
            redis_queue: queues.get_or_create_owned(&Queue { queue: "redis" }),
            redis_dropped,
            redis_up,
            redis_linked,
            store_errors,
            pool_in_use,
            pool_idle,
            pool_wait_seconds,
            registry: Arc::new(registry),
        }
    }

    /// Makes the series of a route exist before its first request.
    pub fn announce_request(&self, method: &Method, endpoint: &str, status: StatusCode) {
        drop(self.requests.get_or_create(&request(method, endpoint, status)));
    }

    /// `endpoint` is the route's template, never the path, so that the number of series is bounded.
    pub fn observe_request(&self, method: &Method, endpoint: &str, status: StatusCode, seconds: f64) {
        self.requests.get_or_create(&request(method, endpoint, status)).observe(seconds);
    }

    pub fn count_store_error(&self, cause: &StoreError) {
        if StoreError::KINDS.contains(&cause.kind()) {
            self.store_errors.get_or_create(&Kind { kind: cause.kind() }).inc();
        }
    }

    /// All metrics as OpenMetrics text.
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a String cannot fail");
        text
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

fn request(method: &Method, endpoint: &str, status: StatusCode) -> Request {
    // Methods are free text on the wire; the rare ones share a label.
    let method = match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    };
    Request { method: method.to_owned(), endpoint: endpoint.to_owned(), status: status.as_u16() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_from_the_start() {
        let metrics = Metrics::new();
        metrics.announce_request(&Method::GET, "/healthz", StatusCode::OK);
        let text = metrics.render();
        for series in [
            "http_request_duration_seconds_count{method=\"GET\",endpoint=\"/healthz\",status=\"200\"} 0",
            "websocket_active_connections{kind=\"ingest\"} 0",
            "websocket_active_connections{kind=\"watch\"} 0",
            "queue_depth{queue=\"batch\"} 0",
            "samples_total{outcome=\"accepted\"} 0",
            "batch_rows_count 0",
            "batch_commit_seconds_count 0",
            "ack_latency_seconds_count 0",
            "watch_lag_samples 0",
            "rate_limited_total{kind=\"samples\"} 0",
            "rate_limited_total{kind=\"requests\"} 0",
            "rate_limited_total{kind=\"reads\"} 0",
            "cache_requests_total{level=\"memory\",outcome=\"hit\"} 0",
            "cache_requests_total{level=\"redis\",outcome=\"miss\"} 0",
            "queue_depth{queue=\"redis\"} 0",
            "redis_dropped_total 0",
            "redis_up 0",
            "redis_linked 0",
            "store_errors_total{kind=\"database\"} 0",
            "database_pool_in_use 0",
            "database_pool_idle 0",
            "database_pool_wait_seconds_count 0",
        ] {
            assert!(text.lines().any(|line| line == series), "{series} is missing in:\n{text}");
        }
    }
}
