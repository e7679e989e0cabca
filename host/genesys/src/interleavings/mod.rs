//! The end of a handoff, and the relay, in every order of events.
//!
//! A [`story`] is what truly happens on the agent side; a transport's [`Subject`] is its protocol
//! together with the platform as it truly stands, which tells of every change by every road the
//! transport has, and answers questions with the truth of that moment. A [`Way`] says in which order
//! the platform's events come, which of them never or twice, which answer is lost and when the host
//! restarts. [`Player`](player) plays them, [`verdict`] judges what was told, [`explore`] tries all
//! ways and shortens the one that fails.

pub(crate) mod explore;
pub(crate) mod player;
pub(crate) mod story;
mod verdict;
pub(crate) mod way;

pub(crate) use explore::{every_loss, every_order, sampled};
pub(crate) use player::Subject;
pub(crate) use story::Act;
pub(crate) use way::Way;
