//! Nodes: WebAssembly components behind the contract in `wit/`, and the wasmtime that runs them.
//!
//! A component is compiled and linked once, when it is loaded; every step then gets a fresh instance
//! that is dropped afterwards. Nothing survives in a node's memory, so one conversation cannot see
//! another's, a trap poisons nothing, and a parked session holds no instance. It costs some tens of
//! microseconds a step, which is little beside anything a node waits for.

mod bindings;
mod budget;
mod cache;
mod compiling;
mod descriptor;
mod deterministic;
mod failure;
mod http;
mod icon;
mod interfaces;
mod limits;
mod load;
pub(crate) mod node_text;
mod outline;
mod runtime;
mod state;
mod step;

pub use bindings::exports::handoff::node::node::StepInput;
pub use bindings::handoff::node::types::{
    Audience, CloseReason, EndDetail, EndReason, Fault, FaultInfo, Outcome, Problem, SessionEnd,
    Target, Transfer, Trigger, UserMessage, Wait,
};
pub use cache::CacheLocation;
pub use descriptor::{Descriptor, PortDescriptor, PortKind};
pub use failure::StepFailure;
pub use limits::Limits;
#[cfg(any(test, fuzzing))]
pub(crate) use load::check_descriptor;
pub use load::{CONTRACT_VERSION, LoadError, Node};
pub(crate) use load::{ComponentDigest, digest};
pub use runtime::{Runtime, RuntimeError};
pub(crate) use state::Accounts;
pub use state::{LogLine, OutgoingMessage, StepHost};
