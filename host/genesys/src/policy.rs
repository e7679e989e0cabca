//! Which files a platform takes: by size, media type and extension.
//!
//! Every platform states its policy in words of its own (Engage in `file/limits`, Web Messaging in
//! `SessionResponse`, Open Messaging in its supported content); here they are one thing. A file is
//! checked before it is sent, so that the sentence names the rule it breaks and not an error code.

use crate::outbox::Outbox;
use crate::report::News;
use serde::{Deserialize, Serialize};

/// What files may be. What is not stated is not restricted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct FilePolicy {
    /// Bytes.
    pub(crate) largest: Option<u64>,
    /// Media types, `*` for any part: `image/*`, `*/*`.
    pub(crate) media: Option<Vec<String>>,
    /// Extensions without the dot.
    pub(crate) extensions: Option<Vec<String>>,
    /// Extensions without the dot that are never taken.
    pub(crate) blocked: Vec<String>,
}

/// Why a file is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileRefusal {
    #[error(
        "The file '{name}' was not sent to the agent: it is {bytes} bytes long, and Genesys takes {limit}. Ask for a smaller one."
    )]
    TooLarge {
        name: String,
        bytes: u64,
        limit: u64,
    },
    #[error(
        "The file '{name}' was not sent to the agent: Genesys takes no files of type {kind}, only {allowed}. An administrator can allow more."
    )]
    Type {
        name: String,
        kind: String,
        allowed: String,
    },
    #[error(
        "The file '{name}' was not sent to the agent: Genesys blocks files that end in .{extension}."
    )]
    Blocked { name: String, extension: String },
    #[error(
        "The file '{name}' was not sent to the agent: this conversation has had all the files Genesys allows ({limit})."
    )]
    Enough { name: String, limit: String },
    #[error("The file '{name}' was not sent to the agent: {why}")]
    Unreadable { name: String, why: String },
    #[error("The file '{name}' was not sent to the agent: Genesys refused it ({why}).")]
    Refused { name: String, why: String },
}

impl FileRefusal {
    /// Stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "genesys.file_too_large",
            Self::Type { .. } | Self::Blocked { .. } => "genesys.file_type_refused",
            Self::Enough { .. } => "genesys.file_limit_reached",
            Self::Unreadable { .. } => "genesys.file_unreadable",
            Self::Refused { .. } => "genesys.file_refused",
        }
    }
}

impl FilePolicy {
    /// Whether a file may be sent. A size or type nobody knows is left to the platform.
    ///
    /// # Errors
    ///
    /// The first rule it breaks.
    pub(crate) fn check(
        &self,
        name: &str,
        mime: &str,
        bytes: Option<u64>,
    ) -> Result<(), FileRefusal> {
        let extension = extension(name);
        let is = |listed: &String| extension.is_some_and(|it| listed.eq_ignore_ascii_case(it));
        if let Some(extension) = extension
            && self.blocked.iter().any(is)
        {
            return Err(FileRefusal::Blocked {
                name: name.to_owned(),
                extension: extension.to_lowercase(),
            });
        }
        let refused = |kind: &str, allowed: &[String]| FileRefusal::Type {
            name: name.to_owned(),
            kind: kind.to_owned(),
            allowed: allowed.join(", "),
        };
        if let Some(media) = &self.media
            && !mime.is_empty()
            && !media.iter().any(|pattern| covers(pattern, mime))
        {
            return Err(refused(mime, media));
        }
        if let Some(extensions) = &self.extensions
            && !extensions.iter().any(is)
        {
            return Err(refused(extension.unwrap_or(mime), extensions));
        }
        match (bytes, self.largest) {
            (Some(bytes), Some(limit)) if bytes > limit => Err(FileRefusal::TooLarge {
                name: name.to_owned(),
                bytes,
                limit,
            }),
            _ => Ok(()),
        }
    }
}

/// Gives up the file that is first to be sent, and says why: whoever runs the host learns the reason, and
/// the user that the message did not arrive as it was sent.
pub(crate) fn refuse_first(outbox: &mut Outbox, refusal: &FileRefusal, news: &mut News) {
    let key = outbox.first_key().unwrap_or_default();
    news.notice(
        format!("say/{key}/refused"),
        refusal.code(),
        refusal.to_string(),
    );
    outbox.refused_first(news);
}

fn extension(name: &str) -> Option<&str> {
    let (_, extension) = name.rsplit_once('.')?;
    (!extension.is_empty()).then_some(extension)
}

/// Whether a media type is of a pattern such as `image/*`. Parameters do not count.
fn covers(pattern: &str, mime: &str) -> bool {
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let (Some((kind, detail)), Some((wanted, detail_wanted))) =
        (mime.split_once('/'), pattern.trim().split_once('/'))
    else {
        return pattern.trim() == "*" || pattern.eq_ignore_ascii_case(mime);
    };
    let is = |wanted: &str, it: &str| wanted == "*" || wanted.eq_ignore_ascii_case(it);
    is(wanted, kind) && is(detail_wanted, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> FilePolicy {
        FilePolicy {
            largest: Some(1000),
            media: Some(vec!["image/*".to_owned(), "application/pdf".to_owned()]),
            extensions: None,
            blocked: vec!["exe".to_owned()],
        }
    }

    fn code(name: &str, mime: &str, bytes: u64) -> Option<&'static str> {
        let checked = policy().check(name, mime, Some(bytes));
        checked.err().map(|refusal| refusal.code())
    }

    #[test]
    fn each_rule_refuses_by_its_own_code() {
        assert_eq!(code("a.png", "image/png", 1000), None);
        assert_eq!(code("a.png", "IMAGE/PNG; x=1", 1), None);
        assert_eq!(
            code("a.png", "image/png", 1001),
            Some("genesys.file_too_large")
        );
        assert_eq!(
            code("a.txt", "text/plain", 1),
            Some("genesys.file_type_refused")
        );
        assert_eq!(
            code("A.EXE", "image/png", 1),
            Some("genesys.file_type_refused")
        );
        let by_extension = FilePolicy {
            extensions: Some(vec!["pdf".to_owned()]),
            ..FilePolicy::default()
        };
        assert!(by_extension.check("a.PDF", "", None).is_ok());
        assert!(by_extension.check("pdf", "", None).is_err());
    }

    proptest! {
        #[test]
        fn what_is_not_restricted_is_taken(name in ".{0,12}", mime in ".{0,12}", bytes in any::<u64>()) {
            prop_assert!(FilePolicy::default().check(&name, &mime, Some(bytes)).is_ok());
        }
    }
}
