//! Made-up sessions in which everything happens that can, told in every way there is.

use super::{Kind, Redaction, State, Timeline};
use handoff_engine::content::{
    Attachment, Card, Choice, ChoiceKind, Content, QuickReply, Receipt, UserMessage,
};
use handoff_engine::handoff::{
    Agent, EndDetail, HandoffEnd, HandoffMessages, Identity, IdleStep, QueueUpdates,
    SessionEndReason, Signal, Tally, Target, Transcript, TransferOptions, TransferRequest,
};
use handoff_engine::name::{EffectId, HandoffId, InputId, Revision};
use handoff_engine::session::{
    AgentFrame, CloseReason, Deadline, DeadlineKind, Effect, EffectKind, Entry, Exchange,
    Exchanges, FlowFrame, Input, InputKind, NodeError, OpenHandoff, Owner, Phase, Sender, Session,
    Status, StepDecision, Turn, UserText, Waiting, Way,
};
use handoff_engine::time::{Millis, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const START: Timestamp = Timestamp(1_767_603_600_000);

/// A session as a value that can grow turn by turn.
struct Making {
    session: Session,
    turns: Vec<Arc<Turn>>,
}

impl Making {
    fn new() -> Self {
        let session = Session {
            id: "s-1".into(),
            revision: Revision::default(),
            project: "digest".to_owned(),
            channel: Some("web".to_owned()),
            status: Status::Open,
            stack: vec![Owner::Flow(FlowFrame {
                bot: "main".into(),
                flow: "main".into(),
                node: "ask".into(),
                waiting: Waiting::Entry,
            })],
            context: BTreeMap::new(),
            attributes: BTreeMap::new(),
            lines: 0,
            bytes: 0,
            started: None,
            last_message: None,
            last_handoff: None,
            last_error: None,
            inactive_at: None,
            past_tally: Tally::default(),
            for_agent: Vec::new(),
            handoffs_in_a_row: 0,
        };
        Self {
            session,
            turns: Vec::new(),
        }
    }

    /// A turn that many seconds after the start.
    fn turn(&mut self, seconds: u64, kind: InputKind) -> &mut Turn {
        self.session.revision = self.session.revision.next();
        let revision = self.session.revision.0;
        self.turns.push(Arc::new(Turn {
            session: self.session.clone(),
            at: START + Millis::from_secs(seconds),
            input: Input {
                id: InputId::new(format!("input-{revision}")),
                kind,
            },
            journal: Vec::new(),
            said: Vec::new(),
            effects: Vec::new(),
            deadlines: Vec::new(),
        }));
        let last = self.turns.last_mut().expect("it was pushed");
        Arc::get_mut(last).expect("nobody else has it")
    }

    fn signal(&mut self, seconds: u64, signal: Option<Signal>, exchanges: Exchanges) -> &mut Turn {
        self.turn(
            seconds,
            InputKind::Signal {
                handoff: HandoffId::new("s-1/2/1"),
                signal,
                handle: Value::Null,
                tally: Tally::default(),
                exchanges,
            },
        )
    }
}

fn poll(seconds: u64, what: &str) -> Exchange {
    Exchange::new(START + Millis::from_secs(seconds), Way::Out, what).came_to("200")
}

fn user_says(text: &str) -> InputKind {
    InputKind::UserMessage(UserMessage::text(text))
}

#[test]
fn what_passed_over_the_wire_stands_where_it_happened() {
    let mut making = Making::new();
    making.turn(0, user_says("one"));
    making.turn(10, user_says("two"));
    let mut exchanges = Exchanges::default();
    exchanges.add(poll(5, "GET /early"));
    exchanges.add(poll(11, "GET /late"));
    making.signal(12, None, exchanges);
    let timeline = Timeline::of(&making.turns, Redaction::Revealed);
    let told: Vec<(Kind, &str, u64)> = timeline
        .rows
        .iter()
        .map(|row| (row.kind, row.what.as_str(), row.revision))
        .collect();
    assert_eq!(
        told,
        [
            (Kind::Input, "says “one”", 1),
            (Kind::Frame, "GET /early → 200", 3),
            (Kind::Input, "says “two”", 2),
            (Kind::Frame, "GET /late → 200", 3),
            (Kind::Signal, "state of the handoff noted", 3),
        ]
    );
    let since: Vec<u64> = timeline.rows.iter().map(|row| row.since_ms.0).collect();
    assert_eq!(since, [0, 5000, 5000, 1000, 1000]);
}

#[test]
fn turns_keep_their_order_when_the_clock_is_set_back() {
    let mut making = Making::new();
    making.turn(100, user_says("one"));
    making.turn(10, user_says("two"));
    let timeline = Timeline::of(&making.turns, Redaction::Revealed);
    let revisions: Vec<u64> = timeline.rows.iter().map(|row| row.revision).collect();
    assert_eq!(revisions, [1, 2]);
    assert_eq!(timeline.rows[1].since_ms, Millis(0));
}

#[test]
fn a_report_is_correlated_with_the_call_that_led_to_it() {
    let mut making = Making::new();
    let mut exchanges = Exchanges::default();
    exchanges.add(poll(1, "POST /a").correlated(Some("c-1".to_owned())));
    exchanges.add(poll(2, "POST /b").correlated(Some("c-2".to_owned())));
    let opened = Signal::Opened { conversation: None };
    making.signal(3, Some(opened), exchanges);
    let timeline = Timeline::of(&making.turns, Redaction::Private);
    let found: Vec<Option<&str>> = timeline
        .rows
        .iter()
        .map(|row| row.correlation.as_deref())
        .collect();
    assert_eq!(found, [Some("c-1"), Some("c-2"), Some("c-2")]);
}

#[test]
fn deadlines_are_set_replaced_rung_and_dropped() {
    let mut making = Making::new();
    let at = |seconds| START + Millis::from_secs(seconds);
    let inactivity = |seconds| Deadline {
        kind: DeadlineKind::Inactivity,
        at: at(seconds),
    };
    let node = |seconds| Deadline {
        kind: DeadlineKind::Node,
        at: at(seconds),
    };
    making.turn(0, user_says("one")).deadlines = vec![inactivity(600), node(60)];
    making.turn(1, user_says("two")).deadlines = vec![inactivity(601), node(60)];
    let rung = InputKind::Due(DeadlineKind::Node);
    making.turn(60, rung).deadlines = vec![inactivity(601)];
    making.turn(61, InputKind::UserLeft);
    let timeline = Timeline::of(&making.turns, Redaction::Private);
    let timers: Vec<(&str, Option<State>)> = timeline
        .rows
        .iter()
        .filter(|row| row.kind == Kind::Timer)
        .map(|row| (row.what.as_str(), row.state))
        .collect();
    assert_eq!(
        timers,
        [
            (
                "inactivity limit at 09:10:00.000, in 10 min",
                Some(State::Set)
            ),
            (
                "timeout of the node at 09:01:00.000, in 1 min",
                Some(State::Set)
            ),
            (
                "inactivity limit at 09:10:01.000, in 10 min",
                Some(State::Replaced)
            ),
            ("timeout of the node rang", Some(State::Rang)),
            ("inactivity limit", Some(State::Dropped)),
        ]
    );
}

#[test]
fn a_row_is_owned_by_who_owned_the_session_then() {
    let mut making = Making::new();
    making.turn(0, user_says("one"));
    let handoff = OpenHandoff {
        id: "s-1/2/1".into(),
        request: TransferRequest {
            account: "acme".into(),
            target: Target::AnyAgent,
            options: TransferOptions::default(),
            opening_text: None,
            transcript: Vec::new(),
        },
        phase: Phase::Queued,
        last_agent: None,
        conversation: None,
        handle: Value::Null,
        no_agent_at: None,
        queue_told: None,
        idle: None,
        asked_at: None,
        tally: Tally::default(),
    };
    let frame = AgentFrame { handoff };
    making.session.stack.push(Owner::Agent(frame));
    making.turn(1, user_says("two")).journal = vec![Entry::Pushed {
        stack: vec!["main".to_owned(), "agent".to_owned()],
    }];
    making.session.stack.clear();
    making.turn(2, InputKind::UserLeft).journal = vec![Entry::Closed {
        reason: CloseReason::UserLeft,
    }];
    making.turn(3, InputKind::UserLeft);
    let timeline = Timeline::of(&making.turns, Redaction::Private);
    let owners: Vec<(Kind, String)> = timeline
        .rows
        .iter()
        .map(|row| (row.kind, row.owners.join(" ")))
        .collect();
    let told = |kind, owners: &str| (kind, owners.to_owned());
    assert_eq!(
        owners,
        [
            told(Kind::Input, ""),
            told(Kind::Input, "main"),
            told(Kind::Stack, "main agent"),
            told(Kind::Input, "main agent"),
            told(Kind::End, "main agent"),
            told(Kind::Input, ""),
        ]
    );
}

#[test]
fn effects_are_settled_unless_the_store_still_owes_them() {
    let mut making = Making::new();
    let effect = |n: usize| Effect {
        id: EffectId::new(format!("s-1/1/{n}")),
        kind: EffectKind::TypingToUser { on: true },
    };
    making.turn(0, user_says("one")).effects = vec![effect(1), effect(2)];
    let timeline = Timeline::of(&making.turns, Redaction::Private);
    let states = |timeline: &Timeline| -> Vec<Option<State>> {
        let effects = timeline.rows.iter().filter(|row| row.kind == Kind::Effect);
        effects.map(|row| row.state).collect()
    };
    assert_eq!(states(&timeline), [None, None], "nobody said");
    let timeline = timeline.with_pending(&[effect(2)]);
    assert_eq!(
        states(&timeline),
        [Some(State::Settled), Some(State::Pending)]
    );
}

#[test]
fn a_session_without_turns_is_an_empty_timeline() {
    let timeline = Timeline::of(&[], Redaction::Private);
    assert_eq!(timeline.rows, []);
    assert!(timeline.to_html().contains("<ol>"));
    assert!(timeline.to_text().starts_with("session"));
}

/// What a user or an agent may write to break out of a page.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "</pre></details><img src=x onerror=alert(1)>",
    "\"><style>*{display:none}</style>",
    "<!--",
    "{{ session }}{% for x in y %}",
    "\u{202e}\u{0}\u{1b}[2J",
];

