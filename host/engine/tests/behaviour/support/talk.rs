//! A conversation: inputs in, turns out, time by hand.

use handoff_engine::availability::{AskAgents, NobodyToAsk};
use handoff_engine::content::UserMessage;
use handoff_engine::egress::{Egress, NoEgress};
use handoff_engine::handoff::{Agent, HandoffEnd, Signal, Tally};
use handoff_engine::name::{HandoffId, InputId, NodeId, NodeType, SessionId};
use handoff_engine::project::Project;
use handoff_engine::session::{
    EffectKind, Entry, Exchanges, History, HistoryError, Input, InputKind, Owner, Refusal, Sender,
    Session, SessionLimits, TranscriptLine, Turn,
};
use handoff_engine::time::{Millis, Timestamp};
use handoff_engine::{StepWatch, Surroundings, advance_in};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// A session and the project it runs on.
pub(crate) struct Talk {
    pub(crate) project: Arc<Project>,
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
    /// Who carries requests; nobody at first.
    pub(crate) egress: Arc<dyn Egress>,
    /// Who is asked for agents; nobody at first.
    pub(crate) agents: Arc<dyn AskAgents>,
    /// What was said so far.
    pub(crate) said: Arc<Said>,
    pub(crate) limits: SessionLimits,
    inputs: usize,
}

/// The transcript, as a store would keep it.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) lines: Mutex<Vec<TranscriptLine>>,
    /// Whether it can be read.
    pub(crate) unreadable: bool,
}

#[async_trait::async_trait]
impl History for Said {
    async fn transcript(
        &self,
        _: &SessionId,
        limit: usize,
    ) -> Result<Vec<TranscriptLine>, HistoryError> {
        if self.unreadable {
            return Err(HistoryError("the disk is gone".to_owned()));
        }
        let lines = self.lines.lock().expect("no test panics with it");
        Ok(lines[lines.len().saturating_sub(limit)..].to_vec())
    }
}

impl Talk {
    pub(crate) fn new(project: Arc<Project>) -> Self {
        let session = Session::new("s".into(), &project);
        Self {
            project,
            session,
            now: Timestamp(1_790_000_000_000),
            egress: Arc::new(NoEgress),
            agents: Arc::new(NobodyToAsk),
            said: Arc::default(),
            limits: SessionLimits::default(),
            inputs: 0,
        }
    }

    /// What was said so far.
    pub(crate) fn transcript(&self) -> Vec<TranscriptLine> {
        let lines = self.said.lines.lock().expect("no test panics with it");
        lines.clone()
    }

    /// Applies an input. A refusal must leave the session as it was.
    pub(crate) async fn try_input(&mut self, kind: InputKind) -> Result<Turn, Refusal> {
        self.inputs += 1;
        let input = Input {
            id: InputId::new(format!("in-{}", self.inputs)),
            kind,
        };
        let turn = self.turn(&input).await?;
        assert_eq!(turn.session.revision, self.session.revision.next());
        self.session = turn.session.clone();
        let mut lines = self.said.lines.lock().expect("no test panics with it");
        lines.extend(turn.said.iter().cloned());
        assert_eq!(self.session.lines, lines.len() as u64);
        drop(lines);
        Ok(turn)
    }

    /// The turn that an input makes, with nothing changed.
    pub(crate) async fn turn(&self, input: &Input) -> Result<Turn, Refusal> {
        let surroundings = Surroundings {
            watch: &mut Nobody,
            egress: Arc::clone(&self.egress),
            agents: Arc::clone(&self.agents),
            history: Arc::clone(&self.said) as _,
            limits: self.limits,
        };
        advance_in(&self.project, &self.session, input, self.now, surroundings).await
    }

    pub(crate) async fn input(&mut self, kind: InputKind) -> Turn {
        self.try_input(kind).await.expect("the input is taken")
    }

    pub(crate) async fn start(&mut self) -> Turn {
        self.input(InputKind::Started {
            bot: None,
            channel: None,
        })
        .await
    }

    pub(crate) async fn user(&mut self, text: &str) -> Turn {
        let text = text.to_owned();
        self.input(InputKind::UserMessage(UserMessage::text(text)))
            .await
    }

    pub(crate) async fn leave(&mut self) -> Turn {
        self.input(InputKind::UserLeft).await
    }

    /// A signal about the open handoff.
    pub(crate) async fn signal(&mut self, signal: Signal) -> Turn {
        let handoff = self.handoff();
        self.signal_of(handoff, signal).await
    }

