//! `secrets`: placeholders that mean nothing inside the node.

use crate::node::bindings::handoff::node::secrets::{Host, SecretError};
use crate::node::state::StepState;

impl Host for StepState {
    fn placeholder(&mut self, name: String) -> Result<String, SecretError> {
        if self.host.secrets.contains(&name) {
            Ok(format!("{{{{secret:{name}}}}}"))
        } else {
            Err(SecretError::Unknown)
        }
    }
}
