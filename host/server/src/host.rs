//! A host: one project, its accounts' transports, a store and a clock.

use crate::egress::{Carrier, EgressOptions};
use crate::key::{HostKey, KeyError};
use crate::media::MemoryMedia;
use crate::metrics::Metrics;
use crate::outbox::Links;
use crate::queues::Queues;
use crate::sealing::Seal;
use crate::sessions::InputError;
use crate::timeline::{Redaction, Timeline};
use crate::user::{Position, UserEvent, Watchers};
use crate::versions::{Versions, Workshop};
use handoff_engine::clock::{Busy, Clock, SystemClock};
use handoff_engine::content::{Receipt, UserMessage};
use handoff_engine::handoff::Signal;
use handoff_engine::name::{AccountName, BotName, InputId, Revision, SessionId};
use handoff_engine::project::Project;
use handoff_engine::session::{Input, InputKind, Session, SessionLimits, Turn};
use handoff_engine::time::Timestamp;
use handoff_genesys::{
    AccountError, Media, NoMedia, Reports, SecretError, Secrets, Transport, WebhookOutcome,
    WebhookReply,
};
use handoff_store::{Backup, MemoryStore, Store, StoreError};
use std::collections::HashMap;
use std::fmt::Debug;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Turns that [`Host::timeline`] tells of at most.
pub const TIMELINE_TURNS: usize = 2_000;

/// A running host. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Host(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) versions: Versions,
    pub(crate) workshop: Workshop,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) seal: Seal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) media: Arc<dyn Media>,
    pub(crate) public_url: Option<String>,
    pub(crate) reports: Reports,
    pub(crate) queues: Queues,
    pub(crate) links: Links,
    pub(crate) watchers: Watchers,
    pub(crate) session_limits: SessionLimits,
    pub(crate) metrics: Metrics,
    /// Says that deadlines have changed. The sender's work goes on until that is seen.
    pub(crate) deadlines: mpsc::UnboundedSender<Busy>,
    tasks: TaskTracker,
    pub(crate) stopping: CancellationToken,
}

/// Puts a host together.
#[derive(Debug)]
pub struct HostBuilder {
    project: Arc<Project>,
    earlier: Vec<Arc<Project>>,
    store: Arc<dyn Store>,
    key: Option<HostKey>,
    clock: Arc<dyn Clock>,
    transports: HashMap<AccountName, Arc<dyn Transport>>,
    media: Option<Arc<dyn Media>>,
    public_url: Option<String>,
    egress: EgressOptions,
    session_limits: SessionLimits,
}

/// A host that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Accounts that cannot be used, each with its reason.
    #[error("{}", list(.0))]
    Accounts(Vec<AccountError>),
    /// Secrets that nodes use and that cannot be had.
    #[error("{}", list(.0))]
    Secrets(Vec<SecretError>),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no key to seal secrets with.
    #[error(transparent)]
    Key(#[from] KeyError),
}

fn list(errors: &[impl ToString]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("\n")
}

impl HostBuilder {
    /// An earlier version of the project, for the sessions that started on it and are still open.
    #[must_use]
    pub fn earlier(mut self, project: Arc<Project>) -> Self {
        self.earlier.push(project);
        self
    }

