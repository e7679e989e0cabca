//! Versions of the project, side by side.
//!
//! A session runs to its end on the version it started with: its flows, its nodes, its accounts. A
//! deployed version takes the new sessions, and the ones before it stay for as long as sessions need
//! them. Where two versions configure an account alike they share its transport, so that a deployment
//! opens no second way to Genesys.

use crate::egress::Carrier;
use crate::host::{Host, StartError};
use async_trait::async_trait;
use handoff_engine::account::SecretRef;
use handoff_engine::availability::{AskAgents, Availability, NotTold};
use handoff_engine::clock::Clock;
use handoff_engine::egress::Egress;
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::{AccountName, SessionId};
use handoff_engine::project::Project;
use handoff_genesys::{Media, SecretError, Secrets, Transport};
use handoff_store::StoreError;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

type Transports = HashMap<AccountName, Arc<dyn Transport>>;

/// A version of the project, and its ways to Genesys.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) project: Arc<Project>,
    transports: Transports,
    /// How requests of its nodes leave.
    pub(crate) egress: Arc<dyn Egress>,
    /// How its nodes learn of agents.
    pub(crate) agents: Arc<dyn AskAgents>,
}

impl Version {
    pub(crate) fn transport(&self, account: &AccountName) -> Option<&Arc<dyn Transport>> {
        self.transports.get(account)
    }

    /// The transport of an account in one word, if it has one here.
    pub(crate) fn transport_kind(&self, account: &AccountName) -> Option<TransportKind> {
        let transport = self.transport(account)?;
        Some(transport.kind())
    }
}

/// What transports are made of.
#[derive(Debug)]
pub(crate) struct Workshop {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) media: Arc<dyn Media>,
    pub(crate) http: reqwest::Client,
    pub(crate) carrier: Arc<Carrier>,
    /// The embedder's own, which every version uses.
    pub(crate) own: Transports,
}

impl Workshop {
    /// A version with a transport for each of its accounts, those of other versions where they fit.
    pub(crate) fn version(
        &self,
        project: Arc<Project>,
        secrets: &dyn Secrets,
        others: &[Arc<Version>],
    ) -> Result<Version, StartError> {
        let mut transports = self.own.clone();
        let mut errors = Vec::new();
        for (name, account) in project.accounts() {
            let unused = project.overridden_by().is_some_and(|only| only != name);
            let unused = unused || !account.enabled();
            if unused || transports.contains_key(name) {
                continue;
            }
            let alike = others.iter().find_map(|other| {
                let same = other.project.account(name) == Some(account);
                other.transport(name).filter(|_| same)
            });
            if let Some(transport) = alike {
                transports.insert(name.clone(), Arc::clone(transport));
                continue;
            }
            let (clock, media) = (Arc::clone(&self.clock), Arc::clone(&self.media));
            let http = self.http.clone();
            let secrets = &OfVersion(&project, secrets);
            match handoff_genesys::transport(name, account, secrets, clock, http, media) {
                Ok(transport) => {
                    transports.insert(name.clone(), transport);
                }
                Err(error) => errors.push(error),
            }
        }
        if !errors.is_empty() {
            return Err(StartError::Accounts(errors));
        }
        let egress = self
            .carrier
            .of_version(&project, secrets)
            .map_err(StartError::Secrets)?;
        let agents = Arc::new(Agents(transports.clone()));
        Ok(Version {
            project,
            transports,
            egress,
            agents,
        })
    }
}

/// Asks the platforms of a version's accounts.
#[derive(Debug)]
struct Agents(Transports);

#[async_trait]
impl AskAgents for Agents {
    async fn ask(
        &self,
        account: &AccountName,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold> {
        match self.0.get(account) {
            Some(transport) => transport.availability(queue).await,
            None => Err(NotTold::new(
                "availability.account_off",
                format!("the account '{account}' is switched off, so nobody is handed over to it"),
            )),
        }
    }
}

/// The secrets of a version: names mean what its own `[secrets]` table says.
pub(crate) struct OfVersion<'v>(pub(crate) &'v Project, pub(crate) &'v dyn Secrets);

impl Secrets for OfVersion<'_> {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        let Self(project, secrets) = self;
        let source = match secret {
            SecretRef::Named(name) => project.secrets().get(name),
            SecretRef::Env(_) | SecretRef::File(_) => None,
        };
        match source {
            Some(SecretRef::Named(_)) | None => secrets.resolve(secret),
            Some(source) => secrets.resolve(source),
        }
    }
}

/// The versions that are loaded.
#[derive(Debug)]
pub(crate) struct Versions(RwLock<Loaded>);

#[derive(Debug)]
struct Loaded {
    current: Arc<Version>,
    /// By digest, the current one among them.
    all: BTreeMap<String, Arc<Version>>,
}

impl Versions {
    pub(crate) fn new(current: Version) -> Self {
        let current = Arc::new(current);
        let digest = current.project.digest().to_owned();
        let all = BTreeMap::from([(digest, Arc::clone(&current))]);
        Self(RwLock::new(Loaded { current, all }))
    }

    /// An earlier version, for the sessions that are pinned to it. One that is there stays.
    pub(crate) fn add(&self, version: Version) {
        let digest = version.project.digest().to_owned();
        let mut loaded = self.write();
        loaded
            .all
            .entry(digest)
            .or_insert_with(|| Arc::new(version));
    }

