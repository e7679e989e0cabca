//! `Node::step`: a fresh instance within every limit, and one step.

use crate::{block_on, support};
use divan::Bencher;
use handoff_engine::node::{StepHost, StepInput, Trigger};

/// Node type and a config as it is once its templates are resolved.
const STEPS: [(&str, &str); 3] = [
    ("say", r#"{"text":"Hello!"}"#),
    ("branch", r#"{"when":true}"#),
    ("setContext", r#"{"values":{"name":"Ana","vip":true}}"#),
];

#[divan::bench(args = STEPS.map(|(node_type, _)| node_type))]
fn step(bencher: Bencher<'_, '_>, node_type: &str) {
    let runtime = block_on();
    let library = runtime.block_on(support::library(&[node_type.to_owned()]));
    let node = &library[node_type];
    let config = STEPS.iter().find(|(it, _)| *it == node_type);
    let config = config.map_or("{}", |(_, config)| config);
    bencher.bench_local(|| {
        let input = StepInput {
            trigger: Trigger::Entered,
            config: config.to_owned(),
            state: None,
            node_id: "n".to_owned(),
            session_id: "s".to_owned(),
            now: 0,
        };
        let (_, outcome) = runtime.block_on(node.step(StepHost::default(), input, "s/1/1"));
        outcome.expect("the step works")
    });
}
