//! How many agents are on queue right now (PROTOCOLS 4.6).

use super::call::{Call, Platform};
use super::error::PlatformError;
use http::Method;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Observed {
    #[serde(default)]
    results: Vec<OfQueue>,
}

#[derive(Deserialize)]
struct OfQueue {
    #[serde(default)]
    group: Group,
    /// Missing for an empty queue.
    #[serde(default)]
    data: Vec<Metric>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    queue_id: String,
}

#[derive(Deserialize)]
struct Metric {
    #[serde(default)]
    metric: String,
    #[serde(default)]
    stats: Stats,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    count: f64,
}

impl Platform {
    /// Agents on queue, for each of these queues; none for a queue of which Genesys says nothing.
    pub(crate) async fn agents_on_queue(
        &self,
        queues: &[String],
    ) -> Result<BTreeMap<String, u64>, PlatformError> {
        let predicates: Vec<_> = queues
            .iter()
            .map(|id| {
                json!({ "type": "dimension", "dimension": "queueId", "operator": "matches", "value": id })
            })
            .collect();
        let body = json!({
            "filter": { "type": "or", "predicates": predicates },
            "metrics": ["oOnQueueUsers"],
        });
        let observed: Observed = self
            .call(Call {
                method: Method::POST,
                path: "/api/v2/analytics/queues/observations/query".to_owned(),
                query: &[],
                body: Some(&body),
                doing: "see which agents are on queue",
                permission: "analytics:queueObservation:view",
            })
            .await?;
        let mut counts: BTreeMap<String, u64> = queues.iter().map(|id| (id.clone(), 0)).collect();
        for result in observed.results {
            let Some(count) = counts.get_mut(&result.group.queue_id) else {
                continue;
            };
            let of_users = result.data.iter().filter(|it| it.metric == "oOnQueueUsers");
            *count += of_users.map(|it| whole(it.stats.count)).sum::<u64>();
        }
        Ok(counts)
    }
}

/// Genesys writes counts as numbers of any kind.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is small and not negative"
)]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}
