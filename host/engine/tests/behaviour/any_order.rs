//! Whatever happens to a session in whatever order, some things always hold. Each case is a random
//! sequence of inputs against a bot that pushes a bot that hands over, twice in different ways.

use crate::support::{Sample, Talk, agent};
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::{HandoffEnd, Signal, Tally};
use handoff_engine::name::HandoffId;
use handoff_engine::project::Project;
use handoff_engine::session::{
    DeadlineKind, EffectKind, Entry, Exchanges, InputKind, Sender, Session, Turn,
};
use handoff_engine::time::Millis;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Something that may happen.
#[derive(Clone, Debug)]
enum Event {
    User(&'static str),
    UserTyping,
    UserLeft,
    Due(DeadlineKind),
    Pass(u64),
    /// A signal about one of the handoffs there have been, or about none of them.
    Signal {
        nth: usize,
        signal: Told,
    },
}

/// What a transport may tell.
#[derive(Clone, Debug)]
enum Told {
    Handle,
    Queued,
    Declined,
    Joined,
    Left,
    Message,
    Ended(u8),
}

fn event() -> impl Strategy<Value = Event> {
    let told = prop_oneof![
        Just(Told::Handle),
        Just(Told::Queued),
        Just(Told::Declined),
        Just(Told::Joined),
        Just(Told::Left),
        Just(Told::Message),
        (0..3_u8).prop_map(Told::Ended),
    ];
    let signal = (0..4_usize, told).prop_map(|(nth, signal)| Event::Signal { nth, signal });
    let due = prop_oneof![
        Just(DeadlineKind::Inactivity),
        Just(DeadlineKind::Node),
        Just(DeadlineKind::NoAgent),
        Just(DeadlineKind::UserIdle),
        Just(DeadlineKind::QueueUpdate),
    ];
    prop_oneof![
        3 => prop_oneof![Just("agent"), Just("bot"), Just("/end"), Just("")].prop_map(Event::User),
        1 => Just(Event::UserTyping),
        1 => Just(Event::UserLeft),
        1 => due.prop_map(Event::Due),
        1 => (0..40_u64).prop_map(Event::Pass),
        5 => signal,
    ]
}

fn sample() -> Sample {
    let hand_over = json!({
        "resumeBot": true, "userEndCommand": "/end", "noAgentTimeout": 120,
        "messages": {"requested": "One moment.", "noAgent": "Nobody is there."},
    });
    let menu = json!({
        "menu": {"type": "ask", "config": {"text": "agent or bot?", "choices": ["agent", "bot"], "saveTo": "way", "timeout": 600},
                 "to": {"next": "which", "timeout": "menu"}},
        "which": {"type": "branch", "config": {"when": "context.way == 'agent'"}, "to": {"true": "agent", "false": "push"}},
        "agent": {"type": "redirect", "config": hand_over, "to": {"completed": "menu", "userLeft": "menu", "noAgent": "menu", "error": "menu"}},
        "push": {"type": "pushBotSoStack", "config": {"bot": "helper"}, "to": {"next": "menu"}},
    });
    let helper = json!({
        "ask": {"type": "ask", "config": {"text": "helper here"}, "to": {"next": "work"}},
        "work": {"type": "pushBotSoStack", "config": {"bot": "worker"}, "to": {"next": "final"}},
        "final": {"type": "redirect", "config": {"queue": "Support"}, "to": {"userLeft": "bye"}},
        "bye": {"type": "say", "config": {"text": "bye"}},
    });
    Sample::main("menu", menu)
        .flow("helper", "ask", helper)
        .worker("worker", true, Some("cloud"))
}

/// What has been seen so far.
#[derive(Default)]
struct Seen {
    opened: Vec<HandoffId>,
    ended: BTreeSet<HandoffId>,
    left: BTreeSet<HandoffId>,
    closed: bool,
}

impl Seen {
    /// Checks one turn against everything before it.
    fn check(&mut self, before: &Session, turn: &Turn, left_by_user: bool) {
        let after = &turn.session;
        let open = |session: &Session| {
            session
                .stack
                .iter()
                .filter(|owner| owner.handoff().is_some())
                .count()
        };
        assert!(open(after) <= 1, "two handoffs at once");
        if open(after) == 1 {
            assert!(after.handoff().is_some(), "a handoff below the top");
        }
        assert_eq!(after.is_open(), !after.stack.is_empty());
        assert_eq!(after.deadlines(), turn.deadlines);
        if self.closed {
            // But for what an agent wrote too late.
            assert!(
                turn.effects
                    .iter()
                    .all(|effect| is_from_agent(&effect.kind)),
                "a closed session acts: {:?}",
                turn.effects
            );
            assert!(turn.deadlines.is_empty());
        }
        if after.handoff().is_some() {
            assert_eq!(
                after.inactive_at, None,
                "the limit counts while an agent is in charge"
            );
        } else if after.is_open() {
            assert!(after.inactive_at.is_some(), "no limit counts");
        }
        for entry in &turn.journal {
            if let Entry::HandoffEnded { handoff, .. } = entry {
                assert!(
                    self.opened.contains(handoff),
                    "{handoff} ended, and was never opened"
                );
                assert!(self.ended.insert(handoff.clone()), "{handoff} ended twice");
            }
        }
        self.check_speakers(before, turn);
        self.check_effects(before, turn, left_by_user);
    }

    /// A bot below the top never speaks.
    fn check_speakers(&self, before: &Session, turn: &Turn) {
        let same = match (before.handoff(), turn.session.handoff()) {
            (Some(before), Some(after)) => before.id == after.id,
            _ => false,
        };
        for effect in &turn.effects {
            if let EffectKind::SendToUser {
                from: Sender::Bot(bot),
                ..
            } = &effect.kind
            {
                assert!(!same, "'{bot}' speaks while an agent is in charge");
            }
        }
    }

