//! Rich content as plain text: the nearest thing a text channel can show.
//!
//! Each kind of content has one line in the table below. Nothing is dropped without being said: what
//! had to be simplified is named, so that the caller can note it.

use super::wire::Outbound;
use serde_json::Value;

/// A message as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) text: String,
    /// The kinds of content that are shown in a lesser form.
    pub(super) simplified: Vec<String>,
}

/// The text of a message and of whatever it carries.
pub(super) fn plain(message: &Outbound) -> Plain {
    let mut lines: Vec<String> = message
        .text
        .iter()
        .map(|text| text.trim().to_owned())
        .collect();
    let mut simplified = Vec::new();
    for item in &message.content {
        let kind = item["contentType"].as_str().unwrap_or("Unknown");
        lines.extend(lines_of(kind, item));
        simplified.push(kind.to_owned());
    }
    lines.retain(|line| !line.is_empty());
    lines.dedup();
    simplified.dedup();
    Plain {
        text: lines.join("\n"),
        simplified,
    }
}

fn lines_of(kind: &str, item: &Value) -> Vec<String> {
    match kind {
        "Attachment" => vec![link(&item["attachment"], "filename", "url")],
        "QuickReply" => vec![bullet(&item["quickReply"]["text"])],
        "ButtonResponse" => vec![text(&item["buttonResponse"]["text"])],
        "Card" => card(&item["card"]),
        "Carousel" => each(&item["carousel"]["cards"]).flat_map(card).collect(),
        "DatePicker" => date_picker(&item["datePicker"]),
        "ListPicker" => titles(&item["listPicker"]),
        "Notification" => template(&item["template"]),
        "GenericTemplate" => titles(&item["generic"]),
        _ => Vec::new(),
    }
}

fn card(card: &Value) -> Vec<String> {
    let mut lines = titles(card);
    for action in each(&card["actions"]).chain(card.get("defaultAction")) {
        lines.push(if action["url"].is_string() {
            link(action, "text", "url")
        } else {
            bullet(&action["text"])
        });
    }
    lines
}

fn date_picker(picker: &Value) -> Vec<String> {
    let mut lines = titles(picker);
    lines.extend(each(&picker["availableTimes"]).map(|time| bullet(&time["dateTime"])));
    lines
}

fn template(template: &Value) -> Vec<String> {
    ["header", "body", "footer"]
        .iter()
        .map(|part| text(&template[part]["text"]))
        .collect()
}

fn titles(value: &Value) -> Vec<String> {
    ["title", "subtitle", "description"]
        .iter()
        .map(|name| text(&value[name]))
        .collect()
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim().to_owned()
}

fn bullet(value: &Value) -> String {
    let text = text(value);
    if text.is_empty() {
        text
    } else {
        format!("- {text}")
    }
}

fn link(value: &Value, name: &str, url: &str) -> String {
    let (name, url) = (text(&value[name]), text(&value[url]));
    match (name.is_empty(), url.is_empty()) {
        (false, false) => format!("{name}: {url}"),
        (true, false) => url,
        (_, true) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn shown(body: Value) -> Plain {
        plain(&serde_json::from_value(body).expect("a message"))
    }

    #[test]
    fn a_carousel_becomes_lines_and_is_said_to_be_simplified() {
        let plain = shown(
            json!({"id": "m", "type": "Structured", "text": "Pick one", "content": [
                {"contentType": "Carousel", "carousel": {"cards": [
                    {"title": "Small", "description": "1 GB", "actions": [{"type": "Postback", "text": "Take it"}]},
                    {"title": "Large", "actions": [{"type": "Link", "text": "More", "url": "https://x.example"}]},
                ]}},
            ]}),
        );
        assert_eq!(
            plain.text,
            "Pick one\nSmall\n1 GB\n- Take it\nLarge\nMore: https://x.example"
        );
        assert_eq!(plain.simplified, ["Carousel"]);
    }

    #[test]
    fn an_attachment_becomes_its_name_and_address() {
        let plain = shown(json!({"content": [{"contentType": "Attachment",
            "attachment": {"filename": "a.png", "url": "https://files.example/a"}}]}));
        assert_eq!(plain.text, "a.png: https://files.example/a");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        let name = prop_oneof![
            Just("contentType".to_owned()),
            Just("card".to_owned()),
            Just("carousel".to_owned()),
            Just("cards".to_owned()),
            Just("actions".to_owned()),
            "[a-z]{1,6}",
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_content_comes_it_becomes_text(content in prop::collection::vec(any_json(), 0..4)) {
            let message = Outbound { content, ..Outbound::default() };
            let shown = plain(&message);
            prop_assert!(shown.simplified.len() <= message.content.len());
        }
    }
}