    /// A signal about any handoff.
    pub(crate) async fn signal_of(&mut self, handoff: HandoffId, signal: Signal) -> Turn {
        self.input(InputKind::Signal {
            handoff,
            signal: Some(signal),
            handle: json!({"position": self.inputs}),
            tally: Tally::default(),
            exchanges: Exchanges::default(),
        })
        .await
    }

    pub(crate) async fn queued(&mut self) -> Turn {
        self.signal(Signal::Queued { queue: None }).await
    }

    pub(crate) async fn joined(&mut self, name: &str) -> Turn {
        self.signal(Signal::AgentJoined { agent: agent(name) })
            .await
    }

    pub(crate) async fn agent_says(&mut self, name: &str, text: &str) -> Turn {
        self.signal(Signal::Message {
            message_id: format!("m-{}", self.inputs),
            from: Some(agent(name)),
            text: text.to_owned(),
            content: Vec::new(),
            at: self.now,
        })
        .await
    }

    pub(crate) async fn end(&mut self, end: HandoffEnd) -> Turn {
        self.signal(Signal::Ended(end)).await
    }

    /// Lets time pass; what falls due on the way happens at its time. Gives the turns it made.
    pub(crate) async fn pass(&mut self, span: Millis) -> Vec<Turn> {
        let until = self.now + span;
        let mut turns = Vec::new();
        while let Some(next) = self
            .session
            .deadlines()
            .into_iter()
            .filter(|due| due.at <= until)
            .min_by_key(|due| due.at)
        {
            self.now = self.now.max(next.at);
            turns.push(self.input(InputKind::Due(next.kind)).await);
        }
        self.now = until;
        turns
    }

    /// The open handoff.
    pub(crate) fn handoff(&self) -> HandoffId {
        let open = self.session.handoff().expect("a handoff is open");
        open.id.clone()
    }

    /// The names of the owners, the one in charge last.
    pub(crate) fn stack(&self) -> Vec<String> {
        self.session.stack_names()
    }

    /// The node the flow in charge is at.
    pub(crate) fn node(&self) -> &str {
        match self.session.owner() {
            Some(Owner::Flow(frame)) => frame.node.as_str(),
            other => panic!("no flow is in charge but {other:?}"),
        }
    }

    pub(crate) fn context(&self, key: &str) -> Value {
        self.session.context.get(key).cloned().unwrap_or_default()
    }

    /// What last went wrong in a node: code and message.
    pub(crate) fn error(&self) -> (&str, &str) {
        let error = self.session.last_error.as_ref().expect("a node failed");
        (&error.code, &error.message)
    }
}

/// Looks on and does not care.
#[derive(Debug)]
struct Nobody;

impl StepWatch for Nobody {
    fn began(&mut self, _: &NodeId, _: &NodeType) {}

    fn ended(&mut self, _: Option<&str>) {}
}

pub(crate) fn agent(name: &str) -> Agent {
    Agent {
        id: None,
        name: name.to_owned(),
    }
}

/// What a turn asks the outside to do, a line each.
pub(crate) fn told(turn: &Turn) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    for effect in &turn.effects {
        assert!(seen.insert(effect.id.clone()), "{} stands twice", effect.id);
    }
    turn.effects
        .iter()
        .map(|effect| line(&effect.kind))
        .collect()
}

fn line(effect: &EffectKind) -> String {
    match effect {
        EffectKind::SendToUser { from, text, .. } => match from {
            Sender::Bot(bot) => format!("{bot}: {text}"),
            Sender::Agent(agent) => format!("agent {}: {text}", agent.name),
            Sender::System => format!("system: {text}"),
        },
        EffectKind::TypingToUser { on } => format!("agent types: {on}"),
        EffectKind::OpenHandoff { request, .. } => {
            format!("open {} at {}", request.target, request.account)
        }
        EffectKind::ReceiptToUser { message, receipt } => {
            format!("receipt to user: {message} {receipt:?}")
        }
        EffectKind::ReceiptToAgent {
            message, receipt, ..
        } => format!("receipt to agent: {message} {receipt:?}"),
        EffectKind::SendToAgent { message, .. } => format!("to agent: {}", message.as_text()),
        EffectKind::TypingToAgent { on, .. } => format!("user types: {on}"),
        EffectKind::LeaveHandoff { .. } => "leave handoff".to_owned(),
        EffectKind::CloseSession { reason } => format!("close {}", reason.as_str()),
    }
}

/// The journal's entries of a kind, for assertions on one thing.
pub(crate) fn entries<T>(turn: &Turn, pick: impl Fn(&Entry) -> Option<T>) -> Vec<T> {
    turn.journal.iter().filter_map(pick).collect()
}
