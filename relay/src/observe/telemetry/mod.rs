//! The log, on standard error, and traces, to a collector if one is named.
//!
//! The log has one line per event, coloured only for a terminal. Traces are exported in batches, on a thread of their
//! own, and dropped when the collector is slow or away, so that telemetry never delays work. Dropped traces are logged.
//! The usual `OTEL_…` variables (sampler, resource attributes, limits) apply.

mod delivery;

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use self::delivery::{Counted, Delivery, Watched};
use crate::config::without_secrets;

const SERVICE: &str = "mien-relay";
/// The most that libraries may log, whatever MIEN_LOG asks for. At trace they log what goes over the wire, byte for
/// byte, tokens included. The exceptions below were found in the versions that the relay is built with; a new library
/// is limited to debug.
const OTHERS: LevelFilter = LevelFilter::DEBUG;
const LESS: [(&str, LevelFilter); 4] = [
    // 0.29: every frame and message, thus every token, at trace; a close frame with the peer's own words at debug.
    ("tungstenite", LevelFilter::INFO),
    ("tokio_tungstenite", LevelFilter::INFO),
    // 0.13: addresses with their login, of collectors and of proxies on the way there, at debug.
    ("reqwest", LevelFilter::INFO),
    // 0.9: parameters of the database's address that it does not know, with their values, at warn. The configuration
    // names them without.
    ("sqlx_postgres::options::parse", LevelFilter::OFF),
];
/// For one export to the collector, also at the end of the process.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Keep it until the end of the process, then [`Telemetry::finish`] it.
#[derive(Debug)]
pub struct Telemetry {
    traces: Option<Traces>,
}

#[derive(Debug)]
struct Traces {
    provider: SdkTracerProvider,
    delivery: Arc<Delivery>,
}

/// Starts logging, and tracing to `collector`, an address such as `http://127.0.0.1:4318`. `filter` is a level
/// or `target=level,…`; one that cannot be read falls back to `info` with a warning, since a typing error must
/// not keep the relay down.
///
/// Call it outside a runtime: the exporter has one of its own.
pub fn init(filter: &str, collector: Option<&str>) -> Result<Telemetry, ExporterBuildError> {
    let traces = collector.map(Traces::to).transpose()?;
    let parsed = EnvFilter::try_new(filter);
    let bad = parsed.is_err();
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_filter(parsed.unwrap_or_else(|_| EnvFilter::new("info")).and(at_most()));
    let spans = traces.as_ref().map(|traces| {
        tracing_opentelemetry::layer()
            .with_tracer(traces.provider.tracer(SERVICE))
            // The relay's own spans, down to single messages; those of libraries are not exported.
            .with_filter(Targets::new().with_target("mien_relay", LevelFilter::DEBUG))
    });
    // Nothing is lost if there is a subscriber already, as in tests.
    let _ = tracing_subscriber::registry().with(log).with(spans).try_init();
    if bad {
        tracing::warn!("MIEN_LOG cannot be read; logging at info");
    }
    Ok(Telemetry { traces })
}

/// The most that any filter can ask for.
fn at_most() -> Targets {
    Targets::new().with_default(OTHERS).with_target("mien_relay", LevelFilter::TRACE).with_targets(LESS)
}

impl Traces {
    fn to(collector: &str) -> Result<Self, ExporterBuildError> {
        let endpoint = traces_endpoint(collector);
        let delivery = Delivery::to(without_secrets(&endpoint));
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_TIMEOUT)
            .build()?;
        let watched = Watched { exporter, delivery: Arc::clone(&delivery) };
        let queue = BatchSpanProcessor::builder(watched).build();
        let resource = Resource::builder().with_service_name(SERVICE).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Counted { queue, delivery: Arc::clone(&delivery) })
            .with_resource(resource)
            .build();
        Ok(Self { provider, delivery })
    }

    /// A flush reports how the export ended, and times out after 5 s; a shutdown does neither.
    fn finish(self) {
        let due = self.delivery.begin_conclusion();
        let flushed = self.provider.force_flush();
        let patience = if flushed.is_ok() { EXPORT_TIMEOUT } else { Duration::ZERO };
        self.delivery.conclude(due, &flushed.and(self.provider.shutdown_with_timeout(patience)));
    }
}

/// The path that OTLP over HTTP defines, unless the collector's address has one.
fn traces_endpoint(collector: &str) -> String {
    let host = collector.split_once("://").map_or(collector, |(_, rest)| rest).trim_end_matches('/');
    if host.contains('/') {
        collector.to_owned()
    } else {
        format!("{}/v1/traces", collector.trim_end_matches('/'))
    }
}

impl Telemetry {
    /// Flushes the remaining spans, and logs how many were never delivered.
    pub fn finish(self) {
        if let Some(traces) = self.traces {
            traces.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_needs_no_path() {
        for (said, meant) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("http://collector/otlp/v1/traces", "http://collector/otlp/v1/traces"),
        ] {
            assert_eq!(traces_endpoint(said), meant);
        }
    }
}
