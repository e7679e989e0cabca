//! The engine: a runtime and the node types it has loaded.
//!
//! It is what projects are loaded with. Components come in as bytes, so that an embedder can keep
//! them where it likes; those of one call are compiled side by side, and every mistake is reported.

use crate::diagnostic::Diagnostic;
use crate::egress::Allowed;
use crate::name::{EnvironmentName, NodeType};
use crate::node::{
    CacheLocation, ComponentDigest, Limits, LoadError, Node, Runtime, RuntimeError, digest,
};
use crate::project::{Project, ProjectFiles};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::task::JoinSet;

/// A node component that is not loaded yet.
#[derive(Clone, Debug)]
pub struct Component {
    /// What messages call it, for example its file.
    pub name: String,
    /// The component.
    pub bytes: Vec<u8>,
}

/// A runtime and its node types. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    runtime: Runtime,
    nodes: Arc<BTreeMap<NodeType, Loaded>>,
    compiled: Compiled,
    progress: OnProgress,
    egress: Arc<Allowed>,
    environment: Option<EnvironmentName>,
}

/// How far the loading of components is. Compiling one may take seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The component that was loaded last.
    pub component: String,
    /// How many are loaded, or refused.
    pub done: usize,
    /// How many there are.
    pub total: usize,
}

type Told = dyn Fn(&Progress) + Send + Sync;

/// Who is told.
#[derive(Clone, Default)]
struct OnProgress(Option<Arc<Told>>);

impl fmt::Debug for OnProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnProgress")
    }
}

/// Nodes by the digest of their component: versions of a project that share a node share its code, and
/// however many ask for one at the same time, it is compiled once.
#[derive(Clone, Debug, Default)]
struct Compiled {
    /// For as long as somebody uses them.
    nodes: ByDigest<Node>,
    /// Those being loaded; what is inside is the error, once there is one.
    loading: ByDigest<tokio::sync::Mutex<Option<LoadError>>>,
}

#[derive(Debug)]
struct ByDigest<T>(Arc<Mutex<HashMap<ComponentDigest, Weak<T>>>>);

#[derive(Clone, Debug)]
struct Loaded {
    component: String,
    node: Arc<Node>,
}

/// Puts an engine together.
#[derive(Debug, Default)]
pub struct EngineBuilder {
    limits: Limits,
    cache: Option<PathBuf>,
    cache_key: Option<PathBuf>,
    progress: OnProgress,
    components: Vec<Component>,
    egress: Allowed,
    environment: Option<EnvironmentName>,
}

/// An engine that cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// There is no WebAssembly runtime on this machine.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// A component cannot be used as a node.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Two components have a node type of the same name.
    #[error("the node type '{node_type}' is in two components, {first} and {second}; remove one")]
    Twice {
        /// The node type.
        node_type: NodeType,
        /// A component.
        first: String,
        /// Another component.
        second: String,
    },
}

impl EngineError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Runtime(_) => "engine.no_runtime",
            Self::Load(error) => error.code(),
            Self::Twice { .. } => "node.twice",
        }
    }
}

impl EngineBuilder {
    /// What a node may use up.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps compiled components in a directory, so that the next start compiles none. What is in it is
    /// run, so only what this user put there counts: files carry a code under the user's own key, and a
    /// directory that others can write is not used at all, with a warning in the log.
    #[must_use]
    pub fn cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache = Some(directory.into());
        self
    }

    /// Takes the key to the cache from this file, which is made if it is not there and which nobody else
    /// may read. Without this it is `handoff/cache.key` in the user's own data directory.
    #[must_use]
    pub fn cache_key(mut self, file: impl Into<PathBuf>) -> Self {
        self.cache_key = Some(file.into());
        self
    }

    /// Tells how far the loading of components is, each time one is done, also of those that are added
    /// later.
    #[must_use]
    pub fn on_progress(mut self, told: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.progress = OnProgress(Some(Arc::new(told)));
        self
    }

    /// Lets requests of nodes go where a project sends them, as long as it is one of these origins.
    /// Nothing is allowed if nothing is said. Who carries them is said for each turn, in
    /// [`crate::Surroundings`].
    #[must_use]
    pub fn allow_egress(mut self, allowed: Allowed) -> Self {
        self.egress = allowed;
        self
    }

    /// Loads projects for this environment. None is the first of each project.
    #[must_use]
    pub fn environment(mut self, environment: Option<EnvironmentName>) -> Self {
        self.environment = environment;
        self
    }

    /// Adds node components.
    #[must_use]
    pub fn components(mut self, components: impl IntoIterator<Item = Component>) -> Self {
        self.components.extend(components);
        self
    }

    /// Compiles and checks everything. All mistakes come at once.
    pub async fn build(self) -> Result<Engine, Vec<EngineError>> {
        let key = self.cache_key;
        let cache = self.cache.map(|directory| CacheLocation { directory, key });
        let runtime =
            Runtime::with_cache(self.limits, cache.as_ref()).map_err(|error| vec![error.into()])?;
        let empty = Engine {
            runtime,
            nodes: Arc::default(),
            compiled: Compiled::default(),
            progress: self.progress,
            egress: Arc::new(self.egress),
            environment: self.environment,
        };
        empty.with(self.components).await
    }
}

