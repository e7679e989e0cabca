//! Inputs, journal entries and effects in words, each with what else there is to tell.

use super::calls::question;
use super::model::Kind;
use super::redaction::Redactor;
use handoff_engine::content::{Choice, Receipt, UserMessage};
use handoff_engine::handoff::{EndDetail, HandoffEnd, Signal, Tally};
use handoff_engine::session::{
    CloseReason, DeadlineKind, EffectKind, Entry, InputKind, NodeError, Sender, StepDecision,
};
use handoff_engine::time::Timestamp;
use serde_json::{Value, json};

/// What a row says, before it has a place in time.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) kind: Kind,
    pub(super) who: String,
    pub(super) what: String,
    pub(super) failed: bool,
    pub(super) detail: Value,
}

/// Who the agent side is when nobody in particular is meant.
const GENESYS: &str = "genesys";
const HOST: &str = "host";
const USER: &str = "user";

impl Said {
    pub(super) fn new(
        kind: Kind,
        who: impl Into<String>,
        what: impl Into<String>,
        detail: Value,
    ) -> Self {
        Self {
            kind,
            who: who.into(),
            what: what.into(),
            failed: false,
            detail,
        }
    }

    pub(super) fn failed(mut self) -> Self {
        self.failed = true;
        self
    }
}

impl Redactor {
    /// What an input says. A signal without one is a handle that has changed.
    pub(super) fn input(&mut self, kind: &InputKind) -> Said {
        match kind {
            InputKind::Started { bot, channel } => {
                let detail = json!({"bot": bot, "channel": channel});
                Said::new(Kind::Input, USER, "came", detail)
            }
            InputKind::UserMessage(message) => {
                let what = format!("says {}", self.short(&message.as_text_without_addresses()));
                let detail = json!({"message": self.message(message)});
                Said::new(Kind::Input, USER, what, detail)
            }
            InputKind::UserReceipt { message, receipt } => {
                let detail = json!({"message": message, "receipt": receipt});
                let what = format!("a message {}", became(*receipt));
                Said::new(Kind::Input, USER, what, detail)
            }
            InputKind::Undelivered { message } => {
                let detail = json!({"message": message});
                Said::new(Kind::Input, HOST, "a message reached nobody", detail).failed()
            }
            InputKind::UserTyping { on } => {
                Said::new(Kind::Input, USER, typing(*on), json!({"on": on}))
            }
            InputKind::UserLeft => Said::new(Kind::Input, USER, "left", json!({})),
            InputKind::Signal {
                handoff,
                signal,
                handle: _,
                tally,
                exchanges: _,
            } => {
                let mut said = match signal {
                    Some(signal) => self.signal(signal),
                    None => {
                        let what = "state of the handoff noted";
                        Said::new(Kind::Signal, HOST, what, json!({}))
                    }
                };
                said.detail["handoff"] = json!(handoff);
                if *tally != Tally::default() {
                    said.detail["tally"] = json!(tally);
                }
                said
            }
            InputKind::Due(kind) => {
                let what = format!("{} rang", name_of(*kind));
                Said::new(Kind::Timer, "clock", what, json!({"deadline": kind}))
            }
        }
    }

