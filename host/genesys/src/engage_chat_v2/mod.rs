//! Genesys Engage over Chat API version 2: form posts, and polling for what happened.
//!
//! The chat server keeps one numbered transcript per chat, and that number is the whole trick: it
//! orders events, tells which are new, and shows whether a text of ours whose answer was lost has
//! arrived. One request is under way at a time, so texts arrive in the order given.

mod calls;
mod driver;
mod failing;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod probing;
mod protocol;
mod transcript;
mod trouble;
mod wire;

pub use driver::EngageChat;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
