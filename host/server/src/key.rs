//! The host's key: what it signs and seals with, and nothing else knows.
//!
//! One key of 32 random bytes lies in the data directory, and each use gets a key of its own from it
//! (HMAC-SHA256 under a label), so that no use tells anything about another. Whoever has the file can
//! make the tokens of every session; a host that lost it refuses the tokens given out before.

use hmac::{Hmac, KeyInit, Mac};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::Sha256;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// The file's name in the data directory.
const FILE: &str = "host.key";

/// Bytes of a key.
const LENGTH: usize = 32;

/// The key of a host, from which keys for single uses are derived.
#[derive(Clone)]
pub struct HostKey([u8; LENGTH]);

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
        "'{path}' is no key of a host: it is not {LENGTH} bytes long. Put back a copy; without one, \
         remove it, and every session's token is refused from then on"
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
        let mut key = [0; LENGTH];
        let filled = SystemRandom::new().fill(&mut key);
        filled.map_err(|_| KeyError::NoRandomness)?;
        Ok(Self(key))
    }

    /// The key of a data directory, made there if there is none. Nobody but the user may read it.
    ///
    /// # Errors
    ///
    /// If the file can neither be read nor made, is no key, or can be read by everybody.
    pub fn load_or_create(directory: &Path) -> Result<Self, KeyError> {
        let path = directory.join(FILE);
        if let Some(key) = Self::load(&path)? {
            return Ok(key);
        }
        let made = Self::random()?;
        let unwritable = |error| {
            let path = path.clone();
            KeyError::Unwritable { path, error }
        };
        made.put_beside(directory, &path).map_err(unwritable)?;
        // Whoever came first has made it.
        let key = Self::load(&path)?;
        key.ok_or_else(|| unwritable(io::ErrorKind::NotFound.into()))
    }

    /// A key for one use. The same label gives the same key.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; LENGTH] {
        mac(&self.0, label.as_bytes())
    }

    fn load(path: &Path) -> Result<Option<Self>, KeyError> {
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
        let mut bytes = Vec::with_capacity(LENGTH + 1);
        let mut start = file.take(LENGTH as u64 + 1);
        start.read_to_end(&mut bytes).map_err(unreadable)?;
        let key = bytes.try_into().map_err(|_| KeyError::NotAKey {
            path: path.to_owned(),
        })?;
        Ok(Some(Self(key)))
    }

    /// Writes the key as a whole or not at all, and leaves one that is there alone.
    fn put_beside(&self, directory: &Path, path: &Path) -> io::Result<()> {
        let draft = directory.join(format!("{FILE}.{}", uuid::Uuid::new_v4()));
        let written = self
            .write(&draft)
            .and_then(|()| match std::fs::hard_link(&draft, path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            });
        let removed = std::fs::remove_file(&draft);
        written.and(removed)?;
        File::open(directory)?.sync_all()
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(&self.0)?;
        file.sync_all()
    }
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
        assert_eq!(made.0, again.0);
        assert_eq!(made.derive("a"), again.derive("a"));
        assert_ne!(made.derive("a"), made.derive("b"));
        assert_ne!(made.derive("a"), made.0);
        assert_ne!(made.0, HostKey::random().expect("random").0);
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
        HostKey([7; LENGTH]).write(&path).expect("is written");
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"x").expect("is written");
        let refused = HostKey::load_or_create(directory.path()).expect_err("is refused");
        assert_eq!(refused.code(), "key.not_a_key");
        assert_eq!(std::fs::read(&path).expect("reads").len(), LENGTH + 1);
    }
}
