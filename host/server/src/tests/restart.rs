//! A host stops at the worst moment, and another one goes on from the same store.

use super::support::{Desk, SITE, START, Trick, Trickster, project, with_account};
use crate::HostKey;
use crate::host::Host;
use crate::user::Position;
use genesys_sim::AgentAction::Accept;
use genesys_sim::{ClockMode, Control, Fault, Options, Org, Simulator, Speaker};
use handoff_engine::clock::{Clock, SimClock};
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::name::{AccountName, SessionId};
use handoff_engine::project::Project;
use handoff_engine::session::{SESSION_END_DETAIL, SESSION_END_REASON};
use handoff_engine::time::{Millis, Timestamp};
use serde_json::json;
use std::sync::Arc;

impl Desk {
    /// Stops the host between the commit of a deed and what follows from it.
    async fn die_after<F: Future<Output = Result<(), crate::InputError>>>(
        &self,
        session: &str,
        deed: impl FnOnce(Host, SessionId) -> F,
    ) {
        die_after(&self.host, &self.store, session, deed).await;
    }
}

async fn die_after<F: Future<Output = Result<(), crate::InputError>>>(
    host: &Host,
    store: &Trickster,
    session: &str,
    deed: impl FnOnce(Host, SessionId) -> F,
) {
    let id = SessionId::new(session);
    let turns = async || {
        host.journal(&id, Default::default())
            .await
            .expect("reads")
            .len()
    };
    let before = turns().await;
    store.play(session, Trick::Hang);
    let stop = async {
        while turns().await == before {
            tokio::task::yield_now().await;
        }
        host.stop();
    };
    let (outcome, ()) = tokio::join!(deed(host.clone(), id.clone()), stop);
    let error = outcome.expect_err("the host stopped");
    assert_eq!(error.code(), "host.stopping");
    host.stopped().await;
}

#[tokio::test]
async fn a_handoff_that_was_committed_and_not_opened_is_opened_by_the_next_host() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.die_after("s", async |host, s| {
        host.user_message(&s, "1", "an order").await
    })
    .await;
    assert_eq!(desk.silent.opened(), Vec::<String>::new());
    let desk = desk.restart().await;
    assert_eq!(desk.silent.opened(), ["s/2/1"]);
    let said = desk.host.user_message(&"s".into(), "1", "an order").await;
    said.expect("was taken by the first host");
    let desk = desk.restart().await;
    assert_eq!(
        desk.silent.opened(),
        ["s/2/1"],
        "nothing was reported yet: open again"
    );
    assert_eq!(desk.silent.resumed(), []);
}

#[tokio::test]
async fn an_open_handoff_is_resumed_from_the_last_handle_that_was_committed() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.agent_says(&handoff, "Hello").await;
    let desk = desk.restart().await;
    assert_eq!(desk.silent.opened(), Vec::<String>::new());
    assert_eq!(
        desk.silent.resumed(),
        [("s/2/1".to_owned(), json!({"after": "Hello"}))]
    );
    desk.agent_says(&handoff, "Hello").await;
    desk.agent_says(&handoff, "Goodbye").await;
    assert_eq!(
        desk.seen("s").await,
        ["What is it about?", "Hello", "Goodbye"]
    );
    let end = Signal::Ended(HandoffEnd::agent_left());
    desk.report(&handoff, "ended", Some(end), &[]).await;
    let desk = desk.restart().await;
    assert_eq!(desk.silent.resumed(), [], "it is over");
}

#[tokio::test]
async fn what_users_saw_stays_and_shows_again_from_any_position() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.agent_says(&handoff, "Hello").await;
    let session = SessionId::new("s");
    let all = async |desk: &Desk, after| {
        desk.host
            .user_events(&session, after, usize::MAX)
            .await
            .expect("reads")
    };
    let before = all(&desk, Position::default()).await;
    let desk = desk.restart().await;
    assert_eq!(all(&desk, Position::default()).await, before);
    assert_eq!(all(&desk, before[0].position).await, before[1..]);
    assert_eq!(all(&desk, before[1].position).await, []);
    desk.agent_says(&handoff, "Still there?").await;
    let after = all(&desk, before[1].position).await;
    assert_eq!(after.len(), 1, "{after:?}");
    assert!(after[0].position > before[1].position);
}

#[tokio::test]
async fn a_deadline_that_passed_while_no_host_ran_rings_at_once() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.host.stop();
    desk.clock.set(START + Millis::from_secs(90));
    let desk = desk.restart().await;
    assert_eq!(desk.seen("s").await, ["What is it about?", "Still there?"]);
}

