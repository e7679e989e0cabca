//! Compiled components on disk, so that a program that starts again compiles nothing.
//!
//! What is in a file is run, so a file counts only if this user made it: it begins with a code (HMAC
//! SHA-256) under a key that only the user can read and that lies elsewhere, over its name and its
//! content. The name says of which component it is, and for which make of runtime. A directory, a file
//! or a key that somebody else owns or could have written is not used at all. What cannot be used costs
//! a warning and the time to compile, never more.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of a key and of a code.
const LENGTH: usize = 32;

/// What the code is made for. Another layout needs another label.
const LABEL: &[u8] = b"handoff compiled component 2\0";

/// How long a file is kept after it was last used.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often it is noted that a file is used.
const NOTED: Duration = Duration::from_secs(24 * 60 * 60);

/// Where compiled components are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheLocation {
    /// The directory. It is made if it is not there.
    pub directory: PathBuf,
    /// The file of the key that the user's files are recognised by. It is made if it is not there. None
    /// is `handoff/cache.key` in the user's own data directory.
    pub key: Option<PathBuf>,
}

/// Why a cache is not used.
#[derive(Debug, thiserror::Error)]
enum CacheError {
    #[error(
        "'{0}' belongs to another user, or others can write it; what is kept there would be run. Run \
         'chmod go-w' on it, or name another directory"
    )]
    NotOurs(PathBuf),
    #[error("'{0}' belongs to another user, or others can read it; run 'chmod 600' on it")]
    KeyNotOurs(PathBuf),
    #[error("'{0}' is no key: it is not {LENGTH} bytes long; remove it")]
    NotAKey(PathBuf),
    #[error("the user has no data directory for its key; name a file for it")]
    NoPlaceForKey,
    #[error("'{path}': {error}")]
    Io { path: PathBuf, error: io::Error },
}

/// A directory of compiled components, and the key to it.
#[derive(Clone)]
pub(super) struct Cache {
    directory: PathBuf,
    key: [u8; LENGTH],
}

impl Cache {
    /// Opens a cache. One that cannot be used is reported and left alone.
    pub(super) fn open(location: &CacheLocation) -> Option<Self> {
        match Self::try_open(location) {
            Ok(cache) => Some(cache),
            Err(error) => {
                tracing::warn!(%error, "compiled nodes are not kept, and are compiled at each start");
                None
            }
        }
    }

    fn try_open(location: &CacheLocation) -> Result<Self, CacheError> {
        let directory = location.directory.clone();
        make_directory(&directory).map_err(io_error(&directory))?;
        let found = fs::metadata(&directory).map_err(io_error(&directory))?;
        if !only_ours_to_write(&found) {
            return Err(CacheError::NotOurs(directory));
        }
        let key = match &location.key {
            Some(path) => path.clone(),
            None => users_key().ok_or(CacheError::NoPlaceForKey)?,
        };
        let key = load_or_make_key(&key)?;
        Ok(Self { directory, key })
    }

    /// The component with this digest, compiled earlier or now.
    pub(super) fn compile(
        &self,
        engine: &Engine,
        digest: &[u8; 32],
        bytes: &[u8],
    ) -> wasmtime::Result<Component> {
        let name = name(engine, digest);
        let path = self.directory.join(&name);
        match self.read(&path, &name) {
            Ok(Some(code)) => {
                if let Some(component) = deserialize(engine, &code) {
                    return Ok(component);
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, "a compiled node is not used, and is compiled anew");
            }
        }
        let component = Component::new(engine, bytes)?;
        if let Err(error) = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|code| self.write(&path, &name, &code))
        {
            tracing::warn!(%error, "a compiled node cannot be kept; it is compiled at the next start");
        }
        Ok(component)
    }

    /// The code in a file, if this user put it there. None if there is no file, or a torn one.
    fn read(&self, path: &Path, name: &str) -> Result<Option<Vec<u8>>, CacheError> {
        let mut file = match open_file(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(path)(error)),
        };
        let found = file.metadata().map_err(io_error(path))?;
        if !found.is_file() || !only_ours_to_write(&found) {
            return Err(CacheError::NotOurs(path.to_owned()));
        }
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(io_error(path))?;
        let Some((code, _)) = content.split_at_checked(LENGTH) else {
            return Ok(None);
        };
        if self
            .mac(name, &content[LENGTH..])
            .verify_slice(code)
            .is_err()
        {
            return Ok(None);
        }
        let used = found.modified().ok().and_then(|it| it.elapsed().ok());
        if used.is_some_and(|used| used > NOTED) {
            // Only so that it is not dropped as old.
            drop(file.set_modified(SystemTime::now()));
        }
        content.drain(..LENGTH);
        Ok(Some(content))
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(LABEL);
        mac.update(name.as_bytes());
        mac.update(b"\0");
        mac.update(code);
        mac
    }

    fn write(&self, path: &Path, name: &str, code: &[u8]) -> io::Result<()> {
        self.drop_old();
        let draft = self.directory.join(draft_name());
        let written = write_new(&draft, &self.mac(name, code).finalize().into_bytes(), code)
            .and_then(|()| fs::rename(&draft, path));
        if written.is_err() {
            drop(fs::remove_file(&draft));
        }
        written
    }

    /// Drops what nobody used for long: it is of a node or of a runtime that has changed since, or is
    /// compiled again in a moment.
    fn drop_old(&self) {
        let Ok(files) = fs::read_dir(&self.directory) else {
            return;
        };
        for file in files.flatten() {
            let ours = ["compiled", "new"].map(|ending| Some(OsStr::new(ending)));
            let path = file.path();
            let age = file.metadata().and_then(|it| it.modified());
            let age = age.map(|it| it.elapsed().unwrap_or_default());
            if ours.contains(&path.extension()) && age.is_ok_and(|age| age > KEPT) {
                // Somebody else may have dropped it.
                drop(fs::remove_file(path));
            }
        }
    }
}