    fn check_effects(&mut self, before: &Session, turn: &Turn, left_by_user: bool) {
        let mut ids = BTreeSet::new();
        for effect in &turn.effects {
            assert!(ids.insert(&effect.id), "{} stands twice", effect.id);
            assert!(
                !self.closed || is_from_agent(&effect.kind),
                "something after the end: {:?}",
                effect.kind
            );
            match &effect.kind {
                EffectKind::OpenHandoff { handoff, .. } => {
                    assert!(!self.opened.contains(handoff), "{handoff} opened twice");
                    self.opened.push(handoff.clone());
                }
                EffectKind::LeaveHandoff { handoff, .. } => {
                    assert!(self.opened.contains(handoff));
                    assert!(self.left.insert(handoff.clone()), "{handoff} left twice");
                    let in_charge = before.handoff().map(|it| &it.id) == Some(handoff);
                    assert!(in_charge, "left by nobody: {:?}", turn.input);
                }
                EffectKind::SendToAgent { handoff, .. }
                | EffectKind::ReceiptToAgent { handoff, .. }
                | EffectKind::TypingToAgent { handoff, .. } => {
                    assert_eq!(before.handoff().map(|it| &it.id), Some(handoff));
                }
                EffectKind::CloseSession { .. } => self.closed = true,
                EffectKind::SendToUser { .. }
                | EffectKind::ReceiptToUser { .. }
                | EffectKind::TypingToUser { .. } => {}
            }
        }
        assert_eq!(self.closed, !turn.session.is_open());
        if left_by_user && before.handoff().is_some() {
            let id = before.handoff().map(|it| it.id.clone()).expect("open");
            assert!(
                self.left.contains(&id),
                "the agent was not told that the user left"
            );
        }
        // Whoever was opened is open, or ended, or left by the close of the session.
        for handoff in &self.opened {
            let open = turn.session.handoff().is_some_and(|it| it.id == *handoff);
            let over = self.ended.contains(handoff) || self.left.contains(handoff);
            assert!(open != over, "{handoff} is lost");
        }
    }
}

/// The input an event stands for, as the conversation is now.
fn input(event: &Event, seen: &Seen) -> Option<InputKind> {
    Some(match event {
        Event::User(text) => InputKind::UserMessage(UserMessage::text((*text).to_owned())),
        Event::UserTyping => InputKind::UserTyping { on: true },
        Event::UserLeft => InputKind::UserLeft,
        Event::Due(kind) => InputKind::Due(*kind),
        Event::Pass(_) => return None,
        Event::Signal { nth, signal } => InputKind::Signal {
            handoff: match seen.opened.len().checked_sub(nth + 1) {
                Some(at) => seen.opened[at].clone(),
                None => HandoffId::new("s/0/0"),
            },
            signal: signal.signal(),
            handle: json!({"nth": nth}),
            tally: Tally::default(),
            exchanges: Exchanges::default(),
        },
    })
}

impl Told {
    fn signal(&self) -> Option<Signal> {
        Some(match self {
            Self::Handle => return None,
            Self::Queued => Signal::Queued { queue: None },
            Self::Declined => Signal::AgentDeclined {
                agent: Some(agent("Kim")),
            },
            Self::Joined => Signal::AgentJoined {
                agent: agent("Kim"),
            },
            Self::Left => Signal::AgentLeft {
                agent: agent("Kim"),
            },
            Self::Message => Signal::Message {
                message_id: "m".to_owned(),
                from: Some(agent("Kim")),
                text: "Hello".to_owned(),
                content: Vec::new(),
                at: handoff_engine::time::Timestamp(0),
            },
            Self::Ended(0) => Signal::Ended(HandoffEnd::agent_left()),
            Self::Ended(1) => Signal::Ended(HandoffEnd::user_left()),
            Self::Ended(_) => Signal::Ended(HandoffEnd::error("transfer.no_agent", "None.")),
        })
    }
}

async fn play(project: Arc<Project>, events: &[Event]) {
    let mut talk = Talk::new(project);
    let mut seen = Seen::default();
    let before = talk.session.clone();
    let turn = talk.start().await;
    seen.check(&before, &turn, false);
    for event in events {
        if let Event::Pass(minutes) = event {
            talk.now = talk.now + Millis::from_mins(*minutes);
        }
        let Some(kind) = input(event, &seen) else {
            continue;
        };
        let before = talk.session.clone();
        let left = matches!(event, Event::UserLeft | Event::User("/end"));
        if let Ok(turn) = talk.try_input(kind).await {
            let left = left && command_counts(event, &before);
            seen.check(&before, &turn, left);
        } else {
            assert!(seen.closed, "refused while the session is open");
        }
    }
}

/// The end command counts only where the handoff has one.
fn command_counts(event: &Event, session: &Session) -> bool {
    let command = session
        .handoff()
        .and_then(|it| it.request.options.user_end_command.as_deref());
    matches!(event, Event::UserLeft) || command == Some("/end")
}

#[test]
fn whatever_happens_in_whatever_order_the_session_stays_sound() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let project = runtime.block_on(sample().load());
    let config = ProptestConfig {
        cases: 512,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(events in prop::collection::vec(event(), 1..40))| {
        runtime.block_on(play(Arc::clone(&project), &events));
    });
}

fn is_from_agent(effect: &EffectKind) -> bool {
    let EffectKind::SendToUser { from, .. } = effect else {
        return false;
    };
    matches!(from, Sender::Agent(_))
}
