//! Genesys Cloud over Open Messaging.
//!
//! Texts go to agents through an integration and come back by signed webhook. The webhook says
//! nothing of agents coming and going, so a notification socket tells when something happened, and a
//! look at the conversation tells what. The look decides; the socket only makes it prompt. Without
//! the socket the look is taken on a schedule.

mod account;
mod afterwards;
mod calls;
mod confirming;
mod driver;
mod failing;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod hearing;
mod leaving;
mod looking;
mod opening;
mod protocol;
mod sending;
mod signature;
mod state;
mod switchboard;
mod trigger;
mod trouble;
mod wire;

pub use account::OpenMessaging;

#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod tests;
