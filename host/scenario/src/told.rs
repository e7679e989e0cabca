//! What happened, as lines for people.

use handoff_engine::availability::Told as OfAgents;
use handoff_engine::content::{Receipt, all_as_text};
use handoff_engine::egress::Answer;
use handoff_engine::handoff::Signal;
use handoff_engine::name::NodeId;
use handoff_engine::session::{Effect, EffectKind, Entry, InputKind, Sender, StepDecision, Turn};
use handoff_engine::time::Timestamp;

/// Who a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The user.
    User,
    /// A bot.
    Bot(String),
    /// An agent.
    Agent(String),
    /// The host or the platform.
    System,
    /// Genesys, about the handoff.
    Genesys,
    /// The engine: the owner stack, deadlines, the end.
    Engine,
    /// A node, about its step.
    Node,
    /// The scenario: time passing, a restart.
    Scenario,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: Who,
    /// What.
    pub text: String,
    /// Whether it was said, as opposed to done.
    pub said: bool,
    /// The node the flow in charge is at.
    pub node: Option<NodeId>,
    /// Names of the owners, the one in charge last.
    pub stack: Vec<String>,
}

/// The lines of a turn, in the order in which they happened.
pub(crate) fn turn(turn: &Turn, stack_before: &[String]) -> Vec<Told> {
    let mut telling = Telling {
        at: turn.at,
        node: None,
        stack: stack_before.to_vec(),
        lines: Vec::new(),
    };
    match &turn.input.kind {
        InputKind::UserMessage(message) => telling.say(Who::User, &message.as_text()),
        InputKind::UserLeft => telling.tell(Who::User, "leaves"),
        InputKind::Started { .. } => telling.tell(Who::User, "opens the chat"),
        InputKind::UserTyping { .. }
        | InputKind::UserReceipt { .. }
        | InputKind::Undelivered { .. }
        | InputKind::Signal { .. } => {}
        InputKind::Due(kind) => {
            let kind = format!("{kind:?}");
            telling.tell(Who::Engine, &format!("deadline reached: {kind}"));
        }
    }
    for entry in &turn.journal {
        telling.entry(entry, &turn.effects);
    }
    telling.lines
}

struct Telling {
    at: Timestamp,
    node: Option<NodeId>,
    stack: Vec<String>,
    lines: Vec<Told>,
}

impl Telling {
    fn say(&mut self, who: Who, text: &str) {
        self.push(who, text, true);
    }

    fn tell(&mut self, who: Who, text: &str) {
        self.push(who, text, false);
    }

    fn push(&mut self, who: Who, text: &str, said: bool) {
        self.lines.push(Told {
            at: self.at,
            who,
            text: text.to_owned(),
            said,
            node: self.node.clone(),
            stack: self.stack.clone(),
        });
    }

    fn entry(&mut self, entry: &Entry, effects: &[Effect]) {
        match entry {
            Entry::Stepped {
                node,
                node_type,
                decision,
                ..
            } => {
                self.node = Some(node.clone());
                let decision = match decision {
                    StepDecision::Leave { port, to: Some(to) } => format!("{port} → {to}"),
                    StepDecision::Leave { port, to: None } => format!("{port} → end of the flow"),
                    StepDecision::Wait => "waits for the user".to_owned(),
                    StepDecision::PushBot(bot) => format!("pushes {bot}"),
                    StepDecision::Transfer => "hands over".to_owned(),
                    StepDecision::Close => "closes".to_owned(),
                };
                self.tell(Who::Node, &format!("{node} ({node_type}) {decision}"));
            }
            Entry::Failed(error) => {
                self.node = Some(error.node.clone());
                let text = format!("{} failed: {} [{}]", error.node, error.message, error.code);
                self.tell(Who::Engine, &text);
            }
            Entry::Logged { node, level, text } => {
                self.tell(Who::Node, &format!("{node} logs {level}: {text}"));
            }
            Entry::Called { node, call } => {
                let answer = match &call.answer {
                    Answer::Answered(response) => response.status.to_string(),
                    Answer::Failed(error) => format!("{error} [{}]", error.code()),
                };
                let text = format!("{node} calls {} {}: {answer}", call.method, call.url);
                self.tell(Who::Node, &text);
            }
            Entry::AskedForAgents { node, asked } => {
                let told = match &asked.answer {
                    OfAgents::Agents(agents) => format!("{agents:?}"),
                    OfAgents::Nothing(reason) => format!("{reason} [{}]", reason.code),
                };
                self.tell(Who::Node, &format!("{node} asks for agents: {told}"));
            }
            Entry::Pushed { stack } | Entry::Popped { stack } => {
                self.stack.clone_from(stack);
                let stack = stack.join(" › ");
                self.tell(Who::Engine, &format!("owner stack: {stack}"));
            }
            Entry::Signalled { signal, .. } => self.signal(signal),
            Entry::HandoffEnded { end, .. } => {
                let detail = end
                    .detail
                    .as_ref()
                    .map(|detail| format!(": {} [{}]", detail.message, detail.code));
                let text = format!(
                    "handoff ended, {}{}",
                    end.reason,
                    detail.unwrap_or_default()
                );
                self.tell(Who::Genesys, &text);
            }
            Entry::Undelivered { .. } => {
                self.tell(
                    Who::Engine,
                    "the user's message reached nobody: the agent was gone",
                );
            }
            Entry::Late { .. } | Entry::Ignored { .. } => {}
            Entry::Closed { reason } => {
                self.stack.clear();
                self.tell(Who::Engine, &format!("session closed, {}", reason.as_str()));
            }
            Entry::Asked(id) => {
                if let Some(effect) = effects.iter().find(|effect| effect.id == *id) {
                    self.effect(&effect.kind);
                }
            }
        }
    }

