//! Every metric there is, with what it says: the registry tells only those that have a value, and
//! the documentation has to tell all.

use prometheus_client::encoding::EncodeMetric;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Metric, Registry};

/// A metric in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    /// As it is scraped, without the suffixes of a histogram's series.
    pub(crate) name: &'static str,
    /// A sentence without its full stop.
    pub(crate) help: &'static str,
}

/// A registry and the list of what is in it.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) registry: Registry,
    pub(super) told: Vec<Told>,
}

impl Catalogue {
    /// Registers a metric under the name by which it is scraped.
    pub(super) fn add<M>(&mut self, name: &'static str, help: &'static str, metric: M) -> M
    where
        M: Metric + Clone + EncodeMetric,
    {
        self.told.push(Told { name, help });
        let stem = match metric.metric_type() {
            // The encoder writes the suffix itself.
            MetricType::Counter => name.trim_end_matches("_total"),
            _ => name,
        };
        self.registry.register(stem, help, metric.clone());
        metric
    }
}
