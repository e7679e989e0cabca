//! The host's key: what it signs and seals with, and nothing else knows.
//!
//! A file in the data directory holds one or more keys of 32 random bytes, the newest first. The newest
//! signs and seals; the older ones still open what was signed and sealed before a rotation. Each use
//! gets a key of its own from them (HMAC-SHA256 under a label), so that no use tells anything about
//! another. Whoever has the file can make the tokens of every session; a host that lost it refuses the
//! tokens given out before.
//!
//! Clones of a [`HostKey`] share the keys, so a rotation reaches every part of a running host.

use hmac::{Hmac, KeyInit, Mac};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::Sha256;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// The file's name in the data directory.
const FILE: &str = "host.key";

/// Bytes of a key.
const LENGTH: usize = 32;

/// The most keys of a file. A rotation beyond that drops the oldest.
const MOST: usize = 16;

/// One key, and what is derived from it.
type Key = [u8; LENGTH];

/// The keys of a host, from which keys for single uses are derived. Clones share them.
#[derive(Clone)]
pub struct HostKey {
    /// The newest first; never empty.
    keys: Arc<RwLock<Vec<Key>>>,
    /// The file they are read from; none for keys that last as long as the process.
    path: Option<PathBuf>,
}

/// A key that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error(
        "the host's key '{path}' cannot be read: {error}. Give the host's user the right to read it"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The file cannot be written.
    #[error(
        "the host's key '{path}' cannot be written: {error}. Give the host's user the right to write \
         its directory, or put a key of 32 random bytes there"
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The file holds something else.
    #[error(
        "'{path}' is not a host's key: its length is not that of 1 to {MOST} keys of {LENGTH} bytes. \
         Put back a copy; without one, remove it, and every session's token is refused from then on"
    )]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Everybody on the machine can read the file.
    #[error("everybody can read the host's key '{path}'; run 'chmod 600' on it")]
    OpenToAll {
        /// The file.
        path: PathBuf,
    },
    /// The system has no random numbers.
    #[error("the system gives no random numbers, which the host's key is made of")]
    NoRandomness,
}

impl KeyError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "key.unreadable",
            Self::Unwritable { .. } => "key.unwritable",
            Self::NotAKey { .. } => "key.not_a_key",
            Self::OpenToAll { .. } => "key.open_to_all",
            Self::NoRandomness => "key.no_randomness",
        }
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostKey")
    }
}

impl HostKey {
    /// A key for as long as the process lives.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn random() -> Result<Self, KeyError> {
        Ok(Self::of(vec![random()?], None))
    }

    fn of(keys: Vec<Key>, path: Option<PathBuf>) -> Self {
        let keys = Arc::new(RwLock::new(keys));
        Self { keys, path }
    }

    /// The key of a data directory, made there if there is none. Nobody but the user may read it.
    ///
    /// # Errors
    ///
    /// If the file can neither be read nor made, is no key, or can be read by everybody.
    pub fn load_or_create(directory: &Path) -> Result<Self, KeyError> {
        let path = directory.join(FILE);
        if let Some(keys) = load(&path)? {
            return Ok(Self::of(keys, Some(path)));
        }
        let unwritable = unwritable(&path);
        write_beside(&[random()?], &path, Existing::Keep).map_err(&unwritable)?;
        // Whoever came first has made it.
        match load(&path)? {
            Some(keys) => Ok(Self::of(keys, Some(path))),
            None => Err(unwritable(io::ErrorKind::NotFound.into())),
        }
    }

    /// Reads the file again, as after somebody put a new key in front. True if the keys have changed.
    /// Keys without a file stay as they are.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is not a key. Then the keys stay as they are.
    pub fn reload(&self) -> Result<bool, KeyError> {
        let Some(path) = &self.path else {
            return Ok(false);
        };
        let unreadable = || KeyError::Unreadable {
            path: path.clone(),
            error: io::ErrorKind::NotFound.into(),
        };
        let read = load(path)?.ok_or_else(unreadable)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *keys != read;
        *keys = read;
        Ok(changed)
    }

    /// Puts a new key in front, in the file as well: it signs and seals from now on, and those before
    /// still open what they signed and sealed. Blocks.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written. Then the keys stay as they are.
    pub fn rotate(&self) -> Result<(), KeyError> {
        let new = random()?;
        self.reload()?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut all = vec![new];
        all.extend(keys.iter().take(MOST - 1));
        if let Some(path) = &self.path {
            write_beside(&all, path, Existing::Replace).map_err(unwritable(path))?;
        }
        *keys = all;
        Ok(())
    }

    /// A key for one use, from the newest key. The same label gives the same key until a rotation.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; LENGTH] {
        mac(&self.newest(), label.as_bytes())
    }

    /// As [`Self::derive`], from every key, the newest first: for what was signed or sealed before.
    #[must_use]
    pub fn derive_all(&self, label: &'static str) -> Vec<[u8; LENGTH]> {
        self.derive_each([label]).map(|[derived]| derived).collect()
    }

    /// As [`Self::derive_all`] for several labels, of which those of one key stay together.
    pub(crate) fn derive_each<const N: usize>(
        &self,
        labels: [&'static str; N],
    ) -> impl Iterator<Item = [[u8; LENGTH]; N]> + use<N> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let keys = keys.clone().into_iter();
        keys.map(move |key| labels.map(|label| mac(&key, label.as_bytes())))
    }

    fn newest(&self) -> Key {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys[0]
    }
}

