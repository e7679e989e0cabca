//! Following a conversation through the Platform API, for every transport whose own wire says little
//! of agents coming and going.
//!
//! A notification socket tells that something happened, a look at the conversation tells what. The
//! look decides; the socket only makes it prompt. Without the socket looks are taken on a schedule.

mod feeds;
mod picture;
mod socket;
mod topics;
mod waiting;
mod watch;

pub(crate) use feeds::{Feeds, Follower, Following, Happening};
pub(crate) use picture::{Beginning, Over, Picture, Written, look, unnamed};
pub(crate) use topics::{Snapshot, Subject};
#[cfg(any(test, fuzzing))]
pub(crate) use topics::{Tidings, tidings};
pub(crate) use waiting::QueueWait;
pub(crate) use watch::Watch;
