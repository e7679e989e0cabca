//! Testing a node natively: without a host, without WebAssembly.
//!
//! [`TestContext`] is a session made of maps. [`check_examples`] runs the examples of a node's
//! descriptor, so that what a builder shows is what the node does. [`example`] has their form.

mod check;
mod context;
pub mod example;

pub use check::{check_examples, run_example};
pub use context::{Message, TestContext};

use crate::{Fault, Node, Outcome, Problem, Trigger, component, config, descriptor};

/// One step of a node with a resolved config, as a component would run it.
///
/// # Errors
/// What the node returns, or `config.invalid` if the config does not fit.
#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better in tests with json!"
)]
pub fn step<N: Node>(
    context: &mut TestContext,
    config: serde_json::Value,
    trigger: Trigger<N::State>,
) -> Result<Outcome<N::State>, Fault> {
    N::step(context, config::read(&config.to_string())?, trigger)
}

/// What a node says of a config as it stands in a flow file.
#[must_use]
#[expect(
    clippy::needless_pass_by_value,
    reason = "reads better in tests with json!"
)]
pub fn validate<N: Node>(config: serde_json::Value) -> Vec<Problem> {
    component::validate::<N>(&config.to_string())
}

/// A node's descriptor, as a host reads it.
#[must_use]
pub fn descriptor<N: Node>() -> serde_json::Value {
    serde_json::from_str(&descriptor::describe::<N>()).expect("a descriptor is JSON")
}
