//! What a Messenger deployment allows: from its configuration, and from the session's first answer.

use super::wire::{Configuration, SessionResponse};
use crate::policy::FilePolicy;
use serde::{Deserialize, Serialize};

/// The deployment's configuration, as far as it decides what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deployment {
    /// A new session begins with a `Join`.
    pub(super) auto_start: bool,
    /// Agents see the user type.
    pub(super) typing: bool,
    /// The guest is told when a conversation ends.
    pub(super) tells_end: bool,
    /// The guest may clear a conversation, which ends it.
    pub(super) clear: bool,
    /// The guest may send files.
    pub(super) attachments: bool,
}

impl Deployment {
    pub(super) fn of(configuration: &Configuration) -> Self {
        let messenger = &configuration.messenger;
        let conversations = &messenger.apps.conversations;
        Self {
            auto_start: conversations.auto_start.enabled,
            typing: conversations.show_user_typing_indicator.unwrap_or(true),
            tells_end: conversations.conversation_disconnect.enabled,
            clear: conversations.conversation_clear.enabled,
            attachments: messenger.file_upload.enable_attachments.unwrap_or(true),
        }
    }
}

/// What the session takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Limits {
    pub(super) files: FilePolicy,
    /// Bytes of all custom attributes together, keys and values (PROTOCOLS 3.10).
    pub(super) custom_data: Option<usize>,
}

impl Limits {
    pub(super) fn of(session: &SessionResponse) -> Self {
        let inbound = session.allowed_media.inbound.clone().unwrap_or_default();
        let media = inbound.file_types.map(|types| {
            let kinds = types.into_iter().map(|it| it.kind);
            kinds.filter(|kind| !kind.is_empty()).collect::<Vec<_>>()
        });
        let undotted = |it: &String| it.trim_start_matches('.').to_owned();
        Self {
            files: FilePolicy {
                largest: inbound.max_file_size_kb.map(|kb| kb.saturating_mul(1024)),
                media: media.filter(|kinds| !kinds.is_empty()),
                extensions: None,
                blocked: session.blocked_extensions.iter().map(undotted).collect(),
            },
            custom_data: session.max_custom_data_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_sessions_limits_become_one_policy() {
        let session: SessionResponse = serde_json::from_value(json!({
            "allowedMedia": {"inbound": {"fileTypes": [{"type": "image/png"}], "maxFileSizeKB": 10}},
            "blockedExtensions": [".exe"], "maxCustomDataBytes": 2048,
        }))
        .expect("a session");
        let limits = Limits::of(&session);
        assert_eq!(limits.custom_data, Some(2048));
        assert!(
            limits
                .files
                .check("a.png", "image/png", Some(10_240))
                .is_ok()
        );
        assert!(
            limits
                .files
                .check("a.png", "image/png", Some(10_241))
                .is_err()
        );
        assert!(limits.files.check("a.exe", "image/png", Some(1)).is_err());
    }

    #[test]
    fn a_configuration_that_says_nothing_allows_what_genesys_allows_by_default() {
        let deployment = Deployment::of(&Configuration::default());
        assert!(deployment.typing && deployment.attachments);
        assert!(!deployment.auto_start && !deployment.clear && !deployment.tells_end);
    }
}
