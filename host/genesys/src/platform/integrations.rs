//! Open Messaging integrations: the addresses our messages come from.

use super::call::{Call, Platform};
use super::conversations::Reference;
use super::error::PlatformError;
use super::queues::nearest;
use crate::policy::FilePolicy;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

const PAGE_SIZE: &str = "100";

/// An Open Messaging integration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// Genesys' id, part of every inbound address.
    pub id: String,
    /// Display name.
    #[serde(default)]
    pub name: String,
    /// Where agents' messages are posted to.
    #[serde(default, rename = "outboundNotificationWebhookUrl")]
    pub webhook: Option<String>,
    /// What they are signed with, where Genesys shows it.
    #[serde(default, rename = "outboundNotificationWebhookSignatureSecretToken")]
    pub secret: Option<Hidden>,
    /// `active`, or another word for "not".
    #[serde(default)]
    pub status: Option<String>,
    /// `Initiated`, `Completed` or `Error`.
    #[serde(default)]
    pub create_status: Option<String>,
    /// Its address in Message Routing.
    #[serde(default)]
    pub recipient: Option<Reference>,
}

impl Integration {
    /// The id of its address in Message Routing. It is the integration's own unless Genesys says
    /// otherwise.
    #[must_use]
    pub fn recipient_id(&self) -> &str {
        let recipient = self.recipient.as_ref().and_then(|it| it.id.as_deref());
        recipient.unwrap_or(&self.id)
    }
}

/// A secret that Genesys shows. It is compared and goes no further.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden")
    }
}

impl Hidden {
    /// Whether Genesys shows the secret itself, rather than stars in its place.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        !self.0.is_empty() && !self.0.chars().all(|it| matches!(it, '*' | '•' | '●'))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    entities: Vec<Integration>,
    #[serde(default)]
    page_count: Option<u32>,
}

/// What of an integration leads to its file policy.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Supports {
    #[serde(default)]
    supported_content: Option<Reference>,
}

/// A supported content profile.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SupportedContent {
    #[serde(default)]
    media_types: Option<MediaTypes>,
}

#[derive(Deserialize)]
struct MediaTypes {
    #[serde(default)]
    allow: Option<Allowed>,
}

#[derive(Deserialize)]
struct Allowed {
    #[serde(default)]
    inbound: Option<Vec<MediaType>>,
}

#[derive(Deserialize)]
struct MediaType {
    #[serde(default, rename = "type")]
    kind: String,
}

/// The largest attachment, bytes (PROTOCOLS 4.8).
const LARGEST_FILE: u64 = 25 * 1024 * 1024;

/// An integration that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntegrationError {
    /// None of that name or id.
    #[error(
        "There is no Open Messaging integration '{wanted}'{suggestion} Set integration to the name or id shown under Admin, Message, Platforms."
    )]
    Unknown {
        /// The name or id asked for.
        wanted: String,
        /// The nearest one, as the end of the sentence.
        suggestion: String,
    },
    /// Several of that name.
    #[error(
        "{count} Open Messaging integrations are named '{wanted}'. Set integration to the id of the one to use."
    )]
    Ambiguous {
        /// The name asked for.
        wanted: String,
        /// How many there are.
        count: usize,
    },
    /// The question failed.
    #[error(transparent)]
    Platform(#[from] PlatformError),
}

impl IntegrationError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "genesys.integration_unknown",
            Self::Ambiguous { .. } => "genesys.integration_ambiguous",
            Self::Platform(error) => error.code(),
        }
    }
}

impl Platform {
    /// The one integration with this id, or else of exactly this name. Without the permission to list
    /// integrations a UUID is taken at its word, so that the smallest role suffices.
    ///
    /// # Errors
    ///
    /// If there is none or more than one, or the question fails.
    pub async fn integration(&self, wanted: &str) -> Result<Integration, IntegrationError> {
        let all = match self.integrations().await {
            Err(PlatformError::MissingPermission { .. })
                if uuid::Uuid::try_parse(wanted).is_ok() =>
            {
                return Ok(Integration {
                    id: wanted.to_owned(),
                    ..Integration::default()
                });
            }
            listed => listed?,
        };
        pick(wanted, all)
    }

    /// Which files an integration takes from users: its supported content, or without the permission
    /// to see that, all up to the size Genesys states.
    ///
    /// # Errors
    ///
    /// If the question fails for now.
    pub(crate) async fn file_policy(&self, integration: &str) -> Result<FilePolicy, PlatformError> {
        let media = match self.supported_media(integration).await {
            Err(error) if error.is_passing() => return Err(error),
            Err(error) => {
                tracing::info!(%error, "the integration's supported content is not visible");
                None
            }
            Ok(media) => media,
        };
        Ok(FilePolicy {
            largest: Some(LARGEST_FILE),
            media,
            ..FilePolicy::default()
        })
    }

