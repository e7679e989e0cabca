//! What each transport can carry of what the user says, and what becomes of the rest.
//!
//! One table for all transports, in the constants below: a message becomes [`Part`]s, each of which
//! is one thing the wire can send. What has no form of its own on a wire is sent as text and said to
//! be, with `genesys.content_simplified`; nothing is dropped in silence. Files that a platform's
//! policy refuses are the business of [`crate::policy`].

use crate::report::News;
use crate::split::split;
use handoff_engine::content::{Attachment, Choice, UserMessage};
use serde::{Deserialize, Serialize};

/// What a transport carries from the user to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carries {
    /// The longest text in one message, UTF-16 units. Longer ones are split.
    pub(crate) text: usize,
    pub(crate) files: As,
    pub(crate) choices: As,
}

/// In what form something is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As {
    /// As what it is.
    Itself,
    /// As text: the name and address of a file, the label of a choice.
    Text,
}

/// GMS states no limit; 4096 is what Chat Server takes unless configured otherwise. What it finds too
/// long (error 204) is split again. Files are uploaded.
pub(crate) const ENGAGE: Carries = Carries {
    text: 4096,
    files: As::Itself,
    choices: As::Text,
};

/// `body` takes 4000 characters (PROTOCOLS 2.3), and there is nothing but text.
pub(crate) const WEB_CHAT: Carries = Carries {
    text: 4000,
    files: As::Text,
    choices: As::Text,
};

/// The limit is not documented; error 4011 tells of it and 4096 is commonly assumed (PROTOCOLS 3.10).
pub(crate) const WEB_MESSAGING: Carries = Carries {
    text: 4096,
    files: As::Itself,
    choices: As::Itself,
};

/// The limit inbound is not documented; 2000 is that of message conversations in the other direction
/// (PROTOCOLS 4.8), which every part of the platform handles.
pub(crate) const OPEN_MESSAGING: Carries = Carries {
    text: 2000,
    files: As::Itself,
    choices: As::Itself,
};

/// One thing to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// Within the transport's limit.
    Text(String),
    File(Attachment),
    /// Something picked, and the label the user saw on it.
    Choice {
        choice: Choice,
        label: String,
    },
}

impl Part {
    /// Whether there is nothing in it. Genesys refuses such.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }

    /// What the platform repeats of it, for [`crate::echoes`].
    pub(crate) fn echo(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::File(file) if file.name.is_empty() => &file.url,
            Self::File(file) => &file.name,
            Self::Choice { label, .. } => label,
        }
    }

    /// It, as part of a sentence for whoever reads notices. Never what the user wrote.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("a text of {} characters", text.chars().count()),
            Self::File(file) => format!("the file '{}'", file.name),
            Self::Choice { .. } => "a choice".to_owned(),
        }
    }
}

/// A message as parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    /// At least one; a message of nothing is one blank text.
    pub(crate) parts: Vec<Part>,
    /// What is sent in a lesser form, for a sentence.
    pub(crate) simplified: Vec<String>,
}

impl Carries {
    /// What to send for a message, in order: what was picked or written first, then the files.
    pub(crate) fn carry(&self, message: &UserMessage) -> Carried {
        let mut parts = Vec::new();
        let mut simplified = Vec::new();
        match (&message.choice, self.choices) {
            (Some(choice), As::Itself) => parts.push(Part::Choice {
                choice: choice.clone(),
                label: label(message, choice).to_owned(),
            }),
            (Some(choice), As::Text) => {
                simplified.push("a choice".to_owned());
                self.write(label(message, choice), &mut parts);
            }
            (None, _) => self.write(&message.text, &mut parts),
        }
        for file in &message.attachments {
            match self.files {
                As::Itself => parts.push(Part::File(file.clone())),
                As::Text => {
                    simplified.push(format!("the file '{}'", file.name));
                    self.write(&file.as_text(), &mut parts);
                }
            }
        }
        if parts.is_empty() {
            parts.push(Part::Text(String::new()));
        }
        Carried { parts, simplified }
    }

    fn write(&self, text: &str, parts: &mut Vec<Part>) {
        if !text.trim().is_empty() {
            parts.extend(split(text, self.text).into_iter().map(Part::Text));
        }
    }
}

fn label<'a>(message: &'a UserMessage, choice: &'a Choice) -> &'a str {
    if message.text.trim().is_empty() {
        &choice.payload
    } else {
        &message.text
    }
}

