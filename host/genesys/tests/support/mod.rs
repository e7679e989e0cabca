//! A contact centre, a transport to it, and one clock for both.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

pub(crate) mod crowd;
mod shelf;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use genesys_sim::{
    AgentAction, ClockMode, Control, ConversationView, DeskView, Options, Org, Simulator,
};
use handoff_engine::account::{
    Account, EngageAccount, HostOverrides, OAuthClient, OpenMessagingAccount, SecondHandoff,
    SecretRef, WebChatAccount, WebMessagingAccount,
};
use handoff_engine::clock::{Clock, SimClock};
use handoff_engine::content::{Attachment, Content, Receipt, UserMessage};
use handoff_engine::handoff::{
    HandoffEnd, Identity, SessionEndReason, Signal, Tally, Target, TransferOptions, TransferRequest,
};
use handoff_engine::name::{AccountName, EffectId, HandoffId, InputId};
use handoff_engine::time::{Millis, Timestamp};
use handoff_genesys::{
    Command, File, Link, Report, Reports, SecretError, Secrets, Transport, http_client, transport,
};
pub(crate) use shelf::Shelf;
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// 2026-01-05T10:00:00Z.
const START: u64 = 1_767_607_200_000;

const ORG: &str = include_str!("org.toml");

/// Secrets that are their own names.
struct Plain;

impl Secrets for Plain {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        match secret {
            SecretRef::Named(value) => Ok(value.clone()),
            other => Err(SecretError::new(format!("{other:?} is not a test secret"))),
        }
    }
}

/// A report without what keeps the clock waiting.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) input: InputId,
    pub(crate) signal: Option<Signal>,
    pub(crate) handle: serde_json::Value,
    pub(crate) settled: Vec<EffectId>,
    pub(crate) tally: Tally,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Engage,
    WebChat,
    WebMessaging,
    OpenMessaging,
}

impl Over {
    pub(crate) const ALL: [Self; 4] = [
        Self::Engage,
        Self::WebChat,
        Self::WebMessaging,
        Self::OpenMessaging,
    ];
}

/// Everything a test needs: the centre, the transport and what was told.
pub(crate) struct Stage {
    pub(crate) over: Over,
    pub(crate) clock: SimClock,
    pub(crate) control: Control,
    pub(crate) transport: Arc<dyn Transport>,
    account: Account,
    told: Arc<Mutex<Vec<Told>>>,
    reports: Reports,
    link: Option<Link>,
    says: usize,
    /// Where files are.
    pub(crate) shelf: Shelf,
    /// Every webhook call that came, as whoever listens in would have it.
    pub(crate) calls: Calls,
    /// Stops the centre when dropped.
    _simulator: Simulator,
}

impl Stage {
    pub(crate) async fn set(over: Over) -> Self {
        Self::with(over, |_| ()).await
    }

    /// A stage whose account is changed before it is used.
    pub(crate) async fn with(over: Over, change: impl FnOnce(&mut Account)) -> Self {
        Self::in_org(over, ORG, change).await
    }

    /// A stage in an org of one's own.
    pub(crate) async fn in_org(over: Over, org: &str, change: impl FnOnce(&mut Account)) -> Self {
        let http = http_client();
        let org = Org::from_toml(org, "org.toml").unwrap();
        let options = Options {
            clock: ClockMode::Manual { now_ms: START },
            ..Options::default()
        };
        let mut account = account(over, &org);
        let simulator = Simulator::start(org, options).await.unwrap();
        let control = simulator.control();
        let shelf = Shelf::open().await;
        let clock = SimClock::new(Timestamp(START));
        account.redirect_to(&simulator.base_url());
        change(&mut account);
        let transport = transport(
            &AccountName::new("acme"),
            &account,
            &Plain,
            Arc::new(clock.clone()),
            http,
            Arc::new(shelf.clone()),
        )
        .unwrap();
        let calls = Calls::default();
        listen(&control, &transport, &calls).await;
        let told = Arc::new(Mutex::new(Vec::new()));
        Self {
            over,
            clock,
            control,
            transport,
            account,
            reports: collect(&told),
            told,
            link: None,
            says: 0,
            shelf,
            calls,
            _simulator: simulator,
        }
    }

    /// Opens the handoff and lets it settle.
    pub(crate) async fn open(&mut self, request: TransferRequest) {
        self.open_as("s/1/0", request).await;
    }

