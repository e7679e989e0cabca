//! Looking on while a turn is made: how long each step takes, as a metric and as a span.

use crate::metrics::Metrics;
use handoff_engine::StepWatch;
use handoff_engine::name::{NodeId, NodeType};
use std::time::Instant;
use tracing::Span;
use tracing::field::Empty;

/// Times the steps of one turn.
#[derive(Debug)]
pub(crate) struct StepTimer<'a> {
    metrics: &'a Metrics,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    node_type: NodeType,
    begun: Instant,
    span: Span,
}

impl<'a> StepTimer<'a> {
    pub(crate) fn new(metrics: &'a Metrics) -> Self {
        Self {
            metrics,
            running: None,
        }
    }
}

impl StepWatch for StepTimer<'_> {
    fn began(&mut self, node: &NodeId, node_type: &NodeType) {
        self.running = Some(Running {
            node_type: node_type.clone(),
            span: tracing::info_span!("step", %node, %node_type, error.type = Empty),
            begun: Instant::now(),
        });
    }

    fn ended(&mut self, failure: Option<&str>) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.metrics
            .stepped(&running.node_type, running.begun.elapsed());
        if let Some(code) = failure {
            running.span.record("error.type", code);
        }
    }
}
