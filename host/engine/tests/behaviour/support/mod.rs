//! What every test starts from: the built components, a project in a few lines, a conversation.

mod components;
mod outside;
mod project;
pub(crate) mod shaped;
mod talk;

pub(crate) use components::{component, fixture, library, load, runtime};
pub(crate) use outside::Outside;
pub(crate) use project::Sample;
pub(crate) use shaped::Shaped;
pub(crate) use talk::{Said, Talk, agent, entries, told};