#[test]
fn hostile_texts_stay_texts_on_the_page() {
    for text in HOSTILE {
        let mut making = Making::new();
        making.session.id = text.into();
        making.session.project = text.to_owned();
        making.session.channel = Some(text.to_owned());
        making.session.stack = vec![Owner::Flow(FlowFrame {
            bot: text.into(),
            flow: text.into(),
            node: text.into(),
            waiting: Waiting::Entry,
        })];
        let mut exchanges = Exchanges::default();
        exchanges.add(poll(1, text).correlated(Some(text.to_owned())));
        let notice = Signal::Notice {
            code: text.to_owned(),
            message: text.to_owned(),
        };
        making.turn(0, user_says(text));
        making.signal(1, Some(notice), exchanges);
        let page = Timeline::of(&making.turns, Redaction::Revealed).to_html();
        let harmless = {
            let mut making = Making::new();
            making.turn(0, user_says("harmless"));
            let mut exchanges = Exchanges::default();
            exchanges.add(poll(1, "harmless").correlated(Some("harmless".to_owned())));
            let notice = Signal::Notice {
                code: "harmless".to_owned(),
                message: "harmless".to_owned(),
            };
            making.signal(1, Some(notice), exchanges);
            Timeline::of(&making.turns, Redaction::Revealed).to_html()
        };
        // Neither a tag nor an attribute more than without them.
        for mark in ["<", ">", "\""] {
            assert_eq!(
                page.matches(mark).count(),
                harmless.matches(mark).count(),
                "{mark} in {text:?}"
            );
        }
        assert!(!page.contains("<script"), "{text:?}");
    }
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let mut making = Making::new();
    making.turn(0, user_says("see https://example.org/a.png"));
    let page = Timeline::of(&making.turns, Redaction::Revealed).to_html();
    for forbidden in [
        "<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'"));
}

