//! Files, and things to choose from.

use handoff_engine::content::{
    Action, Attachment, Card, Choice, ChoiceKind, Content, DatePicker, QuickReply, Receipt,
    TimeSlot,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attachment)]
pub(in crate::http) struct AttachmentJson {
    /// File name, with its extension.
    name: String,
    /// Media type.
    #[schema(example = "image/png")]
    mime: String,
    /// Where the bytes are.
    url: String,
    /// How many, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

/// What comes with a message, or instead of a text.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
#[schema(as = Content)]
pub(in crate::http) enum ContentJson {
    /// A file or an image.
    Attachment(AttachmentJson),
    /// Answers to pick one from.
    QuickReplies {
        /// The answers.
        replies: Vec<QuickReplyJson>,
    },
    /// A card.
    Card(CardJson),
    /// Cards side by side.
    Carousel {
        /// The cards.
        cards: Vec<CardJson>,
    },
    /// Times to pick one from.
    DatePicker(DatePickerJson),
}

/// An answer to pick.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = QuickReply)]
pub(in crate::http) struct QuickReplyJson {
    /// What the user sees.
    text: String,
    /// What a choice of it names.
    payload: String,
}

/// A title with a picture and buttons.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Card)]
pub(in crate::http) struct CardJson {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// What a click on the card itself does.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_action: Option<ActionJson>,
    /// Its buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<ActionJson>,
}

/// What a button does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
#[schema(as = Action)]
pub(in crate::http) enum ActionJson {
    /// Opens an address.
    Link {
        /// What the user sees.
        text: String,
        /// The address.
        url: String,
    },
    /// Is a choice.
    Postback {
        /// What the user sees.
        text: String,
        /// What a choice of it names.
        payload: String,
    },
}

/// Times to pick one from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DatePicker)]
pub(in crate::http) struct DatePickerJson {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subtitle: Option<String>,
    /// Address of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    times: Vec<TimeSlotJson>,
}

/// A time to pick.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TimeSlot)]
pub(in crate::http) struct TimeSlotJson {
    /// When, in ISO 8601; what a choice of it names.
    at: String,
    /// How long, in seconds.
    duration_s: u32,
}

/// Something picked out of a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Choice)]
pub(in crate::http) struct ChoiceJson {
    kind: ChoiceKindJson,
    /// Of what was picked.
    payload: String,
    /// `message` of the event that offered it.
    message: String,
}

/// What kind of thing was picked.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChoiceKind)]
pub(in crate::http) enum ChoiceKindJson {
    /// One of the quick replies.
    QuickReply,
    /// A postback of a card.
    Button,
    /// A time of a date picker.
    DatePicker,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Receipt)]
pub(in crate::http) enum ReceiptJson {
    /// It arrived.
    Delivered,
    /// It was seen.
    Read,
    /// It will not arrive, or cannot be shown.
    Failed,
}

impl From<Attachment> for AttachmentJson {
    fn from(from: Attachment) -> Self {
        let Attachment {
            name,
            mime,
            url,
            size,
        } = from;
        Self {
            name,
            mime,
            url,
            size,
        }
    }
}

impl From<Content> for ContentJson {
    fn from(from: Content) -> Self {
        match from {
            Content::Attachment(attachment) => Self::Attachment(attachment.into()),
            Content::QuickReplies { replies } => Self::QuickReplies {
                replies: all(replies),
            },
            Content::Card(card) => Self::Card(card.into()),
            Content::Carousel { cards } => Self::Carousel { cards: all(cards) },
            Content::DatePicker(picker) => Self::DatePicker(picker.into()),
        }
    }
}

fn all<A, B: From<A>>(from: Vec<A>) -> Vec<B> {
    from.into_iter().map(B::from).collect()
}

impl From<QuickReply> for QuickReplyJson {
    fn from(from: QuickReply) -> Self {
        let QuickReply { text, payload } = from;
        Self { text, payload }
    }
}

impl From<Card> for CardJson {
    fn from(from: Card) -> Self {
        Self {
            title: from.title,
            description: from.description,
            image: from.image,
            default_action: from.default_action.map(ActionJson::from),
            actions: all(from.actions),
        }
    }
}

impl From<Action> for ActionJson {
    fn from(from: Action) -> Self {
        match from {
            Action::Link { text, url } => Self::Link { text, url },
            Action::Postback { text, payload } => Self::Postback { text, payload },
        }
    }
}

impl From<DatePicker> for DatePickerJson {
    fn from(from: DatePicker) -> Self {
        Self {
            title: from.title,
            subtitle: from.subtitle,
            image: from.image,
            times: all(from.times),
        }
    }
}

impl From<TimeSlot> for TimeSlotJson {
    fn from(from: TimeSlot) -> Self {
        let TimeSlot { at, duration_s } = from;
        Self { at, duration_s }
    }
}

impl From<ChoiceJson> for Choice {
    fn from(from: ChoiceJson) -> Self {
        Self {
            kind: match from.kind {
                ChoiceKindJson::QuickReply => ChoiceKind::QuickReply,
                ChoiceKindJson::Button => ChoiceKind::Button,
                ChoiceKindJson::DatePicker => ChoiceKind::DatePicker,
            },
            payload: from.payload,
            message: from.message,
        }
    }
}

impl From<Receipt> for ReceiptJson {
    fn from(from: Receipt) -> Self {
        match from {
            Receipt::Delivered => Self::Delivered,
            Receipt::Read => Self::Read,
            Receipt::Failed => Self::Failed,
        }
    }
}

impl From<ReceiptJson> for Receipt {
    fn from(from: ReceiptJson) -> Self {
        match from {
            ReceiptJson::Delivered => Self::Delivered,
            ReceiptJson::Read => Self::Read,
            ReceiptJson::Failed => Self::Failed,
        }
    }
}
