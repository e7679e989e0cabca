//! What operators count: sessions, handoffs, messages, steps, commits and requests.
//!
//! What happens to sessions is counted by turns that were committed, by one pure function
//! (`increment`), so that nothing counts twice or before it is certain. How long things take is
//! measured where they happen. What there is now is asked of the store when somebody scrapes.
//! Counters begin at nothing when the process starts, as Prometheus expects.

mod catalogue;
mod increment;
mod labels;
mod process;
mod requests;
mod scrape;

pub(crate) use catalogue::Told;
pub(crate) use requests::count_request;
pub use scrape::METRICS_FORMAT;

use crate::webhooks::Webhooks;
use catalogue::Catalogue;
use handoff_engine::handoff::{HandoffEnd, Tally, TransportKind};
use handoff_engine::name::{AccountName, NodeType};
use handoff_engine::session::{InputKind, Session, Turn};
use handoff_engine::time::{Millis, Timestamp};
use handoff_genesys::WebhookOutcome;
use handoff_store::{AppendError, Census};
use increment::Increment;
use labels::{
    Abandoned, Account, Code, Codes, End, Kind, Outcome, Owner, Reason, Request, Route, Type, Way,
    Webhook,
};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted, and the registry that tells it.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    codes: Codes,
    // What there is now.
    sessions: Family<Owner, Gauge>,
    handoffs_driven: Gauge,
    store_up: Gauge,
    // What happened.
    sessions_started: Counter,
    sessions_closed: Family<Reason, Counter>,
    handoffs_opened: Family<Account, Counter>,
    handoffs_ended: Family<End, Counter>,
    time_to_agent: Histograms<Account>,
    wait_abandoned: Histograms<Abandoned>,
    relayed: Family<Way, Counter>,
    undelivered: Family<Way, Counter>,
    gaps: Family<Account, Counter>,
    repeats: Family<Account, Counter>,
    reorders: Family<Account, Counter>,
    notices: Family<labels::Told, Counter>,
    step_failures: Family<Code, Counter>,
    input_failures: Family<Code, Counter>,
    // How long it takes.
    steps: Histograms<Type>,
    commits: Histograms<Outcome>,
    turns: Histograms<Kind>,
    webhooks: Family<Webhook, Counter>,
    webhook_log: Webhooks,
    requests: Family<Request, Counter>,
    request_times: Histograms<Route>,
}

/// Seconds, for what computers do: from ten microseconds on.
fn quick() -> Histogram {
    Histogram::new([
        0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01,
        0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ])
}

/// Seconds, for what people wait for: from a second to some hours.
fn patient() -> Histogram {
    Histogram::new([
        1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0, 3_600.0,
        7_200.0, 14_400.0,
    ])
}

fn timed<L: Clone + std::hash::Hash + Eq>(made: fn() -> Histogram) -> Histograms<L> {
    Family::new_with_constructor(made)
}

fn seconds(span: Millis) -> f64 {
    Duration::from(span).as_secs_f64()
}