#[tokio::test]
async fn a_handoff_that_opened_after_its_user_left_is_ended_by_the_next_host() {
    let desk = Desk::new().await;
    desk.start("s").await;
    desk.say("s", "an order").await.expect("is taken");
    let stored = desk
        .host
        .session(&"s".into())
        .await
        .expect("reads")
        .expect("is there");
    let handoff = stored.handoff().expect("is handed off").id.clone();
    // The session lets go before there is a handle; the only one comes late.
    desk.host
        .user_leaves(&"s".into(), "2")
        .await
        .expect("is taken");
    let opened = Signal::Opened { conversation: None };
    desk.report(&handoff, "opened", Some(opened), &[]).await;
    let leaving = desk.store.pending("s").await;
    assert_eq!(leaving, ["s/3/1"]);
    let desk = desk.restart().await;
    assert_eq!(
        desk.silent.resumed(),
        [("s/2/1".to_owned(), json!({"after": "opened"}))]
    );
    let end = Signal::Ended(HandoffEnd::user_left());
    desk.report(&handoff, "ended", Some(end), &[]).await;
    assert_eq!(desk.store.pending("s").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_handoff_whose_account_the_host_no_longer_has_ends_in_error() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.say("s", "a question").await.expect("is taken");
    let other = AccountName::new("other");
    let without_site = with_account(|project| project.override_account(other)).await;
    let desk = desk.restart_with(without_site).await;
    let stored = desk
        .host
        .session(&"s".into())
        .await
        .expect("reads")
        .expect("is there");
    assert!(stored.handoff().is_none(), "{handoff} goes on");
    assert_eq!(stored.context[SESSION_END_REASON], "Error");
    assert_eq!(
        stored.context[SESSION_END_DETAIL]["code"],
        "transfer.unknown_account"
    );
    let seen = desk.seen("s").await;
    assert_eq!(
        seen[1..],
        ["Sorry: transfer.unknown_account", "Anything else?"]
    );
    assert_eq!(desk.store.pending("s").await, Vec::<String>::new());
}

/// A contact centre, and hosts that come and go.
struct Centre {
    clock: SimClock,
    control: Control,
    store: Arc<Trickster>,
    project: Arc<Project>,
    host: Host,
    _simulator: Simulator,
}

const ORG: &str = "
name = 'Acme'
agents = [{ id = 'kim', name = 'Kim', on-queue = true }]
queues = [{ name = 'Support', division = 'Home', members = ['kim'] }]
divisions = [{ name = 'Home' }]
[[engage.services]]
name = 'customer-support'
route = { queue = 'Support' }
";

impl Centre {
    async fn new() -> Self {
        let org = Org::from_toml(ORG, "org.toml").expect("is an organisation");
        let options = Options {
            clock: ClockMode::Manual { now_ms: START.0 },
            ..Options::default()
        };
        let simulator = Simulator::start(org, options).await.expect("starts");
        let url = simulator.base_url();
        let project = with_account(|project| {
            project.edit_accounts(|_, account| account.redirect_to(&url));
        });
        let project = project.await;
        let clock = SimClock::new(START);
        let store = Arc::default();
        let centre = Self {
            control: simulator.control(),
            host: host(&project, &store, &clock).await,
            clock,
            store,
            project,
            _simulator: simulator,
        };
        let session = SessionId::new("s");
        let started = centre.host.start_session(session, None, None).await;
        started.expect("starts");
        centre.say("an order").await;
        centre.pass(6).await;
        centre.control.agent("kim", Accept).expect("it rings");
        centre.pass(6).await;
        centre
    }

    /// Another host on the same store. The one before has been stopped.
    async fn take_over(&mut self) {
        self.host.stopped().await;
        self.host = host(&self.project, &self.store, &self.clock).await;
        self.settle().await;
    }

    async fn say(&self, text: &str) {
        let said = self.host.user_message(&"s".into(), text, text).await;
        said.expect("is taken");
        self.settle().await;
    }

    async fn settle(&self) {
        let mut before = None;
        loop {
            let done = (self.clock.idle().await, self.control.settle().await);
            if before == Some(done) {
                return;
            }
            before = Some(done);
        }
    }

    async fn pass(&self, seconds: u64) {
        let until = self.clock.now() + Millis::from_secs(seconds);
        loop {
            self.settle().await;
            let theirs = self.control.next_timer().map(Timestamp);
            let next = self.clock.next_wake().into_iter().chain(theirs).min();
            let at = next.map_or(until, |next| next.max(self.clock.now()).min(until));
            self.control.set_now(at.0);
            self.clock.set(at);
            if at == until && next.is_none_or(|next| next > until) {
                break;
            }
        }
        self.settle().await;
    }

    /// What the agent reads from the user.
    fn customer_said(&self) -> Vec<String> {
        let conversations = self.control.conversations();
        assert_eq!(conversations.len(), 1, "one handoff is one conversation");
        let lines = conversations[0].lines.iter();
        let lines = lines.filter(|line| line.who == Speaker::Customer);
        lines.map(|line| line.text.clone()).collect()
    }
}

async fn host(project: &Arc<Project>, store: &Arc<Trickster>, clock: &SimClock) -> Host {
    let store: Arc<Trickster> = Arc::clone(store);
    let builder = Host::builder(Arc::clone(project))
        .store(store, &super::support::host_key())
        .clock(Arc::new(clock.clone()));
    builder
        .start(&super::support::NoSecrets)
        .await
        .expect("starts")
}

#[tokio::test]
async fn says_that_did_not_reach_the_agent_are_sent_by_the_next_host_in_order_and_once() {
    let mut centre = Centre::new().await;
    let opening = centre.customer_said();
    centre.control.fault(Fault::RefuseRequests {
        path: "/genesys/2/chat".to_owned(),
        times: u32::MAX,
        status: 503,
        code: None,
        retry_after: None,
    });
    for text in ["one", "two", "three"] {
        centre.say(text).await;
    }
    let pending = centre.store.pending("s").await;
    assert_eq!(pending.len(), 3, "{pending:?}");
    die_after(&centre.host, &centre.store, "s", async |host, s| {
        host.user_message(&s, "four", "four").await
    })
    .await;
    centre.control.fault(Fault::Clear);
    let pending = centre.store.pending("s").await;
    assert_eq!(pending.len(), 4, "{pending:?}");
    let settled_before = centre.store.settled().len();
    centre.take_over().await;
    centre.pass(60).await;
    let heard = [
        opening,
        ["one", "two", "three", "four"].map(str::to_owned).to_vec(),
    ]
    .concat();
    assert_eq!(centre.customer_said(), heard);
    // What is told to the user of each of them is settled, too.
    let mut settled = centre.store.settled().split_off(settled_before);
    settled.retain(|effect| pending.contains(effect));
    assert_eq!(settled, pending, "the same effects, in order");
    assert_eq!(centre.store.pending("s").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_user_who_left_as_the_host_stopped_leaves_the_agent_by_the_next_host() {
    let mut centre = Centre::new().await;
    die_after(&centre.host, &centre.store, "s", async |host, s| {
        host.user_leaves(&s, "left").await
    })
    .await;
    assert_eq!(centre.control.conversations()[0].state, "connected");
    centre.take_over().await;
    centre.pass(60).await;
    assert_eq!(centre.control.conversations()[0].state, "ended");
    assert_eq!(centre.store.pending("s").await, Vec::<String>::new());
    assert_eq!(centre.control.conversations().len(), 1);
}

#[tokio::test]
async fn secrets_of_a_handle_are_sealed_in_the_journal_and_open_for_the_transport() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let handle = json!({"chat": "7", "key": {"$secret": "the secret"}});
    desk.report_handle(&handoff, "opened again", handle.clone())
        .await;
    let journal = format!("{:?}", desk.journal("s").await);
    assert!(journal.contains("$sealed"), "{journal}");
    assert!(!journal.contains("the secret"), "{journal}");
    let desk = desk.restart().await;
    assert_eq!(desk.silent.resumed(), [(handoff.to_string(), handle)]);
}

#[tokio::test]
async fn a_handoff_is_resumed_with_what_was_said_in_it_and_not_settled() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    desk.say("s", "one").await.expect("is taken");
    desk.say("s", "two").await.expect("is taken");
    let [first, second] = &desk.store.pending("s").await[..] else {
        panic!("both are pending");
    };
    desk.report(&handoff, "one arrived", None, &[first]).await;
    let desk = desk.restart().await;
    assert_eq!(&desk.silent.unsettled(), std::slice::from_ref(second));
}

#[tokio::test]
async fn what_is_said_in_a_handoff_that_stands_still_waits_for_the_key() {
    let desk = Desk::new().await;
    let handoff = desk.with_agents("s").await;
    let handle = json!({"chat": "7", "key": {"$secret": "the secret"}});
    desk.report_handle(&handoff, "opened again", handle.clone())
        .await;
    desk.say("s", "before").await.expect("is taken");
    let other = HostKey::random().expect("random numbers");
    let desk = desk.restart_with_key(&other).await;
    desk.say("s", "meanwhile").await.expect("is taken");
    assert_eq!(desk.silent.resumed(), []);
    let pending = desk.store.pending("s").await;
    assert_eq!(pending.len(), 2, "{pending:?}");
    let inputs = desk.inputs("s").await;
    assert!(
        !inputs.iter().any(|it| it.contains("undelivered")),
        "{inputs:?}"
    );
    let desk = desk.restart().await;
    assert_eq!(desk.silent.unsettled(), pending);
}

#[tokio::test]
async fn accounts_of_a_started_host_are_those_of_the_project() {
    let project = project().await;
    let host = Host::builder(project)
        .start(&super::support::NoSecrets)
        .await
        .expect("starts");
    let headers = axum::http::HeaderMap::new();
    assert!(
        host.webhook(&AccountName::new(SITE), &headers, b"")
            .is_some()
    );
    assert!(
        host.webhook(&AccountName::new("nobody"), &headers, b"")
            .is_none()
    );
    host.stop();
}
