//! Secrets of a project: environment variables, files, and names for either.

use handoff_engine::account::SecretRef;
use handoff_engine::project::Project;
use handoff_genesys::{SecretError, Secrets};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Resolves what a project calls a secret. Values set by hand come before the environment.
#[derive(Clone, Default)]
pub struct ProjectSecrets {
    directory: PathBuf,
    named: BTreeMap<String, SecretRef>,
    given: BTreeMap<String, String>,
}

impl std::fmt::Debug for ProjectSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectSecrets")
            .field("directory", &self.directory)
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

impl ProjectSecrets {
    /// The secrets of a project in a directory.
    #[must_use]
    pub fn new(project: &Project, directory: PathBuf) -> Self {
        Self {
            directory,
            named: project.secrets().clone(),
            given: BTreeMap::new(),
        }
    }

    /// Sets what an environment variable would hold, for a simulator's own credentials.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.given.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl Secrets for ProjectSecrets {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        match secret {
            SecretRef::Env(name) => self
                .given
                .get(name)
                .cloned()
                .or_else(|| std::env::var(name).ok())
                .ok_or_else(|| {
                    SecretError::new(format!(
                        "the environment variable {name} is not set; set it before starting"
                    ))
                }),
            SecretRef::File(path) => {
                let path = self.directory.join(path);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    SecretError::new(format!(
                        "the secret file {} cannot be read: {error}",
                        path.display()
                    ))
                })?;
                let text = text.strip_suffix('\n').unwrap_or(&text);
                Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
            }
            SecretRef::Named(name) => match self.named.get(name) {
                // One step only: a name that leads to a name would hide where a secret comes from.
                Some(SecretRef::Named(_)) | None => Err(SecretError::new(format!(
                    "the secret '{name}' has no source; give it 'env' or 'file' under [secrets]"
                ))),
                Some(reference) => self.resolve(reference),
            },
        }
    }
}