    /// Where sessions are kept, and the key that secrets in them are sealed with: the same one whenever
    /// a host starts on this store. If nothing is said, both last as long as the process.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn Store>, key: &HostKey) -> Self {
        self.store = store;
        self.key = Some(key.clone());
        self
    }

    /// The clock; the system's if nothing is said.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where this host's routes are reached by users and by Genesys, for example
    /// `https://bots.example.org`. Without it the host keeps no files.
    #[must_use]
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Where files are kept instead of in the host's memory.
    #[must_use]
    pub fn media(mut self, media: Arc<dyn Media>) -> Self {
        self.media = Some(media);
        self
    }

    /// How requests of nodes leave. Where they may go is said by the project and by the engine that
    /// loaded it.
    #[must_use]
    pub fn egress(mut self, options: EgressOptions) -> Self {
        self.egress = options;
        self
    }

    /// How long a session may become before it is closed.
    #[must_use]
    pub fn session_limits(mut self, limits: SessionLimits) -> Self {
        self.session_limits = limits;
        self
    }

    /// A transport of the embedder's own, in place of the one its account would have had, in every
    /// version of the project.
    #[must_use]
    pub fn transport(mut self, account: AccountName, transport: Arc<dyn Transport>) -> Self {
        self.transports.insert(account, transport);
        self
    }

    /// Starts the host and takes up what an earlier one left. Must be called within a tokio runtime.
    pub async fn start(self, secrets: &dyn Secrets) -> Result<Host, StartError> {
        let media: Arc<dyn Media> = match (&self.media, &self.public_url) {
            (Some(media), _) => Arc::clone(media),
            (None, Some(url)) => Arc::new(MemoryMedia::new(url)),
            (None, None) => Arc::new(NoMedia),
        };
        let key = self.key.map_or_else(HostKey::random, Ok)?;
        let workshop = Workshop {
            clock: Arc::clone(&self.clock),
            media: Arc::clone(&media),
            http: handoff_genesys::http_client(),
            carrier: Arc::new(Carrier::new(self.egress, Arc::clone(&self.clock))),
            own: self.transports,
        };
        let versions = Versions::new(workshop.version(self.project, secrets, &[])?);
        for project in self.earlier {
            versions.add(workshop.version(project, secrets, &versions.all())?);
        }
        let unfinished = self.store.unfinished().await?;
        let (reports, incoming) = Reports::channel();
        let (deadlines, changes) = mpsc::unbounded_channel();
        let host = Host(Arc::new(Inner {
            versions,
            workshop,
            store: self.store,
            seal: Seal::new(&key),
            clock: self.clock,
            media,
            public_url: self.public_url,
            reports,
            queues: Queues::default(),
            links: Links::default(),
            watchers: Watchers::default(),
            session_limits: self.session_limits,
            metrics: Metrics::new(),
            deadlines,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        }));
        let busy = host.0.clock.busy();
        host.spawn(host.clone().take_reports(incoming));
        host.spawn(host.clone().watch_deadlines(changes, busy));
        if !unfinished.is_empty() {
            host.0.metrics.webhooks().takes_up();
        }
        for session in &unfinished {
            host.take_up(session);
        }
        Ok(host)
    }
}

impl Host {
    /// A host for a project.
    #[must_use]
    pub fn builder(project: Arc<Project>) -> HostBuilder {
        HostBuilder {
            project,
            earlier: Vec::new(),
            store: Arc::new(MemoryStore::new()),
            key: None,
            clock: Arc::new(SystemClock),
            transports: HashMap::new(),
            media: None,
            public_url: None,
            egress: EgressOptions::default(),
            session_limits: SessionLimits::default(),
        }
    }

    /// The version of the project that new sessions take.
    #[must_use]
    pub fn project(&self) -> Arc<Project> {
        Arc::clone(&self.0.versions.current().project)
    }

    /// A new session. Returns when its first turn is committed.
    pub async fn start_session(
        &self,
        session: SessionId,
        bot: Option<BotName>,
        channel: Option<String>,
    ) -> Result<(), InputError> {
        let id = InputId::new("started");
        let kind = InputKind::Started { bot, channel };
        self.deliver(&session, Input { id, kind }).await
    }

    /// The user writes. `id` is the client's own id of the message: the same twice counts once.
    pub async fn user_message(
        &self,
        session: &SessionId,
        id: &str,
        text: &str,
    ) -> Result<(), InputError> {
        self.user_says(session, id, UserMessage::text(text)).await
    }

    /// The user says something that is not only text. `id` as for a message.
    pub async fn user_says(
        &self,
        session: &SessionId,
        id: &str,
        message: UserMessage,
    ) -> Result<(), InputError> {
        self.input(session, id, InputKind::UserMessage(message))
            .await
    }

    /// A message of the agent side's arrived at the user, was seen, or could not be shown.
    /// `message` is the one the user event names; `id` as for a message.
    pub async fn user_receipt(
        &self,
        session: &SessionId,
        id: &str,
        message: &str,
        receipt: Receipt,
    ) -> Result<(), InputError> {
        let message = message.to_owned();
        let kind = InputKind::UserReceipt { message, receipt };
        self.input(session, id, kind).await
    }

    /// The user types, or stopped. `id` as for a message.
    pub async fn user_typing(
        &self,
        session: &SessionId,
        id: &str,
        on: bool,
    ) -> Result<(), InputError> {
        self.input(session, id, InputKind::UserTyping { on }).await
    }

    /// The user leaves: the agent if one is in charge, else the session. `id` as for a message.
    pub async fn user_leaves(&self, session: &SessionId, id: &str) -> Result<(), InputError> {
        self.input(session, id, InputKind::UserLeft).await
    }

    async fn input(
        &self,
        session: &SessionId,
        id: &str,
        kind: InputKind,
    ) -> Result<(), InputError> {
        let id = InputId::new(format!("{USER}{id}"));
        self.deliver(session, Input { id, kind }).await
    }

    /// What time it is here.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Asks the store for something, to see whether it answers.
    pub(crate) async fn store_answers(&self) -> Result<(), StoreError> {
        self.0.store.next_due().await.map(drop)
    }

    /// A session as of its last turn.
    pub async fn session(&self, session: &SessionId) -> Result<Option<Session>, StoreError> {
        self.0.store.load(session).await
    }

