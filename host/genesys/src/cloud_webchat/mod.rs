//! Genesys Cloud over WebChat version 2, which Genesys is removing (PROTOCOLS 2).
//!
//! A guest API takes what the user says and an event stream brings what the agent side does. The
//! stream replays nothing and numbers nothing, so members and messages are also read on a schedule:
//! frames make things prompt, reading makes them certain. The cost is two small requests every now
//! and then; the gain is that no lost frame can lose a message, a departure or the end.

mod account;
mod driver;
mod failing;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod guest;
mod hearing;
mod leaving;
mod listening;
mod members;
mod opening;
mod probing;
mod protocol;
mod reading;
mod sending;
mod state;
mod story;
mod stream;
mod trouble;
mod wire;

pub use account::WebChat;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
