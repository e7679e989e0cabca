//! How a file is opened, or made.
//!
//! A file that is not there is made beside its place and moved there once it is complete, so that a
//! file in its place is a store, or has been one: an empty one is damage and not a fresh start.

use super::{format, trouble};
use crate::StoreError;
use redb::{Database, DatabaseError, StorageBackend};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// What redb's files begin with.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";

/// How a store works.
#[derive(Clone, Debug)]
pub struct RedbOptions {
    /// Bytes of the file that are kept in memory. All that parked sessions cost. 64 MiB.
    pub cache: usize,
    /// How many orders share an fsync at most. 1,024.
    pub batch: usize,
    /// What a start after a crash may cost. Thorough.
    pub recovery: Recovery,
    /// Whether everything in the file is checked before it is used. Reads all of it.
    pub verify: bool,
}

/// What is paid for a start after a crash, and when. The file is the same; each can open what the
/// other wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recovery {
    /// A commit takes one fsync. After a crash all of the file is read, about a second per GB.
    #[default]
    Thorough,
    /// A commit takes two, and notes what is free. After a crash nothing is to be read.
    Quick,
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self {
            cache: 64 << 20,
            batch: 1024,
            recovery: Recovery::default(),
            verify: false,
        }
    }
}

impl RedbOptions {
    fn builder(&self) -> redb::Builder {
        let mut builder = Database::builder();
        builder.set_cache_size(self.cache);
        builder
    }
}

/// Opens a file, or makes it.
pub(super) fn open(path: &Path, options: &RedbOptions) -> Result<Database, StoreError> {
    let Some(start) = start_of(path)? else {
        return make(path, options);
    };
    if start == MAGIC {
        return ready(options, || options.builder().open(path));
    }
    Err(if start.is_empty() {
        StoreError::corrupt("it is empty; if it never was a store, remove it")
    } else if MAGIC.starts_with(&start) {
        StoreError::corrupt("it ends after a few bytes")
    } else {
        StoreError::NotAStore
    })
}

/// Opens storage of another kind, or makes a store in it.
pub(super) fn on(
    backend: impl StorageBackend,
    options: &RedbOptions,
) -> Result<Database, StoreError> {
    ready(options, || options.builder().create_with_backend(backend))
}

/// What a file begins with; none if it is not there.
fn start_of(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(Some(start))
}

/// Makes a store where there is none.
fn make(path: &Path, options: &RedbOptions) -> Result<Database, StoreError> {
    let draft = draft_of(path);
    let file = private().create(true).truncate(false).open(&draft)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::InUse),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    if fs::exists(path)? {
        // Somebody else made it in the meantime, and this is what they made, or nothing of worth.
        drop(file);
        return open(path, options);
    }
    file.set_len(0)?;
    let database = ready(options, || options.builder().create_file(file))?;
    fs::rename(&draft, path)?;
    sync_folder_of(path)?;
    Ok(database)
}

/// How to open a file that nobody else may read: there are people's conversations in it.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut draft = OsString::from(path);
    draft.push(".new");
    draft.into()
}

/// Has the name of a new file survive a power failure, and not only what is in it.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

/// Opens a database and brings its tables up to date.
fn ready(
    options: &RedbOptions,
    open: impl FnOnce() -> Result<Database, DatabaseError>,
) -> Result<Database, StoreError> {
    let opening = || {
        let mut database = open()?;
        if options.verify && !database.check_integrity()? {
            return Err(StoreError::corrupt(
                "it did not agree with its checksums; it was mended as well as can be, and what was \
                 written last may be missing",
            ));
        }
        format::prepare(&database)?;
        Ok(database)
    };
    // redb trusts much of what it reads, and a damaged file may lead it astray.
    catch_unwind(AssertUnwindSafe(opening)).unwrap_or_else(|panic| Err(trouble::panicked(&*panic)))
}
