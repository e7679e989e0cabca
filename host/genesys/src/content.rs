//! Structured content of Genesys Cloud messages, read into the words of every channel.
//!
//! Web Messaging and Open Messaging share the shapes (PROTOCOLS 3.6, 4.3). Kinds that channels have no
//! form for (lists, forms, templates, and whatever is new) become lines of text and are named, so that
//! the caller can note it with [`crate::carry::simplified_in`]. Nothing is dropped without being said.

use handoff_engine::content::{
    Action, Attachment, Card, Content, DatePicker, QuickReply, TimeSlot,
};
use serde_json::Value;

/// A message as channels show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) content: Vec<Content>,
    /// The kinds of content that became text.
    pub(crate) simplified: Vec<String>,
}

impl Shown {
    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.content.is_empty()
    }
}

/// The text of a message and whatever it carries.
pub(crate) fn shown(text: Option<&str>, items: &[Value]) -> Shown {
    let mut lines: Vec<_> = text.map(str::trim).into_iter().map(str::to_owned).collect();
    let mut content = Vec::new();
    let mut simplified = Vec::new();
    for item in items {
        let kind = item["contentType"].as_str().unwrap_or("Unknown");
        match (read(kind, item), content.last_mut()) {
            // Each reply is an item of its own; together they are one thing to choose from.
            (
                Some(Content::QuickReplies { replies }),
                Some(Content::QuickReplies { replies: known }),
            ) => known.extend(replies),
            (Some(readable), _) => content.push(readable),
            (None, _) => {
                lines.extend(lines_of(kind, item));
                simplified.push(kind.to_owned());
            }
        }
    }
    lines.retain(|line| !line.is_empty());
    lines.dedup();
    simplified.dedup();
    Shown {
        text: lines.join("\n"),
        content,
        simplified,
    }
}

/// An item, if channels have a form for it and it has what that form needs.
fn read(kind: &str, item: &Value) -> Option<Content> {
    Some(match kind {
        "Attachment" => Content::Attachment(attachment(&item["attachment"])?),
        "QuickReply" => {
            let reply = &item["quickReply"];
            let text = filled(&reply["text"])?;
            let payload = filled(&reply["payload"]).unwrap_or_else(|| text.clone());
            let replies = vec![QuickReply { text, payload }];
            Content::QuickReplies { replies }
        }
        "Card" => Content::Card(card(&item["card"])?),
        "Carousel" => {
            let cards: Vec<_> = each(&item["carousel"]["cards"]).filter_map(card).collect();
            if cards.is_empty() {
                return None;
            }
            Content::Carousel { cards }
        }
        "DatePicker" => Content::DatePicker(date_picker(&item["datePicker"])?),
        _ => return None,
    })
}

fn attachment(it: &Value) -> Option<Attachment> {
    let url = filled(&it["url"])?;
    let name = filled(&it["filename"]).unwrap_or_else(|| last_segment(&url).to_owned());
    let any = match it["mediaType"].as_str() {
        Some("Image") => "image/*",
        Some("Video") => "video/*",
        Some("Audio") => "audio/*",
        _ => "application/octet-stream",
    };
    Some(Attachment {
        name,
        mime: filled(&it["mime"]).unwrap_or_else(|| any.to_owned()),
        size: it["contentSizeBytes"]
            .as_u64()
            .or_else(|| it["fileSize"].as_u64()),
        url,
    })
}

