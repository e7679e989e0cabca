//! Who looks on while a turn is made.
//!
//! The engine asks no clock, so it cannot say how long a step took. It says when a step begins and
//! when it ends, and whoever looks on has a clock. Looking on changes nothing: the turn is the same.

use crate::name::{NodeId, NodeType};

/// Hears of every step of a turn, one after the other.
pub trait StepWatch: Send + std::fmt::Debug {
    /// A node is about to be called.
    fn began(&mut self, node: &NodeId, node_type: &NodeType);

    /// The node that was called has answered, or was stopped. `failure` is the code if it did not
    /// come to an outcome.
    fn ended(&mut self, failure: Option<&str>);
}

/// Nobody looks on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unwatched;

impl StepWatch for Unwatched {
    fn began(&mut self, _node: &NodeId, _node_type: &NodeType) {}

    fn ended(&mut self, _failure: Option<&str>) {}
}