/// Puts marks where people's words, names and keys are, and remembers where.
struct Marks {
    private: Vec<String>,
    secret: Vec<String>,
    seed: String,
}

impl Marks {
    /// Something that is shown only if asked for.
    fn private(&mut self) -> String {
        let mark = format!("private{}x{}", self.seed, self.private.len());
        self.private.push(mark.clone());
        mark
    }

    /// Something that is never shown.
    fn secret(&mut self) -> String {
        let mark = format!("secret{}x{}", self.seed, self.secret.len());
        self.secret.push(mark.clone());
        mark
    }

    fn agent(&mut self) -> Agent {
        Agent {
            id: Some("user-id".to_owned()),
            name: self.private(),
        }
    }

    fn file(&mut self) -> Attachment {
        Attachment {
            name: self.private(),
            mime: format!("image/{}", self.private()),
            url: format!("https://bots.example.org/{}", self.secret()),
            size: Some(3),
        }
    }

    fn contents(&mut self) -> Vec<Content> {
        let card = Card {
            title: self.private(),
            image: Some(self.secret()),
            ..Card::default()
        };
        vec![
            Content::Attachment(self.file()),
            Content::QuickReplies {
                replies: vec![QuickReply {
                    text: self.private(),
                    payload: self.secret(),
                }],
            },
            Content::Card(card.clone()),
            Content::Carousel { cards: vec![card] },
        ]
    }