fn last_segment(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

fn card(it: &Value) -> Option<Card> {
    let card = Card {
        title: text(&it["title"]),
        description: filled(&it["description"]),
        image: filled(&it["image"]),
        default_action: action(&it["defaultAction"]),
        actions: each(&it["actions"]).filter_map(action).collect(),
    };
    (card != Card::default()).then_some(card)
}

fn action(it: &Value) -> Option<Action> {
    let label = text(&it["text"]);
    if let Some(url) = filled(&it["url"]) {
        return Some(Action::Link { text: label, url });
    }
    let payload = filled(&it["payload"]).or_else(|| filled(&it["text"]))?;
    Some(Action::Postback {
        text: label,
        payload,
    })
}

fn date_picker(it: &Value) -> Option<DatePicker> {
    let times: Vec<_> = each(&it["availableTimes"]).filter_map(slot).collect();
    (!times.is_empty()).then(|| DatePicker {
        title: text(&it["title"]),
        subtitle: filled(&it["subtitle"]),
        image: filled(&it["imageUrl"]),
        times,
    })
}

fn slot(it: &Value) -> Option<TimeSlot> {
    let duration = it["duration"].as_u64().unwrap_or_default();
    Some(TimeSlot {
        at: filled(&it["dateTime"])?,
        duration_s: u32::try_from(duration).unwrap_or(u32::MAX),
    })
}

/// What text there is in content that channels have no form for.
fn lines_of(kind: &str, item: &Value) -> Vec<String> {
    match kind {
        "ButtonResponse" => vec![text(&item["buttonResponse"]["text"])],
        "ListPicker" => list(&item["listPicker"]),
        "GenericTemplate" => list(&item["generic"]),
        "Form" => [
            titles(&item["form"]["introduction"]),
            titles(&item["form"]["receivedMessage"]),
        ]
        .concat(),
        "DatePicker" => titles(&item["datePicker"]),
        "Notification" => ["header", "body", "footer"]
            .iter()
            .map(|part| text(&item["template"][part]["text"]))
            .collect(),
        "Attachment" => vec![text(&item["attachment"]["filename"])],
        _ => Vec::new(),
    }
}

fn list(it: &Value) -> Vec<String> {
    let mut lines = [titles(it), titles(&it["receivedMessage"])].concat();
    for section in each(&it["sections"]) {
        lines.push(text(&section["title"]));
        lines.extend(each(&section["items"]).filter_map(bullet));
    }
    lines.extend(each(&it["components"]).filter_map(bullet));
    lines
}

fn bullet(it: &Value) -> Option<String> {
    let label = filled(&it["title"]).or_else(|| filled(&it["text"]))?;
    Some(format!("- {label}"))
}

fn titles(it: &Value) -> Vec<String> {
    ["title", "subtitle", "description"]
        .iter()
        .map(|name| text(&it[name]))
        .collect()
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim().to_owned()
}

fn filled(value: &Value) -> Option<String> {
    Some(text(value)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_carousel_stays_a_carousel() {
        let items = [json!({"contentType": "Carousel", "carousel": {"cards": [
            {"title": "Small", "description": "1 GB", "actions": [{"type": "Postback", "text": "Take it", "payload": "s"}]},
            {"title": "Large", "actions": [{"type": "Link", "text": "More", "url": "https://x.example"}]},
        ]}})];
        let shown = shown(Some("Pick one"), &items);
        assert_eq!(shown.text, "Pick one");
        assert_eq!(shown.simplified, Vec::<String>::new());
        assert_eq!(
            shown.content[0].as_text(),
            "Small\n1 GB\n- Take it\nLarge\nMore: https://x.example"
        );
    }

    #[test]
    fn quick_replies_become_one_thing_to_choose_from() {
        let reply = |text: &str| json!({"contentType": "QuickReply", "quickReply": {"text": text, "payload": text.to_uppercase()}});
        let shown = shown(Some("Sure?"), &[reply("Yes"), reply("No")]);
        let [Content::QuickReplies { replies }] = shown.content.as_slice() else {
            panic!("{shown:?}")
        };
        let payloads: Vec<_> = replies.iter().map(|it| it.payload.as_str()).collect();
        assert_eq!(payloads, ["YES", "NO"]);
    }

    #[test]
    fn an_attachment_keeps_what_is_known_of_it() {
        let items = [json!({"contentType": "Attachment", "attachment": {
            "mediaType": "Image", "url": "https://files.example/a.png?key=1", "contentSizeBytes": 7}})];
        let expected = Attachment {
            name: "a.png".to_owned(),
            mime: "image/*".to_owned(),
            url: "https://files.example/a.png?key=1".to_owned(),
            size: Some(7),
        };
        assert_eq!(shown(None, &items).content, [Content::Attachment(expected)]);
    }

    #[test]
    fn what_channels_have_no_form_for_becomes_lines_and_is_named() {
        let items = [json!({"contentType": "ListPicker", "listPicker": {
            "sections": [{"title": "Plans", "items": [{"title": "Small"}, {"title": "Large"}]}]}})];
        let shown = shown(None, &items);
        assert_eq!(shown.text, "Plans\n- Small\n- Large");
        assert_eq!(shown.simplified, ["ListPicker"]);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            prop::sample::select(vec![
                "Attachment",
                "QuickReply",
                "Card",
                "Carousel",
                "DatePicker",
                "Form"
            ])
            .prop_map(Value::from),
        ];
        let name = prop::sample::select(vec![
            "contentType",
            "attachment",
            "url",
            "quickReply",
            "text",
            "card",
            "carousel",
            "cards",
            "actions",
            "defaultAction",
            "datePicker",
            "availableTimes",
            "dateTime",
            "other",
        ]);
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_content_comes_it_is_shown_or_named(items in prop::collection::vec(any_json(), 0..4)) {
            let shown = shown(None, &items);
            prop_assert!(shown.content.len() + shown.simplified.len() <= items.len());
            prop_assert_eq!(shown.content.is_empty() && shown.simplified.is_empty(), items.is_empty());
        }
    }
}
