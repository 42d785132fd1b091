//! Whether traces reach their collector: logged once when they begin to be lost, once when they arrive again, and with
//! their number at the end.
//!
//! opentelemetry_sdk (0.33) does not report it: errors of background exports are dropped, a full queue drops spans, and
//! `shutdown` returns `Ok` for a closed port.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

/// What has happened to the spans of this process.
#[derive(Debug)]
pub(super) struct Delivery {
    /// Where they go, without a password.
    collector: String,
    ended: AtomicU64,
    taken: AtomicU64,
    /// Why the last export failed, until one succeeds.
    fault: Mutex<Option<String>>,
    /// Later failures are reported by [`Delivery::conclude`].
    concluding: AtomicBool,
}

impl Delivery {
    pub(super) fn to(collector: String) -> Arc<Self> {
        Arc::new(Self {
            collector,
            ended: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            fault: Mutex::new(None),
            concluding: AtomicBool::new(false),
        })
    }

    fn exported(&self, spans: u64, result: &OTelSdkResult) {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => {
                self.taken.fetch_add(spans, Ordering::Relaxed);
                if fault.take().is_some() {
                    tracing::info!(collector = self.collector, "traces arrive at the collector again");
                }
            }
            Err(cause) => {
                let before = fault.replace(cause.to_string());
                if before.is_none() && !self.concluding.load(Ordering::Relaxed) {
                    tracing::warn!(
                        collector = self.collector, %cause,
                        "traces do not arrive at the collector; they are lost until it takes them"
                    );
                }
            }
        }
    }

    /// Before the last flush: how many spans should have arrived after it. Other threads may end more in the meantime.
    pub(super) fn begin_conclusion(&self) -> u64 {
        self.concluding.store(true, Ordering::Relaxed);
        self.ended.load(Ordering::Relaxed)
    }

    /// After the last flush: says what was lost, if anything was.
    pub(super) fn conclude(&self, due: u64, shutdown: &OTelSdkResult) {
        let lost = due.saturating_sub(self.taken.load(Ordering::Relaxed));
        if lost == 0 {
            return;
        }
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        let cause = match (fault, shutdown) {
            (Some(fault), _) => fault,
            (None, Err(cause)) => cause.to_string(),
            (None, Ok(())) => "more came at times than the queue holds, or the collector was away".to_owned(),
        };
        tracing::warn!(
            collector = self.collector,
            spans = lost,
            cause,
            "traces never arrived at the collector"
        );
    }
}

/// Counts what the queue is given.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) queue: BatchSpanProcessor,
    pub(super) delivery: Arc<Delivery>,
}

impl SpanProcessor for Counted {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        self.delivery.ended.fetch_add(1, Ordering::Relaxed);
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Sees the outcome of each export.
#[derive(Debug)]
pub(super) struct Watched<E> {
    pub(super) exporter: E,
    pub(super) delivery: Arc<Delivery>,
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        let result = self.exporter.export(batch).await;
        self.delivery.exported(spans, &result);
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