    fn signal(&mut self, signal: &Signal) -> Said {
        let by =
            |said: &str, who: String, detail: Value| Said::new(Kind::Signal, who, said, detail);
        match signal {
            Signal::Opened { conversation } => {
                let detail = json!({"conversation": conversation});
                by("took the handoff", GENESYS.to_owned(), detail)
            }
            Signal::Queued { queue } => {
                let what = match queue {
                    Some(queue) => format!("queued in '{queue}'"),
                    None => "queued".to_owned(),
                };
                by(&what, GENESYS.to_owned(), json!({"queue": queue}))
            }
            Signal::QueuePosition {
                position,
                estimated_wait,
            } => {
                let place = position.map(|position| format!("place {position} in the queue"));
                let wait = estimated_wait.map(|wait| format!("about {wait} to wait"));
                let what: Vec<String> = place.into_iter().chain(wait).collect();
                let detail = json!({"position": position, "estimatedWaitMs": estimated_wait});
                by(&what.join(", "), GENESYS.to_owned(), detail)
            }
            Signal::AgentAlerting { agent } => {
                let who = self.agent_or_genesys(agent.as_ref().map(|agent| agent.name.as_str()));
                let agent = agent.as_ref().map(|agent| self.agent_with_id(agent));
                by("it rings", who, json!({"agent": agent}))
            }
            Signal::AgentDeclined { agent } => {
                let who = self.agent_or_genesys(agent.as_ref().map(|agent| agent.name.as_str()));
                let agent = agent.as_ref().map(|agent| self.agent_with_id(agent));
                by("declined", who, json!({"agent": agent}))
            }
            Signal::AgentJoined { agent } => {
                let who = self.agent(&agent.name);
                by("joined", who, json!({"agent": self.agent_with_id(agent)}))
            }
            Signal::AgentLeft { agent } => {
                let who = self.agent(&agent.name);
                by("left", who, json!({"agent": self.agent_with_id(agent)}))
            }
            Signal::Message {
                message_id,
                from,
                text,
                content,
                at,
            } => {
                let who = self.agent_or_genesys(from.as_ref().map(|agent| agent.name.as_str()));
                let content: Vec<Value> = content.iter().map(|it| self.content(it)).collect();
                let what = format!("says {}", self.short_with(text, &content));
                let detail = json!({
                    "message": message_id, "text": self.text(text), "content": content,
                    "platformTime": at.to_iso(),
                });
                by(&what, who, detail)
            }
            Signal::Receipt { message, receipt } => {
                let detail = json!({"message": message, "receipt": receipt});
                let what = format!("a message {}", became(*receipt));
                by(&what, GENESYS.to_owned(), detail)
            }
            Signal::Typing { on } => by(typing(*on), "agent".to_owned(), json!({"on": on})),
            Signal::Notice { code, message } => {
                let detail = json!({"code": code, "message": self.text(message)});
                let what = format!("notice {code}");
                by(&what, GENESYS.to_owned(), detail).failed()
            }
            Signal::Ended(end) => {
                let (what, detail) = self.end(end);
                let said = by(&what, GENESYS.to_owned(), detail);
                match end.detail {
                    Some(_) => said.failed(),
                    None => said,
                }
            }
        }
    }

    fn end(&mut self, end: &HandoffEnd) -> (String, Value) {
        let HandoffEnd { reason, detail } = end;
        let what = match detail {
            Some(detail) => format!("handoff ended: {reason}, {}", detail.code),
            None => format!("handoff ended: {reason}"),
        };
        let detail = detail.as_ref().map(|detail| self.end_detail(detail));
        (what, json!({"reason": reason, "detail": detail}))
    }

    fn end_detail(&mut self, detail: &EndDetail) -> Value {
        let EndDetail { code, message } = detail;
        json!({"code": code, "message": self.text(message)})
    }

    /// What a journal entry says; none of what its input says already, and of effects, which are
    /// told by themselves.
    pub(super) fn entry(&mut self, entry: &Entry, input: &InputKind) -> Option<Said> {
        Some(match entry {
            Entry::Stepped {
                bot,
                node,
                node_type,
                trigger,
                decision,
            } => {
                let (decided, to) = decided(decision);
                let detail = json!({
                    "bot": bot, "node": node, "nodeType": node_type, "trigger": trigger,
                    "decision": to,
                });
                let what = format!("{node} ({node_type}), {trigger}: {decided}");
                Said::new(Kind::Step, bot.as_str(), what, detail)
            }
            Entry::Failed(error) => {
                let NodeError {
                    node,
                    code,
                    message,
                } = error;
                let detail = json!({"node": node, "code": code, "message": self.text(message)});
                let what = format!("{node} failed: {code}");
                Said::new(Kind::Step, HOST, what, detail).failed()
            }
            Entry::Logged { node, level, text } => {
                let detail = json!({"node": node, "level": level, "text": self.text(text)});
                let what = format!("{node} logs, {level}: {}", self.short(text));
                Said::new(Kind::Log, "node", what, detail)
            }
            Entry::Called { node, call } => self.call(node, call),
            Entry::AskedForAgents { node, asked } => question(node, asked),
            Entry::Pushed { stack } => {
                let stack = self.owner_names(stack);
                let what = format!("pushed, now {}", stack.join(" › "));
                Said::new(Kind::Stack, HOST, what, json!({"stack": stack}))
            }
            Entry::Popped { stack } => {
                let stack = self.owner_names(stack);
                let now = if stack.is_empty() {
                    "nobody".to_owned()
                } else {
                    stack.join(" › ")
                };
                let what = format!("popped, now {now}");
                Said::new(Kind::Stack, HOST, what, json!({"stack": stack}))
            }
            Entry::Signalled { handoff, signal } => {
                if matches!(input, InputKind::Signal { .. }) {
                    return None;
                }
                let mut said = self.signal(signal);
                said.detail["handoff"] = json!(handoff);
                said
            }
            Entry::HandoffEnded { handoff, end } => {
                let (what, mut detail) = self.end(end);
                detail["handoff"] = json!(handoff);
                Said::new(Kind::End, HOST, what, detail)
            }
            Entry::Late { handoff, told } => {
                let detail = json!({"handoff": handoff});
                let what = match told {
                    true => "told all the same: the handoff is over",
                    false => "not used: the handoff is over",
                };
                Said::new(Kind::Log, HOST, what, detail)
            }
            Entry::Undelivered { message } => {
                if matches!(input, InputKind::Undelivered { .. }) {
                    return None;
                }
                let detail = json!({"message": message});
                Said::new(Kind::Log, HOST, "a message reached nobody", detail).failed()
            }
            Entry::Asked(_) => return None,
            Entry::Ignored { reason } => {
                let what = format!("nothing changed: {reason}");
                Said::new(Kind::Log, HOST, what, json!({"reason": reason}))
            }
            Entry::Closed { reason } => {
                let (what, detail) = self.closed(reason);
                Said::new(Kind::End, HOST, what, detail)
            }
        })
    }