    pub(crate) async fn open_as(&mut self, handoff: &str, request: TransferRequest) {
        let handoff = HandoffId::new(handoff);
        self.link = Some(self.transport.open(handoff, request, self.reports.clone()));
        self.settle().await;
    }

    /// Stops this host and takes the handoff up on another, from the last handle told.
    pub(crate) async fn restart(&mut self) {
        self.restart_from(self.handle()).await;
    }

    pub(crate) async fn restart_from(&mut self, handle: serde_json::Value) {
        self.stop().await;
        self.transport = transport(
            &AccountName::new("acme"),
            &self.account,
            &Plain,
            Arc::new(self.clock.clone()),
            http_client(),
            Arc::new(self.shelf.clone()),
        )
        .unwrap();
        listen(&self.control, &self.transport, &self.calls).await;
        let handoff = HandoffId::new("s/1/0");
        let reports = self.reports.clone();
        self.link = Some(self.transport.resume(handoff, handle, Vec::new(), reports));
        self.settle().await;
    }

    /// Stops this host: nobody polls, listens or answers.
    pub(crate) async fn stop(&mut self) {
        self.link = None;
        self.settle().await;
    }

    /// Lets everything come to rest without time passing.
    pub(crate) async fn settle(&self) {
        let mut before = None;
        loop {
            let done = (self.clock.idle().await, self.control.settle().await);
            if before == Some(done) {
                return;
            }
            before = Some(done);
        }
    }

