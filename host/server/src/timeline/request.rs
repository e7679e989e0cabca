//! What a handoff was asked for, without what people said.

use super::redaction::Redactor;
use handoff_engine::handoff::{
    HandoffMessages, Identity, IdentityField, IdleStep, QueueUpdates, Transcript, TransferOptions,
    TransferRequest,
};
use serde_json::{Map, Value, json};

impl Redactor {
    pub(super) fn request(&mut self, request: &TransferRequest) -> Value {
        let TransferRequest {
            account,
            target,
            options,
            opening_text,
            transcript,
        } = request;
        let TransferOptions {
            identity,
            subject,
            priority,
            skills,
            language,
            competency,
            attributes,
            messages,
            transcript: how_much,
            no_agent_timeout_ms,
            user_end_command,
            queue_updates,
            user_idle,
        } = options;
        let idle: Vec<Value> = user_idle
            .iter()
            .map(
                |IdleStep {
                     after_ms,
                     text,
                     leave,
                 }| {
                    let text = text.as_ref().map(|text| self.text(text));
                    json!({"afterMs": after_ms, "text": text, "leave": leave})
                },
            )
            .collect();
        let lines: Vec<String> = transcript.iter().map(|line| self.text(line)).collect();
        let attributes: Map<String, Value> = attributes
            .iter()
            .map(|(name, value)| (name.clone(), self.text(value).into()))
            .collect();
        json!({
            "account": account,
            "target": target,
            "identity": self.identity(identity),
            "subject": subject.as_ref().map(|text| self.text(text)),
            "priority": priority,
            "skills": skills,
            "language": language,
            "competency": competency,
            "attributes": attributes,
            "messages": self.texts(messages),
            "transcript": match how_much {
                Transcript::None => json!("none"),
                Transcript::Full => json!("full"),
                Transcript::Last(lines) => json!({"last": lines}),
                Transcript::Text(text) => json!({"text": self.text(text)}),
            },
            "transcriptLines": lines,
            "openingText": opening_text.as_ref().map(|text| self.text(text)),
            "noAgentTimeoutMs": no_agent_timeout_ms,
            "userEndCommand": user_end_command.as_ref().map(|text| self.text(text)),
            "queueUpdates": queue_updates.as_ref().map(|updates| self.queue_updates(updates)),
            "userIdle": idle,
        })
    }

    fn queue_updates(&mut self, updates: &QueueUpdates) -> Value {
        let QueueUpdates {
            text,
            otherwise,
            every_ms,
            max_position,
            max_wait_ms,
        } = updates;
        json!({
            "text": self.text(text),
            "otherwise": otherwise.as_ref().map(|text| self.text(text)),
            "everyMs": every_ms,
            "maxPosition": max_position,
            "maxWaitMs": max_wait_ms,
        })
    }

    fn identity(&mut self, identity: &Identity) -> Value {
        let fields = IdentityField::ALL.into_iter().filter_map(|field| {
            let value = identity.get(field)?;
            Some((field.as_str().to_owned(), self.text(value).into()))
        });
        Value::Object(fields.collect())
    }

    fn texts(&mut self, messages: &HandoffMessages) -> Value {
        let HandoffMessages {
            requested,
            assigned,
            agent_changed,
            agent_left,
            user_left,
            no_agent,
            farewell,
        } = messages;
        let all = [
            ("requested", requested),
            ("assigned", assigned),
            ("agentChanged", agent_changed),
            ("agentLeft", agent_left),
            ("userLeft", user_left),
            ("noAgent", no_agent),
            ("farewell", farewell),
        ];
        let given = all.into_iter().filter_map(|(name, text)| {
            let text = self.text(text.as_ref()?);
            Some((name.to_owned(), text.into()))
        });
        Value::Object(given.collect())
    }
}
