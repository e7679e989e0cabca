//! Telling it all, as text.

use crate::host::Host;
use prometheus_client::encoding::text::encode;

/// The format of [`Host::metrics`], as an HTTP content type.
pub const METRICS_FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Host {
    /// Every metric of this host as it stands now, in the OpenMetrics text format that Prometheus
    /// scrapes. Whoever serves it should not serve it to everybody.
    pub async fn metrics(&self) -> String {
        let metrics = &self.0.metrics;
        let driven = i64::try_from(self.0.links.count()).unwrap_or(i64::MAX);
        metrics.handoffs_driven.set(driven);
        match self.0.store.census().await {
            Ok(census) => metrics.counted(&census),
            Err(error) => {
                tracing::warn!(%error, "the sessions cannot be counted");
                metrics.not_counted();
            }
        }
        let mut text = String::new();
        encode(&mut text, &metrics.registry).expect("a String takes whatever is written to it");
        text
    }
}
