//! Where versions of a project come from: its directory as it is now, and an archive of those before.
//!
//! Whatever is loaded from the directory is put into the archive before a session can start on it, so
//! that a host which starts later has every version that open sessions need.

mod archive;
mod deploying;
mod watching;

pub use archive::{Archive, ArchiveError};
pub use deploying::{DeployError, Deployments, Reload};

use crate::{DirectoryError, ProjectDirectory};
use archive::Choice;
use handoff_engine::diagnostic::Diagnostic;
use handoff_engine::display;
use handoff_engine::project::{Project, ProjectFiles};
use handoff_engine::{Component, Engine, EngineError};
use handoff_store::{Store, StoreError};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What every version goes through after it is loaded.
pub type Prepare = Arc<dyn Fn(&mut Project) + Send + Sync>;

/// The versions of one project.
#[derive(Clone)]
pub struct Releases {
    engine: Engine,
    standard: Arc<Vec<Component>>,
    directory: PathBuf,
    archive: Archive,
    prepare: Prepare,
}

impl fmt::Debug for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Releases")
            .field("directory", &self.directory)
            .field("archive", &self.archive)
            .finish_non_exhaustive()
    }
}

/// A version that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The directory is no project, or cannot be read.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Nodes cannot be loaded.
    #[error("{}", lines(.0))]
    Nodes(Vec<EngineError>),
    /// The project has mistakes.
    #[error("{}", lines(.0))]
    Project(Vec<Diagnostic>),
    /// The archive does not work, or lacks the version.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn lines(errors: &[impl ToString]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("\n")
}

/// What a host starts with.
#[derive(Debug)]
pub struct AtStart {
    /// What new sessions take.
    pub current: Arc<Project>,
    /// What open sessions need besides.
    pub earlier: Vec<Arc<Project>>,
    /// Versions that sessions need and that cannot be had, with the reason: those sessions stand still.
    pub missing: Vec<(String, ReleaseError)>,
}

impl Releases {
    /// The versions of a project. `standard` are the nodes it uses besides its own.
    #[must_use]
    pub fn new(
        engine: &Engine,
        standard: Vec<Component>,
        directory: impl Into<PathBuf>,
        archive: Archive,
    ) -> Self {
        Self {
            engine: engine.without_nodes(),
            standard: Arc::new(standard),
            directory: directory.into(),
            archive,
            prepare: Arc::new(|_| ()),
        }
    }

    /// Changes every version after it is loaded, for example to point its accounts at a simulator.
    #[must_use]
    pub fn prepare(mut self, prepare: Prepare) -> Self {
        self.prepare = prepare;
        self
    }

    /// The project's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The version in the directory, as it is now. It is in the archive when this returns.
    pub async fn in_directory(&self) -> Result<Arc<Project>, ReleaseError> {
        let (files, components) = self.read_directory().await?;
        let mut project = self.load(&files, components.clone()).await?;
        (self.prepare)(&mut project);
        let (archive, digest) = (self.archive.clone(), project.digest().to_owned());
        blocking(move || archive.keep(&digest, &files, &components)).await?;
        Ok(Arc::new(project))
    }

    async fn read_directory(&self) -> Result<(ProjectFiles, Vec<Component>), ReleaseError> {
        let (directory, standard) = (self.directory.clone(), Arc::clone(&self.standard));
        blocking(move || {
            let directory = ProjectDirectory::read(&directory)?;
            let mut components = Vec::clone(&standard);
            components.extend(directory.components()?);
            for warning in &directory.warnings {
                let file = display::line(&warning.place.file).into_owned();
                tracing::warn!(file, code = warning.code, "{}", warning.message);
            }
            Ok((directory.files, components))
        })
        .await
    }

    /// A version of the archive.
    pub async fn recall(&self, digest: &str) -> Result<Arc<Project>, ReleaseError> {
        let (archive, wanted) = (self.archive.clone(), digest.to_owned());
        let (files, components) = blocking(move || archive.read(&wanted)).await?;
        let mut project = self.load(&files, components).await?;
        self.archive.verify(digest, project.digest())?;
        (self.prepare)(&mut project);
        Ok(Arc::new(project))
    }

    async fn load(
        &self,
        files: &ProjectFiles,
        components: Vec<Component>,
    ) -> Result<Project, ReleaseError> {
        let engine = self.engine.with(components).await;
        let engine = engine.map_err(ReleaseError::Nodes)?;
        engine.load(files).await.map_err(ReleaseError::Project)
    }

    /// What a host that starts on this store needs. The current version is that of the directory,
    /// unless somebody went back to an earlier one since the directory last changed.
    pub async fn at_start(&self, store: &dyn Store) -> Result<AtStart, ReleaseError> {
        let choice = self.archive.choice()?;
        let (files, components) = self.read_directory().await?;
        let now = blocking(move || fingerprint(&files, &components)).await;
        let current = match choice {
            Some(choice) if choice.instead_of == now => self.recall(&choice.chosen).await?,
            _ => self.in_directory().await?,
        };
        let mut needed = needed_by(store).await?;
        needed.remove(current.digest());
        let (mut earlier, mut missing) = (Vec::new(), Vec::new());
        for digest in needed {
            match self.recall(&digest).await {
                Ok(project) => earlier.push(project),
                Err(error) => missing.push((digest, error)),
            }
        }
        Ok(AtStart {
            current,
            earlier,
            missing,
        })
    }

    /// Notes that hosts which start take this version, until the directory changes. What is in there
    /// now may be what one wants to get away from, so it need not load.
    async fn choose(&self, digest: &str) -> Result<(), ReleaseError> {
        let (files, components) = self.read_directory().await?;
        let (archive, chosen) = (self.archive.clone(), digest.to_owned());
        blocking(move || {
            let instead_of = fingerprint(&files, &components);
            archive.choose(&Choice { instead_of, chosen })
        })
        .await?;
        Ok(())
    }
}

/// Does what reads and hashes files where it holds up nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // It is not begun when the runtime shuts down, and then nobody is left to be told.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Tells whether a directory is as it was, whether or not it is a project.
fn fingerprint(files: &ProjectFiles, components: &[Component]) -> String {
    let mut hash = Sha256::new();
    let texts = files.0.iter().map(|(path, text)| (path, text.as_bytes()));
    let nodes = components.iter().map(|it| (&it.name, it.bytes.as_slice()));
    for (name, bytes) in texts.chain(nodes) {
        for part in [name.as_bytes(), bytes] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    archive::hexadecimal(&hash.finalize())
}

/// The versions that sessions of a store are pinned to and have something to do on.
async fn needed_by(store: &dyn Store) -> Result<BTreeSet<String>, StoreError> {
    let mut needed: BTreeSet<String> = store.census().await?.open.into_keys().collect();
    // A session that is closed may still have to leave its agent.
    for session in store.unfinished().await? {
        if let Some(session) = store.load(&session).await? {
            needed.insert(session.project);
        }
    }
    Ok(needed)
}
