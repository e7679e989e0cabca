//! How a deployment is configured (PROTOCOLS 3.1).

use super::lenient;
use serde::Deserialize;

/// The deployment's configuration (PROTOCOLS 3.1).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in super::super) struct Configuration {
    /// `Active` or `Inactive`.
    pub(in super::super) status: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) messenger: Messenger,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Messenger {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) file_upload: FileUpload,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) apps: Apps,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct FileUpload {
    pub(in super::super) enable_attachments: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(in super::super) struct Apps {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) conversations: Conversations,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Conversations {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) auto_start: Toggle,
    pub(in super::super) show_user_typing_indicator: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) conversation_disconnect: Toggle,
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) conversation_clear: Toggle,
}

/// A feature that is on or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in super::super) struct Toggle {
    #[serde(deserialize_with = "lenient")]
    pub(in super::super) enabled: bool,
}
