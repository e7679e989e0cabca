//! What people say besides plain text: files, and things to choose from.
//!
//! These are the words of every channel and transport. A transport that cannot carry one of them
//! sends [`Content::as_text`] or [`UserMessage::as_text`] instead and says so in a notice; nothing is
//! dropped in silence.

use serde::{Deserialize, Serialize};

/// A file or an image. The bytes are wherever the address says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// File name, with its extension.
    pub name: String,
    /// Media type, for example `image/png`.
    pub mime: String,
    /// Where the bytes are.
    pub url: String,
    /// How many, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

impl Attachment {
    /// Whether it is an image.
    #[must_use]
    pub fn is_image(&self) -> bool {
        self.mime.starts_with("image/")
    }

    /// Name and address.
    #[must_use]
    pub fn as_text(&self) -> String {
        match (self.name.is_empty(), self.url.is_empty()) {
            (false, false) => format!("{}: {}", self.name, self.url),
            (true, _) => self.url.clone(),
            (_, true) => self.name.clone(),
        }
    }
}

/// What the agent side shows the user, beside or instead of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Content {
    /// A file or an image.
    Attachment(Attachment),
    /// Answers to pick one from.
    QuickReplies {
        /// The answers.
        replies: Vec<QuickReply>,
    },
    /// One card.
    Card(Card),
    /// Cards side by side.
    Carousel {
        /// The cards.
        cards: Vec<Card>,
    },
    /// Times to pick one from.
    DatePicker(DatePicker),
}

/// An answer the user can pick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuickReply {
    /// What the user sees.
    pub text: String,
    /// What the agent side gets back.
    pub payload: String,
}

/// A title with a picture and buttons.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Card {
    /// Title.
    pub title: String,
    /// Text below the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What a click on the card itself does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_action: Option<Action>,
    /// Its buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
}

/// What a button does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Action {
    /// Opens an address.
    Link {
        /// What the user sees.
        text: String,
        /// The address.
        url: String,
    },
    /// Answers the agent side.
    Postback {
        /// What the user sees.
        text: String,
        /// What the agent side gets back.
        payload: String,
    },
}

/// Times to pick one from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DatePicker {
    /// Title.
    pub title: String,
    /// Text below the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtitle: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The times.
    pub times: Vec<TimeSlot>,
}

/// A time the user can pick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeSlot {
    /// When, as the platform writes it: ISO 8601.
    pub at: String,
    /// How long, in seconds.
    pub duration_s: u32,
}

impl Content {
    /// What it is called, as Genesys calls it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Attachment(_) => "Attachment",
            Self::QuickReplies { .. } => "QuickReply",
            Self::Card(_) => "Card",
            Self::Carousel { .. } => "Carousel",
            Self::DatePicker(_) => "DatePicker",
        }
    }

    /// The nearest that plain text comes to it, one line per part.
    #[must_use]
    pub fn as_text(&self) -> String {
        let lines = match self {
            Self::Attachment(attachment) => vec![attachment.as_text()],
            Self::QuickReplies { replies } => {
                replies.iter().map(|it| format!("- {}", it.text)).collect()
            }
            Self::Card(card) => card.lines(),
            Self::Carousel { cards } => cards.iter().flat_map(Card::lines).collect(),
            Self::DatePicker(picker) => picker.lines(),
        };
        let filled: Vec<_> = lines.into_iter().filter(|it| !it.is_empty()).collect();
        filled.join("\n")
    }

    /// What the user can pick from it: the label, and the choice it stands for without the id of
    /// the message it was shown in.
    pub fn choices(&self) -> impl Iterator<Item = (&str, ChoiceKind, &str)> {
        let mut all = Vec::new();
        match self {
            Self::Attachment(_) => {}
            Self::QuickReplies { replies } => all.extend(replies.iter().map(|reply| {
                let payload = reply.payload.as_str();
                (reply.text.as_str(), ChoiceKind::QuickReply, payload)
            })),
            Self::Card(card) => all.extend(card.choices()),
            Self::Carousel { cards } => all.extend(cards.iter().flat_map(Card::choices)),
            Self::DatePicker(picker) => all.extend(picker.times.iter().map(|slot| {
                let at = slot.at.as_str();
                (at, ChoiceKind::DatePicker, at)
            })),
        }
        all.into_iter()
    }
}

