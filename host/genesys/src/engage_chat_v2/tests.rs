//! The protocol against a chat server in a few lines: every order of loss, and every kind of end.

use super::calls::{Answer, Call, Operation};
use super::protocol::{Next, Protocol, Site, State};
use super::trouble::Failure;
use super::wire::Envelope;
use crate::report::News;
use crate::transport::Command;
use handoff_engine::content::{Attachment, UserMessage};
use handoff_engine::handoff::{
    HandoffEnd, Identity, SessionEndReason, Signal, Target, TransferOptions, TransferRequest,
};
use handoff_engine::name::{EffectId, HandoffId};
use handoff_engine::time::{Millis, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

mod beyond_text;

/// A chat server with one chat: a numbered transcript and whether it is over.
#[derive(Default)]
struct Server {
    transcript: Vec<Value>,
    ended: bool,
    alias: u32,
    requests: usize,
    /// How far the user has read.
    read: u64,
}

impl Server {
    fn put(&mut self, from: &str, kind: &str, name: &str, participant: i64, text: Option<&str>) {
        let index = self.transcript.len() + 1;
        self.transcript.push(json!({
            "index": index, "type": kind, "text": text, "utcTime": 1_000_000 + index,
            "from": {"nickname": name, "participantId": participant, "type": from},
        }));
    }

    fn agent(&mut self, kind: &str, name: &str, participant: i64) {
        self.put("Agent", kind, name, participant, None);
    }

    fn says(&mut self, name: &str, participant: i64, text: &str) {
        self.put("Agent", "Message", name, participant, Some(text));
    }

    fn closes(&mut self, name: &str, participant: i64) {
        self.agent("ParticipantLeft", name, participant);
        self.ended = true;
    }

    /// Carries out a call and answers.
    fn take(&mut self, call: &Call) -> Answer {
        self.requests += 1;
        let field = |name: &str| {
            let found = call.form.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        if call.operation != Operation::RequestChat {
            assert_eq!(field("alias"), Some(self.alias.to_string()), "newest alias");
            assert_eq!(field("secureKey").as_deref(), Some("key"));
        }
        match call.operation {
            Operation::RequestChat => self.put("Client", "ParticipantJoined", "Ana", 1, None),
            Operation::Send => {
                let text = field("message").expect("a message");
                self.put("Client", "Message", "Ana", 1, Some(&text));
            }
            Operation::Disconnect => self.ended = true,
            Operation::Upload => {
                let upload = call.upload.as_ref().expect("a file");
                self.put("Client", "FileUploaded", "Ana", 1, Some(&upload.file.name));
            }
            Operation::Download => {
                return Answer::Kept(Attachment {
                    name: call.name.clone(),
                    mime: "image/png".to_owned(),
                    url: "https://files.example/1".to_owned(),
                    size: Some(3),
                });
            }
            Operation::FileLimits => {
                let limits = json!({"statusCode": 0, "messages": [{"index": 0, "userData": {
                    "upload-file-types": "png:pdf"}}]});
                let limits: Envelope = serde_json::from_value(limits).expect("an envelope");
                return limits.into();
            }
            Operation::ReadReceipt => {
                let position = field("transcriptPosition").expect("a position");
                self.read = position.parse().expect("a number");
            }
            Operation::Refresh | Operation::UpdateData | Operation::Typing => {}
        }
        self.alias += 1;
        let from: usize = field("transcriptPosition").map_or(1, |text| text.parse().expect("n"));
        let messages: Vec<_> = self.transcript.iter().skip(from.max(1) - 1).collect();
        let envelope: Envelope = serde_json::from_value(json!({
            "statusCode": 0, "chatId": "C1", "userId": "U1", "secureKey": "key",
            "alias": self.alias.to_string(), "nextPosition": self.transcript.len() + 1,
            "chatEnded": self.ended, "messages": messages,
        }))
        .expect("an envelope");
        envelope.into()
    }

    fn texts_of_the_user(&self) -> Vec<&str> {
        let own = |event: &&Value| event["from"]["type"] == "Client" && event["type"] == "Message";
        let events = self.transcript.iter().filter(own);
        events.filter_map(|event| event["text"].as_str()).collect()
    }
}

/// What becomes of the next calls.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Fine,
    LostOnTheWayThere,
    LostOnTheWayBack,
    AskedToRepeat,
    ServerError,
}

struct Bench {
    server: Server,
    protocol: Protocol,
    now: Timestamp,
    seen: Vec<Signal>,
    settled: Vec<EffectId>,
}

fn site() -> Site {
    Site {
        account: "gms".into(),
        url: "http://gms.example.org".to_owned(),
        service: "customer-support".to_owned(),
        queue_attribute: "QueueName".to_owned(),
        poll_interval: Millis::from_secs(3),
    }
}

fn request(opening_text: Option<&str>) -> TransferRequest {
    TransferRequest {
        account: "gms".into(),
        target: Target::Queue("Billing".to_owned()),
        options: TransferOptions {
            identity: Identity {
                nickname: Some("Ana".to_owned()),
                first_name: Some("Ana".to_owned()),
                last_name: Some("Lima".to_owned()),
                email_address: Some(String::new()),
                ..Identity::default()
            },
            ..TransferOptions::default()
        },
        opening_text: opening_text.map(str::to_owned),
        transcript: Vec::new(),
    }
}

fn handoff() -> HandoffId {
    "s/1/0".into()
}

impl Bench {
    fn new(opening_text: Option<&str>) -> Self {
        let now = Timestamp(1_000_000);
        Self {
            server: Server::default(),
            protocol: Protocol::open(site(), handoff(), request(opening_text), now),
            now,
            seen: Vec::new(),
            settled: Vec::new(),
        }
    }

    fn opened() -> Self {
        let mut bench = Self::new(None);
        bench.settle();
        bench
    }

    fn take(&mut self, news: News) {
        self.seen
            .extend(news.told.into_iter().map(|told| told.signal));
        self.settled.extend(news.settled);
    }

    fn command(&mut self, command: Command) {
        let news = self.protocol.command(command);
        self.take(news);
    }

    fn say(&mut self, n: usize, text: &str) {
        self.command(Command::Say {
            id: effect(n),
            message: UserMessage::text(text),
            input: None,
        });
    }

    /// One call, or one wait. False once the handoff is over.
    fn step(&mut self, fate: Fate) -> bool {
        match self.protocol.next(self.now) {
            Next::Done => return false,
            Next::Wait(until) => self.now = until,
            Next::Call(call) => {
                let why = "broken".to_owned();
                let answer = match fate {
                    Fate::Fine => Ok(self.server.take(&call)),
                    Fate::LostOnTheWayThere => Err(Failure::NotSent { why }),
                    Fate::LostOnTheWayBack => {
                        let known = self.server.alias;
                        self.server.take(&call);
                        self.server.alias = known;
                        Err(Failure::Unknown { why })
                    }
                    Fate::AskedToRepeat => Ok(Envelope {
                        status_code: super::wire::Status::Transient,
                        ..Envelope::default()
                    }
                    .into()),
                    Fate::ServerError => Err(Failure::Status {
                        status: 503,
                        retry_after: None,
                    }),
                };
                let news = self.protocol.answer(self.now, call.operation, answer);
                self.take(news);
            }
        }
        true
    }

    /// Lets everything go well until a poll brings nothing new.
    fn settle(&mut self) {
        for _ in 0..24 {
            if !self.step(Fate::Fine) {
                return;
            }
        }
    }

    fn restart(&mut self) {
        let handle = serde_json::to_value(self.protocol.state()).expect("a handle");
        let state: State = serde_json::from_value(handle).expect("the same handle");
        self.protocol = Protocol::resume(site(), handoff(), state, self.now);
    }

    fn end(&self) -> Option<&HandoffEnd> {
        let mut ends = self.seen.iter().filter_map(|signal| match signal {
            Signal::Ended(end) => Some(end),
            _ => None,
        });
        let end = ends.next();
        assert!(ends.next().is_none(), "ended twice: {:?}", self.seen);
        if end.is_some() {
            assert!(matches!(self.seen.last(), Some(Signal::Ended(_))));
        }
        end
    }

    fn reason(&self) -> Option<SessionEndReason> {
        self.end().map(|end| end.reason)
    }

    fn code(&self) -> Option<&str> {
        self.end()?
            .detail
            .as_ref()
            .map(|detail| detail.code.as_str())
    }

    fn texts_of_agents(&self) -> Vec<&str> {
        let texts = self.seen.iter().filter_map(|signal| match signal {
            Signal::Message { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn notices(&self) -> Vec<&str> {
        let codes = self.seen.iter().filter_map(|signal| match signal {
            Signal::Notice { code, .. } => Some(code.as_str()),
            _ => None,
        });
        codes.collect()
    }

    fn joined(&self) -> Vec<&str> {
        let names = self.seen.iter().filter_map(|signal| match signal {
            Signal::AgentJoined { agent } => Some(agent.name.as_str()),
            _ => None,
        });
        names.collect()
    }
}

fn effect(n: usize) -> EffectId {
    EffectId::new(format!("s/{n}/0"))
}

#[test]
fn the_chat_is_requested_with_identity_and_user_data_and_absent_fields_are_left_out() {
    let protocol = Protocol::open(site(), handoff(), request(None), Timestamp(0));
    let mut protocol = protocol;
    let Next::Call(call) = protocol.next(Timestamp(0)) else {
        panic!("a call")
    };
    let form: Vec<_> = call
        .form
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        form,
        [
            "nickname=Ana",
            "firstName=Ana",
            "lastName=Lima",
            "userData[QueueName]=Billing"
        ]
    );
}

#[test]
fn the_users_last_words_open_the_chat_and_are_not_told_back() {
    let mut bench = Bench::new(Some("I need help"));
    bench.settle();
    assert_eq!(bench.server.texts_of_the_user(), ["I need help"]);
    assert_eq!(bench.texts_of_agents(), Vec::<&str>::new());
}

#[test]
fn an_agent_comes_talks_types_and_closes() {
    let mut bench = Bench::opened();
    bench.server.agent("ParticipantJoined", "Kim", 2);
    bench.server.agent("TypingStarted", "Kim", 2);
    bench.server.says("Kim", 2, "Hello");
    bench.settle();
    bench.say(2, "Hi Kim");
    bench.settle();
    bench.server.closes("Kim", 2);
    bench.settle();
    assert_eq!(bench.joined(), ["Kim"]);
    assert_eq!(bench.texts_of_agents(), ["Hello"]);
    assert_eq!(bench.settled, [effect(2)]);
    assert!(bench.seen.contains(&Signal::Typing { on: true }));
    assert_eq!(bench.end(), Some(&HandoffEnd::agent_left()));
}

#[test]
fn two_transfers_end_nothing_and_the_last_agents_close_does() {
    let mut bench = Bench::opened();
    for (participant, name) in [(2, "Kim"), (3, "Lee"), (4, "Max")] {
        bench.server.agent("ParticipantJoined", name, participant);
        bench.settle();
        if name != "Max" {
            bench.server.agent("ParticipantLeft", name, participant);
            bench.settle();
            assert_eq!(bench.end(), None);
        }
    }
    bench.server.closes("Max", 4);
    bench.settle();
    assert_eq!(bench.joined(), ["Kim", "Lee", "Max"]);
    assert_eq!(bench.reason(), Some(SessionEndReason::AgentLeft));
}

#[test]
fn a_chat_closed_before_any_agent_came_is_an_error() {
    let mut bench = Bench::opened();
    bench
        .server
        .put("Client", "ParticipantLeft", "Ana", 1, None);
    bench.server.ended = true;
    bench.settle();
    assert_eq!(bench.code(), Some("transfer.no_agent"));
}

#[test]
fn the_users_leaving_disconnects_the_chat_after_what_was_still_to_be_said() {
    let mut bench = Bench::opened();
    bench.server.agent("ParticipantJoined", "Kim", 2);
    bench.settle();
    bench.say(3, "bye");
    bench.command(Command::Leave);
    bench.settle();
    assert_eq!(bench.server.texts_of_the_user(), ["bye"]);
    assert!(bench.server.ended);
    assert_eq!(bench.end(), Some(&HandoffEnd::user_left()));
}

#[test]
fn leaving_before_the_chat_was_asked_for_asks_for_none() {
    let mut bench = Bench::new(None);
    bench.command(Command::Leave);
    bench.settle();
    assert_eq!(bench.server.requests, 0);
    assert_eq!(bench.reason(), Some(SessionEndReason::UserLeft));
}

#[test]
fn a_chat_the_server_forgot_is_an_error() {
    let mut bench = Bench::opened();
    let gone: Envelope = serde_json::from_value(json!({"statusCode": 2})).expect("an envelope");
    let news = bench
        .protocol
        .answer(bench.now, Operation::Refresh, Ok(gone.into()));
    bench.take(news);
    assert_eq!(bench.code(), Some("genesys.chat_gone"));
}

fn refused(bench: &mut Bench, operation: Operation, code: i64) {
    let refused = json!({"statusCode": 2, "errors": [{"code": code}]});
    let refused: Envelope = serde_json::from_value(refused).expect("an envelope");
    let news = bench
        .protocol
        .answer(bench.now, operation, Ok(refused.into()));
    bench.take(news);
}

#[test]
fn a_text_the_server_refuses_is_noted_and_the_chat_goes_on() {
    let mut bench = Bench::opened();
    bench.say(2, "odd");
    refused(&mut bench, Operation::Send, 999);
    bench.settle();
    assert_eq!(bench.settled, [effect(2)]);
    assert_eq!(bench.notices(), ["genesys.message_not_delivered"]);
    assert_eq!(bench.end(), None);
}

#[test]
fn a_text_the_server_finds_too_long_is_split_and_later_ones_are_too() {
    let mut bench = Bench::opened();
    let text = "one two three four five six seven eight nine ten";
    bench.say(2, text);
    refused(&mut bench, Operation::Send, 204);
    bench.settle();
    bench.say(3, text);
    bench.settle();
    let said = bench.server.texts_of_the_user();
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(said[..2].join(" "), text);
    assert_eq!(said[2..].join(" "), text);
    assert_eq!(bench.settled, [effect(2), effect(3)]);
    assert_eq!(bench.notices(), Vec::<&str>::new());
}

#[test]
fn a_server_out_of_reach_for_five_minutes_is_given_up() {
    let mut bench = Bench::opened();
    let begun = bench.now;
    while bench.step(Fate::ServerError) {
        assert!(bench.now.since(begun) < Millis::from_mins(7));
    }
    assert_eq!(bench.code(), Some("genesys.unreachable"));
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => Just(Fate::Fine),
        1 => Just(Fate::LostOnTheWayThere),
        1 => Just(Fate::LostOnTheWayBack),
        1 => Just(Fate::AskedToRepeat),
        1 => Just(Fate::ServerError),
    ];
    prop::collection::vec(fate, 0..40)
}

proptest! {
    /// Texts go both ways while requests are lost either way and the host restarts at any point; the
    /// caller gives unsettled says again, as it must.
    #[test]
    fn nothing_is_lost_doubled_or_reordered_by_losses_and_restarts(
        fates in fates(),
        restarts in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        let mut bench = Bench::opened();
        bench.server.agent("ParticipantJoined", "Kim", 2);
        let texts: Vec<String> = ["a", "b", "a", "a", "c"].map(str::to_owned).to_vec();
        for (n, text) in texts.iter().enumerate() {
            bench.say(n, text);
            bench.server.says("Kim", 2, &format!("answer {n}"));
        }
        let restarts: Vec<_> = restarts.iter().map(|at| at.index(40)).collect();
        for (n, fate) in fates.into_iter().enumerate() {
            bench.step(fate);
            if restarts.contains(&n) {
                bench.restart();
                for (n, text) in texts.iter().enumerate() {
                    if !bench.settled.contains(&effect(n)) {
                        bench.say(n, text);
                    }
                }
            }
        }
        // Five minutes out of reach end a chat, which another test is about.
        prop_assume!(bench.end().is_none());
        bench.settle();
        prop_assert_eq!(bench.server.texts_of_the_user(), ["a", "b", "a", "a", "c"]);
        prop_assert_eq!(
            bench.texts_of_agents(),
            ["answer 0", "answer 1", "answer 2", "answer 3", "answer 4"]
        );
        prop_assert_eq!(bench.settled.len(), 5);
        prop_assert_eq!(bench.end(), None);
        bench.server.closes("Kim", 2);
        bench.settle();
        prop_assert_eq!(bench.reason(), Some(SessionEndReason::AgentLeft));
    }

    /// However polls cut the transcript into answers, and however often answers repeat, an agent side
    /// of transfers and requeues is told right and ends once.
    #[test]
    fn any_story_of_agents_ends_once_and_names_everyone(
        stays in prop::collection::vec(any::<(bool, bool)>(), 1..6),
        fates in fates(),
    ) {
        let mut bench = Bench::opened();
        let mut fates = fates.into_iter();
        let names: Vec<String> = (0..stays.len()).map(|n| format!("agent {n}")).collect();
        for (n, (polled_between, overlaps)) in stays.iter().enumerate() {
            let participant = i64::try_from(n).expect("few") + 2;
            bench.server.agent("ParticipantJoined", &names[n], participant);
            if n > 0 && stays[n - 1].1 {
                bench.server.agent("ParticipantLeft", &names[n - 1], participant - 1);
            }
            if *polled_between {
                bench.step(fates.next().unwrap_or(Fate::Fine));
                bench.step(Fate::Fine);
            }
            prop_assert_eq!(bench.end(), None);
            if n + 1 == stays.len() {
                bench.server.closes(&names[n], participant);
            } else if !overlaps {
                bench.server.agent("ParticipantLeft", &names[n], participant);
            }
        }
        bench.settle();
        prop_assert_eq!(bench.joined(), names);
        prop_assert_eq!(bench.reason(), Some(SessionEndReason::AgentLeft));
    }
}