    fn closed(&mut self, reason: &CloseReason) -> (String, Value) {
        let detail = match reason {
            CloseReason::Error(detail) => Some(self.end_detail(detail)),
            CloseReason::Completed
            | CloseReason::AgentLeft
            | CloseReason::UserLeft
            | CloseReason::Inactivity => None,
        };
        let what = format!("session closed: {}", why_closed(reason));
        (what, json!({"reason": reason.as_str(), "detail": detail}))
    }

    /// What an effect asks for.
    pub(super) fn effect(&mut self, kind: &EffectKind) -> Said {
        let ask = |who: &str, what: &str, detail: Value| Said::new(Kind::Effect, who, what, detail);
        match kind {
            EffectKind::SendToUser {
                from,
                text,
                content,
                message,
            } => {
                let from = self.sender(from);
                let content: Vec<Value> = content.iter().map(|it| self.content(it)).collect();
                let what = format!("show the user {}", self.short_with(text, &content));
                let detail = json!({
                    "from": from, "text": self.text(text), "content": content, "message": message,
                });
                ask(&from, &what, detail)
            }
            EffectKind::TypingToUser { on } => {
                let what = format!("show the user: {}", typing(*on));
                ask("agent", &what, json!({"on": on}))
            }
            EffectKind::OpenHandoff { handoff, request } => {
                let account = &request.account;
                let what = format!("hand over to {} on account {account}", request.target);
                let detail = json!({"handoff": handoff, "request": self.request(request)});
                ask(HOST, &what, detail)
            }
            EffectKind::ReceiptToUser { message, receipt } => {
                let what = format!("tell the user: a message {}", became(*receipt));
                ask(HOST, &what, json!({"message": message, "receipt": receipt}))
            }
            EffectKind::SendToAgent {
                handoff,
                message,
                input,
            } => {
                let text = message.as_text_without_addresses();
                let what = format!("tell the agent {}", self.short(&text));
                let detail = json!({
                    "handoff": handoff, "message": self.message(message), "input": input,
                });
                ask(if input.is_some() { USER } else { HOST }, &what, detail)
            }
            EffectKind::ReceiptToAgent {
                handoff,
                message,
                receipt,
            } => {
                let what = format!("tell the agent: a message {}", became(*receipt));
                let detail = json!({"handoff": handoff, "message": message, "receipt": receipt});
                ask(USER, &what, detail)
            }
            EffectKind::TypingToAgent { handoff, on } => {
                let what = format!("tell the agent: {}", typing(*on));
                ask(USER, &what, json!({"handoff": handoff, "on": on}))
            }
            EffectKind::LeaveHandoff {
                handoff,
                account,
                handle: _,
            } => {
                let detail = json!({"handoff": handoff, "account": account});
                ask(HOST, "leave the handoff", detail)
            }
            EffectKind::CloseSession { reason } => {
                let (_, detail) = self.closed(reason);
                let what = format!("tell the user: closed, {}", why_closed(reason));
                ask(HOST, &what, detail)
            }
        }
    }

