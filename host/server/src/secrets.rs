//! Secrets of a project: environment variables, files, and names for either.
//!
//! A project is written by somebody else than the operator. It names its secrets, and the operator says
//! which names there may be: environment variables with a prefix that is theirs, and files below one
//! directory. Otherwise a project could name the host's own admin token, or a file of the system, and send
//! it to its own API.

use handoff_engine::account::SecretRef;
use handoff_engine::project::Project;
use handoff_genesys::{SecretError, Secrets};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// The folder of secrets in a project.
const FOLDER: &str = "secrets";

/// Beginnings of environment variables that may be secrets, where the operator names no others.
const PREFIXES: [&str; 2] = ["HANDOFF_SECRET_", "GENESYS_"];

/// What the host's own variables begin with. Of these only [`PREFIXES`] may be secrets.
const OWN: &str = "HANDOFF_";

/// The longest secret, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Which environment variables and files a project may name as secrets. Said by the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretScope {
    prefixes: Vec<String>,
    directory: Option<PathBuf>,
}

impl Default for SecretScope {
    fn default() -> Self {
        Self {
            prefixes: PREFIXES.map(str::to_owned).into(),
            directory: None,
        }
    }
}

impl SecretScope {
    /// Variables that begin with one of these, instead of `HANDOFF_SECRET_` and `GENESYS_`. Empty prefixes
    /// are left out: they would name every variable.
    #[must_use]
    pub fn variables(mut self, prefixes: impl IntoIterator<Item = String>) -> Self {
        let mut prefixes = prefixes.into_iter().peekable();
        if prefixes.peek().is_some() {
            self.prefixes = prefixes.filter(|prefix| !prefix.is_empty()).collect();
        }
        self
    }

    /// Files below this directory, instead of `secrets/` in the project.
    #[must_use]
    pub fn directory(mut self, directory: PathBuf) -> Self {
        self.directory = Some(directory);
        self
    }

    fn permits(&self, variable: &str) -> bool {
        let own =
            variable.to_ascii_uppercase().starts_with(OWN) && !variable.starts_with(PREFIXES[0]);
        !own && self
            .prefixes
            .iter()
            .any(|prefix| variable.starts_with(prefix))
    }
}

/// Resolves what a project calls a secret. Values set by hand come before the environment.
#[derive(Clone, Default)]
pub struct ProjectSecrets {
    project: PathBuf,
    scope: SecretScope,
    named: BTreeMap<String, SecretRef>,
    given: BTreeMap<String, String>,
}

impl std::fmt::Debug for ProjectSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProjectSecrets")
            .field("project", &self.project)
            .field("scope", &self.scope)
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

impl ProjectSecrets {
    /// The secrets of a project in a directory, within the scope that holds by default.
    #[must_use]
    pub fn new(project: &Project, directory: PathBuf) -> Self {
        Self {
            project: directory,
            scope: SecretScope::default(),
            named: project.secrets().clone(),
            given: BTreeMap::new(),
        }
    }

    /// Within the operator's scope.
    #[must_use]
    pub fn within(mut self, scope: SecretScope) -> Self {
        self.scope = scope;
        self
    }

