//! An engine with the standard nodes, found and loaded.

use anyhow::{Context, bail};
use etcetera::{BaseStrategy, choose_base_strategy};
use handoff_engine::egress::Allowed;
use handoff_engine::name::EnvironmentName;
use handoff_engine::{Component, Engine, EngineBuilder};
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
    /// Directory where compiled nodes are kept, so that they are compiled once. Nobody else may write
    /// there. Left out, it is 'handoff' in the user's own cache directory, and for a server in its data
    /// directory.
    #[arg(long, value_name = "DIR", env = "HANDOFF_CACHE")]
    cache: Option<PathBuf>,
    /// The environment to load projects for, such as 'live'. Left out, the first of each project.
    #[arg(long = "env", value_name = "NAME", env = "HANDOFF_ENV")]
    environment: Option<String>,
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

    /// The nodes.
    pub(crate) fn components(&self) -> anyhow::Result<Vec<Component>> {
        Ok(read_components(&self.directory()?)?)
    }

    /// An engine with the nodes. It lets projects send requests anywhere: whoever works on a project sends
    /// none, or sends them to a stand-in.
    pub(crate) async fn load(&self) -> anyhow::Result<Engine> {
        let builder = || Engine::builder().allow_egress(Allowed::everything());
        let users = || Some(choose_base_strategy().ok()?.cache_dir().join("handoff"));
        match self.cache.clone().or_else(users) {
            Some(directory) => self.build(builder().cache(directory)).await,
            None => self.build(builder()).await,
        }
    }

    /// The same for a server, which lets requests go where its operator says, and keeps what it compiles in
    /// this directory unless another one was named.
    pub(crate) async fn load_for_server(
        &self,
        directory: PathBuf,
        egress: Allowed,
    ) -> anyhow::Result<Engine> {
        let directory = self.cache.clone().unwrap_or(directory);
        let builder = Engine::builder().cache(directory).allow_egress(egress);
        self.build(builder).await
    }

    async fn build(&self, builder: EngineBuilder) -> anyhow::Result<Engine> {
        let components = self.components()?;
        let spinner = spinner("compiling nodes");
        let environment = self.environment.as_deref().map(EnvironmentName::from);
        let builder = builder.environment(environment);
        let engine = builder.components(components).build().await;
        spinner.finish_and_clear();
        engine.map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}", errors.join("\n"))
        })
    }
}

/// A sign of life for what may take more than a second. Shown on terminals only.
pub(crate) fn spinner(what: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what.to_owned());
    spinner.set_style(ProgressStyle::default_spinner());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
