//! `secrets`: placeholders that mean nothing inside the node.

use crate::node::bindings::handoff::node::secrets::{Host, SecretError};
use crate::node::state::StepState;

impl Host for StepState {
    fn placeholder(&mut self, name: String) -> Result<String, SecretError> {
        if !self.outgoing.knows_secret(&name) {
            return Err(SecretError::Unknown);
        }
        self.outgoing.placeholder(&name).ok_or(SecretError::Denied)
    }
}