    fn message(&mut self) -> UserMessage {
        UserMessage {
            text: self.private(),
            attachments: vec![self.file()],
            choice: Some(Choice {
                kind: ChoiceKind::Button,
                payload: self.private(),
                message: "m-1".to_owned(),
            }),
        }
    }

    fn end(&mut self) -> HandoffEnd {
        HandoffEnd {
            reason: SessionEndReason::Error,
            detail: Some(EndDetail::new("transfer.failed", self.private())),
        }
    }

    fn request(&mut self) -> TransferRequest {
        TransferRequest {
            account: "acme".into(),
            target: Target::Queue("Support".to_owned()),
            options: TransferOptions {
                identity: Identity {
                    nickname: Some(self.private()),
                    first_name: Some(self.private()),
                    last_name: Some(self.private()),
                    email_address: Some(self.private()),
                    mobile: Some(self.private()),
                    external_id: Some(self.private()),
                },
                subject: Some(self.private()),
                attributes: BTreeMap::from([("case".to_owned(), self.private())]),
                messages: HandoffMessages {
                    requested: Some(self.private()),
                    assigned: Some(self.private()),
                    agent_changed: Some(self.private()),
                    agent_left: Some(self.private()),
                    user_left: Some(self.private()),
                    no_agent: Some(self.private()),
                    farewell: Some(self.private()),
                },
                transcript: Transcript::Text(self.private()),
                user_end_command: Some(self.private()),
                queue_updates: Some(QueueUpdates {
                    text: self.private(),
                    otherwise: Some(self.private()),
                    every_ms: Millis::from_secs(60),
                    max_position: None,
                    max_wait_ms: None,
                }),
                user_idle: vec![IdleStep {
                    after_ms: Millis::from_secs(60),
                    text: Some(self.private()),
                    leave: true,
                }],
                ..TransferOptions::default()
            },
            opening_text: Some(self.private()),
            transcript: vec![self.private()],
        }
    }