    fn message(&mut self, message: &UserMessage) -> Value {
        let UserMessage {
            text,
            attachments,
            choice,
        } = message;
        let files: Vec<Value> = attachments.iter().map(|file| self.file(file)).collect();
        let choice = choice.as_ref().map(|choice| {
            let Choice {
                kind,
                payload,
                message,
            } = choice;
            json!({"kind": kind, "payload": self.text(payload), "message": message})
        });
        json!({"text": self.text(text), "attachments": files, "choice": choice})
    }

    fn sender(&mut self, sender: &Sender) -> String {
        match sender {
            Sender::Bot(bot) => bot.to_string(),
            Sender::Agent(agent) => self.agent(&agent.name),
            Sender::System => "system".to_owned(),
        }
    }

    fn agent_or_genesys(&mut self, name: Option<&str>) -> String {
        name.map_or_else(|| GENESYS.to_owned(), |name| self.agent(name))
    }

    /// Names of owners as the journal has them. A bot may be called as agents are; it is then
    /// hidden too.
    pub(super) fn owner_names(&mut self, stack: &[String]) -> Vec<String> {
        let name = |name: &String| match name.strip_prefix("agent ") {
            Some(agent) => self.agent(agent),
            None => name.clone(),
        };
        stack.iter().map(name).collect()
    }

    /// A text for the middle of a line.
    fn short(&mut self, text: &str) -> String {
        const LINE: usize = 120;
        if !self.is_open() {
            return self.text(text);
        }
        let cut: String = text.chars().take(LINE).collect();
        let more = if cut.len() < text.len() { "…" } else { "" };
        format!("“{cut}{more}”")
    }

    fn short_with(&mut self, text: &str, content: &[Value]) -> String {
        let text = (!text.is_empty() || content.is_empty()).then(|| self.short(text));
        let kinds = content.iter().filter_map(|it| it["kind"].as_str());
        let all: Vec<String> = text
            .into_iter()
            .chain(kinds.map(|kind| format!("{{{kind}}}")))
            .collect();
        all.join(" ")
    }
}

/// The user's words and the names of files.
trait WithoutAddresses {
    fn as_text_without_addresses(&self) -> String;
}

impl WithoutAddresses for UserMessage {
    fn as_text_without_addresses(&self) -> String {
        let files = self.attachments.iter().map(|file| file.name.clone());
        let parts = std::iter::once(self.text.clone()).chain(files);
        let filled: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        filled.join(", ")
    }
}

fn decided(decision: &StepDecision) -> (String, Value) {
    match decision {
        StepDecision::Leave { port, to: Some(to) } => (
            format!("{port} → {to}"),
            json!({"leave": {"port": port, "to": to}}),
        ),
        StepDecision::Leave { port, to: None } => (
            format!("{port}, the end of the flow"),
            json!({"leave": {"port": port, "to": null}}),
        ),
        StepDecision::Wait => ("waits".to_owned(), json!("wait")),
        StepDecision::PushBot(bot) => (format!("pushes {bot}"), json!({"pushBot": bot})),
        StepDecision::Transfer => ("hands over".to_owned(), json!("transfer")),
        StepDecision::Close => ("closes the session".to_owned(), json!("close")),
    }
}

pub(super) fn why_closed(reason: &CloseReason) -> String {
    match reason {
        CloseReason::Error(detail) => format!("Error, {}", detail.code),
        other => other.as_str().to_owned(),
    }
}

/// A deadline's name.
pub(super) fn name_of(kind: DeadlineKind) -> &'static str {
    match kind {
        DeadlineKind::Inactivity => "inactivity limit",
        DeadlineKind::Node => "timeout of the node",
        DeadlineKind::NoAgent => "time for an agent to accept",
        DeadlineKind::UserIdle => "time for the user to answer",
        DeadlineKind::QueueUpdate => "next word on the queue",
    }
}

fn became(receipt: Receipt) -> &'static str {
    match receipt {
        Receipt::Delivered => "was delivered",
        Receipt::Read => "was read",
        Receipt::Failed => "was not delivered",
    }
}

fn typing(on: bool) -> &'static str {
    if on { "types" } else { "stopped typing" }
}

/// The time of day, UTC.
pub(super) fn time_of_day(at: Timestamp) -> String {
    let iso = at.to_iso();
    iso.get(11..23).map_or(iso.clone(), str::to_owned)
}