    /// Creates an integration. Genesys goes on setting it up for a while.
    pub(crate) async fn create_integration(
        &self,
        name: &str,
        webhook: &str,
        secret: &str,
    ) -> Result<Integration, PlatformError> {
        self.call(Call {
            method: Method::POST,
            path: "/api/v2/conversations/messaging/integrations/open".to_owned(),
            query: &[],
            body: Some(&settings(name, webhook, secret)),
            doing: "create an Open Messaging integration",
            permission: "messaging:integration:add",
        })
        .await
    }

    /// Sets an integration's name, webhook and secret.
    pub(crate) async fn change_integration(
        &self,
        id: &str,
        name: &str,
        webhook: &str,
        secret: &str,
    ) -> Result<(), PlatformError> {
        self.tell(Call {
            method: Method::PATCH,
            path: format!("/api/v2/conversations/messaging/integrations/open/{id}"),
            query: &[],
            body: Some(&settings(name, webhook, secret)),
            doing: "change the Open Messaging integration",
            permission: "messaging:integration:edit",
        })
        .await
    }

    async fn supported_media(&self, id: &str) -> Result<Option<Vec<String>>, PlatformError> {
        let path = format!("/api/v2/conversations/messaging/integrations/open/{id}");
        let doing = "look at the Open Messaging integration";
        let integration: Supports = self
            .get(path, &[], doing, "messaging:integration:view")
            .await?;
        let Some(profile) = integration.supported_content.and_then(|it| it.id) else {
            return Ok(None);
        };
        let path = format!("/api/v2/conversations/messaging/supportedcontent/{profile}");
        let doing = "look at the integration's supported content";
        let content: SupportedContent = self
            .get(path, &[], doing, "messaging:supportedContent:view")
            .await?;
        let inbound = content.media_types.and_then(|it| it.allow?.inbound);
        Ok(inbound.map(|types| types.into_iter().map(|it| it.kind).collect()))
    }

    /// Every Open Messaging integration there is.
    pub(crate) async fn integrations(&self) -> Result<Vec<Integration>, PlatformError> {
        let mut all = Vec::new();
        for number in 1_u32.. {
            let page_number = number.to_string();
            let query = [
                ("pageSize", PAGE_SIZE),
                ("pageNumber", page_number.as_str()),
            ];
            let path = "/api/v2/conversations/messaging/integrations/open".to_owned();
            let doing = "list Open Messaging integrations";
            let page: Page = self
                .get(path, &query, doing, "messaging:integration:view")
                .await?;
            let empty = page.entities.is_empty();
            all.extend(page.entities);
            if empty || number >= page.page_count.unwrap_or(1) {
                break;
            }
        }
        Ok(all)
    }
}

fn settings(name: &str, webhook: &str, secret: &str) -> Value {
    json!({
        "name": name,
        "outboundNotificationWebhookUrl": webhook,
        "outboundNotificationWebhookSignatureSecretToken": secret,
    })
}

fn pick(wanted: &str, mut all: Vec<Integration>) -> Result<Integration, IntegrationError> {
    if let Some(at) = all.iter().position(|integration| integration.id == wanted) {
        return Ok(all.swap_remove(at));
    }
    let near = nearest(
        wanted,
        all.iter().map(|integration| integration.name.as_str()),
    );
    let suggestion = near.map_or_else(
        || ".".to_owned(),
        |near| format!("; did you mean '{near}'?"),
    );
    all.retain(|integration| integration.name == wanted);
    match all.len() {
        1 => Ok(all.remove(0)),
        0 => Err(IntegrationError::Unknown {
            wanted: wanted.to_owned(),
            suggestion,
        }),
        count => Err(IntegrationError::Ambiguous {
            wanted: wanted.to_owned(),
            count,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn integration(id: &str, name: &str) -> Integration {
        Integration {
            id: id.to_owned(),
            name: name.to_owned(),
            ..Integration::default()
        }
    }

    #[test]
    fn an_id_wins_over_a_name_and_a_name_must_be_the_only_one() {
        let all = || {
            vec![
                integration("1", "bridge"),
                integration("2", "1"),
                integration("3", "x"),
                integration("4", "x"),
            ]
        };
        assert_eq!(pick("1", all()).expect("by id").name, "bridge");
        assert_eq!(pick("bridge", all()).expect("by name").id, "1");
        let code = |wanted| pick(wanted, all()).expect_err("not one").code();
        assert_eq!(code("x"), "genesys.integration_ambiguous");
        assert_eq!(code("Bridge"), "genesys.integration_unknown");
    }
}