fn random() -> Result<Key, KeyError> {
    let mut key = [0; LENGTH];
    let filled = SystemRandom::new().fill(&mut key);
    filled.map_err(|_| KeyError::NoRandomness)?;
    Ok(key)
}

fn unwritable(path: &Path) -> impl Fn(io::Error) -> KeyError + use<> {
    let path = path.to_owned();
    move |error| KeyError::Unwritable {
        path: path.clone(),
        error,
    }
}

fn load(path: &Path) -> Result<Option<Vec<Key>>, KeyError> {
    let unreadable = |error| {
        let path = path.to_owned();
        KeyError::Unreadable { path, error }
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if is_open_to_all(&file).map_err(unreadable)? {
        let path = path.to_owned();
        return Err(KeyError::OpenToAll { path });
    }
    let mut bytes = Vec::new();
    let mut start = file.take((MOST * LENGTH) as u64 + 1);
    start.read_to_end(&mut bytes).map_err(unreadable)?;
    let (keys, rest) = bytes.as_chunks::<LENGTH>();
    if keys.is_empty() || keys.len() > MOST || !rest.is_empty() {
        let path = path.to_owned();
        return Err(KeyError::NotAKey { path });
    }
    Ok(Some(keys.to_vec()))
}

/// What becomes of a file that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Keep,
    Replace,
}

/// Writes the keys as a whole or not at all.
fn write_beside(keys: &[Key], path: &Path, existing: Existing) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let draft = directory.join(format!("{FILE}.{}", uuid::Uuid::new_v4()));
    let written = write(keys, &draft).and_then(|()| match existing {
        Existing::Replace => std::fs::rename(&draft, path),
        Existing::Keep => match std::fs::hard_link(&draft, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        },
    });
    if existing == Existing::Keep || written.is_err() {
        let removed = std::fs::remove_file(&draft);
        written.and(removed)?;
    }
    File::open(directory)?.sync_all()
}

fn write(keys: &[Key], path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(keys.as_flattened())?;
    file.sync_all()
}

#[cfg(unix)]
fn is_open_to_all(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(file.metadata()?.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// HMAC-SHA256.
pub(crate) fn mac(key: &[u8; LENGTH], message: &[u8]) -> [u8; LENGTH] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_is_different_for_every_use() {
        let directory = tempfile::tempdir().expect("a directory");
        let made = HostKey::load_or_create(directory.path()).expect("is made");
        let again = HostKey::load_or_create(directory.path()).expect("is there");
        assert_eq!(made.newest(), again.newest());
        assert_eq!(made.derive("a"), again.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        assert_ne!(made.derive("a"), made.newest());
        assert_ne!(made.newest(), HostKey::random().expect("random").newest());
        let files = std::fs::read_dir(directory.path()).expect("reads").count();
        assert_eq!(files, 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        HostKey::load_or_create(directory.path()).expect("is made");
        let path = directory.path().join(FILE);
        let mode = std::fs::metadata(&path).expect("is there").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&path, open).expect("is ours");
        let refused = HostKey::load_or_create(directory.path()).expect_err("is refused");
        assert_eq!(refused.code(), "key.open_to_all");
    }

    #[test]
    fn a_file_of_another_length_is_no_key_and_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(FILE);
        write(&[[7; LENGTH]], &path).expect("is written");
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"x").expect("is written");
        let refused = HostKey::load_or_create(directory.path()).expect_err("is refused");
        assert_eq!(refused.code(), "key.not_a_key");
        assert_eq!(std::fs::read(&path).expect("reads").len(), LENGTH + 1);
    }

    #[test]
    fn a_new_key_signs_and_the_ones_before_still_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let key = HostKey::load_or_create(directory.path()).expect("is made");
        let other_host = HostKey::load_or_create(directory.path()).expect("is there");
        let clone = key.clone();
        let before = key.derive("a");
        key.rotate().expect("is written");
        assert_ne!(key.derive("a"), before);
        assert_eq!(
            clone.derive_all("a"),
            [key.derive("a"), before],
            "clones share the keys"
        );
        assert_eq!(other_host.derive("a"), before);
        assert!(other_host.reload().expect("reads"));
        assert!(
            !other_host.reload().expect("reads"),
            "nothing has changed since"
        );
        assert_eq!(other_host.derive_all("a"), clone.derive_all("a"));
        let files = std::fs::read_dir(directory.path()).expect("reads").count();
        assert_eq!(files, 1, "no draft is left");
        for _ in 0..MOST {
            key.rotate().expect("is written");
        }
        assert_eq!(key.derive_all("a").len(), MOST);
        let again = HostKey::load_or_create(directory.path()).expect("is there");
        assert_eq!(again.derive_all("a"), key.derive_all("a"));
    }

    #[test]
    fn a_file_that_broke_leaves_the_keys_as_they_are() {
        let directory = tempfile::tempdir().expect("a directory");
        let key = HostKey::load_or_create(directory.path()).expect("is made");
        let before = key.derive("a");
        let path = directory.path().join(FILE);
        for broken in [&b""[..], b"short", &[1; LENGTH * (MOST + 1)]] {
            std::fs::write(&path, broken).expect("is written");
            assert_eq!(key.reload().expect_err("is no key").code(), "key.not_a_key");
            assert!(key.rotate().is_err());
        }
        std::fs::remove_file(&path).expect("is there");
        assert_eq!(key.reload().expect_err("is gone").code(), "key.unreadable");
        assert_eq!(key.derive_all("a"), [before]);
    }
}
