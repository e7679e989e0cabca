//! Genesys Cloud over Web Messaging, as a guest.
//!
//! Everything goes over one socket: texts, files, choices and typing both ways. The socket says who
//! writes and when the agent side has ended the conversation, and nothing else of agents; with an OAuth
//! client the conversation is found and followed through the Platform API too. Without one agents show
//! when they first write, and transfers do not show at all.

mod account;
mod agents;
mod baseline;
mod closing;
mod deployment;
mod driver;
mod failing;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod guest_api;
mod hearing;
mod leaving;
mod line;
mod opening;
mod probing;
mod protocol;
mod reading;
mod riding;
mod sending;
mod socket;
mod state;
mod token;
mod tracking;
mod trouble;
mod uploading;
mod wire;

pub use account::WebMessaging;
pub(crate) use probing::Probed;

#[cfg(test)]
mod tests;
