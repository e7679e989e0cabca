//! `log`: lines for the person who runs the flow.

use crate::node::bindings::handoff::node::log::{Host, Level};
use crate::node::node_text;
use crate::node::state::{LogLine, StepState};

impl Host for StepState {
    fn write(&mut self, level: Level, text: String) {
        if self.host.log.len() >= self.limits.log_lines {
            self.host.log_dropped += 1;
            return;
        }
        let text = node_text::kept(text, self.limits.log_line);
        self.host.log.push(LogLine { level, text });
    }
}
