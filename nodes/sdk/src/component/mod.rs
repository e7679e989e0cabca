//! A node as a component: the only place where the types of the contract and those of the SDK meet.

mod convert;
mod fetch;
mod imports;

use std::marker::PhantomData;

use crate::{
    Node, Problem, Timestamp, Visit,
    bindings::exports::handoff::node::node::{Fault, Guest, Outcome, StepInput},
    config, descriptor,
};

/// Implements the exports of the contract for a node. Made by `export!`.
#[derive(Debug)]
pub struct Component<N>(PhantomData<N>);

impl<N: Node> Guest for Component<N> {
    fn describe() -> String {
        descriptor::describe::<N>()
    }

    fn validate(config: String) -> Vec<Problem> {
        validate::<N>(&config)
    }

    fn step(input: StepInput) -> Result<Outcome, Fault> {
        let visit = Visit {
            node_id: input.node_id,
            session_id: input.session_id,
            now: Timestamp(input.now),
        };
        let step = || {
            let config = config::read(&input.config)?;
            let trigger = convert::trigger(input.trigger, input.state.as_deref())?;
            let outcome = N::step(&mut imports::Imports::new(visit), config, trigger)?;
            convert::outcome(outcome)
        };
        step().map_err(convert::fault)
    }
}

/// What a node says of a config as it stands in a flow file.
pub(crate) fn validate<N: Node>(config: &str) -> Vec<Problem> {
    config::read_unresolved::<N::Config>(config)
        .map(|config| N::validate(&config))
        .unwrap_or_default()
}
