//! A contact centre in a few lines, as a guest sees it (PROTOCOLS 3).

use super::super::protocol::{Answer, Call};
use super::super::trouble::Trouble;
use super::super::wire::{Action, Configuration, Page, Request};
use crate::media::File;
use crate::platform::conversations::{Conversation, Participant};
use bytes::Bytes;
use handoff_engine::time::{Millis, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What the deployment is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ways {
    pub(super) auto_start: bool,
    pub(super) clear: bool,
    pub(super) read_only: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Session {
    /// Oldest first.
    pub(super) history: Vec<Value>,
    pub(super) read_only: bool,
    pub(super) expired: bool,
    pub(super) cleared: bool,
    recent: Vec<Timestamp>,
}

/// A contact centre with any number of sessions, of which one is spoken to.
pub(super) struct Centre {
    pub(super) ways: Ways,
    pub(super) sessions: BTreeMap<String, Session>,
    pub(super) current: String,
    /// Frames that are under way to the guest.
    pub(super) mail: Vec<String>,
    pub(super) attributes: Vec<BTreeMap<String, String>>,
    pub(super) agents_said: Vec<String>,
    pub(super) limited: usize,
    /// As the Platform API shows them.
    pub(super) participants: Vec<Participant>,
    /// Whether the customer was disconnected through the Platform API.
    pub(super) disconnected: bool,
    messages: usize,
    uploaded: Vec<String>,
}

impl Centre {
    pub(super) fn new(ways: Ways) -> Self {
        Self {
            ways,
            sessions: BTreeMap::new(),
            current: String::new(),
            mail: Vec::new(),
            attributes: Vec::new(),
            agents_said: Vec::new(),
            limited: 0,
            participants: Vec::new(),
            disconnected: false,
            messages: 0,
            uploaded: Vec::new(),
        }
    }

    pub(super) fn session(&mut self) -> &mut Session {
        self.sessions.entry(self.current.clone()).or_default()
    }

    fn post(&mut self, frame: &Value) {
        self.mail.push(frame.to_string());
    }

    fn respond(&mut self, class: &str, tracing: &Value, body: &Value) {
        self.post(&json!({
            "type": "response", "class": class, "code": 200, "body": body, "tracingId": tracing,
        }));
    }

    fn refuse(&mut self, code: u16, words: &str, tracing: &Value) {
        self.post(&json!({
            "type": "response", "class": "string", "code": code, "body": words, "tracingId": tracing,
        }));
    }

    /// Carries out a call.
    pub(super) fn take(&mut self, call: &Call, now: Timestamp) -> Result<Answer, Trouble> {
        Ok(match call {
            Call::Configuration => Answer::Configuration(Box::new(self.configuration())),
            Call::FindQueue(_) | Call::ListQueues => Answer::Queues(vec!["q".to_owned()]),
            Call::Connect => {
                self.mail.clear();
                Answer::Done
            }
            Call::Send(request) => {
                self.serve(request, now);
                Answer::Done
            }
            Call::History { page, .. } => Answer::Page(Box::new(self.page(*page))),
            Call::ReadFile(url) => Answer::File(File {
                name: url.clone(),
                mime: "image/png".to_owned(),
                bytes: Bytes::from_static(b"png"),
            }),
            Call::Put { url, .. } => {
                self.uploaded.push(url.clone());
                let body = json!({"attachmentId": url, "downloadUrl": "https://x.example"});
                self.post(&json!({"class": "UploadSuccessEvent", "code": 200, "body": body}));
                Answer::Done
            }
            Call::EstimatedWait { .. } => Answer::Wait(Some(Millis::from_secs(45))),
            Call::Name(_) => Answer::Name(None),
            Call::Look { .. } => Answer::Conversation(Box::new(Conversation {
                participants: self.participants.clone(),
            })),
            Call::Disconnect { .. } => {
                self.disconnected = true;
                Answer::Done
            }
            Call::Ping | Call::SetAttributes { .. } | Call::DisconnectAll { .. } => Answer::Done,
        })
    }

    fn configuration(&self) -> Configuration {
        let on = |enabled: bool| json!({"enabled": enabled});
        let configuration = json!({"status": "Active", "messenger": {
            "fileUpload": {"enableAttachments": true},
            "apps": {"conversations": {
                "autoStart": on(self.ways.auto_start), "showUserTypingIndicator": true,
                "conversationDisconnect": on(true), "conversationClear": on(self.ways.clear),
            }},
        }});
        serde_json::from_value(configuration).expect("a configuration")
    }

    fn page(&mut self, page: u32) -> Page {
        let mut history = self.session().history.clone();
        history.reverse();
        let pages = history.chunks(100).count();
        let at = page as usize - 1;
        let entities = history.chunks(100).nth(at).unwrap_or_default();
        let page = json!({"entities": entities, "pageCount": pages});
        serde_json::from_value(page).expect("a page")
    }

    fn serve(&mut self, request: &Request, now: Timestamp) {
        let frame = serde_json::to_value(request).expect("a request");
        let tracing = frame["tracingId"].clone();
        let token = frame["token"].as_str().unwrap_or_default().to_owned();
        match &request.action {
            Action::ConfigureSession { start_new, .. } => {
                let known = self.sessions.contains_key(&token);
                self.current = token;
                if known && !start_new && self.session().expired {
                    return self.respond("SessionExpiredEvent", &tracing, &json!({}));
                }
                if *start_new {
                    *self.session() = Session::default();
                }
                let session = self.session();
                let body = json!({
                    "connected": true, "newSession": !known || *start_new,
                    "readOnly": session.read_only, "maxCustomDataBytes": 2048,
                    "blockedExtensions": [".exe"],
                });
                self.respond("SessionResponse", &tracing, &body);
            }
            Action::CloseSession { .. } => {
                self.session().read_only = true;
                let body = json!({"connected": false, "readOnly": true});
                self.respond("SessionResponse", &tracing, &body);
            }
            Action::GetJwt => {
                let body = json!({"jwt": "j", "exp": now.0 / 1000 + 3600});
                self.respond("JwtResponse", &tracing, &body);
            }
            Action::OnAttachment { attachment_id, .. } => {
                let body = json!({"attachmentId": attachment_id, "url": attachment_id,
                    "headers": {"x-amz-tagging": "t"}});
                self.respond("PresignedUrlResponse", &tracing, &body);
            }
            Action::OnMessage { message } => {
                self.attributes.push(message.attributes());
                self.hear(&frame["message"], &tracing, now);
            }
        }
    }

    fn hear(&mut self, message: &Value, tracing: &Value, now: Timestamp) {
        if self.session().read_only {
            return self.refuse(409, "Session is read-only", tracing);
        }
        let recent = &mut self.session().recent;
        recent.retain(|at| now.since(*at) < Millis(1000));
        if recent.len() >= 2 {
            self.limited += 1;
            let body = json!({"retryAfter": 1, "errorCode": 4029, "errorMessage": "too fast"});
            return self.post(&json!({
                "class": "TooManyRequestsErrorMessage", "code": 429, "body": body,
                "tracingId": tracing,
            }));
        }
        recent.push(now);
        if message["events"][0]["presence"]["type"] == "Clear" {
            let session = self.session();
            session.history.clear();
            session.cleared = true;
            self.post(&json!({"class": "SessionClearedEvent", "code": 200, "body": {}}));
            return self.post(&json!({"class": "ConnectionClosedEvent", "code": 200, "body": {}}));
        }
        let mut body = message.clone();
        body["direction"] = json!("Inbound");
        let body = self.keep(body, now);
        self.post(&json!({
            "type": "message", "class": "StructuredMessage", "code": 200, "body": body,
            "tracingId": tracing,
        }));
    }

    /// Gives a message its id and time and remembers it.
    fn keep(&mut self, mut body: Value, now: Timestamp) -> Value {
        self.messages += 1;
        body["id"] = json!(format!("m{}", self.messages));
        body["channel"]["time"] = json!(now.to_iso());
        if body["type"] != "Event" || body["events"][0]["eventType"] == "Presence" {
            self.session().history.push(body.clone());
        }
        body
    }

    pub(super) fn tell(&mut self, body: Value, now: Timestamp) {
        let body = self.keep(body, now);
        self.post(&json!({
            "type": "message", "class": "StructuredMessage", "code": 200, "body": body,
        }));
    }

    pub(super) fn says(&mut self, who: &str, text: &str, now: Timestamp) {
        self.agents_said.push(text.to_owned());
        let body = json!({"type": "Text", "direction": "Outbound", "text": text,
            "originatingEntity": "Human", "channel": {"from": {"nickname": who}}});
        self.tell(body, now);
    }

    /// One thing the agent side does.
    pub(super) fn act(&mut self, choice: u8, now: Timestamp) {
        let text = format!("text {}", self.agents_said.len());
        match choice % 5 {
            0 => {
                let typing =
                    json!({"eventType": "Typing", "typing": {"type": "On", "duration": 5000}});
                let body = json!({"type": "Event", "direction": "Outbound", "events": [typing]});
                self.tell(body, now);
            }
            1 => {
                self.agents_said.push(text.clone());
                let body = json!({"type": "Text", "direction": "Outbound", "text": text,
                    "originatingEntity": "Bot"});
                self.tell(body, now);
            }
            2 => self.says("Max", &text, now),
            _ => self.says("Kim", &text, now),
        }
    }

    /// The agent ends the conversation.
    pub(super) fn close(&mut self, now: Timestamp) {
        let read_only = self.ways.read_only;
        let presence = json!({"eventType": "Presence", "presence": {"type": "Disconnect"}});
        let mut body = json!({"type": "Event", "direction": "Outbound", "events": [presence],
            "originatingEntity": "Human"});
        if read_only {
            body["metadata"] = json!({"readOnly": "true"});
        }
        self.tell(body, now);
        self.session().read_only = read_only;
    }

    /// Whether anything of the user's has arrived.
    pub(super) fn knows_the_user(&mut self) -> bool {
        let session = self.session();
        session.cleared
            || session
                .history
                .iter()
                .any(|it| it["direction"] == "Inbound")
    }

    /// What the user said, in order.
    pub(super) fn user_said(&mut self) -> Vec<String> {
        let inbound = self
            .session()
            .history
            .iter()
            .filter(|it| it["direction"] == "Inbound" && it["type"] != "Event");
        let said = inbound.map(|it| {
            let attachment = it["content"][0]["attachment"]["id"].as_str();
            let button = it["content"][0]["buttonResponse"]["payload"].as_str();
            let text = it["text"].as_str().filter(|text| !text.is_empty());
            text.or(button)
                .or(attachment.map(|_| "<file>"))
                .unwrap_or_default()
                .to_owned()
        });
        said.collect()
    }
}
