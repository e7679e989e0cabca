//! Compiled components on disk, so that a host that starts again compiles nothing.
//!
//! A file is named by the component's digest and by everything of the runtime that its code depends on,
//! and begins with the digest of the rest: one that is torn or of another make is compiled anew. Its
//! directory must be as safe as the program: whoever can write there can have the host run anything.

use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Bytes of a digest.
const DIGEST: usize = 32;

/// How long a file is kept after it was written.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A directory of compiled components.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    directory: PathBuf,
}

impl Cache {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The component, compiled earlier or now. What the cache cannot do is done without it.
    pub(super) fn compile(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
        let place = self.place(engine, bytes);
        if let Some(component) = read(engine, &place) {
            return Ok(component);
        }
        let component = Component::new(engine, bytes)?;
        if let Err(error) = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|code| self.write(&place, &code))
        {
            tracing::warn!(%error, "a compiled node cannot be kept; it is compiled at the next start");
        }
        Ok(component)
    }

    fn place(&self, engine: &Engine, bytes: &[u8]) -> PathBuf {
        let mut compatible = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut compatible);
        let mut name = String::new();
        for byte in Sha256::digest(bytes) {
            let _ = write!(name, "{byte:02x}");
        }
        let name = format!("{name}-{:016x}.compiled", compatible.finish());
        self.directory.join(name)
    }

    /// Nobody but the user may write into a directory that is made.
    fn make(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.directory)
    }

    /// Drops what was compiled long ago: it is of a node or of a runtime that has changed since, or is
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
                let _ = fs::remove_file(path);
            }
        }
    }

    fn write(&self, place: &Path, code: &[u8]) -> io::Result<()> {
        self.make()?;
        self.drop_old();
        // Two hosts may do so at once.
        let draft = place.with_extension(format!("{}.new", std::process::id()));
        let mut file = fs::File::create(&draft)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)?;
        fs::rename(&draft, place)
    }
}

#[expect(
    unsafe_code,
    reason = "machine code is only as good as where it comes from"
)]
fn read(engine: &Engine, place: &Path) -> Option<Component> {
    let file = fs::read(place).ok()?;
    let (digest, code) = file.split_at_checked(DIGEST)?;
    if Sha256::digest(code).as_slice() != digest {
        return None;
    }
    // SAFETY: the code was serialized by `Cache::write`, is whole by its digest, and is of this make of
    // runtime by its name; the directory is the embedder's own, as `EngineBuilder::cache` asks for.
    unsafe { Component::deserialize(engine, code) }.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn what_was_compiled_long_ago_goes_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(60);
        for (name, old) in [("a.compiled", true), ("b.compiled", false), ("c.txt", true)] {
            let file = fs::File::create(folder.path().join(name)).expect("is made");
            if old {
                file.set_modified(long_ago).expect("is set");
            }
        }
        let cache = Cache::new(folder.path().to_owned());
        cache.drop_old();
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .expect("is read")
            .map(|it| it.expect("is read").file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["b.compiled", "c.txt"]);
    }
}