impl Metrics {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self::with_catalogue().0
    }

    /// As [`Self::new`], with what every metric is called and says.
    pub(crate) fn with_catalogue() -> (Self, Vec<Told>) {
        let mut all = Catalogue::default();
        let metrics = Self {
            codes: Codes::default(),
            sessions: all.add(
                "handoff_sessions",
                "Open sessions in the store, by who owns them: bot or agent",
                Family::default(),
            ),
            handoffs_driven: all.add(
                "handoff_handoffs_driven",
                "Handoffs that this host drives now, those included that are being left",
                Gauge::default(),
            ),
            store_up: all.add(
                "handoff_store_up",
                "1 if the store answered when this was scraped, else 0",
                Gauge::default(),
            ),
            sessions_started: all.add(
                "handoff_sessions_started_total",
                "Sessions that began",
                Counter::default(),
            ),
            sessions_closed: all.add(
                "handoff_sessions_closed_total",
                "Sessions that closed, by reason",
                Family::default(),
            ),
            handoffs_opened: all.add(
                "handoff_handoffs_opened_total",
                "Handoffs that were asked for",
                Family::default(),
            ),
            handoffs_ended: all.add(
                "handoff_handoffs_ended_total",
                "Handoffs that ended, by SessionEndReason and code of the detail",
                Family::default(),
            ),
            time_to_agent: all.add(
                "handoff_time_to_agent_seconds",
                "Time from asking for a handoff until the first agent joined",
                timed(patient),
            ),
            wait_abandoned: all.add(
                "handoff_wait_abandoned_seconds",
                "Time from asking for a handoff until it ended without any agent having joined",
                timed(patient),
            ),
            relayed: all.add(
                "handoff_messages_relayed_total",
                "Messages between user and agent side, by direction: to_agent or to_user",
                Family::default(),
            ),
            undelivered: all.add(
                "handoff_messages_undelivered_total",
                "Messages between user and agent side that are known not to have arrived",
                Family::default(),
            ),
            gaps: all.add(
                "handoff_wire_gaps_total",
                "Messages of the platform's that were missing when later ones had come",
                Family::default(),
            ),
            repeats: all.add(
                "handoff_wire_repeats_total",
                "Messages of the platform's that came again",
                Family::default(),
            ),
            reorders: all.add(
                "handoff_wire_reorders_total",
                "Messages of the platform's that came after later ones",
                Family::default(),
            ),
            notices: all.add(
                "handoff_notices_total",
                "Troubles that a handoff survived, and things sent in a lesser form, by code",
                Family::default(),
            ),
            step_failures: all.add(
                "handoff_step_failures_total",
                "Steps that failed, by code",
                Family::default(),
            ),
            input_failures: all.add(
                "handoff_input_failures_total",
                "Inputs that were refused, or put off because the store did not take them, by code",
                Family::default(),
            ),
            steps: all.add(
                "handoff_step_seconds",
                "Time of one step of a node, instance included, by node type",
                timed(quick),
            ),
            commits: all.add(
                "handoff_commit_seconds",
                "Time the store takes to commit a turn; the outcome is committed, beaten (another \
                 turn came first) or failed",
                timed(quick),
            ),
            turns: all.add(
                "handoff_turn_seconds",
                "Time from taking an input up to the commit of its turn, by kind of input",
                timed(quick),
            ),
            webhooks: all.add(
                "handoff_webhooks_total",
                "Webhook calls of Genesys', by what became of them: taken, unclaimed (no handoff of \
                 this host knows the user), unreadable, stale (a recorded call) or refused (not signed)",
                Family::default(),
            ),
            webhook_log: Webhooks::new(),
            requests: all.add(
                "handoff_http_requests_total",
                "HTTP requests answered, by method, route and status",
                Family::default(),
            ),
            request_times: all.add(
                "handoff_http_request_seconds",
                "Time until an HTTP request is answered; streams count until they begin",
                timed(quick),
            ),
            registry: Registry::default(),
        };
        let Catalogue {
            mut registry,
            mut told,
        } = all;
        registry.register_collector(Box::new(process::Process));
        told.extend(process::TOLD);
        metrics.begin_at_nothing();
        let metrics = Self {
            registry,
            ..metrics
        };
        (metrics, told)
    }

    /// What is known beforehand is told as 0, so that the first one that comes shows as a rise.
    fn begin_at_nothing(&self) {
        for direction in [increment::Direction::ToAgent, increment::Direction::ToUser] {
            let direction = direction.as_str();
            drop(self.relayed.get_or_create(&Way { direction }));
            drop(self.undelivered.get_or_create(&Way { direction }));
        }
    }

    /// The store says what there is.
    fn counted(&self, census: &Census) {
        let open: u64 = census.open.values().sum();
        let bot = open.saturating_sub(census.handed_off);
        for (owner, count) in [("agent", census.handed_off), ("bot", bot)] {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.sessions.get_or_create(&Owner { owner }).set(count);
        }
        self.store_up.set(1);
    }

    /// The store does not say what there is; what it said before is not true any more.
    fn not_counted(&self) {
        self.sessions.clear();
        self.store_up.set(0);
    }

    /// Counts a turn that was committed. `before` is the session as it was, and `transport_of` says
    /// which transport an account has.
    pub(crate) fn committed(
        &self,
        before: &Session,
        turn: &Turn,
        transport_of: impl Fn(&AccountName) -> Option<TransportKind>,
    ) {
        let account = |name: &AccountName| Account {
            account: name.to_string(),
            transport: transport_of(name).map_or("none", TransportKind::as_str),
        };
        for increment in increment::of_turn(before, turn) {
            self.add(increment, account);
        }
    }

    fn add(&self, increment: Increment<'_>, account: impl Fn(&AccountName) -> Account) {
        match increment {
            Increment::SessionStarted => {
                self.sessions_started.inc();
            }
            Increment::SessionClosed(reason) => {
                self.sessions_closed.get_or_create(&Reason { reason }).inc();
            }
            Increment::HandoffOpened(name) => {
                self.handoffs_opened.get_or_create(&account(name)).inc();
            }
            Increment::HandoffEnded { account: name, end } => {
                self.handoffs_ended
                    .get_or_create(&self.end(account(name), end))
                    .inc();
            }
            Increment::AgentReached(name, waited) => self
                .time_to_agent
                .get_or_create(&account(name))
                .observe(seconds(waited)),
            Increment::WaitAbandoned {
                account: name,
                end,
                waited,
            } => {
                let Account { account, transport } = account(name);
                let reason = end.reason.as_str();
                let labels = Abandoned {
                    account,
                    transport,
                    reason,
                };
                self.wait_abandoned
                    .get_or_create(&labels)
                    .observe(seconds(waited));
            }
            Increment::Relayed(direction) => {
                let direction = direction.as_str();
                self.relayed.get_or_create(&Way { direction }).inc();
            }
            Increment::Undelivered(direction) => {
                let direction = direction.as_str();
                self.undelivered.get_or_create(&Way { direction }).inc();
            }
            Increment::OutOfOrder(name, tally) => self.out_of_order(&account(name), tally),
            Increment::Notice(name, code) => {
                let Account { account, transport } = account(name);
                let code = self.codes.label(code);
                let labels = labels::Told {
                    account,
                    transport,
                    code,
                };
                self.notices.get_or_create(&labels).inc();
            }
            Increment::StepFailed(code) => {
                let code = self.codes.label(code);
                self.step_failures.get_or_create(&Code { code }).inc();
            }
        }
    }

    fn end(&self, Account { account, transport }: Account, end: &HandoffEnd) -> End {
        let code = end.detail.as_ref().map(|detail| detail.code.as_str());
        End {
            account,
            transport,
            reason: end.reason.as_str(),
            code: code.map_or_else(|| "none".to_owned(), |code| self.codes.label(code)),
        }
    }

    fn out_of_order(&self, account: &Account, tally: Tally) {
        self.gaps.get_or_create(account).inc_by(tally.gaps);
        self.repeats.get_or_create(account).inc_by(tally.repeats);
        self.reorders.get_or_create(account).inc_by(tally.reorders);
    }

    /// An input came to nothing.
    pub(crate) fn input_failed(&self, code: &str) {
        let code = self.codes.label(code);
        self.input_failures.get_or_create(&Code { code }).inc();
    }

    /// A webhook call came for an account.
    pub(crate) fn webhook(&self, account: &AccountName, outcome: &WebhookOutcome, now: Timestamp) {
        let labels = Webhook {
            account: account.to_string(),
            outcome: outcome.as_str(),
        };
        self.webhooks.get_or_create(&labels).inc();
        self.webhook_log.came(account, outcome, now);
    }

    /// What became of webhook calls.
    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.webhook_log
    }

    /// A step took so long.
    pub(crate) fn stepped(&self, node_type: &NodeType, took: Duration) {
        let node_type = node_type.to_string();
        self.steps
            .get_or_create(&Type { node_type })
            .observe(took.as_secs_f64());
    }

    /// The store took so long over a commit.
    pub(crate) fn appended(&self, result: &Result<(), AppendError>, took: Duration) {
        let outcome = match result {
            Ok(()) => "committed",
            Err(AppendError::Conflict { .. } | AppendError::Duplicate(_)) => "beaten",
            Err(AppendError::Store(_)) => "failed",
        };
        self.commits
            .get_or_create(&Outcome { outcome })
            .observe(took.as_secs_f64());
    }

    /// A turn took so long, from its input to its commit.
    pub(crate) fn took_turn(&self, input: &InputKind, took: Duration) {
        let input = kind(input);
        self.turns
            .get_or_create(&Kind { input })
            .observe(took.as_secs_f64());
    }
}

/// What kind of input, in the words of the journal.
fn kind(input: &InputKind) -> &'static str {
    match input {
        InputKind::Started { .. } => "started",
        InputKind::UserMessage(_) => "user-message",
        InputKind::UserReceipt { .. } => "user-receipt",
        InputKind::Undelivered { .. } => "undelivered",
        InputKind::UserTyping { .. } => "user-typing",
        InputKind::UserLeft => "user-left",
        InputKind::Signal { .. } => "signal",
        InputKind::Due(_) => "due",
    }
}