    /// Lets time pass, for both sides, stopping wherever one of them wakes.
    pub(crate) async fn pass(&self, span: Millis) {
        let until = self.clock.now() + span;
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

    /// Long enough for a poll or a look.
    pub(crate) async fn breathe(&self) {
        self.pass(Millis::from_secs(6)).await;
    }

    pub(crate) async fn agent(&self, agent: &str, action: AgentAction) {
        self.control.agent(agent, action).unwrap();
        self.breathe().await;
    }

    /// Lets an agent act without time passing.
    pub(crate) fn at_once(&self, agent: &str, action: AgentAction) {
        self.control.agent(agent, action).unwrap();
    }

    pub(crate) fn desk(&self, agent: &str) -> DeskView {
        self.control.desk(agent).unwrap()
    }

    /// The last handle told.
    pub(crate) fn handle(&self) -> serde_json::Value {
        self.told().last().unwrap().handle.clone()
    }

    /// Lets an administrator end the conversation.
    pub(crate) fn tear_down(&self) {
        let id = self.conversation().id;
        self.control.end_conversation(&id).unwrap();
    }

    pub(crate) async fn say(&mut self, text: &str) -> EffectId {
        self.says += 1;
        let id = EffectId::new(format!("s/{}/0", self.says + 1));
        self.say_as(&id, text).await;
        id
    }

    pub(crate) async fn say_as(&self, id: &EffectId, text: &str) {
        self.command(Command::Say {
            id: id.clone(),
            message: UserMessage::text(text),
            input: None,
        })
        .await;
    }

    /// Says more than text; the input behind it is named like the effect.
    pub(crate) async fn say_all(&mut self, message: UserMessage) -> EffectId {
        self.says += 1;
        let id = EffectId::new(format!("s/{}/0", self.says + 1));
        let input = Some(InputId::new(id.to_string()));
        self.command(Command::Say {
            id: id.clone(),
            message,
            input,
        })
        .await;
        id
    }

    /// A file on the shelf, as the user attaches it.
    pub(crate) fn file(&self, name: &str, mime: &str, bytes: &'static [u8]) -> Attachment {
        let url = self.shelf.put(File {
            name: name.to_owned(),
            mime: mime.to_owned(),
            bytes: bytes.into(),
        });
        Attachment {
            name: name.to_owned(),
            mime: mime.to_owned(),
            url,
            size: Some(bytes.len() as u64),
        }
    }

    /// Calls the transport as a trigger's workflow does.
    pub(crate) async fn trigger(&self, conversation: &str, topic: &str) -> StatusCode {
        let mut headers = HeaderMap::new();
        headers.insert(
            "authorization",
            "Bearer events-token-of-16-or-more".parse().unwrap(),
        );
        let body = serde_json::json!({"conversationId": conversation, "topic": topic});
        let reply = self.transport.event(&headers, body.to_string().as_bytes());
        self.settle().await;
        reply.status
    }

    /// What came with the agents' messages, in order.
    pub(crate) fn contents(&self) -> Vec<Content> {
        let contents = self.signals().into_iter().map(|signal| match signal {
            Signal::Message { content, .. } => content,
            _ => Vec::new(),
        });
        contents.flatten().collect()
    }

    /// How well the platform's messages were in order.
    pub(crate) fn tally(&self) -> Tally {
        self.told().last().unwrap().tally
    }

    /// What became of the user's messages, in order.
    pub(crate) fn receipts(&self) -> Vec<(String, Receipt)> {
        let receipts = self
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::Receipt { message, receipt } => Some((message.to_string(), receipt)),
                _ => None,
            });
        receipts.collect()
    }

    /// What the customer sent, as agents see it.
    pub(crate) fn customer_lines(&self) -> Vec<genesys_sim::Line> {
        let mut lines = self.conversation().lines;
        lines.retain(|line| line.who == genesys_sim::Speaker::Customer);
        lines
    }

    /// Gives a command without letting anything settle.
    pub(crate) fn send(&self, command: Command) {
        self.link.as_ref().unwrap().send(command);
    }

    pub(crate) async fn command(&self, command: Command) {
        self.link.as_ref().unwrap().send(command);
        self.settle().await;
    }

    pub(crate) fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    pub(crate) fn signals(&self) -> Vec<Signal> {
        let told = self.told();
        told.into_iter().filter_map(|told| told.signal).collect()
    }

    pub(crate) fn settled(&self) -> Vec<EffectId> {
        let told = self.told();
        told.into_iter().flat_map(|told| told.settled).collect()
    }

    /// What agents said, and who, in order.
    pub(crate) fn heard(&self) -> Vec<String> {
        let said = self
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::Message { from, text, .. } => {
                    let name = from.map_or_else(|| "-".to_owned(), |agent| agent.name);
                    Some(format!("{name}: {text}"))
                }
                _ => None,
            });
        said.collect()
    }

    /// Who joined, in order.
    pub(crate) fn joined(&self) -> Vec<String> {
        let names = self
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::AgentJoined { agent } => Some(agent.name),
                _ => None,
            });
        names.collect()
    }

    pub(crate) fn notices(&self) -> Vec<(String, String)> {
        let notices = self
            .signals()
            .into_iter()
            .filter_map(|signal| match signal {
                Signal::Notice { code, message } => Some((code, message)),
                _ => None,
            });
        notices.collect()
    }

    /// How it ended, if it has. Checks that it did so once and last.
    pub(crate) fn end(&self) -> Option<HandoffEnd> {
        let signals = self.signals();
        let ends = signals
            .iter()
            .filter(|signal| matches!(signal, Signal::Ended(_)));
        assert!(ends.count() <= 1, "ended more than once: {signals:#?}");
        match signals.last() {
            Some(Signal::Ended(end)) => Some(end.clone()),
            _ => None,
        }
    }

    pub(crate) fn reason(&self) -> Option<SessionEndReason> {
        self.end().map(|end| end.reason)
    }

    /// Code and sentence of an end in error.
    pub(crate) fn error(&self) -> (String, String) {
        let end = self
            .end()
            .unwrap_or_else(|| panic!("{:#?}", self.signals()));
        assert_eq!(end.reason, SessionEndReason::Error);
        let detail = end.detail.unwrap();
        (detail.code, detail.message)
    }

    /// The only conversation there is.
    pub(crate) fn conversation(&self) -> ConversationView {
        let mut all = self.control.conversations();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    /// An attribute of the user's, as agents find it. WebChat puts all under a name of its own.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let attributes = self.conversation().attributes;
        let name = match self.over {
            Over::WebChat => format!("context.{name}"),
            Over::Engage | Over::WebMessaging | Over::OpenMessaging => name.to_owned(),
        };
        attributes.get(&name).cloned()
    }

    /// What the customer said, as agents read it.
    pub(crate) fn customer_said(&self) -> Vec<String> {
        let lines = self.conversation().lines.into_iter();
        lines
            .filter(|line| line.who == genesys_sim::Speaker::Customer)
            .map(|line| line.text)
            .collect()
    }
}

/// Every input id is told once.
pub(crate) fn no_repeats(told: &[Told]) {
    let mut ids: Vec<_> = told.iter().map(|told| told.input.to_string()).collect();
    ids.sort();
    let before = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), before, "{told:#?}");
}