    /// Every effect there is.
    fn effects(&mut self) -> Vec<Effect> {
        let handoff = HandoffId::new("s-1/2/1");
        let kinds = [
            EffectKind::SendToUser {
                from: Sender::Agent(self.agent()),
                text: self.private(),
                content: self.contents(),
                message: Some("m-1".to_owned()),
            },
            EffectKind::TypingToUser { on: true },
            EffectKind::OpenHandoff {
                handoff: handoff.clone(),
                request: self.request(),
            },
            EffectKind::ReceiptToUser {
                message: "input-1".into(),
                receipt: Receipt::Read,
            },
            EffectKind::SendToAgent {
                handoff: handoff.clone(),
                message: self.message(),
                input: None,
            },
            EffectKind::ReceiptToAgent {
                handoff: handoff.clone(),
                message: "m-1".to_owned(),
                receipt: Receipt::Failed,
            },
            EffectKind::TypingToAgent {
                handoff: handoff.clone(),
                on: false,
            },
            EffectKind::LeaveHandoff {
                handoff,
                account: "acme".into(),
                handle: json!({"secureKey": self.secret()}),
            },
            EffectKind::CloseSession {
                reason: CloseReason::Error(EndDetail::new("a.code", self.private())),
            },
        ];
        let with_id = |(n, kind)| Effect {
            id: EffectId::new(format!("s-1/9/{n}")),
            kind,
        };
        kinds.into_iter().enumerate().map(with_id).collect()
    }

    /// Every journal entry there is.
    fn entries(&mut self, effects: &[Effect]) -> Vec<Entry> {
        let handoff = HandoffId::new("s-1/2/1");
        let agent = self.private();
        let stack = vec!["main".to_owned(), format!("agent {agent}")];
        let mut entries = vec![
            Entry::Stepped {
                bot: "main".into(),
                node: "ask".into(),
                node_type: "ask".into(),
                trigger: "user-message".to_owned(),
                decision: StepDecision::Leave {
                    port: "next".into(),
                    to: None,
                },
            },
            Entry::Failed(NodeError {
                node: "ask".into(),
                code: "a.code".to_owned(),
                message: self.private(),
            }),
            Entry::Logged {
                node: "ask".into(),
                level: "info".to_owned(),
                text: self.private(),
            },
            Entry::Pushed {
                stack: stack.clone(),
            },
            Entry::Popped { stack },
            Entry::Signalled {
                handoff: handoff.clone(),
                signal: Signal::Notice {
                    code: "a.code".to_owned(),
                    message: self.private(),
                },
            },
            Entry::HandoffEnded {
                handoff: handoff.clone(),
                end: self.end(),
            },
            Entry::Late {
                handoff,
                told: false,
            },
            Entry::Undelivered {
                message: "input-1".into(),
            },
            Entry::Ignored {
                reason: "no node waits for a message".to_owned(),
            },
            Entry::Closed {
                reason: CloseReason::Error(EndDetail::new("a.code", self.private())),
            },
        ];
        entries.extend(effects.iter().map(|it| Entry::Asked(it.id.clone())));
        entries
    }

    fn signals(&mut self) -> Vec<Signal> {
        vec![
            Signal::Opened {
                conversation: Some("c-1".to_owned()),
            },
            Signal::Queued {
                queue: Some("Support".to_owned()),
            },
            Signal::QueuePosition {
                position: Some(1),
                estimated_wait: Some(Millis(1000)),
            },
            Signal::AgentAlerting {
                agent: Some(self.agent()),
            },
            Signal::AgentDeclined {
                agent: Some(self.agent()),
            },
            Signal::AgentJoined {
                agent: self.agent(),
            },
            Signal::AgentLeft {
                agent: self.agent(),
            },
            Signal::Message {
                message_id: "m-1".to_owned(),
                from: Some(self.agent()),
                text: self.private(),
                content: self.contents(),
                at: START,
            },
            Signal::Receipt {
                message: "input-1".into(),
                receipt: Receipt::Delivered,
            },
            Signal::Typing { on: true },
            Signal::Notice {
                code: "a.code".to_owned(),
                message: self.private(),
            },
            Signal::Ended(self.end()),
        ]
    }

