//! A simulator and a host on the system's clock, for people to talk to.

use crate::apis::Apis;
use crate::stage::{Published, Route, Scene, StageError, start_host};
use genesys_sim::{ClockMode, Simulator};
use handoff_engine::Engine;
use handoff_engine::clock::SystemClock;
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::SessionId;
use handoff_server::{Host, HostKey};
use handoff_store::{MemoryStore, Store};
use std::path::Path;
use std::sync::Arc;

/// A project with a simulated contact centre behind it.
#[derive(Debug)]
pub struct LiveStage {
    simulator: Simulator,
    _apis: Apis,
    host: Host,
    transport: TransportKind,
    session: SessionId,
}

impl LiveStage {
    /// Starts both. Without a transport, the project's default account decides.
    pub async fn set_up(
        engine: &Engine,
        project: &Path,
        org: &Path,
        transport: Option<TransportKind>,
    ) -> Result<Self, StageError> {
        let scene = Scene::set_up(
            engine,
            project,
            org,
            Route::Over(transport),
            ClockMode::Real,
        )
        .await?;
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let control = scene.simulator.control();
        let clock = Arc::new(SystemClock);
        let key = HostKey::random()?;
        let published = Published::first(Arc::clone(&scene.project));
        let secrets = &scene.secrets;
        let (host, _) = start_host(
            &published,
            secrets,
            clock,
            &store,
            &key,
            &control,
            &scene.apis,
        )
        .await?;
        Ok(Self {
            simulator: scene.simulator,
            _apis: scene.apis,
            host,
            transport: scene.transport,
            session: SessionId::new("chat-1"),
        })
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The one session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The transport in use.
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        self.transport
    }

    /// What the project is called.
    #[must_use]
    pub fn project_name(&self) -> String {
        self.host.project().name().to_owned()
    }

    /// Where the simulator listens.
    #[must_use]
    pub fn simulator_url(&self) -> String {
        self.simulator.base_url()
    }

    /// Ids of the simulated agents.
    #[must_use]
    pub fn agents(&self) -> Vec<String> {
        let desks = self.simulator.control().desks();
        desks.into_iter().map(|desk| desk.agent).collect()
    }

    /// Stops both.
    pub async fn stop(self) {
        self.host.stop();
        self.simulator.stop().await;
    }
}
