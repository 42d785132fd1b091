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

/// The label and value of one series of a metric.
type Label = [(&'static str, &'static str); 1];
type Labels = [(&'static str, &'static str); 2];

type Requests = Family<Request, Histogram, fn() -> Histogram>;

/// From one definition come a metric's name and help, its row in `docs/PROTOCOL.md`, its labels, and the handles that
/// the relay counts with.
///
/// A definition is: its name (a counter's without `_total`), its help, the metric, and its handles: each a field of
/// [`Metrics`] with the function that takes it from the metric.
macro_rules! metrics {
    ($(
        $name:literal, $help:literal, $metric:expr => {
            $($(#[$doc:meta])* $visibility:vis $field:ident: $type:ty = $handle:expr,)+
        }
    )*) => {
        /// Handles to every metric. Cheap to clone.
        #[derive(Clone, Debug)]
        pub struct Metrics {
            registry: Arc<Registry>,
            $($($(#[$doc])* $visibility $field: $type,)+)*
        }

        impl Metrics {
            pub fn new() -> Self {
                let mut registry = Registry::default();
                $(
                    let metric = $metric;
                    registry.register($name, $help, metric.clone());
                    $(let $field: $type = $handle(&metric);)+
                )*
                Self { registry: Arc::new(registry), $($($field,)+)* }
            }
        }
    };
}

metrics! {
    "http_request_duration_seconds", "Duration of HTTP requests",
    Requests::new_with_constructor(seconds) => {
        requests: Requests = itself,
    }
    "websocket_active_connections", "Open WebSockets", Family::default() => {
        pub ingest_connections: Gauge = series("kind", "ingest"),
        pub watch_connections: Gauge = series("kind", "watch"),
    }
    "queue_depth", "Items that wait in a queue", Family::default() => {
        /// Batches that wait for the store.
        pub batch_queue: Gauge = series("queue", "batch"),
        /// Batches that wait for Redis.
        pub redis_queue: Gauge = series("queue", "redis"),
    }
    "samples", "Samples by what became of them", Family::default() => {
        pub samples: SampleCounts = SampleCounts::of,
    }
    "batch_rows", "Samples of one commit", Histogram::new(ROWS) => {
        pub batch_rows: Histogram = itself,
    }
    "batch_commit_seconds", "Duration of a commit", seconds() => {
        pub batch_commit_seconds: Histogram = itself,
    }
    "ack_latency_seconds", "From the arrival of samples to their ack", seconds() => {
        /// From the arrival of a message to its ack.
        pub ack_latency_seconds: Histogram = itself,
    }
    "watch_lag_samples", "Samples that watchers have yet to be served from the store", Gauge::default() => {
        /// How many samples watchers are behind when they turn to the store.
        pub watch_lag_samples: Gauge = itself,
    }
    "rate_limited", "What was refused for its rate", Family::default() => {
        pub rate_limited_samples: Counter = series("kind", "samples"),
        pub rate_limited_requests: Counter = series("kind", "requests"),
        pub rate_limited_reads: Counter = series("kind", "reads"),
    }
    "cache_requests", "Questions to the cache", Family::default() => {
        pub memory_cache: CacheCounts = CacheCounts::of("memory"),
        pub redis_cache: CacheCounts = CacheCounts::of("redis"),
    }
    "redis_dropped", "Committed batches that were not passed to Redis, which was slow or away",
    Counter::default() => {
        /// Batches that Redis did not get.
        pub redis_dropped: Counter = itself,
    }
    "redis_up", "Whether Redis answers", Gauge::default() => {
        /// 1 while Redis answers.
        pub redis_up: Gauge = itself,
    }
    "redis_linked", "Whether the other relays are heard", Gauge::default() => {
        /// 1 while this relay receives what the other relays send.
        pub redis_linked: Gauge = itself,
    }
    "store_errors", "Failed calls to the store", store_errors() => {
        store_errors: Family<Label, Counter> = itself,
    }
    "database_pool_in_use", "Database connections at work", Gauge::default() => {
        pub pool_in_use: Gauge = itself,
    }
    "database_pool_idle", "Database connections at rest", Gauge::default() => {
        pub pool_idle: Gauge = itself,
    }
    "database_pool_wait_seconds", "Time until a database connection was free", seconds() => {
        pub pool_wait_seconds: Histogram = itself,
    }
}

/// Samples by outcome.
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

impl SampleCounts {
    fn of(family: &Family<Label, Counter>) -> Self {
        let outcome = |outcome| family.get_or_create_owned(&[("outcome", outcome)]);
        Self {
            accepted: outcome("accepted"),
            duplicate: outcome("duplicate"),
            invalid: outcome("invalid_sample"),
            out_of_order: outcome("out_of_order"),
            throttled: outcome("throttled"),
        }
    }
}

/// Lookups at one level of the cache.
#[derive(Clone, Debug, Default)]
pub struct CacheCounts {
    pub hit: Counter,
    pub miss: Counter,
}

impl CacheCounts {
    fn of(level: &'static str) -> impl Fn(&Family<Labels, Counter>) -> Self {
        move |family| {
            let outcome = |outcome| family.get_or_create_owned(&[("level", level), ("outcome", outcome)]);
            Self { hit: outcome("hit"), miss: outcome("miss") }
        }
    }
}

/// The handle of a metric without labels, or with labels that are not known in advance.
fn itself<M: Clone>(metric: &M) -> M {
    metric.clone()
}

/// The series of a family that has this label.
fn series<M: Clone + Default>(label: &'static str, value: &'static str) -> impl Fn(&Family<Label, M>) -> M {
    move |family| family.get_or_create_owned(&[(label, value)])
}

fn store_errors() -> Family<Label, Counter> {
    let errors = Family::default();
    for kind in StoreError::KINDS {
        drop(errors.get_or_create(&[("kind", kind)]));
    }
    errors
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
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
            self.store_errors.get_or_create(&[("kind", cause.kind())]).inc();
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
