//! `connectors`: documents of the project's API connectors.

use crate::node::bindings::handoff::node::connectors::Host;
use crate::node::state::StepState;

impl Host for StepState {
    fn find(&mut self, alias: String) -> Option<String> {
        self.host.connectors.get(&alias).map(ToString::to_string)
    }
}
