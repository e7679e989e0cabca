//! Which environment variables and files a project may use as secrets.

use handoff_engine::project::Project;
use handoff_server::{ProjectSecrets, SecretScope};
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct SecretsArguments {
    /// Environment variables that the project may use as secrets, by what their names begin with. May be
    /// given several times; without it HANDOFF_SECRET_ and GENESYS_. The host's own variables never are.
    #[arg(
        long,
        value_name = "PREFIX",
        env = "HANDOFF_SECRETS_ENV",
        value_delimiter = ',',
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    secret_env: Vec<String>,
    /// Directory below which the project's secret files are. Left out, it is 'secrets' in the project's
    /// directory.
    #[arg(long, value_name = "DIR", env = "HANDOFF_SECRETS_DIR")]
    secrets_dir: Option<PathBuf>,
}

impl SecretsArguments {
    /// The project's secrets, as far as it may use them.
    pub(crate) fn of(&self, project: &Project, directory: &Path) -> ProjectSecrets {
        let mut scope = SecretScope::default().variables(self.secret_env.iter().cloned());
        if let Some(directory) = &self.secrets_dir {
            scope = scope.directory(directory.clone());
        }
        ProjectSecrets::new(project, directory.to_owned()).within(scope)
    }
}
