//! Queues by their exact names.
//!
//! Genesys shows a client only the queues of divisions in which it has a role, and answers "none"
//! for all others. A name is therefore never "not found", only not visible.

use super::call::Platform;
use super::conversations::Reference;
use super::error::PlatformError;
use handoff_engine::time::Millis;
use serde::Deserialize;

const PAGE_SIZE: usize = 100;

/// How many pages are searched for a name that was misspelt.
const PAGES_OF_SUGGESTIONS: usize = 5;

/// Below this likeness (0 to 1) a suggestion would only confuse.
const LIKENESS: f64 = 0.75;

/// A queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Queue {
    /// Genesys' id.
    pub id: String,
    /// Display name, exact.
    pub name: String,
    /// How many agents belong to it, where Genesys says.
    #[serde(default)]
    pub member_count: Option<u64>,
    /// The division it is in.
    #[serde(default)]
    pub division: Option<Reference>,
}

/// What a queue's estimates are kept by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// WebChat.
    Chat,
    /// All kinds of messaging.
    Message,
}

impl MediaType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Message => "message",
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    entities: Vec<Queue>,
    #[serde(default)]
    page_count: Option<usize>,
}

#[derive(Deserialize)]
struct Predictions {
    #[serde(default)]
    results: Vec<Prediction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Prediction {
    #[serde(default)]
    intent: String,
    #[serde(default)]
    estimated_wait_time_seconds: Option<u64>,
}

/// A queue name that does not lead to one queue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// Nothing of that name, nor anything like it.
    #[error(
        "Queue '{name}' is not visible to this OAuth client. It does not exist, or it is in another division than the client's role. Create it, or give the client's role the queue's division."
    )]
    NotVisible {
        /// The name asked for.
        name: String,
    },
    /// Nothing of that name, but of a similar one.
    #[error(
        "There is no queue '{name}' visible to this OAuth client; did you mean '{near}'? Queue names must match exactly, with case and spaces. If '{name}' exists, it is in another division than the client's role."
    )]
    NameMismatch {
        /// The name asked for.
        name: String,
        /// The nearest visible one.
        near: String,
    },
    /// Several of that name, in several divisions.
    #[error(
        "{count} queues visible to this OAuth client are named '{name}'. Rename all but one, or limit the client's role to one division."
    )]
    Ambiguous {
        /// The name asked for.
        name: String,
        /// How many there are.
        count: usize,
    },
    /// The question failed.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl QueueError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotVisible { .. } => "genesys.queue_not_visible",
            Self::NameMismatch { .. } => "genesys.queue_name_mismatch",
            Self::Ambiguous { .. } => "genesys.queue_ambiguous",
            Self::Platform(error) => error.code(),
        }
    }
}

impl Platform {
    /// The one queue of exactly this name.
    ///
    /// # Errors
    ///
    /// If there is none or more than one, or the question fails.
    pub async fn queue(&self, name: &str) -> Result<Queue, QueueError> {
        let mut exact = self.queues(Some(name), usize::MAX).await?;
        exact.retain(|queue| queue.name == name);
        match exact.len() {
            1 => Ok(exact.remove(0)),
            0 => {
                // Suggestions are a courtesy; failing to get any changes nothing.
                let all = self.queues(None, PAGES_OF_SUGGESTIONS).await;
                Err(not_visible(name, &all.unwrap_or_default()))
            }
            count => Err(QueueError::Ambiguous {
                name: name.to_owned(),
                count,
            }),
        }
    }

    /// The queues there are to be seen, 100 at most.
    pub(crate) async fn visible_queues(&self) -> Result<Vec<Queue>, PlatformError> {
        self.queues(None, 1).await
    }

    /// How long a conversation waits in a queue, as Genesys estimates it; none if it does not.
    pub(crate) async fn estimated_wait(
        &self,
        id: &str,
        media: MediaType,
    ) -> Result<Option<Millis>, PlatformError> {
        let media = media.as_str();
        let path = format!("/api/v2/routing/queues/{id}/mediatypes/{media}/estimatedwaittime");
        let doing = "ask for a queue's estimated wait";
        let answer: Predictions = self.get(path, &[], doing, "routing:queue:view").await?;
        let of_media = |it: &&Prediction| it.intent.eq_ignore_ascii_case(media);
        let results = &answer.results;
        let prediction = results.iter().find(of_media).or(results.first());
        let seconds = prediction.and_then(|it| it.estimated_wait_time_seconds);
        Ok(seconds.map(Millis::from_secs))
    }

    async fn queues(&self, name: Option<&str>, pages: usize) -> Result<Vec<Queue>, PlatformError> {
        let mut all = Vec::new();
        for number in 1..=pages {
            let (size, number) = (PAGE_SIZE.to_string(), number.to_string());
            let mut query = vec![("pageSize", size.as_str()), ("pageNumber", number.as_str())];
            query.extend(name.map(|name| ("name", name)));
            let path = "/api/v2/routing/queues".to_owned();
            let page: Page = self
                .get(path, &query, "list queues", "routing:queue:view")
                .await?;
            let full = page.entities.len() >= PAGE_SIZE;
            all.extend(page.entities);
            let more = page.page_count.map_or(full, |count| {
                number.parse::<usize>().is_ok_and(|n| n < count)
            });
            if !more {
                break;
            }
        }
        Ok(all)
    }
}

fn not_visible(name: &str, visible: &[Queue]) -> QueueError {
    let name = name.to_owned();
    match nearest(&name, visible.iter().map(|queue| queue.name.as_str())) {
        Some(near) => QueueError::NameMismatch {
            near: near.to_owned(),
            name,
        },
        None => QueueError::NotVisible { name },
    }
}

/// The candidate most like `name`, if any is like it at all.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = |text: &str| text.split_whitespace().collect::<String>().to_lowercase();
    let wanted = plain(name);
    candidates
        .map(|candidate| {
            let likeness = strsim::normalized_damerau_levenshtein(&wanted, &plain(candidate));
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(names: &[&str]) -> Vec<Queue> {
        let queue = |name: &&str| Queue {
            id: format!("q-{name}"),
            name: (*name).to_owned(),
            ..Queue::default()
        };
        names.iter().map(queue).collect()
    }

    #[test]
    fn a_near_miss_gets_a_suggestion_and_never_a_route() {
        let visible = queues(&["Billing", "Support PT", "a_b"]);
        let suggestion = |name| not_visible(name, &visible).to_string();
        assert!(suggestion("billing").contains("did you mean 'Billing'"));
        assert!(suggestion("Suport  PT").contains("did you mean 'Support PT'"));
    }

    #[test]
    fn a_name_like_no_other_is_said_to_be_not_visible_with_the_reason() {
        let error = not_visible("Marketing", &queues(&["Billing"]));
        assert_eq!(error.code(), "genesys.queue_not_visible");
        assert!(error.to_string().contains("another division"));
    }
}
