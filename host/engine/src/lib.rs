//! Flow graphs, sessions, turns and the WebAssembly node runtime.

pub mod account;
pub mod clock;
pub mod handoff;
pub mod name;
pub mod time;
