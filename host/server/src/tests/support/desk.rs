//! A host with a silent transport, a store that can be tricky, and a clock to turn by hand.

use super::{NoSecrets, SITE, Silent, Trickster};
use crate::HostKey;
use crate::host::Host;
use crate::user::{Position, UserEventKind};
use handoff_engine::clock::{Clock, SimClock};
use handoff_engine::handoff::{Signal, Tally};
use handoff_engine::name::{AccountName, EffectId, HandoffId, InputId, Revision, SessionId};
use handoff_engine::project::Project;
use handoff_engine::session::{Exchanges, Turn};
use handoff_engine::time::{Millis, Timestamp};
use handoff_genesys::Report;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp(1_790_000_000_000);

pub(crate) struct Desk {
    pub(crate) host: Host,
    pub(crate) clock: SimClock,
    pub(crate) store: Arc<Trickster>,
    pub(crate) silent: Arc<Silent>,
    reports: mpsc::UnboundedSender<Report>,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let clock = SimClock::new(START);
        Self::on(super::project().await, Arc::default(), clock).await
    }

    /// A host on a store that another one used.
    pub(crate) async fn on(project: Arc<Project>, store: Arc<Trickster>, clock: SimClock) -> Self {
        Self::with_versions(project, [], store, clock, &super::host_key()).await
    }

    async fn with_versions(
        project: Arc<Project>,
        earlier: impl IntoIterator<Item = Arc<Project>>,
        store: Arc<Trickster>,
        clock: SimClock,
        key: &HostKey,
    ) -> Self {
        let silent = Silent::new(Arc::new(clock.clone()));
        let kept: Arc<Trickster> = Arc::clone(&store);
        let mut builder = Host::builder(Arc::clone(&project))
            .store(kept, key)
            .clock(Arc::new(clock.clone()))
            .public_url("http://host.example");
        for project in earlier {
            builder = builder.earlier(project);
        }
        if project.overridden_by().is_none() {
            builder = builder.transport(AccountName::new(SITE), Arc::clone(&silent) as _);
        }
        let host = builder.start(&NoSecrets).await.expect("starts");
        let (reports, incoming) = mpsc::unbounded_channel();
        host.spawn(host.clone().take_reports(incoming));
        let desk = Self {
            host,
            clock,
            store,
            silent,
            reports,
        };
        desk.clock.idle().await;
        desk
    }

    /// Stops this host and starts another one on the same store.
    pub(crate) async fn restart(self) -> Self {
        let project = self.host.project();
        self.restart_with(project).await
    }

    pub(crate) async fn restart_with(self, project: Arc<Project>) -> Self {
        self.host.stop();
        self.host.stopped().await;
        Self::on(project, self.store, self.clock).await
    }

    /// The same, as another version of the project, with earlier ones beside it.
    pub(crate) async fn restart_as(
        self,
        project: Arc<Project>,
        earlier: impl IntoIterator<Item = Arc<Project>>,
    ) -> Self {
        self.host.stop();
        self.host.stopped().await;
        let key = super::host_key();
        Self::with_versions(project, earlier, self.store, self.clock, &key).await
    }

    /// The same, with another key.
    pub(crate) async fn restart_with_key(self, key: &HostKey) -> Self {
        let project = self.host.project();
        self.host.stop();
        self.host.stopped().await;
        Self::with_versions(project, [], self.store, self.clock, key).await
    }

    pub(crate) async fn start(&self, session: &str) {
        let session = SessionId::new(session);
        let started = self.host.start_session(session, None, None).await;
        started.expect("starts");
        self.clock.idle().await;
    }

    /// The user writes; the text is the id as well.
    pub(crate) async fn say(&self, session: &str, text: &str) -> Result<(), String> {
        let said = self.host.user_message(&session.into(), text, text).await;
        self.clock.idle().await;
        said.map_err(|error| error.code().to_owned())
    }

    /// A session that waits for an agent. The platform has accepted it.
    pub(crate) async fn with_agents(&self, session: &str) -> HandoffId {
        self.start(session).await;
        self.say(session, "an order").await.expect("is taken");
        let stored = self.host.session(&session.into()).await.expect("reads");
        let stored = stored.expect("is there");
        let handoff = stored.handoff().expect("is handed off").id.clone();
        let opened = Signal::Opened { conversation: None };
        self.report(&handoff, "opened", Some(opened), &[]).await;
        handoff
    }

    /// A report comes, as if from the transport.
    pub(crate) async fn report(
        &self,
        handoff: &HandoffId,
        key: &str,
        signal: Option<Signal>,
        settled: &[&str],
    ) {
        let tally = Tally::default();
        self.report_of(handoff, key, signal, settled, tally).await;
    }

    /// As [`Self::report`], from a platform that has kept order so far as the tally says.
    pub(crate) async fn report_of(
        &self,
        handoff: &HandoffId,
        key: &str,
        signal: Option<Signal>,
        settled: &[&str],
        tally: Tally,
    ) {
        let mut report = self.sketch(handoff, key);
        report.signal = signal;
        report.settled = settled.iter().map(|id| EffectId::new(*id)).collect();
        report.tally = tally;
        self.reports.send(report).expect("the host listens");
        self.clock.idle().await;
    }

    /// A report that tells nothing but another handle.
    pub(crate) async fn report_handle(&self, handoff: &HandoffId, key: &str, handle: Value) {
        let mut report = self.sketch(handoff, key);
        report.handle = handle;
        self.reports.send(report).expect("the host listens");
        self.clock.idle().await;
    }

    fn sketch(&self, handoff: &HandoffId, key: &str) -> Report {
        Report {
            handoff: handoff.clone(),
            input: InputId::new(format!("{handoff}:{key}")),
            signal: None,
            handle: json!({"after": key}),
            tally: Tally::default(),
            exchanges: Exchanges::default(),
            settled: Vec::new(),
            busy: self.clock.busy(),
        }
    }

    /// An agent writes; the text is the report's key as well.
    pub(crate) async fn agent_says(&self, handoff: &HandoffId, text: &str) {
        let signal = Signal::Message {
            message_id: text.to_owned(),
            from: None,
            text: text.to_owned(),
            content: Vec::new(),
            at: self.clock.now(),
        };
        self.report(handoff, text, Some(signal), &[]).await;
    }

    /// Lets time pass, from one thing that is due to the next.
    pub(crate) async fn pass(&self, span: Millis) {
        let until = self.clock.now() + span;
        loop {
            self.clock.idle().await;
            match self.clock.next_wake() {
                Some(next) if next <= until => self.clock.set(next),
                _ => break,
            }
        }
        self.clock.set(until);
        self.clock.idle().await;
    }

    pub(crate) async fn journal(&self, session: &str) -> Vec<Arc<Turn>> {
        let journal = self
            .host
            .journal(&session.into(), Revision::default())
            .await;
        journal.expect("reads")
    }

    /// Ids of the inputs that were taken, in order.
    pub(crate) async fn inputs(&self, session: &str) -> Vec<String> {
        let journal = self.journal(session).await;
        journal
            .iter()
            .map(|turn| turn.input.id.to_string())
            .collect()
    }

    /// The texts that the user saw.
    pub(crate) async fn seen(&self, session: &str) -> Vec<String> {
        let events = self
            .host
            .user_events(&session.into(), Position::default(), usize::MAX)
            .await;
        let events = events.expect("reads").into_iter();
        let texts = events.filter_map(|event| match event.kind {
            UserEventKind::Message { text, .. } => Some(text),
            _ => None,
        });
        texts.collect()
    }
}