/// The name of a component's file: its digest, and everything of the runtime that its code depends on.
fn name(engine: &Engine, digest: &[u8; 32]) -> String {
    let mut compatible = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatible);
    let mut name = String::new();
    for byte in digest {
        let _ = write!(name, "{byte:02x}");
    }
    format!("{name}-{:016x}.compiled", compatible.finish())
}

#[expect(
    unsafe_code,
    reason = "machine code is only as good as where it comes from"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the code was serialized by `Cache::compile` in a process of the same user, since it
    // carries a code that can be made only with the user's key; its name, which the code covers, says
    // that it is of this make of runtime.
    unsafe { Component::deserialize(engine, code) }.ok()
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> CacheError {
    let path = path.to_owned();
    move |error| CacheError::Io {
        path: path.clone(),
        error,
    }
}

/// A file beside the others that no other process and no other thread writes.
fn draft_name() -> String {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let draft = DRAFTS.fetch_add(1, Ordering::Relaxed);
    format!(
        "{}-{draft}-{}.new",
        std::process::id(),
        uuid::Uuid::new_v4()
    )
}

/// Nobody but the user may look into a directory that is made.
fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

fn write_new(path: &Path, first: &[u8], second: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(first)?;
    file.write_all(second)
}

/// Opens a file without waiting for a writer, should it be a pipe.
fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default(),
    );
    options.open(path)
}

fn users_key() -> Option<PathBuf> {
    use etcetera::{BaseStrategy, choose_base_strategy};
    let strategy = choose_base_strategy().ok()?;
    Some(strategy.data_dir().join("handoff").join("cache.key"))
}

fn load_or_make_key(path: &Path) -> Result<[u8; LENGTH], CacheError> {
    if let Some(key) = load_key(path)? {
        return Ok(key);
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    make_directory(directory).map_err(io_error(directory))?;
    let draft = directory.join(draft_name());
    let random = [
        uuid::Uuid::new_v4(),
        uuid::Uuid::new_v4(),
        uuid::Uuid::new_v4(),
    ];
    let key: [u8; LENGTH] = {
        use sha2::Digest;
        Sha256::digest(random.map(uuid::Uuid::into_bytes).concat()).into()
    };
    // As a whole or not at all, and whoever came first has made it.
    let made = write_new(&draft, &key, &[]).and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    drop(fs::remove_file(&draft));
    made.map_err(io_error(path))?;
    load_key(path)?.ok_or_else(|| io_error(path)(io::ErrorKind::NotFound.into()))
}

fn load_key(path: &Path) -> Result<Option<[u8; LENGTH]>, CacheError> {
    let file = match open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(path)(error)),
    };
    let found = file.metadata().map_err(io_error(path))?;
    if !found.is_file() || !only_ours_to_read(&found) {
        return Err(CacheError::KeyNotOurs(path.to_owned()));
    }
    let mut bytes = Vec::with_capacity(LENGTH + 1);
    file.take(LENGTH as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(io_error(path))?;
    let key = bytes.try_into();
    key.map(Some)
        .map_err(|_| CacheError::NotAKey(path.to_owned()))
}

/// Whether it is this user's, or the administrator's, who could do anything anyway.
#[cfg(unix)]
fn is_ours(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    [0, rustix::process::geteuid().as_raw()].contains(&found.uid())
}

#[cfg(unix)]
fn only_ours_to_write(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    is_ours(found) && found.mode() & 0o022 == 0
}

#[cfg(unix)]
fn only_ours_to_read(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    is_ours(found) && found.mode() & 0o077 == 0
}

/// Elsewhere the rights of the user's own directories are what protects them.
#[cfg(not(unix))]
fn only_ours_to_write(_: &fs::Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn only_ours_to_read(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_used_for_long_goes_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(60);
        for (name, old) in [("a.compiled", true), ("b.compiled", false), ("c.txt", true)] {
            let file = File::create(folder.path().join(name)).expect("is made");
            if old {
                file.set_modified(long_ago).expect("is set");
            }
        }
        let cache = Cache {
            directory: folder.path().to_owned(),
            key: [0; LENGTH],
        };
        cache.drop_old();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("is read")
            .map(|it| it.expect("is read").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["b.compiled", "c.txt"]);
    }
}