/// Notes that a message of the user's was sent in a lesser form. `key` is the message's.
pub(crate) fn simplified_out(key: &str, what: &[String], news: &mut News) {
    if !what.is_empty() {
        let what = what.join(", ");
        news.notice(
            format!("say/{key}/simplified"),
            "genesys.content_simplified",
            format!(
                "{what} went to the agent as text: this transport has no form of its own for it."
            ),
        );
    }
}

/// Notes that a message of the agent side's is shown in a lesser form. `message` is its id.
pub(crate) fn simplified_in(message: &str, kinds: &[String], shown: bool, news: &mut News) {
    if !kinds.is_empty() {
        let kinds = kinds.join(", ");
        let how = if shown {
            "was shown to the user as plain text"
        } else {
            "has nothing in it that could be shown to the user"
        };
        news.notice(
            format!("message/{message}/simplified"),
            "genesys.content_simplified",
            format!("A message with {kinds} {how}: channels have no form of their own for it."),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::length;
    use handoff_engine::content::ChoiceKind;
    use proptest::prelude::*;

    fn file(name: &str) -> Attachment {
        Attachment {
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            url: format!("https://files.example/{name}"),
            size: None,
        }
    }

    fn choice() -> Choice {
        Choice {
            kind: ChoiceKind::QuickReply,
            payload: "YES".to_owned(),
            message: "m-1".to_owned(),
        }
    }

    #[test]
    fn what_a_wire_has_no_form_for_is_sent_as_text_and_said_to_be() {
        let message = UserMessage {
            text: "Yes".to_owned(),
            attachments: vec![file("a.png")],
            choice: Some(choice()),
        };
        let carried = WEB_CHAT.carry(&message);
        let link = "a.png: https://files.example/a.png".to_owned();
        assert_eq!(
            carried.parts,
            [Part::Text("Yes".to_owned()), Part::Text(link)]
        );
        assert_eq!(carried.simplified, ["a choice", "the file 'a.png'"]);
        let whole = OPEN_MESSAGING.carry(&message);
        assert!(matches!(
            whole.parts.as_slice(),
            [Part::Choice { .. }, Part::File(_)]
        ));
        assert_eq!(whole.simplified, Vec::<String>::new());
    }

    #[test]
    fn the_readme_shows_the_table() {
        use handoff_engine::handoff::TransportKind;
        let mut table =
            String::from("| | Text in one message | Files | Choices |\n|---|---|---|---|\n");
        for kind in TransportKind::ALL {
            let carries = match kind {
                TransportKind::EngageChatV2 => ENGAGE,
                TransportKind::CloudWebchat => WEB_CHAT,
                TransportKind::CloudWebMessaging => WEB_MESSAGING,
                TransportKind::CloudOpenMessaging => OPEN_MESSAGING,
            };
            let form = |form, itself, text| match form {
                As::Itself => itself,
                As::Text => text,
            };
            let files = form(carries.files, "as files", "name and address as text");
            let choices = form(carries.choices, "as choices", "label as text");
            table.push_str(&format!(
                "| {kind} | {} | {files} | {choices} |\n",
                carries.text
            ));
        }
        let readme = include_str!("../README.md");
        assert!(readme.contains(&table), "README.md should have:\n{table}");
    }

    #[test]
    fn a_choice_without_a_label_says_what_it_stands_for() {
        let message = UserMessage {
            choice: Some(choice()),
            ..UserMessage::default()
        };
        assert_eq!(ENGAGE.carry(&message).parts, [Part::Text("YES".to_owned())]);
    }

    proptest! {
        #[test]
        fn every_file_and_word_is_in_some_part_or_said_to_be_simplified(
            text in "[a-z ]{0,60}", files in prop::collection::vec("[a-z]{1,8}", 0..3),
            itself in any::<bool>(), limit in 4_usize..40,
        ) {
            let files: Vec<_> = files.iter().map(|name| file(name)).collect();
            let form = if itself { As::Itself } else { As::Text };
            let carries = Carries { text: limit, files: form, choices: form };
            let message = UserMessage { text: text.clone(), attachments: files.clone(), choice: None };
            let carried = carries.carry(&message);
            prop_assert!(!carried.parts.is_empty());
            let mut texts = String::new();
            let mut sent = 0;
            for part in &carried.parts {
                match part {
                    Part::Text(text) => {
                        prop_assert!(length(text) <= limit);
                        texts.push_str(text);
                    }
                    Part::File(_) => sent += 1,
                    Part::Choice { .. } => prop_assert!(false),
                }
            }
            prop_assert_eq!(sent + carried.simplified.len(), files.len());
            let solid = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert!(solid(&texts).starts_with(&solid(&text)));
        }
    }
}
