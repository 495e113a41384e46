//! Figures for Prometheus. The recorder belongs to the process, so it is installed once, whoever
//! asks first.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The buckets of request times, in seconds.
const BUCKETS: [f64; 10] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0,
];

/// The process's figures; cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(Option<PrometheusHandle>);

impl Metrics {
    /// The process's recorder, installed on first use. A program that has installed its own keeps
    /// it.
    pub fn install() -> Self {
        static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
        let install = || {
            PrometheusBuilder::new()
                .set_buckets(&BUCKETS)
                .ok()?
                .install_recorder()
                .ok()
        };
        Self(HANDLE.get_or_init(install).clone())
    }

    /// Counts a request. Every series stays for good, so the labels come out of fixed lists: the
    /// names of methods, and the templates of routes.
    pub fn request(&self, method: &'static str, route: &str, status: u16, elapsed: Duration) {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_string()),
        ];
        metrics::counter!("snackbase_http_requests_total", &labels).increment(1);
        metrics::histogram!("snackbase_http_request_seconds", &labels[1..2])
            .record(elapsed.as_secs_f64());
    }

    /// The text that Prometheus reads.
    pub fn render(&self) -> String {
        self.0
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default()
    }

    /// Keeps the figures small; call it every few seconds.
    pub fn upkeep(&self) {
        if let Some(handle) = &self.0 {
            handle.run_upkeep();
        }
    }
}