pub(crate) fn request() -> TransferRequest {
    TransferRequest {
        account: "acme".into(),
        target: Target::AnyAgent,
        options: TransferOptions {
            identity: Identity {
                nickname: Some("Ana".to_owned()),
                first_name: Some("Ana".to_owned()),
                last_name: Some("Lima".to_owned()),
                email_address: Some("ana@example.org".to_owned()),
                ..Identity::default()
            },
            subject: Some("An order".to_owned()),
            ..TransferOptions::default()
        },
        opening_text: Some("Where is my order?".to_owned()),
        transcript: Vec::new(),
    }
}

pub(crate) fn request_for(queue: &str) -> TransferRequest {
    TransferRequest {
        target: Target::Queue(queue.to_owned()),
        ..request()
    }
}

/// The id of a WebChat deployment.
pub(crate) fn widget(name: &str) -> Option<String> {
    let org = Org::from_toml(ORG, "org.toml").unwrap();
    org.widget_id(name).map(str::to_owned)
}

fn account(over: Over, org: &Org) -> Account {
    let named = |secret: &str| SecretRef::Named(secret.to_owned());
    match over {
        Over::Engage => Account::EngageChatV2(EngageAccount {
            enabled: true,
            events: true,
            url: String::new(),
            service: "customer-support".to_owned(),
            prefix: "/genesys/2/chat".to_owned(),
            api_key: None,
            require_email: false,
            queue_attribute: "QueueName".to_owned(),
            poll_interval_ms: Millis::from_secs(3),
        }),
        Over::WebChat => Account::CloudWebchat(WebChatAccount {
            enabled: true,
            events: true,
            region: "mypurecloud.de".to_owned(),
            organization_id: org.id().to_owned(),
            deployment_id: org.widget_id("Site").unwrap().to_owned(),
            queue: Some("Support".to_owned()),
            oauth_client: Some(OAuthClient {
                id: "bridge".to_owned(),
                secret: named("bridge-secret"),
            }),
            hosts: HostOverrides::default(),
        }),
        Over::WebMessaging => Account::CloudWebMessaging(WebMessagingAccount {
            enabled: true,
            events: true,
            region: "mypurecloud.de".to_owned(),
            deployment_id: org.deployment_id("Messenger").unwrap().to_owned(),
            origin: None,
            queue_attribute: "QueueName".to_owned(),
            second_handoff: SecondHandoff::StartNew,
            token_secret: None,
            oauth_client: Some(OAuthClient {
                id: "bridge".to_owned(),
                secret: named("bridge-secret"),
            }),
            hosts: HostOverrides::default(),
        }),
        Over::OpenMessaging => Account::CloudOpenMessaging(OpenMessagingAccount {
            enabled: true,
            events: true,
            region: "mypurecloud.de".to_owned(),
            client_id: "bridge".to_owned(),
            client_secret: named("bridge-secret"),
            integration: "handoff bridge".to_owned(),
            webhook_secret: named("a-secret-of-16-or-more"),
            competencies: std::collections::BTreeMap::new(),
            provision: None,
            events_token: Some(named("events-token-of-16-or-more")),
            queue_attribute: "QueueName".to_owned(),
            hosts: HostOverrides::default(),
        }),
    }
}

/// Collects reports and lets go of what keeps the clock waiting.
fn collect(told: &Arc<Mutex<Vec<Told>>>) -> Reports {
    let (reports, mut receiver): (_, mpsc::UnboundedReceiver<Report>) = Reports::channel();
    let told = Arc::clone(told);
    tokio::spawn(async move {
        while let Some(report) = receiver.recv().await {
            told.lock().unwrap().push(Told {
                input: report.input,
                signal: report.signal,
                handle: report.handle,
                settled: report.settled,
                tally: report.tally,
            });
        }
    });
    reports
}

/// Headers and bodies.
pub(crate) type Calls = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// Serves the transport's webhook and points the integration at it.
async fn listen(control: &Control, transport: &Arc<dyn Transport>, calls: &Calls) {
    let app = Router::new()
        .route("/webhook", post(webhook))
        .with_state((Arc::clone(transport), Arc::clone(calls)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    control.set_webhook("handoff bridge", &url).unwrap();
}

async fn webhook(
    State((transport, calls)): State<(Arc<dyn Transport>, Calls)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let reply = transport.webhook(&headers, &body);
    calls.lock().unwrap().push((headers, body));
    (reply.status, reply.body)
}
