//! `log`: lines for the person who runs the flow.

use crate::node::bindings::handoff::node::log::{Host, Level};
use crate::node::state::{LogLine, StepState};

impl Host for StepState {
    fn write(&mut self, level: Level, mut text: String) {
        if self.host.log.len() >= self.limits.log_lines {
            self.host.log_dropped += 1;
            return;
        }
        let mut end = text.len().min(self.limits.log_line);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        self.host.log.push(LogLine { level, text });
    }
}