    /// Sets what an environment variable would hold, for a simulator's own credentials.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.given.insert(name.to_owned(), value.to_owned());
        self
    }

    fn variable(&self, name: &str) -> Result<String, SecretError> {
        if let Some(value) = self.given.get(name) {
            return Ok(value.clone());
        }
        if !self.scope.permits(name) {
            let prefixes = self.scope.prefixes.iter();
            let prefixes: Vec<String> = prefixes.map(|prefix| format!("'{prefix}'")).collect();
            return Err(SecretError::new(format!(
                "the environment variable {name} is not one that a project may use: its name has to \
                 begin with {}; rename it, or start the host with --secret-env and the prefix of your \
                 own variables",
                if prefixes.is_empty() {
                    "a prefix that the operator allows".to_owned()
                } else {
                    prefixes.join(" or ")
                }
            )));
        }
        match std::env::var(name) {
            Ok(value) => Ok(value),
            Err(std::env::VarError::NotPresent) => Err(SecretError::new(format!(
                "the environment variable {name} is not set; set it before starting"
            ))),
            Err(std::env::VarError::NotUnicode(_)) => Err(SecretError::new(format!(
                "the environment variable {name} is not UTF-8; set it to the secret alone"
            ))),
        }
    }

    fn file(&self, named: &str) -> Result<String, SecretError> {
        let below = self.scope.directory.clone();
        let directory = below.unwrap_or_else(|| self.project.join(FOLDER));
        let refused = |reason: &str| {
            SecretError::new(format!(
                "the secret file '{named}' cannot be used: {reason}; put it into {} and name it by its \
                 path there, or start the host with --secrets-dir and the directory it is in",
                directory.display()
            ))
        };
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_));
        let path = Path::new(named);
        // 'secrets/crm' in a project means the same wherever the operator keeps the directory.
        let path = path.strip_prefix(FOLDER).unwrap_or(path);
        if path.as_os_str().is_empty() || !path.components().all(plain) {
            return Err(refused(
                "a project names files below the directory of secrets only",
            ));
        }
        let unread = |error: std::io::Error| refused(&error.to_string());
        let root = directory.canonicalize().map_err(unread)?;
        let file = root.join(path).canonicalize().map_err(unread)?;
        if !file.starts_with(&root) {
            return Err(refused(
                "it is a link that leads out of the directory of secrets",
            ));
        }
        if !file.metadata().map_err(unread)?.is_file() {
            return Err(refused("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(&file)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
            .map_err(unread)?;
        if bytes.len() as u64 > LONGEST {
            return Err(refused("it is longer than 64 KiB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }
}

impl Secrets for ProjectSecrets {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        let (text, source) = match secret {
            SecretRef::Env(name) => (
                self.variable(name)?,
                format!("the environment variable {name}"),
            ),
            SecretRef::File(path) => (self.file(path)?, format!("the secret file '{path}'")),
            SecretRef::Named(name) => {
                return match self.named.get(name) {
                    // One step only: a name that leads to a name would hide where a secret comes from.
                    Some(SecretRef::Named(_)) | None => Err(SecretError::new(format!(
                        "the secret '{name}' has no source; give it 'env' or 'file' under [secrets]"
                    ))),
                    Some(reference) => self.resolve(reference),
                };
            }
        };
        // How long it has to be is for the one to say who needs it.
        handoff_genesys::check_secret(&text, 1)
            .map_err(|flaw| SecretError::new(format!("{source} cannot be used: {flaw}")))?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn secrets(project: &Path) -> ProjectSecrets {
        ProjectSecrets {
            project: project.to_owned(),
            ..ProjectSecrets::default()
        }
    }

    fn file(secrets: &ProjectSecrets, path: &str) -> Result<String, String> {
        let found = secrets.resolve(&SecretRef::File(path.to_owned()));
        found.map_err(|error| error.message)
    }

    #[test]
    fn a_project_names_no_variable_but_those_the_operator_lets_it() {
        let default = SecretScope::default();
        let own = SecretScope::default().variables(["ACME_".to_owned(), String::new()]);
        let greedy = SecretScope::default().variables(["HANDOFF".to_owned()]);
        for name in [
            "HANDOFF_ADMIN_TOKEN",
            "handoff_admin_token",
            "HANDOFF_SECRETS_DIR",
            "HANDOFF_LOG_FORMAT",
            "PATH",
            "HOME",
            "AWS_SECRET_ACCESS_KEY",
            "DATABASE_URL",
            "GENESYSCLOUD_OAUTHCLIENT_SECRET",
            "",
        ] {
            for scope in [&default, &own, &greedy] {
                assert!(!scope.permits(name), "{name} {scope:?}");
                let secrets = ProjectSecrets {
                    scope: scope.clone(),
                    ..ProjectSecrets::default()
                };
                let refused = secrets.resolve(&SecretRef::Env(name.to_owned()));
                let message = refused.expect_err("is refused").message;
                assert!(message.contains("--secret-env"), "{message}");
            }
        }
        assert!(default.permits("HANDOFF_SECRET_CRM") && default.permits("GENESYS_CLIENT_SECRET"));
        assert!(own.permits("ACME_CRM") && !own.permits("GENESYS_CLIENT_SECRET"));
    }

    #[test]
    fn a_project_names_no_file_outside_the_directory_of_secrets() {
        let place = tempfile::tempdir().expect("a directory");
        let project = place.path().join("project");
        let elsewhere = place.path().join("elsewhere");
        for directory in [project.join("secrets/deep"), elsewhere.clone()] {
            fs::create_dir_all(directory).expect("is made");
        }
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("is written");
        write(place.path().join("outside"), "an-outside-secret");
        write(project.join("project.toml"), "not-a-secret");
        write(project.join("secrets/crm"), "a-secret-of-the-crm\r\n");
        write(project.join("secrets/deep/crm"), "a-deep-secret");
        write(project.join("secrets/long"), &"x".repeat(70_000));
        write(elsewhere.join("crm"), "another-secret");
        let absolute = place.path().join("outside").display().to_string();

        let own = secrets(&project);
        assert_eq!(
            file(&own, "secrets/crm"),
            Ok("a-secret-of-the-crm".to_owned())
        );
        assert_eq!(file(&own, "crm"), Ok("a-secret-of-the-crm".to_owned()));
        assert_eq!(
            file(&own, "secrets/deep/crm"),
            Ok("a-deep-secret".to_owned())
        );
        let outside = [
            absolute.as_str(),
            "../outside",
            "../../outside",
            "secrets/../../outside",
            "secrets/../project.toml",
            "secrets/deep/../../project.toml",
            "./../outside",
            "/etc/passwd",
            "/dev/zero",
            "deep",
            "long",
            "missing",
            "secrets",
            "",
        ];
        for path in outside {
            let message = file(&own, path).expect_err(path);
            assert!(message.contains("--secrets-dir"), "{message}");
            assert!(!message.contains("outside-secret"), "{message}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::symlink;
            symlink("../../outside", project.join("secrets/out")).expect("is linked");
            symlink("/dev/zero", project.join("secrets/zero")).expect("is linked");
            symlink("deep/crm", project.join("secrets/in")).expect("is linked");
            assert!(
                file(&own, "out")
                    .expect_err("leads out")
                    .contains("leads out")
            );
            assert!(file(&own, "zero").is_err());
            assert_eq!(file(&own, "in"), Ok("a-deep-secret".to_owned()));
        }
        let scope = SecretScope::default().directory(elsewhere);
        let theirs = secrets(&project).within(scope);
        assert_eq!(
            file(&theirs, "secrets/crm"),
            Ok("another-secret".to_owned())
        );
        assert!(file(&theirs, "deep/crm").is_err());
    }

    #[test]
    fn a_damaged_secret_is_refused_by_name_and_not_shown() {
        let place = tempfile::tempdir().expect("a directory");
        fs::create_dir(place.path().join("secrets")).expect("is made");
        for text in [
            "",
            "\n",
            "s3cret \n",
            " s3cret",
            "'s3cret'",
            "\"s3cret\"",
            "s3cret\n\n",
            "s3\ncret",
        ] {
            fs::write(place.path().join("secrets/crm"), text).expect("is written");
            let own = secrets(place.path()).with_variable("CRM", text.trim_end_matches('\n'));
            let message = file(&own, "crm").expect_err(text);
            assert!(
                message.contains("'crm'") && !message.contains("s3"),
                "{message}"
            );
            let variable = own.resolve(&SecretRef::Env("CRM".to_owned()));
            let message = variable.map_err(|error| error.message);
            if let Err(message) = message {
                assert!(
                    message.contains("CRM") && !message.contains("s3"),
                    "{message}"
                );
            }
        }
    }
}
