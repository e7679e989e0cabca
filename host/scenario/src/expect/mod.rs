//! What must hold, and whether it does.

mod apis;
mod desk;
mod genesys;
mod ids;
mod metrics;
mod pattern;
mod session;

use self::pattern::matches;
use crate::stage::Stage;
use crate::step::{Sign, StepKind};
use genesys_sim::{Line, Speaker};
use handoff_engine::content::{Content, Receipt};
use handoff_engine::name::Revision;
use handoff_engine::session::Sender;
use handoff_server::{Position, UserEvent, UserEventKind};
use std::collections::HashMap;
use std::ops::Range;

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
    /// Position of the last sign that was expected and came.
    signs: Position,
    /// How many requests to APIs were expected and came.
    calls: usize,
    /// Lines each agent has been seen to hear in each conversation.
    heard: HashMap<(String, String), usize>,
    /// What the user had been shown when that was last compared.
    shown: Vec<UserEvent>,
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
            StepKind::BotSays(text) => return self.message(stage, From::Bot, text, &[]).await,
            StepKind::SystemSays(text) => {
                return self.message(stage, From::System, text, &[]).await;
            }
            StepKind::UserHears { text, from, with } => {
                let from = From::Agent(from.as_deref());
                return self.message(stage, from, text, with).await;
            }
            StepKind::UserSees(sign) => return self.sees(stage, *sign).await,
            StepKind::Silence => {
                let next = self.next_message(stage).await;
                let got = next.as_ref().map_or_else(String::new, describe);
                return Holds::now(next.is_none(), "no further message to the user", got);
            }
            StepKind::LastingIds => {
                let events = events_after(stage, Position::default()).await;
                return ids::lasting(&mut self.shown, events);
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
            StepKind::AgentSeesTyping(agent) => {
                let saw = stage.saw_typing(agent);
                return Holds::soon(saw, format!("{agent} to see the user type"), "no such sign");
            }
            StepKind::AgentReceives(agent, file) => {
                return desk::agent_receives(stage, agent, file);
            }
            StepKind::AgentSees(agent, wanted) => return desk::agent_sees(stage, agent, wanted),
            StepKind::AgentIs(agent, occupation) => {
                return desk::agent_is(stage, agent, *occupation);
            }
            StepKind::Called {
                what,
                with,
                headers,
            } => {
                let calls = stage.apis.calls();
                let wanted = apis::Wanted {
                    what,
                    with: with.as_ref(),
                    headers,
                };
                return wanted.is_next(&calls, &mut self.calls);
            }
            StepKind::Metric { name, labels, is } => {
                return metrics::counted(&stage.host.metrics().await, name, labels, *is);
            }
            StepKind::JournalLacks(text) => return journal_lacks(stage, text).await,
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
            | StepKind::Over(_)
            | StepKind::Queue(_)
            | StepKind::Identity(_)
            | StepKind::IdentityLacks(_)
            | StepKind::Conversation(_)
            | StepKind::Receipt(_)
            | StepKind::Heard(_) => {
                return genesys::at_genesys(&stage.control.conversations(), kind);
            }
            _ => {}
        }
        match stage.host.session(&stage.session).await {
            Ok(Some(session)) => session::in_session(stage, &session, kind).await,
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

    async fn message(
        &mut self,
        stage: &Stage,
        wanted: From<'_>,
        text: &str,
        with: &[String],
    ) -> Holds {
        let expected = match &wanted {
            From::Bot => format!("the bot to say {text:?}"),
            From::System => format!("the system to say {text:?}"),
            From::Agent(None) => format!("the user to hear {text:?}"),
            From::Agent(Some(name)) => format!("the user to hear {text:?} from {name}"),
        };
        let expected = match with {
            [] => expected,
            with => format!("{expected} with {with:?}"),
        };
        let Some(event) = self.next_message(stage).await else {
            return Holds::NotYet {
                expected,
                got: "no message".to_owned(),
            };
        };
        let UserEventKind::Message {
            from,
            text: came,
            content,
            ..
        } = &event.kind
        else {
            return Holds::Yes;
        };
        let sender_fits = match (&wanted, from) {
            (From::Bot, Sender::Bot(_)) | (From::System, Sender::System) => true,
            (From::Agent(name), Sender::Agent(agent)) => name.is_none_or(|name| name == agent.name),
            _ => false,
        };
        let parts: Vec<String> = content.iter().map(in_words).collect();
        let parts_fit = parts.len() == with.len()
            && with
                .iter()
                .zip(&parts)
                .all(|(with, part)| matches(with, part));
        if sender_fits && parts_fit && matches(text, came) {
            self.messages = event.position;
            return Holds::Yes;
        }
        Holds::Never {
            expected,
            got: describe(&event),
        }
    }

    async fn sees(&mut self, stage: &Stage, wanted: Sign) -> Holds {
        let events = events_after(stage, self.signs).await;
        let seen = events.iter().find(|event| sign(event) == Some(wanted));
        if let Some(event) = seen {
            self.signs = event.position;
        }
        let expected = format!("the user to see: {wanted:?}");
        Holds::soon(seen.is_some(), expected, "no such sign")
    }

    /// The id of the agent side's last message, and what it offers.
    pub(crate) async fn last_offer(&self, stage: &Stage) -> Option<(String, Vec<Content>)> {
        let events = events_after(stage, Position::default()).await;
        events.into_iter().rev().find_map(|event| match event.kind {
            UserEventKind::Message {
                message: Some(id),
                content,
                ..
            } => Some((id, content)),
            _ => None,
        })
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
        let items = desk.connected.iter().chain(&desk.after_call_work);
        let mut unheard = Vec::new();
        for item in items {
            let place = (agent.to_owned(), item.conversation.clone());
            let heard = self.heard.entry(place).or_default();
            let said = |line: &&Line| line.who == Speaker::Customer;
            let lines: Vec<&Line> = item.lines.iter().filter(said).collect();
            let rest = lines.get(*heard..).unwrap_or_default();
            if let Some(index) = rest.iter().position(|line| matches(text, &line.text)) {
                *heard += index + 1;
                return Holds::Yes;
            }
            unheard.extend(rest.iter().map(|line| line.text.clone()));
        }
        Holds::NotYet {
            expected,
            got: format!("they heard {unheard:?}"),
        }
    }
}

