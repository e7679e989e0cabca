//! Running against a simulator that runs, instead of Genesys.

use crate::secrets::SecretsArguments;
use anyhow::Context;
use handoff_engine::project::Project;
use handoff_genesys::Secrets;
use handoff_scenario::SimulatedSecrets;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct SimulatorArguments {
    /// Ask a simulator that runs at this address ('handoff sim'), instead of Genesys.
    #[arg(long, value_name = "URL")]
    pub(crate) simulator: Option<String>,
    /// The organisation file the simulator was started with, relative to the project: credentials are
    /// read from it.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "org.toml",
        requires = "simulator"
    )]
    simulator_org: PathBuf,
    #[command(flatten)]
    secrets: SecretsArguments,
}

impl SimulatorArguments {
    /// Sends the project's accounts to the simulator, if there is one, and gives the secrets that go with
    /// where they lead.
    pub(crate) fn prepare(
        &self,
        project: &mut Project,
        directory: &Path,
    ) -> anyhow::Result<Box<dyn Secrets + Send + Sync>> {
        let Some(simulator) = &self.simulator else {
            return Ok(Box::new(self.secrets.of(project, directory)));
        };
        let base_url = simulator.trim_end_matches('/');
        project.edit_accounts(|_, account| account.redirect_to(base_url));
        let org = directory.join(&self.simulator_org);
        let text = handoff_server::read_text_file(&org).with_context(|| {
            format!(
                "the simulated organisation '{}' cannot be read; name it with --simulator-org",
                org.display()
            )
        })?;
        Ok(Box::new(SimulatedSecrets::new(project, &text)))
    }
}
