//! The guest side of the contract in `wit/`, generated.
//!
//! Generated types never reach a node: `component` converts them, once, at the edge. Only
//! [`Problem`](crate::Problem) and a few plain enums are passed on as they are.

#![allow(
    unsafe_code,
    missing_debug_implementations,
    unreachable_pub,
    rust_2018_idioms
)]
#![allow(
    clippy::all,
    clippy::needless_pass_by_value,
    clippy::uninlined_format_args
)]
#![allow(clippy::semicolon_if_nothing_returned, clippy::unwrap_used)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "flow-node",
    pub_export_macro: true,
    default_bindings_module: "handoff_node::bindings",
    additional_derives: [PartialEq, Eq],
});
