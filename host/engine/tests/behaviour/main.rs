//! The engine as its embedders see it: real components, whole turns. One module per behaviour; one
//! binary, because each would link wasmtime anew.

mod support;

mod any_order;
mod asking;
mod availability;
mod broken_components;
mod cache;
mod calls;
mod closing;
mod commands;
mod compiling;
mod determinism;
mod environments;
mod failing_steps;
mod handoff;
mod history;
mod hostile_nodes;
mod identity;
mod inactivity;
mod owner_stack;
mod project_mistakes;
mod queues;
mod secrets;
mod switches;
mod templates;
mod versions;
mod worker;
