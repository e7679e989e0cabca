//! Turns in a few words.

use handoff_engine::content::UserMessage;
use handoff_engine::handoff::{Tally, Target, TransferOptions, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId, InputId, Revision, SessionId};
use handoff_engine::session::{
    AgentFrame, CloseReason, Deadline, DeadlineKind, Effect, EffectKind, Input, InputKind,
    OpenHandoff, Owner, Phase, Sender, Session, Speaker, Status, TranscriptLine, Turn,
};
use handoff_engine::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A turn in the making.
pub(crate) struct Sample(Turn);

/// A turn of a session, with an input of its own.
pub(crate) fn turn(session: &str, revision: u64) -> Sample {
    let input = format!("input-{revision}");
    Sample(Turn {
        session: self::session(session, revision),
        at: Timestamp(revision),
        input: Input {
            id: InputId::new(input.clone()),
            kind: InputKind::UserMessage(UserMessage::text(input)),
        },
        journal: Vec::new(),
        effects: Vec::new(),
        said: vec![line(revision)],
        deadlines: Vec::new(),
    })
}

/// What the turn of a revision says.
pub(crate) fn line(revision: u64) -> TranscriptLine {
    TranscriptLine {
        speaker: Speaker::User,
        text: format!("line {revision}"),
        at: Timestamp(revision),
    }
}

/// A turn as it is read back: what it said stands in the transcript.
pub(crate) fn as_kept(turn: &Turn) -> serde_json::Value {
    let mut turn = turn.clone();
    turn.said.clear();
    serde_json::to_value(turn).expect("is data")
}

/// A session that waits for nothing.
pub(crate) fn session(id: &str, revision: u64) -> Session {
    Session {
        id: SessionId::new(id),
        revision: Revision(revision),
        project: "digest".to_owned(),
        channel: None,
        started: None,
        status: Status::Open,
        stack: Vec::new(),
        context: BTreeMap::new(),
        attributes: BTreeMap::new(),
        lines: revision,
        bytes: 0,
        last_message: None,
        last_handoff: None,
        last_error: None,
        inactive_at: None,
        past_tally: Tally::default(),
        for_agent: Vec::new(),
        handoffs_in_a_row: 0,
    }
}

/// The id of a turn's effect, counted from 1.
pub(crate) fn effect(session: &str, revision: u64, number: usize) -> EffectId {
    EffectId::new(format!("{session}/{revision}/{number}"))
}

impl Sample {
    pub(crate) fn input(mut self, id: &str) -> Self {
        self.0.input.id = InputId::new(id);
        self
    }

    /// Asks for something more.
    pub(crate) fn asks(mut self, text: &str) -> Self {
        let number = self.0.effects.len() + 1;
        let session = self.0.session.id.as_str();
        self.0.effects.push(Effect {
            id: effect(session, self.0.session.revision.0, number),
            kind: EffectKind::SendToUser {
                from: Sender::System,
                text: text.to_owned(),
                content: Vec::new(),
                message: None,
            },
        });
        self
    }

    pub(crate) fn due(mut self, kind: DeadlineKind, at: u64) -> Self {
        let at = Timestamp(at);
        self.0.deadlines.push(Deadline { kind, at });
        self
    }

    /// Leaves the session with an agent.
    pub(crate) fn with_agent(mut self) -> Self {
        let handoff = OpenHandoff {
            id: HandoffId::new(format!("{}/1/1", self.0.session.id)),
            request: TransferRequest {
                account: "site".into(),
                target: Target::AnyAgent,
                options: TransferOptions::default(),
                opening_text: None,
                transcript: Vec::new(),
            },
            asked_at: None,
            phase: Phase::Queued,
            last_agent: None,
            conversation: None,
            handle: serde_json::json!({"chat": 1}),
            no_agent_at: None,
            queue_told: None,
            idle: None,
            tally: Tally::default(),
        };
        self.0.session.stack = vec![Owner::Agent(AgentFrame { handoff })];
        self
    }

    /// Keeps a value in the session's context.
    pub(crate) fn remembers(mut self, key: &str, value: serde_json::Value) -> Self {
        self.0.session.context.insert(key.to_owned(), value);
        self
    }

    /// Pins the session to a version of its project.
    pub(crate) fn of_version(mut self, digest: &str) -> Self {
        self.0.session.project = digest.to_owned();
        self
    }

    /// Closes the session.
    pub(crate) fn closes(mut self, at: u64) -> Self {
        self.0.session.status = Status::Closed {
            reason: CloseReason::Completed,
            at: Timestamp(at),
        };
        self
    }

    pub(crate) fn done(self) -> Arc<Turn> {
        Arc::new(self.0)
    }
}
