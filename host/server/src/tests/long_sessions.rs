//! A turn costs what it says, however long the conversation is by now.

use super::support::{NoSecrets, SITE, START, Silent, host_key, project};
use crate::host::Host;
use handoff_engine::clock::{Clock, SimClock};
use handoff_engine::handoff::{Agent, Signal, Tally};
use handoff_engine::name::{AccountName, HandoffId, InputId, SessionId};
use handoff_engine::session::{Exchanges, Position};
use handoff_genesys::Report;
use handoff_store::RedbStore;
use serde_json::json;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What a message may cost besides its text.
const OVERHEAD: u64 = 2_048;

/// A text that can't be compressed.
fn text(length: usize, seed: u64) -> String {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
        char::from(letters[(state >> 58) as usize])
    };
    (0..length).map(|_| letter()).collect()
}

struct Talk {
    host: Host,
    store: Arc<RedbStore>,
    clock: SimClock,
    session: SessionId,
    handoff: HandoffId,
    reports: mpsc::UnboundedSender<Report>,
    messages: u64,
}

impl Talk {
    async fn new() -> (Self, tempfile::TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = RedbStore::open(folder.path().join("sessions.handoff")).expect("is made");
        let store = Arc::new(store);
        let clock = SimClock::new(START);
        let host = Host::builder(project().await)
            .store(Arc::clone(&store) as _, &host_key())
            .clock(Arc::new(clock.clone()))
            .transport(
                AccountName::new(SITE),
                Silent::new(Arc::new(clock.clone())) as _,
            );
        let host = host.start(&NoSecrets).await.expect("starts");
        let (reports, incoming) = mpsc::unbounded_channel();
        host.spawn(host.clone().take_reports(incoming));
        let session = SessionId::new("6f9619ff-8b86-d011-b42d-00cf4fc964ff");
        host.start_session(session.clone(), None, None)
            .await
            .expect("starts");
        host.user_message(&session, "first", "an order")
            .await
            .expect("is taken");
        let stored = host.session(&session).await.expect("reads");
        let handoff = stored.expect("is there");
        let handoff = handoff.handoff().expect("is open").id.clone();
        let mut talk = Self {
            host,
            store,
            clock,
            session,
            handoff,
            reports,
            messages: 0,
        };
        let agent = Agent {
            id: None,
            name: "Kim".to_owned(),
        };
        talk.report(Signal::AgentJoined { agent }).await;
        (talk, folder)
    }

    async fn report(&mut self, signal: Signal) {
        self.messages += 1;
        let report = Report {
            handoff: self.handoff.clone(),
            input: InputId::new(format!("{}:{}", self.handoff, self.messages)),
            signal: Some(signal),
            handle: json!({"chat": "0001", "position": self.messages}),
            tally: Tally::default(),
            exchanges: Exchanges::default(),
            settled: Vec::new(),
            busy: self.clock.busy(),
        };
        self.reports.send(report).expect("the host listens");
        self.clock.idle().await;
    }

    /// Bytes that a message of the user's and one of the agent's cost.
    async fn exchange(&mut self, length: usize) -> [u64; 2] {
        self.messages += 1;
        let before = self.store.record_bytes();
        let id = format!("8b86d011-{}", self.messages);
        let said = text(length, self.messages);
        let taken = self.host.user_message(&self.session, &id, &said).await;
        taken.expect("is taken");
        self.clock.idle().await;
        let between = self.store.record_bytes();
        self.report(Signal::Message {
            message_id: format!("m-{}", self.messages),
            from: Some(Agent {
                id: None,
                name: "Kim".to_owned(),
            }),
            text: text(length, self.messages + 7),
            content: Vec::new(),
            at: START,
        })
        .await;
        [between - before, self.store.record_bytes() - between]
    }
}

#[tokio::test]
async fn a_message_costs_at_most_four_times_its_text_and_two_kilobytes_however_long_the_talk() {
    let (mut talk, _folder) = Talk::new().await;
    let mut early = Vec::new();
    for round in 0..3 {
        for length in [1, 60, 500, 4_000, 16_000] {
            let costs = talk.exchange(length).await;
            for cost in costs {
                let most = 4 * length as u64 + OVERHEAD;
                assert!(cost <= most, "{cost} bytes for {length} in round {round}");
            }
            if round == 0 {
                early.push(costs);
            }
        }
        for _ in 0..if round < 2 { 200 } else { 0 } {
            talk.exchange(300).await;
        }
    }
    // The same text costs no more after 800 messages than at first, but for longer numbers.
    talk.exchange(1).await;
    let late = talk.exchange(1).await;
    assert!(late[1] <= early[0][1] + 100, "{late:?} and {early:?}");
}

#[tokio::test]
async fn one_page_of_events_is_read_alone() {
    let (mut talk, _folder) = Talk::new().await;
    for _ in 0..300 {
        talk.exchange(10).await;
    }
    let page = async |after, limit| {
        let events = talk.host.user_events(&talk.session, after, limit).await;
        events.expect("reads")
    };
    let all = page(Position::default(), usize::MAX).await;
    assert!(all.len() > 300);
    for at in [0, 1, 150, all.len() - 2] {
        assert_eq!(page(all[at].position, 1).await, [all[at + 1].clone()]);
    }
    assert_eq!(page(all[all.len() - 1].position, 9).await, []);
}
