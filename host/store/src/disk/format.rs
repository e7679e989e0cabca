//! Which format a file is in, and how an older one is brought up to date.
//!
//! The table `handoff-store` marks the file as ours and holds the number of its format and who made
//! and last wrote it. An upgrade is one transaction: it happens as a whole, or the file stays as it
//! was. There is no way back; who may need one keeps a copy.

use super::format_2;
use super::tables::Written;
use super::trouble::redb_failed;
use crate::StoreError;
use redb::{Database, ReadableTable, TableDefinition, TableHandle, WriteTransaction};

const ABOUT: TableDefinition<'_, &str, &str> = TableDefinition::new("handoff-store");
const FORMAT: &str = "format";
const MADE_BY: &str = "made by";
const WRITTEN_BY: &str = "written by";

/// This version, as files name it.
const WE: &str = concat!("handoff-store ", env!("CARGO_PKG_VERSION"));

/// The format this version writes.
const CURRENT: u32 = 3;

/// Brings the tables from one format to the next.
type Step = fn(&WriteTransaction) -> Result<(), StoreError>;

/// What a version writes, and the steps that lead there, the last one to it.
struct Formats<'a> {
    current: u32,
    steps: &'a [Step],
}

const FORMATS: Formats<'_> = Formats {
    current: CURRENT,
    steps: &[format_2::count_open_sessions, format_2::part_sessions],
};

/// Makes the tables of a new file, and brings those of an older one up to date.
pub(super) fn prepare(database: &Database) -> Result<(), StoreError> {
    FORMATS.prepare(database)
}

impl Formats<'_> {
    fn oldest(&self) -> u32 {
        let steps = u32::try_from(self.steps.len()).expect("steps are written by hand");
        self.current - steps
    }

    fn prepare(&self, database: &Database) -> Result<(), StoreError> {
        let transaction = database.begin_write()?;
        let changed = match names(&transaction)?.as_slice() {
            [] => {
                drop(Written::open(&transaction)?);
                self.sign(&transaction)?;
                true
            }
            names if names.iter().any(|name| name == ABOUT.name()) => {
                self.bring_up_to_date(&transaction)?
            }
            _ => return Err(StoreError::NotAStore),
        };
        if changed {
            transaction.commit()?;
        } else {
            transaction.abort()?;
        }
        Ok(())
    }

    /// Takes the steps that are missing; whether anything has changed.
    fn bring_up_to_date(&self, transaction: &WriteTransaction) -> Result<bool, StoreError> {
        let (found, by) = signature(transaction)?;
        if found > self.current {
            return Err(StoreError::TooNew {
                found,
                known: self.current,
                by,
            });
        }
        let Some(done) = found.checked_sub(self.oldest()) else {
            return Err(StoreError::TooOld {
                found,
                oldest: self.oldest(),
                by,
            });
        };
        for step in self.steps.iter().skip(done as usize) {
            step(transaction)?;
        }
        if found == self.current && by == WE {
            return Ok(false);
        }
        self.sign(transaction)?;
        Ok(true)
    }

    fn sign(&self, transaction: &WriteTransaction) -> Result<(), StoreError> {
        let mut about = transaction.open_table(ABOUT)?;
        about.insert(FORMAT, self.current.to_string().as_str())?;
        about.insert(WRITTEN_BY, WE)?;
        if about.get(MADE_BY)?.is_none() {
            about.insert(MADE_BY, WE)?;
        }
        Ok(())
    }
}

fn names(transaction: &WriteTransaction) -> Result<Vec<String>, StoreError> {
    let tables = transaction.list_tables().map_err(redb_failed)?;
    let mut names: Vec<String> = tables.map(|table| table.name().to_owned()).collect();
    let multimaps = transaction.list_multimap_tables().map_err(redb_failed)?;
    names.extend(multimaps.map(|table| redb::MultimapTableHandle::name(&table).to_owned()));
    Ok(names)
}

