//! Whether agents could take a conversation of a queue.

use super::call::{Call, Platform};
use super::error::PlatformError;
use super::queues::{MediaType, QueueError};
use handoff_engine::availability::{Availability, NotTold};
use http::Method;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Observed {
    #[serde(default)]
    results: Vec<Grouped>,
}

#[derive(Deserialize)]
struct Grouped {
    #[serde(default)]
    group: Group,
    /// Missing for an empty queue.
    #[serde(default)]
    data: Vec<Observation>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    media_type: Option<String>,
}

#[derive(Deserialize)]
struct Observation {
    #[serde(default)]
    metric: String,
    #[serde(default)]
    qualifier: Option<String>,
    #[serde(default)]
    stats: Stats,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    count: f64,
}

impl Platform {
    /// How many agents are on a queue, how many conversations wait in it, and how long.
    ///
    /// # Errors
    ///
    /// If the queue is not visible, or the client may not see who is on it.
    pub(crate) async fn availability(
        &self,
        queue: &str,
        media: MediaType,
    ) -> Result<Availability, NotTold> {
        let queue = self
            .queue(queue)
            .await
            .map_err(|error: QueueError| NotTold::new(error.code(), error.to_string()))?;
        let observed = self
            .observe(&queue.id)
            .await
            .map_err(|error| NotTold::new(error.code(), error.to_string()))?;
        // An estimate is a courtesy; without it the counts still tell.
        let wait = self.estimated_wait(&queue.id, media).await;
        Ok(Availability {
            estimated_wait: wait.ok().flatten(),
            ..counted(&observed, media)
        })
    }

    /// How many agents are on the queue of this id.
    pub(crate) async fn agents_on_queue(&self, id: &str) -> Result<u32, PlatformError> {
        let observed = self.observe(id).await?;
        let counts = counted(&observed, MediaType::Message);
        Ok(counts.on_queue.unwrap_or_default())
    }

    async fn observe(&self, queue: &str) -> Result<Observed, PlatformError> {
        let body = json!({
            "filter": {
                "type": "or",
                "predicates": [{
                    "type": "dimension", "dimension": "queueId", "operator": "matches", "value": queue,
                }],
            },
            "metrics": ["oOnQueueUsers", "oWaiting"],
        });
        self.call(Call {
            method: Method::POST,
            path: "/api/v2/analytics/queues/observations/query".to_owned(),
            query: &[],
            body: Some(&body),
            doing: "see which agents are on queue",
            permission: "analytics:queueObservation:view",
        })
        .await
    }
}

/// The counts of one queue. A metric that is left out is zero: Genesys tells nothing of nobody.
fn counted(observed: &Observed, media: MediaType) -> Availability {
    let of_media = |it: &&Grouped| {
        let kind = it.group.media_type.as_deref();
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case(media.as_str()))
    };
    let count = |metric: &str, qualifier: Option<&str>| {
        let groups = observed.results.iter().filter(of_media);
        let counts = groups
            .flat_map(|group| &group.data)
            .filter(|it| it.metric == metric)
            .filter(|it| qualifier.is_none() || it.qualifier.as_deref() == qualifier);
        Some(whole(counts.map(|it| it.stats.count).sum()))
    };
    Availability {
        on_queue: count("oOnQueueUsers", None),
        idle: count("oOnQueueUsers", Some("IDLE")),
        waiting: count("oWaiting", None),
        estimated_wait: None,
    }
}

/// Genesys writes counts as numbers of any kind.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is small and not negative"
)]
fn whole(count: f64) -> u32 {
    count.max(0.0) as u32
}

/// What cannot be asked without a queue, or without a client that may ask.
pub(crate) fn not_asked(what: &str, help: &str) -> NotTold {
    NotTold::new("availability.not_supported", format!("{what}; {help}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(results: &serde_json::Value) -> Availability {
        let observed = serde_json::from_value(json!({ "results": results })).expect("observations");
        counted(&observed, MediaType::Message)
    }

    #[test]
    fn those_who_talk_are_on_queue_and_not_idle_and_calls_that_wait_are_no_messages() {
        let found = counts(&json!([
            { "group": { "queueId": "q" }, "data": [
                { "metric": "oOnQueueUsers", "qualifier": "IDLE", "stats": { "count": 2 } },
                { "metric": "oOnQueueUsers", "qualifier": "INTERACTING", "stats": { "count": 3 } }
            ] },
            { "group": { "queueId": "q", "mediaType": "message" }, "data": [
                { "metric": "oWaiting", "stats": { "count": 4 } }
            ] },
            { "group": { "queueId": "q", "mediaType": "voice" }, "data": [
                { "metric": "oWaiting", "stats": { "count": 9 } }
            ] }
        ]));
        assert_eq!(
            (found.on_queue, found.idle, found.waiting),
            (Some(5), Some(2), Some(4))
        );
    }

    #[test]
    fn a_queue_of_which_nothing_is_told_has_nobody() {
        let found = counts(&json!([{ "group": { "queueId": "q" } }]));
        assert_eq!(
            (found.on_queue, found.idle, found.waiting),
            (Some(0), Some(0), Some(0))
        );
    }
}
