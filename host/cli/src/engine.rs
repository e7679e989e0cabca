//! An engine with the standard nodes, found and loaded.

use anyhow::{Context, bail};
use etcetera::{BaseStrategy, choose_base_strategy};
use handoff_engine::egress::Allowed;
use handoff_engine::name::EnvironmentName;
use handoff_engine::node::{CacheLocation, Limits};
use handoff_engine::{Component, Engine, EngineBuilder, Progress};
use handoff_server::read_components;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::time::Duration;

/// Where node components are, and what projects are loaded for.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct NodesArguments {
    /// Directory with the standard node components (*.wasm).
    #[arg(long, value_name = "DIR", env = "HANDOFF_NODES")]
    nodes: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArguments,
    #[command(flatten)]
    limits: LimitArguments,
    /// The environment to load projects for, such as 'live'. Left out, the first of each project.
    #[arg(long = "env", value_name = "NAME", env = "HANDOFF_ENV")]
    environment: Option<String>,
}

/// Where compiled nodes are kept.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct CacheArguments {
    /// Directory where compiled nodes are kept, so that they are compiled once. Left out, it is 'handoff' in
    /// the user's own cache directory. One that others can write is not used.
    #[arg(long, value_name = "DIR", env = "HANDOFF_CACHE")]
    cache: Option<PathBuf>,
    /// File of the key by which this user's compiled nodes are recognised; it is made if it is not there.
    /// Left out, it is 'handoff/cache.key' in the user's own data directory.
    #[arg(long, value_name = "FILE", env = "HANDOFF_CACHE_KEY")]
    cache_key: Option<PathBuf>,
}

impl CacheArguments {
    /// The directory that was named, or the user's own, if there is one.
    pub(crate) fn location(&self) -> Option<CacheLocation> {
        let users = || Some(choose_base_strategy().ok()?.cache_dir().join("handoff"));
        Some(CacheLocation {
            directory: self.cache.clone().or_else(users)?,
            key: self.cache_key.clone(),
        })
    }
}

/// What nodes may use up, where the defaults do not suit.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct LimitArguments {
    /// Bytes of a session's context in all, keys and values. Left out, 100000.
    #[arg(long, value_name = "BYTES", env = "HANDOFF_CONTEXT_LIMIT")]
    context_limit: Option<usize>,
    /// Memory that one step of a node may use, in MiB. Left out, 64.
    #[arg(
        long,
        value_name = "MIB",
        env = "HANDOFF_NODE_MEMORY",
        value_parser = clap::value_parser!(u32).range(1..=4095)
    )]
    node_memory: Option<u32>,
    /// Steps that run at one time; others wait for their turn. Left out, 256.
    #[arg(
        long,
        value_name = "NUMBER",
        env = "HANDOFF_NODE_INSTANCES",
        value_parser = clap::value_parser!(u32).range(1..=10_000)
    )]
    node_instances: Option<u32>,
}

impl LimitArguments {
    fn limits(&self) -> Limits {
        let usual = Limits::default();
        let memory = self.node_memory.and_then(|mib| usize::try_from(mib).ok());
        Limits {
            context: self.context_limit.unwrap_or(usual.context),
            memory: memory.map_or(usual.memory, |mib| mib << 20),
            instances: self.node_instances.unwrap_or(usual.instances),
            ..usual
        }
    }
}

impl NodesArguments {
    /// The directory that was named, or the one beside the program.
    fn directory(&self) -> anyhow::Result<PathBuf> {
        if let Some(directory) = &self.nodes {
            return Ok(directory.clone());
        }
        let program = std::env::current_exe().context("the program's own path is unknown")?;
        // Installed: nodes beside the program. Built: target/debug/handoff and target/nodes.
        let beside = program
            .ancestors()
            .skip(1)
            .take(2)
            .map(|directory| directory.join("nodes"))
            .find(|directory| directory.is_dir());
        match beside {
            Some(directory) => Ok(directory),
            None => bail!(
                "the standard node components are not found; build them with 'cargo xtask \
                 build-nodes', or name their directory with --nodes or HANDOFF_NODES"
            ),
        }
    }

    /// Where compiled nodes are kept.
    pub(crate) fn cache(&self) -> Option<CacheLocation> {
        self.cache.location()
    }

    /// What nodes may use up.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.limits()
    }

    /// The nodes.
    pub(crate) fn components(&self) -> anyhow::Result<Vec<Component>> {
        Ok(read_components(&self.directory()?)?)
    }

    /// An engine with the nodes. It lets projects send requests anywhere: whoever works on a project sends
    /// none, or sends them to a stand-in.
    pub(crate) async fn load(&self) -> anyhow::Result<Engine> {
        self.load_with(Allowed::everything()).await
    }

    /// The same for a server, which lets requests go where its operator says.
    pub(crate) async fn load_with(&self, egress: Allowed) -> anyhow::Result<Engine> {
        let mut builder = Engine::builder().allow_egress(egress).limits(self.limits());
        if let Some(CacheLocation { directory, key }) = self.cache() {
            builder = builder.cache(directory);
            if let Some(key) = key {
                builder = builder.cache_key(key);
            }
        }
        self.build(builder).await
    }

    async fn build(&self, builder: EngineBuilder) -> anyhow::Result<Engine> {
        let components = self.components()?;
        let spinner = spinner("compiling nodes");
        let environment = self.environment.as_deref().map(EnvironmentName::from);
        let at = spinner.downgrade();
        let builder = builder.environment(environment).on_progress(move |now| {
            if let Some(spinner) = at.upgrade() {
                spinner.set_message(compiling(now));
            }
        });
        let engine = builder.components(components).build().await;
        spinner.finish_and_clear();
        engine.map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", errors.join("\n"))
        })
    }
}

/// How far it is.
pub(crate) fn compiling(now: &Progress) -> String {
    format!("compiling nodes, {} of {} done", now.done, now.total)
}

/// A sign of life for what may take more than a second. Shown on terminals only.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
    spinner.set_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
