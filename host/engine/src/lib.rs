//! Flow graphs, sessions, turns and the WebAssembly node runtime.
//!
//! The engine is pure: it opens no socket, reads no disk and asks no clock. A [`project::Project`]
//! is loaded from texts by an [`Engine`], and [`advance()`] applies one [`session::Input`] to one [`session::Session`]
//! and says in a [`session::Turn`] what the outside is to do. Whoever embeds it commits the turn
//! first and does what it asks after.
//!
//! | module | what |
//! |---|---|
//! | [`project`] | bots, flows, accounts: loaded and checked as a whole |
//! | [`node`] | WebAssembly components behind the contract in `wit/` |
//! | [`template`] | `{{ }}` in a node's config |
//! | [`session`] | sessions, inputs, turns, effects: plain data |
//! | [`mod@advance`] | the function that makes a turn |
//! | [`availability`] | how many agents there are, and who is asked |
//! | [`egress`] | requests that nodes send, and who lets them out |
//! | [`handoff`] | the words between the engine and a transport |
//! | [`content`] | what people say besides plain text |
//! | [`account`] | configured agent systems |
//! | [`display`] | what others wrote, made fit for a terminal, a log or a page |
//! | [`clock`] | the system's clock and a simulated one |

pub mod account;
pub mod advance;
pub mod availability;
pub mod clock;
pub mod content;
pub mod diagnostic;
pub mod display;
pub mod egress;
mod engine;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod handoff;
pub mod name;
pub mod node;
pub mod project;
mod schema;
pub mod session;
mod size;
pub mod source;
pub mod template;
pub mod time;

pub use advance::{StepWatch, Surroundings, advance, advance_in};
pub use engine::{Component, Engine, EngineBuilder, EngineError, Progress};

/// The example in the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
