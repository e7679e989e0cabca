//! `handoff`: how the last handoff ended.

use crate::node::bindings::handoff::node::handoff::Host;
use crate::node::bindings::handoff::node::types::SessionEnd;
use crate::node::state::StepState;

impl Host for StepState {
    fn last(&mut self) -> Option<SessionEnd> {
        self.host.last_handoff.clone()
    }
}
