//! The store in a file does what stores do, and keeps what it answered whatever happens.

mod backup;
mod crashes;
mod damage;
mod disk_failures;
mod format_1;
mod format_2;
mod group_commit;
mod opening;
mod power;
#[path = "../suite/mod.rs"]
mod suite;

use handoff_store::{RedbOptions, RedbStore};
use power::Disk;

suite::every_test!(on_a_disk, || {
    let disk = Disk::default();
    move |open: Option<RedbStore>| {
        drop(open);
        RedbStore::on(disk.clone(), &RedbOptions::default()).expect("opens")
    }
});
