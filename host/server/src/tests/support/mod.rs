//! What tests of a host are written with.

mod desk;
mod project;
mod silent;
mod trickster;

pub(crate) use desk::{Desk, START};
pub(crate) use project::{
    SITE, components, empty_engine, project, project_files, renamed, with_account,
};
pub(crate) use silent::{NoSecrets, Silent};
pub(crate) use trickster::{Trick, Trickster};

use crate::HostKey;
use std::sync::LazyLock;

/// The key of every host on one store.
pub(crate) fn host_key() -> HostKey {
    static KEY: LazyLock<HostKey> = LazyLock::new(|| HostKey::random().expect("random numbers"));
    KEY.clone()
}
