//! What must hold, and whether it does.

use crate::file::{Occupation, StepKind, Typing};
use crate::stage::Stage;
use genesys_sim::{ConversationView, DeskView, Ender, Speaker};
use handoff_engine::name::Revision;
use handoff_engine::session::{Entry, Owner, Sender, Session, Status};
use handoff_server::{Position, UserEvent, UserEventKind};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Whether something holds.
pub(crate) enum Holds {
    /// It does.
    Yes,
    /// It may, in a while.
    NotYet {
        /// What was expected.
        expected: String,
        /// What there is.
        got: String,
    },
    /// It does not, and time will not mend it.
    Never {
        /// What was expected.
        expected: String,
        /// What there is.
        got: String,
    },
}

impl Holds {
    fn soon(is: bool, expected: impl Into<String>, got: impl Into<String>) -> Self {
        if is {
            return Self::Yes;
        }
        Self::NotYet {
            expected: expected.into(),
            got: got.into(),
        }
    }

    fn now(is: bool, expected: impl Into<String>, got: impl Into<String>) -> Self {
        if is {
            return Self::Yes;
        }
        Self::Never {
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// How far a scenario has looked.
#[derive(Debug, Default)]
pub(crate) struct Expectations {
    /// Position of the last message that was expected and came.
    messages: Position,
    /// Position of the last sign of typing that was expected and came.
    typing: Position,
    /// Lines each agent has been seen to hear.
    heard: HashMap<String, usize>,
}

/// A message's sender as scenarios name it.
enum From<'a> {
    Bot,
    System,
    Agent(Option<&'a str>),
}

impl Expectations {
    pub(crate) async fn holds(
        &mut self,
        stage: &Stage,
        refusal: Option<&str>,
        kind: &StepKind,
    ) -> Holds {
        match kind {
            StepKind::BotSays(text) => return self.message(stage, From::Bot, text).await,
            StepKind::SystemSays(text) => return self.message(stage, From::System, text).await,
            StepKind::UserHears { text, from } => {
                return self
                    .message(stage, From::Agent(from.as_deref()), text)
                    .await;
            }
            StepKind::UserSees(typing) => return self.sees_typing(stage, *typing).await,
            StepKind::Silence => {
                let next = self.next_message(stage).await;
                let got = next.as_ref().map_or_else(String::new, describe);
                return Holds::now(next.is_none(), "no further message to the user", got);
            }
            StepKind::Refused(code) => {
                let got = refusal.unwrap_or("it was taken").to_owned();
                return Holds::now(
                    refusal == Some(code),
                    format!("to be refused with {code}"),
                    got,
                );
            }
            StepKind::AgentHears(agent, text) => return self.agent_hears(stage, agent, text),
            StepKind::AgentSees(agent, wanted) => return agent_sees(stage, agent, wanted),
            StepKind::AgentIs(agent, occupation) => return agent_is(stage, agent, *occupation),
            StepKind::Requests(count) => {
                let requests = stage.control.requests();
                let got = requests
                    .iter()
                    .map(|request| format!("{} {}", request.method, request.path))
                    .collect::<Vec<_>>()
                    .join(", ");
                return Holds::now(
                    requests.len() == *count,
                    format!("{count} requests to Genesys"),
                    format!("{}: {got}", requests.len()),
                );
            }
            StepKind::Conversations(_)
            | StepKind::Queue(_)
            | StepKind::Identity(_)
            | StepKind::IdentityLacks(_)
            | StepKind::Conversation(_)
            | StepKind::Heard(_) => return at_genesys(&stage.control.conversations(), kind),
            _ => {}
        }
        match stage.host.session(&stage.session).await {
            Ok(Some(session)) => in_session(stage, &session, kind).await,
            Ok(None) => Holds::Never {
                expected: "a session".to_owned(),
                got: "none was started".to_owned(),
            },
            Err(error) => Holds::Never {
                expected: "a session".to_owned(),
                got: error.to_string(),
            },
        }
    }

    async fn next_message(&self, stage: &Stage) -> Option<UserEvent> {
        events_after(stage, self.messages)
            .await
            .into_iter()
            .find(|event| matches!(event.kind, UserEventKind::Message { .. }))
    }

    async fn message(&mut self, stage: &Stage, wanted: From<'_>, text: &str) -> Holds {
        let expected = match &wanted {
            From::Bot => format!("the bot to say {text:?}"),
            From::System => format!("the system to say {text:?}"),
            From::Agent(None) => format!("the user to hear {text:?}"),
            From::Agent(Some(name)) => format!("the user to hear {text:?} from {name}"),
        };
        let Some(event) = self.next_message(stage).await else {
            return Holds::NotYet {
                expected,
                got: "no message".to_owned(),
            };
        };
        let UserEventKind::Message { from, text: came } = &event.kind else {
            return Holds::Yes;
        };
        let sender_fits = match (&wanted, from) {
            (From::Bot, Sender::Bot(_)) | (From::System, Sender::System) => true,
            (From::Agent(name), Sender::Agent(agent)) => name.is_none_or(|name| name == agent.name),
            _ => false,
        };
        if sender_fits && matches(text, came) {
            self.messages = event.position;
            return Holds::Yes;
        }
        Holds::Never {
            expected,
            got: describe(&event),
        }
    }

    async fn sees_typing(&mut self, stage: &Stage, typing: Typing) -> Holds {
        let wanted = typing == Typing::Typing;
        let seen = events_after(stage, self.typing)
            .await
            .into_iter()
            .find(|event| event.kind == (UserEventKind::Typing { on: wanted }));
        if let Some(event) = &seen {
            self.typing = event.position;
        }
        Holds::soon(
            seen.is_some(),
            format!("the user to see: {typing:?}"),
            "no such sign",
        )
    }

    fn agent_hears(&mut self, stage: &Stage, agent: &str, text: &str) -> Holds {
        let expected = format!("{agent} to hear {text:?}");
        let desk = match stage.control.desk(agent) {
            Ok(desk) => desk,
            Err(error) => {
                return Holds::Never {
                    expected,
                    got: error.to_string(),
                };
            }
        };
        let lines: Vec<String> = desk
            .connected
            .iter()
            .chain(&desk.after_call_work)
            .flat_map(|item| &item.lines)
            .filter(|line| line.who == Speaker::Customer)
            .map(|line| line.text.clone())
            .collect();
        let heard = self.heard.entry(agent.to_owned()).or_default();
        let found = lines
            .iter()
            .enumerate()
            .skip(*heard)
            .find(|(_, line)| matches(text, line));
        match found {
            Some((index, _)) => {
                *heard = index + 1;
                Holds::Yes
            }
            None => Holds::NotYet {
                expected,
                got: format!("they heard {:?}", lines.get(*heard..).unwrap_or_default()),
            },
        }
    }
}

/// What the user got to see after a position. The store of a scenario is in memory and always works.
async fn events_after(stage: &Stage, position: Position) -> Vec<UserEvent> {
    let events = stage.host.user_events(&stage.session, position).await;
    events.unwrap_or_default()
}

async fn in_session(stage: &Stage, session: &Session, kind: &StepKind) -> Holds {
    match kind {
        StepKind::Context(wanted) => {
            let got: Map<String, Value> = wanted
                .keys()
                .filter_map(|key| Some((key.clone(), session.context.get(key)?.clone())))
                .collect();
            Holds::soon(
                got == *wanted,
                format!("the context to hold {}", Value::from(wanted.clone())),
                Value::from(got).to_string(),
            )
        }
        StepKind::ContextLacks(keys) => {
            let held: Vec<&String> = keys
                .iter()
                .filter(|key| session.context.contains_key(*key))
                .collect();
            Holds::now(
                held.is_empty(),
                format!("the context not to hold {keys:?}"),
                format!("it holds {held:?}"),
            )
        }
        StepKind::Stack(wanted) => {
            let got = session.stack_names();
            Holds::soon(
                got == *wanted,
                format!("the owner stack {wanted:?}"),
                format!("{got:?}"),
            )
        }
        StepKind::AtNode(wanted) => {
            let at = session.stack.iter().rev().find_map(|owner| match owner {
                Owner::Flow(frame) => Some(frame.node.to_string()),
                _ => None,
            });
            let got = at.unwrap_or_else(|| "no flow".to_owned());
            Holds::soon(got == *wanted, format!("the flow to be at '{wanted}'"), got)
        }
        StepKind::Session { open, reason } => {
            let got = match &session.status {
                Status::Open => "open".to_owned(),
                Status::Closed { reason, .. } => format!("closed, {}", reason.as_str()),
            };
            let fits = match &session.status {
                Status::Open => *open,
                Status::Closed { reason: why, .. } => {
                    !*open
                        && reason
                            .as_deref()
                            .is_none_or(|reason| reason == why.as_str())
                }
            };
            let expected = match (open, reason) {
                (true, _) => "the session to be open".to_owned(),
                (false, None) => "the session to be closed".to_owned(),
                (false, Some(reason)) => format!("the session to be closed, {reason}"),
            };
            // An open session must be open now; a closed one may take a while.
            if *open {
                Holds::now(fits, expected, got)
            } else {
                Holds::soon(fits, expected, got)
            }
        }
        StepKind::HandoffsEnded(count) => {
            let journal = stage.host.journal(&session.id, Revision(1)).await;
            let ended = journal
                .unwrap_or_default()
                .iter()
                .flat_map(|turn| turn.journal.clone())
                .filter(|entry| matches!(entry, Entry::HandoffEnded { .. }))
                .count();
            Holds::soon(
                ended == *count,
                format!("{count} handoffs to have ended"),
                format!("{ended}"),
            )
        }
        StepKind::Error { code, mentions } => {
            let error = session.last_error.as_ref();
            let got = error.map(|error| (error.code.as_str(), error.message.as_str()));
            explained("error", code, mentions, got)
        }
        StepKind::EndDetail { code, mentions } => {
            let ended = session.last_handoff.as_ref();
            let detail = ended.and_then(|ended| ended.end.detail.as_ref());
            let got = detail.map(|detail| (detail.code.as_str(), detail.message.as_str()));
            explained("end detail", code, mentions, got)
        }
        other => Holds::Never {
            expected: format!("{other:?}"),
            got: "this step says nothing about a session".to_owned(),
        },
    }
}

/// Whether a code came, and a message that mentions what it should.
fn explained(what: &str, code: &str, mentions: &[String], got: Option<(&str, &str)>) -> Holds {
    let fits = got.is_some_and(|(came, message)| {
        came == code && mentions.iter().all(|word| message.contains(word))
    });
    Holds::soon(
        fits,
        format!("the {what} {code} with {mentions:?} in its message"),
        got.map_or_else(
            || "none".to_owned(),
            |(code, text)| format!("{code}: {text}"),
        ),
    )
}

fn agent_sees(stage: &Stage, agent: &str, wanted: &Map<String, Value>) -> Holds {
    let expected = format!("{agent} to see {}", Value::from(wanted.clone()));
    let desk = match stage.control.desk(agent) {
        Ok(desk) => desk,
        Err(error) => {
            return Holds::Never {
                expected,
                got: error.to_string(),
            };
        }
    };
    let attributes = desk
        .alerting
        .iter()
        .chain(&desk.connected)
        .chain(&desk.after_call_work)
        .map(|item| &item.attributes)
        .next_back();
    let Some(attributes) = attributes else {
        return Holds::NotYet {
            expected,
            got: "they have no conversation".to_owned(),
        };
    };
    let fits = wanted
        .iter()
        .all(|(key, value)| attributes.get(key).map(String::as_str) == value.as_str());
    Holds::soon(fits, expected, format!("{attributes:?}"))
}

fn agent_is(stage: &Stage, agent: &str, wanted: Occupation) -> Holds {
    let expected = format!("{agent} to be: {wanted:?}");
    let desk = match stage.control.desk(agent) {
        Ok(desk) => desk,
        Err(error) => {
            return Holds::Never {
                expected,
                got: error.to_string(),
            };
        }
    };
    let is = occupations(&desk);
    let fits = match wanted {
        Occupation::Idle => is.is_empty(),
        other => is.contains(&other),
    };
    Holds::soon(fits, expected, format!("{is:?}"))
}

fn occupations(desk: &DeskView) -> Vec<Occupation> {
    [
        (Occupation::Alerting, &desk.alerting),
        (Occupation::Connected, &desk.connected),
        (Occupation::AfterCallWork, &desk.after_call_work),
    ]
    .into_iter()
    .filter(|(_, items)| !items.is_empty())
    .map(|(occupation, _)| occupation)
    .collect()
}

fn at_genesys(conversations: &[ConversationView], kind: &StepKind) -> Holds {
    if let StepKind::Conversations(count) = kind {
        return Holds::now(
            conversations.len() == *count,
            format!("{count} conversations at Genesys"),
            format!("{}", conversations.len()),
        );
    }
    let Some(last) = conversations.last() else {
        return Holds::NotYet {
            expected: "a conversation at Genesys".to_owned(),
            got: "none".to_owned(),
        };
    };
    match kind {
        StepKind::Queue(wanted) => {
            let got = last.queue.clone().unwrap_or_else(|| "no queue".to_owned());
            Holds::soon(got == *wanted, format!("the queue {wanted:?}"), got)
        }
        StepKind::Identity(wanted) => {
            let fits = wanted
                .iter()
                .all(|(key, value)| last.identity.get(key).map(String::as_str) == value.as_str());
            Holds::soon(
                fits,
                format!("the identity {}", Value::from(wanted.clone())),
                format!("{:?}", last.identity),
            )
        }
        StepKind::IdentityLacks(fields) => {
            let sent: Vec<&String> = fields
                .iter()
                .filter(|field| last.identity.contains_key(*field))
                .collect();
            Holds::now(
                sent.is_empty(),
                format!("{fields:?} not to be sent"),
                format!("sent were {sent:?}"),
            )
        }
        StepKind::Heard(wanted) => {
            let got: Vec<&str> = last
                .lines
                .iter()
                .filter(|line| line.who == Speaker::Customer)
                .map(|line| line.text.as_str())
                .collect();
            let fits = got.len() == wanted.len()
                && got
                    .iter()
                    .zip(wanted)
                    .all(|(got, wanted)| matches(wanted, got));
            Holds::soon(
                fits,
                format!("the agent side to have heard exactly {wanted:?}"),
                format!("{got:?}"),
            )
        }
        StepKind::Conversation(wanted) => {
            let got = match last.ended_by {
                None => "open",
                Some(Ender::Agent) => "ended-by-agent",
                Some(Ender::Customer) => "ended-by-customer",
                Some(Ender::System) => "ended-by-system",
            };
            Holds::soon(
                got == wanted,
                format!("the conversation to be {wanted}"),
                got,
            )
        }
        other => Holds::Never {
            expected: format!("{other:?}"),
            got: "this step says nothing about Genesys".to_owned(),
        },
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn describe(event: &UserEvent) -> String {
    match &event.kind {
        UserEventKind::Message { from, text } => {
            let who = match from {
                Sender::Bot(bot) => format!("the bot {bot}"),
                Sender::Agent(agent) => format!("the agent {}", agent.name),
                Sender::System => "the system".to_owned(),
            };
            format!("{who} said {text:?}")
        }
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("Hi Ana", "Hi Ana"));
        assert!(!matches("Hi", "Hi Ana"));
        assert!(matches("Hi *", "Hi Ana"));
        assert!(matches("*order*42*", "your order is 42."));
        assert!(!matches("*order*42", "your order is 42."));
        assert!(matches("*", ""));
        assert!(!matches("ab*ba", "aba"));
    }
}
