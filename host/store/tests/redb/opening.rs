//! Files that are opened, and files that are not.

use crate::suite::turn;
use handoff_engine::name::{Revision, SessionId};
use handoff_store::{OpenError, RedbStore, Store};
use redb::{Database, TableDefinition};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Turns of the session in a file that was [`written`].
pub(crate) const TURNS: u64 = 40;

/// A file in a folder of its own.
pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sessions.handoff");
    Place {
        _folder: folder,
        path,
    }
}

/// What the session has in its context.
pub(crate) fn remembered() -> Value {
    "x".repeat(200).into()
}

/// A file with a session in it, closed.
pub(crate) async fn written() -> Place {
    let place = place();
    let store = RedbStore::open(&place.path).expect("is made");
    for revision in 1..=TURNS {
        let turn = turn("s", revision).remembers("x", remembered()).done();
        store.append(turn, &[]).await.expect("is taken");
    }
    place
}

fn refused(path: &Path) -> OpenError {
    RedbStore::open(path).expect_err("is refused")
}

#[tokio::test]
async fn a_file_is_made_and_opened_again() {
    let place = written().await;
    let store = RedbStore::open(&place.path).expect("opens");
    let journal = store
        .journal(&SessionId::new("s"), Revision(0), usize::MAX)
        .await;
    assert_eq!(journal.expect("reads").len() as u64, TURNS);
    let files = std::fs::read_dir(place.path.parent().expect("a folder"));
    assert_eq!(files.expect("reads").count(), 1, "no draft is left behind");
}

#[test]
fn a_draft_that_a_crash_left_behind_is_no_hindrance() {
    let place = place();
    let draft = place.path.with_extension("handoff.new");
    std::fs::write(&draft, b"redb, or the beginning of it").expect("writes");
    drop(RedbStore::open(&place.path).expect("is made"));
    assert!(!draft.exists());
    drop(RedbStore::open(&place.path).expect("opens"));
}

#[test]
fn a_file_that_is_something_else_is_refused_and_left_alone() {
    let place = place();
    let text = "dear diary, ".repeat(1000);
    std::fs::write(&place.path, &text).expect("writes");
    let error = refused(&place.path);
    assert_eq!(error.code(), "store.not_a_store");
    assert_eq!(
        error.to_string(),
        format!(
            "cannot open the store '{}': the file is not a handoff store; name another file, or move \
             this one away",
            place.path.display()
        )
    );
    assert_eq!(std::fs::read_to_string(&place.path).expect("reads"), text);
    let folder = place.path.parent().expect("a folder");
    assert_eq!(refused(folder).code(), "store.not_a_store");
}

#[test]
fn a_database_of_another_program_is_refused() {
    let place = place();
    let database = Database::create(&place.path).expect("is made");
    let transaction = database.begin_write().expect("begins");
    let theirs: TableDefinition<'_, u64, u64> = TableDefinition::new("theirs");
    drop(transaction.open_table(theirs).expect("opens"));
    transaction.commit().expect("commits");
    drop(database);
    assert_eq!(refused(&place.path).code(), "store.not_a_store");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_can_still_be_opened_by_it() {
    let place = written().await;
    let about: TableDefinition<'_, &str, &str> = TableDefinition::new("handoff-store");
    let sign = |format: &str| {
        let database = Database::open(&place.path).expect("opens");
        let transaction = database.begin_write().expect("begins");
        let mut table = transaction.open_table(about).expect("opens");
        table.insert("format", format).expect("inserts");
        drop(table);
        transaction.commit().expect("commits");
    };
    sign("1000");
    assert_eq!(refused(&place.path).code(), "store.too_new");
    sign("0");
    assert_eq!(refused(&place.path).code(), "store.too_old");
    sign("1");
    drop(RedbStore::open(&place.path).expect("opens"));
}

#[tokio::test]
async fn an_empty_file_where_a_store_was_is_not_taken_for_a_new_one() {
    let place = written().await;
    std::fs::write(&place.path, b"").expect("writes");
    let error = refused(&place.path);
    assert_eq!(error.code(), "store.corrupt");
    assert!(error.to_string().contains("it is empty"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = place();
    let error = refused(&place.path.join("there.handoff"));
    assert_eq!(error.code(), "store.no_folder");
}

#[tokio::test]
async fn a_file_is_open_once_at_a_time_in_a_process() {
    let place = place();
    let store = RedbStore::open(&place.path).expect("is made");
    assert_eq!(refused(&place.path).code(), "store.in_use");
    store
        .append(turn("s", 1).done(), &[])
        .await
        .expect("the first one goes on");
    drop(store);
    drop(RedbStore::open(&place.path).expect("opens"));
}

const HELD: &str = "HANDOFF_STORE_HELD_BY_A_TEST";

/// The other process of the next test.
#[test]
fn another_process() {
    let Some(path) = std::env::var_os(HELD) else {
        return;
    };
    let store = RedbStore::open(path).expect("is made");
    let mut out = std::io::stdout();
    writeln!(out, "\nheld").expect("writes");
    out.flush().expect("writes");
    // Until the pipe closes.
    let _ = std::io::stdin().lines().count();
    drop(store);
}

#[test]
fn a_file_is_open_in_one_process_at_a_time() {
    let place = place();
    let mut other = Command::new(std::env::current_exe().expect("is a file"))
        .args(["--exact", "opening::another_process", "--nocapture"])
        .env(HELD, &place.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let out = BufReader::new(other.stdout.take().expect("is piped"));
    let mut lines = out.lines().map_while(Result::ok);
    assert!(
        lines.any(|line| line == "held"),
        "the other process opens the store"
    );
    assert_eq!(refused(&place.path).code(), "store.in_use");
    drop(other.stdin.take());
    assert_eq!(lines.filter(|line| line.contains("FAILED")).count(), 0);
    assert!(other.wait().expect("ends").success());
    drop(RedbStore::open(&place.path).expect("opens"));
}

#[cfg(unix)]
#[test]
fn a_file_is_nobody_elses_to_read() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    drop(RedbStore::open(&place.path).expect("is made"));
    let about = std::fs::metadata(&place.path).expect("is there");
    assert_eq!(about.permissions().mode() & 0o077, 0);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_written_is_told_from_a_broken_one() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    drop(RedbStore::open(&place.path).expect("is made"));
    let read_only = std::fs::Permissions::from_mode(0o444);
    std::fs::set_permissions(&place.path, read_only).expect("is ours");
    let writable = std::fs::OpenOptions::new().write(true).open(&place.path);
    if writable.is_ok() {
        // The superuser may write whatever the mode; `disk_failures` tries it with a disk.
        return;
    }
    assert_eq!(refused(&place.path).code(), "store.not_writable");
}
