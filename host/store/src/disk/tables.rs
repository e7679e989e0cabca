//! The tables of the file: their names, keys and values, as `docs/store.md` tells them.
//!
//! All of this is the format. Whoever changes it raises `format::CURRENT` and writes the step that
//! brings a file up to date.

use super::trouble::redb_failed;
use crate::StoreError;
use handoff_engine::session::DeadlineKind;
use redb::{ReadOnlyTable, ReadTransaction, Table, TableDefinition, WriteTransaction};

/// A deadline of a session: when, and the code of what.
pub(super) type Deadlines = Vec<(u64, u8)>;

/// What is to be known of a session without reading it: its revision, when it closed, whether a handoff is
/// open, and its deadlines.
pub(super) type Head = (u64, Option<u64>, bool, Deadlines);

/// Declares each table once, for writing and for reading.
macro_rules! tables {
    ($($(#[$doc:meta])* $field:ident: $key:ty => $value:ty;)*) => {
        /// The tables, to be written.
        pub(super) struct Written<'t> {
            $($(#[$doc])* pub(super) $field: Table<'t, $key, $value>,)*
            /// Bytes of the keys and values that were written.
            pub(super) bytes: u64,
        }

        impl<'t> Written<'t> {
            pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, StoreError> {
                Ok(Self {
                    $($field: transaction
                        .open_table(TableDefinition::new(stringify!($field)))
                        .map_err(redb_failed)?,)*
                    bytes: 0,
                })
            }
        }

        /// The tables as they were committed last. Each is opened when it is asked for, since most
        /// questions are for one.
        pub(super) struct Read(ReadTransaction);

        /// Copies every table as it was committed last.
        pub(super) fn copy(from: &Read, to: &mut Written<'_>, rows: &mut u64) -> Result<(), StoreError> {
            $(for row in redb::ReadableTable::iter(&from.$field()?)? {
                let (key, value) = row?;
                to.$field.insert(key.value(), value.value())?;
                *rows += 1;
            })*
            Ok(())
        }

        impl Read {
            $($(#[$doc])* pub(super) fn $field(
                &self,
            ) -> Result<ReadOnlyTable<$key, $value>, StoreError> {
                let table = self.0.open_table(TableDefinition::new(stringify!($field)));
                table.map_err(redb_failed)
            })*
        }
    };
}

tables! {
    /// Session to what is to be known without reading it.
    heads: &'static str => Head;
    /// Session and path to a part of its state, packed.
    state: (&'static str, &'static str) => &'static [u8];
    /// Session and revision to the turn and the way back, packed.
    turns: (&'static str, u64) => &'static [u8];
    /// Session, revision and place in the turn to what the user is shown, packed.
    events: (&'static str, u64, u32) => &'static [u8];
    /// Session and number to a line of what was said, packed.
    transcript: (&'static str, u64) => &'static [u8];
    /// Session and input to the revision it led to.
    inputs: (&'static str, &'static str) => u64;
    /// Session, revision and place of each effect that is not settled, to its id.
    pending: (&'static str, u64, u32) => &'static str;
    /// Sessions with a handoff that is not over.
    handoffs: &'static str => ();
    /// When, whose, and the code of what.
    deadlines: (u64, &'static str, u8) => ();
    /// Sessions by the time they closed.
    closed: (u64, &'static str) => ();
    /// Digest of a project's version to how many open sessions are pinned to it; never 0.
    versions: &'static str => u64;
}

impl Written<'_> {
    /// Counts a key and a value.
    pub(super) fn count(&mut self, key: usize, value: usize) {
        self.bytes += (key + value) as u64;
    }
}

/// Bytes of a number in a key or a value.
pub(super) const NUMBER: usize = 8;

impl Read {
    pub(super) fn new(transaction: ReadTransaction) -> Self {
        Self(transaction)
    }
}

/// The least key that no key of this session reaches.
pub(super) fn past(session: &str) -> String {
    format!("{session}\0")
}

/// Codes of deadlines, in the order in which those of one moment are due.
const KINDS: [(u8, DeadlineKind); 5] = [
    (1, DeadlineKind::Inactivity),
    (2, DeadlineKind::Node),
    (3, DeadlineKind::NoAgent),
    (4, DeadlineKind::UserIdle),
    (5, DeadlineKind::QueueUpdate),
];

pub(super) fn code_of(kind: DeadlineKind) -> u8 {
    match kind {
        DeadlineKind::Inactivity => 1,
        DeadlineKind::Node => 2,
        DeadlineKind::NoAgent => 3,
        DeadlineKind::UserIdle => 4,
        DeadlineKind::QueueUpdate => 5,
    }
}

pub(super) fn kind_of(code: u8) -> Result<DeadlineKind, StoreError> {
    let known = KINDS.iter().find(|(known, _)| *known == code);
    known
        .map(|(_, kind)| *kind)
        .ok_or_else(|| StoreError::corrupt(format!("{code} is no kind of deadline")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_deadlines_have_codes_in_their_order() {
        assert!(KINDS.is_sorted());
        assert!(KINDS.is_sorted_by_key(|(_, kind)| *kind));
        for (code, kind) in KINDS {
            assert_eq!(code_of(kind), code);
            assert_eq!(kind_of(code).expect("is known"), kind);
        }
        assert!(kind_of(0).is_err());
    }
}