impl Engine {
    /// An engine without nodes, to be furnished.
    #[must_use]
    pub fn builder() -> EngineBuilder {
        EngineBuilder::default()
    }

    /// An engine on the same runtime with no nodes yet, for another version of a project. Components
    /// that are in use already are not compiled again.
    #[must_use]
    pub fn without_nodes(&self) -> Self {
        Self {
            runtime: self.runtime.clone(),
            nodes: Arc::default(),
            compiled: self.compiled.clone(),
            progress: self.progress.clone(),
            egress: Arc::clone(&self.egress),
            environment: self.environment.clone(),
        }
    }

    /// This engine with more nodes, for example a project's own. All mistakes come at once.
    pub async fn with(
        &self,
        components: impl IntoIterator<Item = Component>,
    ) -> Result<Self, Vec<EngineError>> {
        let mut loading = JoinSet::new();
        for component in components {
            let (runtime, compiled) = (self.runtime.clone(), self.compiled.clone());
            loading.spawn(async move {
                let Component { name, bytes } = component;
                let node = compiled.load(&runtime, &name, bytes.into()).await;
                (name, node)
            });
        }
        let total = loading.len();
        let mut loaded = Vec::with_capacity(total);
        while let Some(joined) = loading.join_next().await {
            match joined {
                Ok(one) => loaded.push(one),
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The runtime is being shut down, and this task with it.
                    Err(_) => continue,
                },
            }
            if let (Some(told), Some((component, _))) = (&self.progress.0, loaded.last()) {
                told(&Progress {
                    component: component.clone(),
                    done: loaded.len(),
                    total,
                });
            }
        }
        loaded.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut nodes = BTreeMap::clone(&self.nodes);
        let mut errors = Vec::new();
        for (component, node) in loaded {
            let node = match node {
                Ok(node) => node,
                Err(error) => {
                    errors.push(error.into());
                    continue;
                }
            };
            let node_type = node.descriptor().node_type.clone();
            if let Some(first) = nodes.get(&node_type) {
                errors.push(EngineError::Twice {
                    node_type,
                    first: first.component.clone(),
                    second: component,
                });
                continue;
            }
            nodes.insert(node_type, Loaded { component, node });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            runtime: self.runtime.clone(),
            nodes: Arc::new(nodes),
            compiled: self.compiled.clone(),
            progress: self.progress.clone(),
            egress: Arc::clone(&self.egress),
            environment: self.environment.clone(),
        })
    }

    /// This engine, loading projects for another environment.
    #[must_use]
    pub fn in_environment(&self, environment: EnvironmentName) -> Self {
        Self {
            environment: Some(environment),
            ..self.clone()
        }
    }

    /// The node types, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values().map(|loaded| &loaded.node)
    }

    /// Loads and checks a project. On failure the list holds every mistake that was found.
    pub async fn load(&self, files: &ProjectFiles) -> Result<Project, Vec<Diagnostic>> {
        let nodes = self
            .nodes
            .iter()
            .map(|(name, loaded)| (name.clone(), Arc::clone(&loaded.node)))
            .collect();
        let environment = self.environment.as_ref();
        Project::load(files, &nodes, &self.egress, environment).await
    }
}

impl Compiled {
    async fn load(
        &self,
        runtime: &Runtime,
        name: &str,
        bytes: Arc<[u8]>,
    ) -> Result<Arc<Node>, LoadError> {
        let digest = digest(runtime, name, &bytes).await?;
        if let Some(node) = self.nodes.get(&digest) {
            return Ok(node);
        }
        // Whoever comes while it is loaded waits here, and finds it, or what is wrong with it.
        let turn = self.loading.get_or_add(digest);
        let mut refused = turn.lock().await;
        if let Some(node) = self.nodes.get(&digest) {
            return Ok(node);
        }
        if let Some(error) = &*refused {
            return Err(error.clone());
        }
        match Node::load_known(runtime, name, bytes, digest).await {
            Ok(node) => {
                let node = Arc::new(node);
                self.nodes.add(digest, &node);
                Ok(node)
            }
            Err(error) => {
                *refused = Some(error.clone());
                Err(error)
            }
        }
    }
}

impl<T> ByDigest<T> {
    fn get(&self, digest: &ComponentDigest) -> Option<Arc<T>> {
        self.lock().get(digest).and_then(Weak::upgrade)
    }

    fn add(&self, digest: ComponentDigest, item: &Arc<T>) {
        let mut all = self.lock();
        all.retain(|_, item| item.strong_count() > 0);
        all.insert(digest, Arc::downgrade(item));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ComponentDigest, Weak<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Default> ByDigest<T> {
    fn get_or_add(&self, digest: ComponentDigest) -> Arc<T> {
        let mut all = self.lock();
        if let Some(item) = all.get(&digest).and_then(Weak::upgrade) {
            return item;
        }
        all.retain(|_, item| item.strong_count() > 0);
        let item = Arc::new(T::default());
        all.insert(digest, Arc::downgrade(&item));
        item
    }
}

impl<T> Clone for ByDigest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for ByDigest<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}
