//! What stands in place of what is private.
//!
//! The same value has the same number wherever it appears in a timeline, so that one can follow it
//! without knowing it. Numbers are given in order of appearance: unlike a digest, nobody can try out
//! what a value may have been.

use handoff_engine::content::{Attachment, Content, all_as_text};
use handoff_engine::handoff::Agent;
use serde_json::{Value, json};
use std::collections::HashMap;

/// How much a timeline tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redaction {
    /// What people said and who they are is replaced.
    #[default]
    Private,
    /// Texts, names and values are shown. Handles and keys are not.
    Revealed,
}

/// Replaces values, each by the same placeholder throughout.
#[derive(Debug)]
pub(super) struct Redactor {
    redaction: Redaction,
    values: HashMap<String, usize>,
    agents: HashMap<String, usize>,
}

impl Redactor {
    pub(super) fn new(redaction: Redaction) -> Self {
        Self {
            redaction,
            values: HashMap::new(),
            agents: HashMap::new(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.redaction == Redaction::Revealed
    }

    /// Something that somebody typed, or that may quote it.
    pub(super) fn text(&mut self, text: &str) -> String {
        if self.is_open() || text.is_empty() {
            return text.to_owned();
        }
        let number = self.number(text);
        let length = text.chars().count();
        let unit = if length == 1 {
            "character"
        } else {
            "characters"
        };
        format!("[text {number}, {length} {unit}]")
    }

    /// A value of the context.
    pub(super) fn value(&mut self, value: &Value) -> Value {
        if self.is_open() {
            return value.clone();
        }
        match value {
            Value::Null => Value::Null,
            Value::String(text) => self.text(text).into(),
            other => {
                let number = self.number(&other.to_string());
                let kind = match other {
                    Value::Bool(_) => "boolean",
                    Value::Number(_) => "number",
                    Value::Array(_) => "array",
                    _ => "object",
                };
                format!("[{kind} {number}]").into()
            }
        }
    }

    /// An agent, as owners and speakers are called.
    pub(super) fn agent(&mut self, name: &str) -> String {
        if self.is_open() {
            return format!("agent {name}");
        }
        let next = self.agents.len() + 1;
        let number = self.agents.entry(name.to_owned()).or_insert(next);
        format!("agent {number}")
    }

    /// An agent with the platform's id.
    pub(super) fn agent_with_id(&mut self, agent: &Agent) -> Value {
        let Agent { id, name } = agent;
        json!({"id": id, "name": self.agent(name)})
    }

    /// A file. Its address is left out always: whoever has it can fetch the file.
    pub(super) fn file(&mut self, file: &Attachment) -> Value {
        let Attachment {
            name,
            mime,
            url: _,
            size,
        } = file;
        json!({"name": self.text(name), "mime": self.media_type(mime), "size": size})
    }

    /// A media type as far as it is one of the usual: the sender chose it, as well as the name.
    fn media_type(&mut self, mime: &str) -> String {
        const USUAL: [&str; 5] = ["application", "audio", "image", "text", "video"];
        match mime.split_once('/') {
            Some((usual, _)) if !self.is_open() && USUAL.contains(&usual) => format!("{usual}/…"),
            _ => self.text(mime),
        }
    }

    /// What comes with a message.
    pub(super) fn content(&mut self, content: &Content) -> Value {
        match content {
            Content::Attachment(file) => json!({"kind": content.name(), "file": self.file(file)}),
            Content::QuickReplies { .. }
            | Content::Card(_)
            | Content::Carousel { .. }
            | Content::DatePicker(_) => {
                let text = all_as_text("", std::slice::from_ref(content));
                json!({"kind": content.name(), "text": self.text(&text)})
            }
        }
    }

    fn number(&mut self, value: &str) -> usize {
        let next = self.values.len() + 1;
        *self.values.entry(value.to_owned()).or_insert(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_has_the_same_placeholder_and_another_has_another() {
        let mut redactor = Redactor::new(Redaction::Private);
        assert_eq!(redactor.text("Ana"), "[text 1, 3 characters]");
        assert_eq!(redactor.text("Bea"), "[text 2, 3 characters]");
        assert_eq!(redactor.value(&json!("Ana")), "[text 1, 3 characters]");
        assert_eq!(redactor.value(&json!({"Ana": 1})), "[object 3]");
        assert_eq!(redactor.value(&json!(null)), Value::Null);
        assert_eq!(redactor.agent("Kim"), "agent 1");
        assert_eq!(redactor.agent("Lee"), "agent 2");
        assert_eq!(redactor.agent("Kim"), "agent 1");
    }

    #[test]
    fn revealed_texts_are_shown_and_addresses_of_files_are_not() {
        let mut redactor = Redactor::new(Redaction::Revealed);
        let file = Attachment {
            name: "bill.pdf".to_owned(),
            mime: "application/pdf".to_owned(),
            url: "https://bots.example.org/v1/media/secret/bill.pdf".to_owned(),
            size: Some(4),
        };
        assert_eq!(redactor.text("Ana"), "Ana");
        assert_eq!(
            redactor.content(&Content::Attachment(file)),
            json!({"kind": "Attachment",
                   "file": {"name": "bill.pdf", "mime": "application/pdf", "size": 4}})
        );
    }
}