/// What the user got to see after a position. The store of a scenario is in memory and always works.
async fn events_after(stage: &Stage, position: Position) -> Vec<UserEvent> {
    let events = stage
        .host
        .user_events(&stage.session, position, usize::MAX)
        .await;
    events.unwrap_or_default()
}

async fn journal_lacks(stage: &Stage, text: &str) -> Holds {
    let turns = stage.host.journal(&stage.session, Revision(1)).await;
    let turns = turns.unwrap_or_default();
    let turns: Vec<String> = turns
        .iter()
        .filter_map(|turn| serde_json::to_string(&**turn).ok())
        .collect();
    let journal = turns.join("\n");
    let got = journal.find(text).map_or_else(String::new, |at| {
        let around = |span: Range<usize>| journal.get(span).unwrap_or_default().to_owned();
        around(at.saturating_sub(40)..(at + text.len() + 40).min(journal.len()))
    });
    let expected = format!("the journal not to hold {text:?}");
    Holds::now(
        !journal.is_empty() && !journal.contains(text),
        expected,
        got,
    )
}

fn describe(event: &UserEvent) -> String {
    match &event.kind {
        UserEventKind::Message {
            from,
            text,
            content,
            ..
        } => {
            let who = match from {
                Sender::Bot(bot) => format!("the bot {bot}"),
                Sender::Agent(agent) => format!("the agent {}", agent.name),
                Sender::System => "the system".to_owned(),
            };
            let parts: Vec<String> = content.iter().map(in_words).collect();
            match parts.as_slice() {
                [] => format!("{who} said {text:?}"),
                parts => format!("{who} said {text:?} with {parts:?}"),
            }
        }
        other => format!("{other:?}"),
    }
}

/// What comes with a message, as scenarios write it: `Attachment bill.png`, `QuickReply Yes; No`.
fn in_words(content: &Content) -> String {
    let what = match content {
        Content::Attachment(attachment) => attachment.name.clone(),
        Content::QuickReplies { replies } => {
            let labels: Vec<_> = replies.iter().map(|reply| reply.text.as_str()).collect();
            labels.join("; ")
        }
        other => other.as_text().replace('\n', "; "),
    };
    format!("{} {what}", content.name())
}

/// The sign that an event is.
fn sign(event: &UserEvent) -> Option<Sign> {
    Some(match event.kind {
        UserEventKind::Typing { on: true } => Sign::Typing,
        UserEventKind::Typing { on: false } => Sign::StoppedTyping,
        UserEventKind::Receipt { receipt, .. } => match receipt {
            Receipt::Delivered => Sign::Delivered,
            Receipt::Read => Sign::Read,
            Receipt::Failed => Sign::Failed,
        },
        UserEventKind::Message { .. } | UserEventKind::Closed { .. } => return None,
    })
}