/// The number of the format, and who wrote the file last.
fn signature(transaction: &WriteTransaction) -> Result<(u32, String), StoreError> {
    let about = transaction
        .open_table(ABOUT)
        .map_err(|_| StoreError::NotAStore)?;
    let entry = |key| -> Result<String, StoreError> {
        let value = about.get(key)?;
        let value = value.ok_or_else(|| StoreError::corrupt(format!("it lacks its '{key}'")))?;
        Ok(value.value().to_owned())
    };
    let format = entry(FORMAT)?;
    let number = format.parse();
    let number = number
        .map_err(|_| StoreError::corrupt(format!("'{format}' is not the number of a format")))?;
    Ok((number, entry(WRITTEN_BY)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::ReadableDatabase;
    use redb::backends::InMemoryBackend;

    const NOTES: TableDefinition<'_, &str, u64> = TableDefinition::new("notes");

    fn fresh() -> Database {
        let backend = InMemoryBackend::new();
        let database = redb::Builder::new().create_with_backend(backend);
        database.expect("opens")
    }

    fn signed(format: &str, by: &str) -> Database {
        let database = fresh();
        prepare(&database).expect("is made");
        let transaction = database.begin_write().expect("begins");
        {
            let mut about = transaction.open_table(ABOUT).expect("opens");
            about.insert(FORMAT, format).expect("inserts");
            about.insert(WRITTEN_BY, by).expect("inserts");
        }
        transaction.commit().expect("commits");
        database
    }

    fn told(database: &Database) -> (u32, String) {
        let transaction = database.begin_write().expect("begins");
        signature(&transaction).expect("is signed")
    }

    #[test]
    fn a_new_file_is_signed_and_opened_again() {
        let database = fresh();
        for _ in 0..2 {
            prepare(&database).expect("is ours");
            assert_eq!(told(&database), (CURRENT, WE.to_owned()));
        }
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused_and_says_who_wrote_it() {
        let database = signed("4", "handoff-store 9.1.0");
        let error = prepare(&database).expect_err("is too new");
        assert_eq!(error.code(), "store.too_new");
        assert_eq!(
            error.to_string(),
            "the file is in format 4, last written by handoff-store 9.1.0, and this version reads \
             formats up to 3; start that version or a newer one, or put back a copy from before the \
             upgrade"
        );
        assert_eq!(told(&database), (4, "handoff-store 9.1.0".to_owned()));
    }

    #[test]
    fn a_file_from_before_the_first_format_is_refused() {
        let database = signed("0", "handoff-store 0.0.1");
        let error = prepare(&database).expect_err("is too old");
        assert_eq!(error.code(), "store.too_old");
        assert_eq!(
            error.to_string(),
            "the file is in format 0, last written by handoff-store 0.0.1, and this version reads \
             formats from 1 on; open it once with a version in between"
        );
    }

    #[test]
    fn a_file_without_a_number_is_damaged() {
        let error = prepare(&signed("one", WE)).expect_err("is no number");
        assert_eq!(error.code(), "store.corrupt");
    }

    #[test]
    fn a_database_of_something_else_is_refused() {
        let database = fresh();
        let transaction = database.begin_write().expect("begins");
        drop(transaction.open_table(NOTES).expect("opens"));
        transaction.commit().expect("commits");
        let error = prepare(&database).expect_err("is not ours");
        assert_eq!(error.code(), "store.not_a_store");
    }

    /// A step that notes its number.
    fn note(transaction: &WriteTransaction, step: &str) -> Result<(), StoreError> {
        let mut notes = transaction.open_table(NOTES)?;
        let taken = notes.iter()?.count() as u64;
        notes.insert(step, taken)?;
        Ok(())
    }

    fn notes(database: &Database) -> Vec<(String, u64)> {
        let transaction = database.begin_read().expect("begins");
        let Ok(notes) = transaction.open_table(NOTES) else {
            return Vec::new();
        };
        let notes = notes
            .iter()
            .expect("reads")
            .map(|note| note.expect("reads"));
        notes
            .map(|(step, taken)| (step.value().to_owned(), taken.value()))
            .collect()
    }

    #[test]
    fn an_older_file_takes_the_steps_it_lacks_in_order_and_once() {
        let later = Formats {
            current: 4,
            steps: &[
                |transaction| note(transaction, "2 to 3"),
                |transaction| note(transaction, "3 to 4"),
            ],
        };
        let database = signed("2", "handoff-store 0.2.0");
        for _ in 0..2 {
            later.prepare(&database).expect("is brought up to date");
            let all = [("2 to 3".to_owned(), 0), ("3 to 4".to_owned(), 1)];
            assert_eq!(notes(&database), all);
            assert_eq!(told(&database).0, 4);
        }
        let database = signed("3", "handoff-store 0.3.0");
        later.prepare(&database).expect("is brought up to date");
        assert_eq!(notes(&database), [("3 to 4".to_owned(), 0)]);
    }

    #[test]
    fn a_step_that_fails_leaves_the_file_as_it_was() {
        let later = Formats {
            current: 3,
            steps: &[
                |transaction| note(transaction, "1 to 2"),
                |_| Err(StoreError::corrupt("a session without a name")),
            ],
        };
        let database = signed("1", "handoff-store 0.1.0");
        later.prepare(&database).expect_err("fails");
        assert_eq!(notes(&database), []);
        assert_eq!(told(&database), (1, "handoff-store 0.1.0".to_owned()));
    }
}
