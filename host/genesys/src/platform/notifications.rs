//! Notification channels: sockets on which Genesys tells of changes (PROTOCOLS 5).

use super::call::{Call, Platform};
use super::error::PlatformError;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

/// A channel: lives 24 h, holds up to 1000 topics.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Channel {
    /// Genesys' id.
    pub id: String,
    /// The socket's address, to be used as it is.
    pub connect_uri: String,
}

/// What became of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// The topic.
    pub id: String,
    /// `Permitted` or `Rejected`.
    #[serde(default)]
    pub state: Option<String>,
    /// The permissions it would take.
    #[serde(default)]
    pub missing_permissions: Option<Vec<String>>,
}

impl Subscription {
    /// Whether events will not come.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.state
            .as_deref()
            .is_some_and(|state| state.eq_ignore_ascii_case("rejected"))
    }
}

#[derive(Deserialize)]
struct Subscriptions {
    #[serde(default)]
    entities: Vec<Subscription>,
}

const PERMISSION: &str = "analytics:conversationDetail:view";

impl Platform {
    /// Makes a new channel.
    pub(crate) async fn create_channel(&self) -> Result<Channel, PlatformError> {
        self.call(Call {
            method: Method::POST,
            path: "/api/v2/notifications/channels".to_owned(),
            query: &[],
            body: Some(&json!({})),
            doing: "open a notification channel",
            permission: PERMISSION,
        })
        .await
    }

    /// Adds topics to a channel (POST) or replaces all its topics (PUT). Topics that are not
    /// permitted come back as rejected instead of failing the others.
    pub(crate) async fn subscribe(
        &self,
        channel: &str,
        method: Method,
        topics: &[String],
    ) -> Result<Vec<Subscription>, PlatformError> {
        let topics: Vec<Value> = topics.iter().map(|id| json!({ "id": id })).collect();
        let answer: Subscriptions = self
            .call(Call {
                method,
                path: format!("/api/v2/notifications/channels/{channel}/subscriptions"),
                query: &[("ignoreErrors", "true")],
                body: Some(&topics),
                doing: "follow the conversation's events",
                permission: PERMISSION,
            })
            .await?;
        Ok(answer.entities)
    }
}