    /// The turns of a session from a revision on.
    pub async fn journal(
        &self,
        session: &SessionId,
        from: Revision,
    ) -> Result<Vec<Arc<Turn>>, StoreError> {
        self.0.store.journal(session, from, usize::MAX).await
    }

    /// Writes a copy of the store into a new file, while the host goes on.
    pub async fn backup(&self, to: &Path) -> Result<Backup, StoreError> {
        self.0.store.backup(to).await
    }

    /// What happened in a session; none if there is no such session. Of a very long one the last
    /// [`TIMELINE_TURNS`] turns.
    pub async fn timeline(
        &self,
        session: &SessionId,
        redaction: Redaction,
    ) -> Result<Option<Timeline>, StoreError> {
        let all = Revision::default();
        let turns = self.0.store.journal(session, all, TIMELINE_TURNS).await?;
        if turns.is_empty() {
            return Ok(None);
        }
        // After the turns: what a later turn owes is in none of these rows.
        let pending = self.0.store.pending_effects(session).await?;
        let timeline = Timeline::of(&turns, redaction);
        Ok(Some(timeline.with_pending(&pending)))
    }

    /// What the user gets to see after a position, at most `limit` events.
    pub async fn user_events(
        &self,
        session: &SessionId,
        after: Position,
        limit: usize,
    ) -> Result<Vec<UserEvent>, StoreError> {
        self.0.store.events(session, after, limit).await
    }

    /// Whether a client may go on from a position: the beginning, or one that an event has.
    pub(crate) async fn is_position(
        &self,
        session: &SessionId,
        position: Position,
    ) -> Result<bool, StoreError> {
        Ok(position == Position::default() || self.0.store.has_event(session, position).await?)
    }

    /// Tells when a session has a new turn. Whoever watches first and reads the events after misses
    /// none.
    pub async fn watch(
        &self,
        session: &SessionId,
    ) -> Result<watch::Receiver<Revision>, StoreError> {
        let watching = self.0.watchers.watch(session);
        if let Some(session) = self.0.store.load(session).await? {
            self.0.watchers.committed(&session.id, session.revision);
        }
        Ok(watching)
    }

    /// A webhook call for an account; none if there is no such account.
    #[must_use]
    pub fn webhook(
        &self,
        account: &AccountName,
        headers: &axum::http::HeaderMap,
        body: &[u8],
    ) -> Option<WebhookReply> {
        let offer = |transport: &dyn Transport| transport.webhook(headers, body);
        first_taken(&self.0.versions.transports(account), offer)
    }

    /// A call of a process-automation trigger's workflow for an account, as [`Self::webhook`].
    #[must_use]
    pub fn event(
        &self,
        account: &AccountName,
        headers: &axum::http::HeaderMap,
        body: &[u8],
    ) -> Option<WebhookReply> {
        let offer = |transport: &dyn Transport| transport.event(headers, body);
        first_taken(&self.0.versions.transports(account), offer)
    }

    /// Stops at once. Handoffs stay open at the platform, and a host that starts on the same store
    /// takes them up; within one process, not before [`Self::stopped`].
    pub fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.queues.close();
        self.0.links.close();
        self.0.watchers.close();
    }

    /// Waits, once the host was told to stop, until nothing it began is under way.
    pub async fn stopped(&self) {
        self.0.tasks.wait().await;
    }

    /// Whether the host was told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.is_cancelled()
    }

    /// Runs a task until it ends or the host stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stopping = self.0.stopping.clone();
        let task = async move {
            stopping.run_until_cancelled(task).await;
        };
        self.0.tasks.spawn(task);
    }
}

/// Offers a call to every way that goes by an account's name, since only they know whose handoff it
/// concerns: what the first one says that takes it, or else the current version's.
fn first_taken(
    transports: &[Arc<dyn Transport>],
    offer: impl Fn(&dyn Transport) -> WebhookReply,
) -> Option<WebhookReply> {
    let replies: Vec<WebhookReply> = transports.iter().map(|it| offer(&**it)).collect();
    let taken = replies.iter().find(|reply| reply.status.is_success());
    let known = |reply: &&WebhookReply| reply.outcome != WebhookOutcome::Refused;
    let taken = taken.or_else(|| replies.iter().find(known));
    taken.or(replies.first()).cloned()
}

/// What clients' ids of inputs begin with here, so that they are no others.
const USER: &str = "user:";

/// A client's own id of an input.
pub(crate) fn client_id(input: &InputId) -> &str {
    let id = input.as_str();
    id.strip_prefix(USER).unwrap_or(id)
}

/// Whether a signal is the last of its handoff.
pub(crate) fn is_last(signal: Option<&Signal>) -> bool {
    matches!(signal, Some(Signal::Ended(_)))
}