    /// A session in which everything happens that can, with marks wherever there is room for one.
    fn session(&mut self) -> Vec<Arc<Turn>> {
        let mut making = Making::new();
        let session = &mut making.session;
        let agent = self.agent();
        let handoff = OpenHandoff {
            id: "s-1/2/1".into(),
            request: self.request(),
            phase: Phase::Connected(agent.clone()),
            last_agent: Some(agent),
            conversation: None,
            handle: json!({"jwt": self.secret()}),
            no_agent_at: None,
            queue_told: None,
            idle: None,
            asked_at: None,
            tally: Tally::default(),
        };
        session.stack.push(Owner::Flow(FlowFrame {
            bot: "main".into(),
            flow: "main".into(),
            node: "ask".into(),
            waiting: Waiting::Message {
                state: self.secret(),
                until: None,
            },
        }));
        session.stack.push(Owner::Agent(AgentFrame { handoff }));
        session.context = BTreeMap::from([
            ("name".to_owned(), json!(self.private())),
            ("deep".to_owned(), json!({self.private(): [self.private()]})),
            (
                "LastKnownAgent".to_owned(),
                json!({"AgentName": self.private()}),
            ),
            ("SessionEndReason".to_owned(), json!(self.private())),
        ]);
        session.attributes = BTreeMap::from([("case".to_owned(), self.private())]);
        session.last_message = Some(UserText {
            id: "input-1".to_owned(),
            text: self.private(),
        });
        let inputs = [
            InputKind::Started {
                bot: Some("main".into()),
                channel: None,
            },
            InputKind::UserMessage(self.message()),
            InputKind::UserReceipt {
                message: "m-1".to_owned(),
                receipt: Receipt::Read,
            },
            InputKind::Undelivered {
                message: "input-1".into(),
            },
            InputKind::UserTyping { on: true },
            InputKind::UserLeft,
            InputKind::Due(DeadlineKind::NoAgent),
        ];
        for (seconds, kind) in (0..).zip(inputs) {
            let effects = self.effects();
            let journal = self.entries(&effects);
            let turn = making.turn(seconds, kind);
            (turn.effects, turn.journal) = (effects, journal);
        }
        for signal in self.signals() {
            let handle = json!({"secureKey": self.secret()});
            let turn = making.signal(20, Some(signal), Exchanges::default());
            if let InputKind::Signal { handle: ours, .. } = &mut turn.input.kind {
                *ours = handle;
            }
        }
        making.turns
    }
}

fn all_ways(timeline: &Timeline) -> [String; 3] {
    let json = serde_json::to_string(timeline).expect("is plain data");
    [json, timeline.to_text(), timeline.to_html()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn nothing_that_people_said_or_are_called_shows_unless_asked_for(seed in "[a-z0-9]{6,12}") {
        let mut marks = Marks { private: Vec::new(), secret: Vec::new(), seed };
        let turns = marks.session();
        for told in all_ways(&Timeline::of(&turns, Redaction::Private)) {
            for mark in marks.private.iter().chain(&marks.secret) {
                prop_assert!(!told.contains(mark.as_str()), "{} in {}", mark, told);
            }
        }
        // The proof would be worth nothing if what is revealed did not show either.
        let [json, ..] = all_ways(&Timeline::of(&turns, Redaction::Revealed));
        let shown = marks.private.iter().filter(|mark| json.contains(mark.as_str())).count();
        prop_assert!(shown * 10 > marks.private.len() * 9, "{} of {}", shown, marks.private.len());
    }

    #[test]
    fn handles_keys_and_addresses_of_files_never_show(seed in "[a-z0-9]{6,12}") {
        let mut marks = Marks { private: Vec::new(), secret: Vec::new(), seed };
        let turns = marks.session();
        for told in all_ways(&Timeline::of(&turns, Redaction::Revealed)) {
            for mark in &marks.secret {
                prop_assert!(!told.contains(mark.as_str()), "{} in {}", mark, told);
            }
        }
    }
}