/// A text and what comes with it, as plain text.
#[must_use]
pub fn all_as_text(text: &str, content: &[Content]) -> String {
    let parts = std::iter::once(text.to_owned()).chain(content.iter().map(Content::as_text));
    let filled: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    filled.join("\n")
}

impl Card {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            self.title.clone(),
            self.description.clone().unwrap_or_default(),
        ];
        let actions = self.actions.iter().chain(&self.default_action);
        lines.extend(actions.map(|action| match action {
            Action::Link { text, url } if text.is_empty() => url.clone(),
            Action::Link { text, url } => format!("{text}: {url}"),
            Action::Postback { text, .. } => format!("- {text}"),
        }));
        lines
    }

    fn choices(&self) -> impl Iterator<Item = (&str, ChoiceKind, &str)> {
        let actions = self.actions.iter().chain(&self.default_action);
        actions.filter_map(|action| match action {
            Action::Postback { text, payload } => {
                Some((text.as_str(), ChoiceKind::Button, payload.as_str()))
            }
            Action::Link { .. } => None,
        })
    }
}

impl DatePicker {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            self.title.clone(),
            self.subtitle.clone().unwrap_or_default(),
        ];
        lines.extend(self.times.iter().map(|slot| format!("- {}", slot.at)));
        lines
    }
}

/// What the user says: text, files, or one of the things there were to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserMessage {
    /// Plain text. May be empty if there is something else.
    pub text: String,
    /// Files and images.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What was picked; the text is then its label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

/// Something the user picked out of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Choice {
    /// What kind of thing.
    pub kind: ChoiceKind,
    /// What the agent side gets back.
    pub payload: String,
    /// The platform's id of the message it was shown in.
    pub message: String,
}

/// What kind of thing was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChoiceKind {
    /// A quick reply.
    QuickReply,
    /// A button of a card.
    Button,
    /// A time of a date picker.
    DatePicker,
}

impl UserMessage {
    /// A message of nothing but text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// What the user says by picking what a message offers under a label; none if it offers no such
    /// thing. `message` is the platform's id of it.
    #[must_use]
    pub fn picking(label: &str, content: &[Content], message: &str) -> Option<Self> {
        let mut choices = content.iter().flat_map(Content::choices);
        let (text, kind, payload) = choices.find(|(text, ..)| *text == label)?;
        Some(Self {
            text: text.to_owned(),
            attachments: Vec::new(),
            choice: Some(Choice {
                kind,
                payload: payload.to_owned(),
                message: message.to_owned(),
            }),
        })
    }

    /// The text, and name and address of each file.
    #[must_use]
    pub fn as_text(&self) -> String {
        let files = self.attachments.iter().map(Attachment::as_text);
        let parts = std::iter::once(self.text.clone()).chain(files);
        let filled: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
        filled.join("\n")
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty() && self.attachments.is_empty() && self.choice.is_none()
    }
}

impl From<&str> for UserMessage {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Receipt {
    /// It arrived.
    Delivered,
    /// It was seen.
    Read,
    /// It will not arrive.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_carousel_reads_as_lines() {
        let card = |title: &str, action| Card {
            title: title.to_owned(),
            actions: vec![action],
            ..Card::default()
        };
        let pick = Action::Postback {
            text: "Take it".to_owned(),
            payload: "s".to_owned(),
        };
        let more = Action::Link {
            text: "More".to_owned(),
            url: "https://x.example".to_owned(),
        };
        let carousel = Content::Carousel {
            cards: vec![card("Small", pick), card("Large", more)],
        };
        assert_eq!(
            all_as_text("Pick one", std::slice::from_ref(&carousel)),
            "Pick one\nSmall\n- Take it\nLarge\nMore: https://x.example"
        );
        let choices: Vec<_> = carousel.choices().collect();
        assert_eq!(choices, [("Take it", ChoiceKind::Button, "s")]);
    }

    #[test]
    fn a_message_is_blank_only_if_it_has_no_file_and_no_choice_either() {
        assert!(UserMessage::text(" \n").is_blank());
        let file = Attachment {
            name: "a.png".to_owned(),
            mime: "image/png".to_owned(),
            url: "https://x.example/a".to_owned(),
            size: None,
        };
        let message = UserMessage {
            attachments: vec![file],
            ..UserMessage::default()
        };
        assert!(!message.is_blank());
        assert_eq!(message.as_text(), "a.png: https://x.example/a");
    }
}
