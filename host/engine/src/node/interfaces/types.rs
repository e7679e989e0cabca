//! `types` has no functions.

use crate::node::bindings::handoff::node::types::Host;
use crate::node::state::StepState;

impl Host for StepState {}
