//! The engine: a runtime and the node types it has loaded.
//!
//! It is what projects are loaded with. Components come in as bytes, so that an embedder can keep
//! them where it likes; those of one call are compiled side by side, and every mistake is reported.

use crate::diagnostic::Diagnostic;
use crate::egress::Allowed;
use crate::name::{EnvironmentName, NodeType};
use crate::node::{Limits, LoadError, Node, Runtime, RuntimeError};
use crate::project::{Project, ProjectFiles};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
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
    egress: Arc<Allowed>,
    environment: Option<EnvironmentName>,
}

/// Nodes by the digest of their component, for as long as somebody uses them: versions of a project
/// that share a node share its code.
#[derive(Clone, Debug, Default)]
struct Compiled(Arc<Mutex<HashMap<[u8; 32], Weak<Node>>>>);

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

    /// Keeps compiled components in a directory, so that the next start compiles none. Nobody but the
    /// program's own user may write there: what is in it is run.
    #[must_use]
    pub fn cache(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cache = Some(directory.into());
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
        let runtime =
            Runtime::with_cache(self.limits, self.cache).map_err(|error| vec![error.into()])?;
        let empty = Engine {
            runtime,
            nodes: Arc::default(),
            compiled: Compiled::default(),
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
                let node = compiled.load(&runtime, &component).await;
                (component.name, node)
            });
        }
        let mut loaded = loading.join_all().await;
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
    async fn load(&self, runtime: &Runtime, component: &Component) -> Result<Arc<Node>, LoadError> {
        let digest: [u8; 32] = Sha256::digest(&component.bytes).into();
        let in_use = self.lock().get(&digest).and_then(Weak::upgrade);
        if let Some(node) = in_use {
            return Ok(node);
        }
        let node = Node::load(runtime, &component.name, &component.bytes).await?;
        let node = Arc::new(node);
        let mut all = self.lock();
        all.retain(|_, node| node.strong_count() > 0);
        all.insert(digest, Arc::downgrade(&node));
        Ok(node)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Weak<Node>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