    fn write(&self) -> RwLockWriteGuard<'_, Loaded> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, Loaded> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version that new sessions take.
    pub(crate) fn current(&self) -> Arc<Version> {
        Arc::clone(&self.read().current)
    }

    /// The version that sessions are pinned to by its digest.
    pub(crate) fn of(&self, digest: &str) -> Option<Arc<Version>> {
        self.read().all.get(digest).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Version>> {
        self.read().all.values().cloned().collect()
    }

    /// The ways to Genesys that go by this account's name, the current version's first.
    pub(crate) fn transports(&self, account: &AccountName) -> Vec<Arc<dyn Transport>> {
        let loaded = self.read();
        let mut found: Vec<Arc<dyn Transport>> = Vec::new();
        for version in std::iter::once(&loaded.current).chain(loaded.all.values()) {
            if let Some(transport) = version.transport(account)
                && !found.iter().any(|known| Arc::ptr_eq(known, transport))
            {
                found.push(Arc::clone(transport));
            }
        }
        found
    }

    /// New sessions take this version from now on.
    fn deploy(&self, version: Version) {
        let version = Arc::new(version);
        let mut loaded = self.write();
        let digest = version.project.digest().to_owned();
        loaded.all.insert(digest, Arc::clone(&version));
        loaded.current = version;
    }

    /// Versions that no new session can take and no turn is using at this moment.
    fn idle(&self) -> BTreeSet<String> {
        let loaded = self.read();
        let idle = loaded.all.iter().filter(|(_, version)| {
            // A turn holds on to its version until its session is committed.
            !Arc::ptr_eq(version, &loaded.current) && Arc::strong_count(version) == 1
        });
        idle.map(|(digest, _)| digest.clone()).collect()
    }

    /// Lets go of versions, but for the current one.
    fn retire(&self, digests: &BTreeSet<String>) {
        let mut loaded = self.write();
        let Loaded { current, all } = &mut *loaded;
        all.retain(|digest, version| Arc::ptr_eq(version, current) || !digests.contains(digest));
    }
}

/// How far a version is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionState {
    /// What sessions are pinned to.
    pub digest: String,
    /// Whether new sessions take it.
    pub current: bool,
    /// Whether this host has it. Sessions of one it has not stand still until a host that has it
    /// starts: their inputs are refused with `session.other_project`, and nothing of them is lost.
    pub loaded: bool,
    /// Open sessions that are pinned to it.
    pub open_sessions: u64,
}

impl Host {
    /// Has new sessions take another version of the project. Those that are open stay with theirs.
    /// Deploying an earlier version again is how to go back to it.
    ///
    /// Secrets are read again for accounts that are configured otherwise than before, or not used by
    /// any session's version so far; a changed secret of an unchanged account takes a restart.
    ///
    /// # Errors
    ///
    /// If an account of the version cannot be used. Then nothing has changed.
    pub fn deploy(&self, project: Arc<Project>, secrets: &dyn Secrets) -> Result<(), StartError> {
        let others = self.0.versions.all();
        let version = self.0.workshop.version(project, secrets, &others)?;
        self.0.versions.deploy(version);
        Ok(())
    }

    /// The versions that are loaded or that open sessions need, the current one first, then those
    /// with the most sessions.
    pub async fn versions(&self) -> Result<Vec<VersionState>, StoreError> {
        let open = self.0.store.census().await?.open;
        let current = self.0.versions.current();
        let loaded: BTreeSet<String> = digests(&self.0.versions.all());
        let all: BTreeSet<&String> = loaded.iter().chain(open.keys()).collect();
        let mut states: Vec<VersionState> = all
            .into_iter()
            .map(|digest| VersionState {
                digest: digest.clone(),
                current: digest == current.project.digest(),
                loaded: loaded.contains(digest),
                open_sessions: open.get(digest).copied().unwrap_or_default(),
            })
            .collect();
        states.sort_by_key(|it| (!it.current, std::cmp::Reverse(it.open_sessions)));
        Ok(states)
    }

    /// Lets go of earlier versions that no session needs any more: none is open on them, and none
    /// that is closed has anything left to do. Returns their digests.
    pub async fn retire_versions(&self) -> Result<Vec<String>, StoreError> {
        // In this order: a session that starts on one of them meanwhile is in the census.
        let mut idle = self.0.versions.idle();
        let open = self.0.store.census().await?.open;
        idle.retain(|digest| !open.contains_key(digest));
        if idle.is_empty() {
            return Ok(Vec::new());
        }
        for needed in self.needed_by(&self.0.store.unfinished().await?).await? {
            idle.remove(&needed);
        }
        self.0.versions.retire(&idle);
        Ok(idle.into_iter().collect())
    }

    /// The versions that these sessions are pinned to.
    async fn needed_by(&self, sessions: &[SessionId]) -> Result<BTreeSet<String>, StoreError> {
        let mut needed = BTreeSet::new();
        for session in sessions {
            if let Some(session) = self.0.store.load(session).await? {
                needed.insert(session.project);
            }
        }
        Ok(needed)
    }
}

fn digests(versions: &[Arc<Version>]) -> BTreeSet<String> {
    let digests = versions.iter().map(|version| version.project.digest());
    digests.map(str::to_owned).collect()
}