    fn signal(&mut self, signal: &Signal) {
        let name = |agent: &Option<handoff_engine::handoff::Agent>| {
            agent
                .as_ref()
                .map_or_else(|| "an agent".to_owned(), |agent| agent.name.clone())
        };
        let text = match signal {
            Signal::Opened { conversation } => match conversation {
                Some(id) => format!("conversation {id} opened"),
                None => "conversation opened".to_owned(),
            },
            Signal::Queued { queue: Some(queue) } => format!("waiting in the queue {queue}"),
            Signal::Queued { queue: None } => "waiting for an agent".to_owned(),
            Signal::QueuePosition {
                position,
                estimated_wait,
            } => {
                let place = position.map(|position| format!("position {position} in the queue"));
                let wait = estimated_wait.map(|wait| format!("about {} s to wait", wait.0 / 1_000));
                let parts: Vec<_> = place.into_iter().chain(wait).collect();
                parts.join(", ")
            }
            Signal::AgentAlerting { agent } => format!("rings at {}", name(agent)),
            Signal::AgentDeclined { agent } => format!("{} declined", name(agent)),
            Signal::AgentJoined { agent } => format!("{} joined", agent.name),
            Signal::AgentLeft { agent } => format!("{} left, the handoff goes on", agent.name),
            Signal::Notice { code, message } => format!("{message} [{code}]"),
            Signal::Receipt { receipt, .. } => match receipt {
                Receipt::Delivered => "the user's message was delivered".to_owned(),
                Receipt::Read => "the user's message was read".to_owned(),
                Receipt::Failed => "the user's message was not delivered".to_owned(),
            },
            Signal::Message { .. } | Signal::Typing { .. } | Signal::Ended(_) => return,
        };
        self.tell(Who::Genesys, &text);
    }

    fn effect(&mut self, effect: &EffectKind) {
        match effect {
            EffectKind::SendToUser {
                from,
                text,
                content,
                ..
            } => {
                let who = match from {
                    Sender::Bot(bot) => Who::Bot(bot.to_string()),
                    Sender::Agent(agent) => Who::Agent(agent.name.clone()),
                    Sender::System => Who::System,
                };
                self.say(who, &all_as_text(text, content));
            }
            EffectKind::TypingToUser { on: true } => self.tell(Who::Genesys, "the agent is typing"),
            EffectKind::OpenHandoff { request, .. } => {
                let text = format!(
                    "handing over to {} on account {}",
                    request.target, request.account
                );
                self.tell(Who::Engine, &text);
            }
            EffectKind::TypingToUser { on: false }
            | EffectKind::ReceiptToUser { .. }
            | EffectKind::SendToAgent { .. }
            | EffectKind::ReceiptToAgent { .. }
            | EffectKind::TypingToAgent { .. }
            | EffectKind::LeaveHandoff { .. }
            | EffectKind::CloseSession { .. } => {}
        }
    }
}

/// A line about the scenario itself.
pub(crate) fn scenario(at: Timestamp, text: String) -> Told {
    Told {
        at,
        who: Who::Scenario,
        text,
        said: false,
        node: None,
        stack: Vec::new(),
    }
}
