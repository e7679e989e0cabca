//! A disk whose power can fail, and that can be full.
//!
//! What was written is on it for good once it was synced. When the power fails, of the rest there is
//! what [`Left`] says; writes are torn at sectors. Syncs can be held up. Cloned, it is the same disk.

use redb::StorageBackend;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

const SECTOR: usize = 512;

/// What is on a disk of what was not synced when its power failed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Left {
    Nothing,
    Everything,
    /// Some sectors and not others, by a seed.
    Some(u64),
}

/// A disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    gate: Arc<Gate>,
}

/// Where syncs wait while they are held up.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    closed: bool,
    waiting: usize,
}

impl Gate {
    fn state(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().expect("no test panics here")
    }

    fn pass(&self) {
        let mut state = self.state();
        state.waiting += 1;
        self.changed.notify_all();
        let passing = self.changed.wait_while(state, |state| state.closed);
        passing.expect("no test panics here").waiting -= 1;
    }
}

#[derive(Debug, Default)]
struct State {
    /// What a reader sees.
    seen: Vec<u8>,
    /// What is there for good.
    durable: Vec<u8>,
    unsynced: Vec<Change>,
    /// Writes, syncs and changes of length so far.
    operations: usize,
    syncs: usize,
    trouble: Option<Trouble>,
    failed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// The power fails in the middle of this operation.
    PowerFailsAt(usize),
    /// There is room for so many bytes.
    FullAt(usize),
    /// Nothing may be written.
    ReadOnly,
}

#[derive(Clone, Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

impl Change {
    fn make(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Bytes(offset, data) => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }

    /// In pieces that are written at once or not at all.
    fn sectors(self) -> Vec<Self> {
        match self {
            Self::Length(_) => vec![self],
            Self::Bytes(offset, data) => {
                let places = (offset..).step_by(SECTOR);
                let sectors = data.chunks(SECTOR).map(<[u8]>::to_vec);
                places
                    .zip(sectors)
                    .map(|(offset, sector)| Self::Bytes(offset, sector))
                    .collect()
            }
        }
    }
}

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics here")
    }

    fn in_trouble(self, trouble: Trouble) -> Self {
        self.state().trouble = Some(trouble);
        self
    }

    /// Has the power fail in the middle of an operation, counted from now.
    pub(crate) fn failing_at(self, operation: usize) -> Self {
        let operation = self.operations() + operation;
        self.in_trouble(Trouble::PowerFailsAt(operation))
    }

    /// Has room for so many bytes.
    pub(crate) fn full_at(self, bytes: usize) -> Self {
        self.in_trouble(Trouble::FullAt(bytes))
    }

    /// Refuses to be written.
    pub(crate) fn read_only(self) -> Self {
        self.in_trouble(Trouble::ReadOnly)
    }

    /// Writes, syncs and changes of length so far.
    pub(crate) fn operations(&self) -> usize {
        self.state().operations
    }

    /// Syncs so far.
    pub(crate) fn syncs(&self) -> usize {
        self.state().syncs
    }

    /// Lets no sync come to its end.
    pub(crate) fn hold_syncs(&self) {
        self.gate.state().closed = true;
    }

    /// Waits until a sync is held up.
    pub(crate) fn until_held(&self) {
        let gate = &self.gate;
        let held = gate
            .changed
            .wait_while(gate.state(), |state| state.waiting == 0);
        drop(held.expect("no test panics here"));
    }

    /// Lets syncs go on.
    pub(crate) fn release_syncs(&self) {
        self.gate.state().closed = false;
        self.gate.changed.notify_all();
    }

    /// Whether its power failed.
    pub(crate) fn failed(&self) -> bool {
        self.state().failed
    }

    /// The same disk without trouble, as it is now.
    pub(crate) fn mended(&self) -> Self {
        let seen = self.state().seen.clone();
        Self::holding(seen)
    }

    /// The disk as it is when the power is back.
    pub(crate) fn after_power_failure(&self, left: Left) -> Self {
        let state = self.state();
        let mut bytes = state.durable.clone();
        let sectors = state.unsynced.iter().cloned().flat_map(Change::sectors);
        let mut dice = match left {
            Left::Nothing => return Self::holding(bytes),
            Left::Everything => None,
            Left::Some(seed) => Some(seed),
        };
        for sector in sectors {
            if dice.as_mut().is_none_or(heads) {
                sector.make(&mut bytes);
            }
        }
        Self::holding(bytes)
    }

    fn holding(bytes: Vec<u8>) -> Self {
        let state = State {
            seen: bytes.clone(),
            durable: bytes,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            gate: Arc::default(),
        }
    }
}

/// A coin, thrown by the rule of xorshift.
fn heads(state: &mut u64) -> bool {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    state.is_multiple_of(2)
}

impl State {
    fn change(&mut self, change: Change) -> io::Result<()> {
        let end = match &change {
            Change::Length(length) => *length,
            Change::Bytes(offset, data) => offset + data.len(),
        };
        match self.trouble {
            Some(Trouble::ReadOnly) => return Err(ErrorKind::ReadOnlyFilesystem.into()),
            Some(Trouble::FullAt(room)) if end > room => return Err(ErrorKind::StorageFull.into()),
            _ => {}
        }
        let powered = !self.failed;
        let done = self.operate();
        if done.is_ok() {
            change.make(&mut self.seen);
        }
        if powered {
            // Even what the power fails in the middle of may have come to the disk.
            self.unsynced.push(change);
        }
        done
    }

    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        if let Some(Trouble::PowerFailsAt(operation)) = self.trouble {
            self.failed |= self.operations > operation;
        }
        if self.failed {
            return Err(io::Error::other("the power failed"));
        }
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).expect("fits");
        let state = self.state();
        let bytes = state.seen.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let length = usize::try_from(len).expect("fits");
        self.state().change(Change::Length(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.gate.pass();
        let mut state = self.state();
        state.operate()?;
        state.syncs += 1;
        let State {
            durable, unsynced, ..
        } = &mut *state;
        for change in unsynced.drain(..) {
            change.make(durable);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).expect("fits");
        self.state().change(Change::Bytes(offset, data.to_vec()))
    }
}
