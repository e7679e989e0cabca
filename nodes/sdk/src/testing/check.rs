//! Running the examples of a descriptor.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    TestContext,
    example::{Example, ExpectedOutcome},
};
use crate::{Fault, Node, Outcome, Port, component, config};

/// Runs every example of a node's descriptor, and checks what the descriptor declares against what
/// the node did: the ports it left by, and the interfaces it called.
///
/// # Panics
/// With one line for everything that is not as the descriptor says.
pub fn check_examples<N: Node>() {
    let descriptor = N::descriptor();
    let examples: Vec<Example> = serde_json::from_str(descriptor.examples)
        .unwrap_or_else(|error| panic!("the examples don't have the form of examples: {error}"));
    let mut wrong = Vec::new();
    if examples.is_empty() {
        wrong.push("there is no example".to_owned());
    }
    let mut used = BTreeSet::new();
    for example in examples {
        let name = example.name.clone();
        let (context, mistakes) = run_example::<N>(example);
        used.extend(context.used());
        wrong.extend(
            mistakes
                .into_iter()
                .map(|mistake| format!("'{name}': {mistake}")),
        );
    }
    let declared: BTreeSet<_> = descriptor.capabilities.iter().copied().collect();
    if used != declared {
        wrong.push(format!(
            "declares the capabilities {declared:?}, the examples use {used:?}"
        ));
    }
    assert!(
        wrong.is_empty(),
        "{}: {}",
        descriptor.type_name,
        wrong.join("\n")
    );
}

/// Runs one example. Gives the session afterwards, and what was not as expected.
#[must_use]
pub fn run_example<N: Node>(example: Example) -> (TestContext, Vec<String>) {
    let Example {
        config,
        resolved,
        given,
        expect,
        ..
    } = example;
    let mut wrong: Vec<_> = component::validate::<N>(&config.to_string())
        .into_iter()
        .map(|problem| format!("its config has a problem: {problem:?}"))
        .collect();

    let mut session = TestContext::new();
    session.context = given.context;
    session.attributes = given.attributes;
    session.last_handoff = given.last_handoff;
    session.secrets = given.secrets;
    session.connectors = given.connectors;
    if let Some(availability) = given.availability {
        session.availability = Ok(availability);
    }
    session.answers = given
        .answers
        .into_iter()
        .map(|answer| Ok(answer.into()))
        .collect();
    let mut context_after = session.context.clone();
    for (key, value) in expect.context {
        match value {
            Value::Null => context_after.remove(&key),
            value => context_after.insert(key, value),
        };
    }
    let mut attributes_after = session.attributes.clone();
    for (key, value) in expect.attributes {
        match value {
            None => attributes_after.remove(&key),
            Some(value) => attributes_after.insert(key, value),
        };
    }

    let trigger = match given
        .trigger
        .with_state::<N::State>(given.state, &session.visit)
    {
        Ok(trigger) => trigger,
        Err(error) => return (session, vec![format!("its state is not one: {error}")]),
    };
    let resolved = resolved.unwrap_or(config);
    let result = config::read(&resolved.to_string())
        .and_then(|config| N::step(&mut session, config, trigger));
    wrong.extend(mismatch(&result, &expect.outcome, N::descriptor().ports));

    // A request that was sent is sent, whatever came of the step.
    if session.requests.len() != expect.requests.len() {
        wrong.push(format!(
            "sends {} requests, not {}: {:?}",
            session.requests.len(),
            expect.requests.len(),
            session.requests
        ));
    }
    wrong.extend(
        session
            .requests
            .iter()
            .zip(&expect.requests)
            .filter_map(|(sent, expected)| expected.mismatch(sent)),
    );

    // A host forgets what a step did that faulted.
    if result.is_ok() {
        wrong.extend(difference("context", &session.context, &context_after));
        wrong.extend(difference(
            "attributes",
            &session.attributes,
            &attributes_after,
        ));
        if session.messages != expect.messages {
            wrong.push(format!(
                "sends {:?}, not {:?}",
                session.messages, expect.messages
            ));
        }
    }
    (session, wrong)
}

fn difference<V: PartialEq + std::fmt::Debug>(
    what: &str,
    is: &BTreeMap<String, V>,
    expected: &BTreeMap<String, V>,
) -> Option<String> {
    (is != expected).then(|| format!("{what} is {is:?}, not {expected:?}"))
}

fn mismatch<S: serde::Serialize>(
    result: &Result<Outcome<S>, Fault>,
    expected: &ExpectedOutcome,
    ports: &[Port],
) -> Option<String> {
    let (is, expected) = match (result, expected) {
        (Ok(Outcome::Leave(port)), _) if !ports.contains(port) => {
            return Some(format!(
                "leaves by '{}', which the descriptor lacks",
                port.name
            ));
        }
        (Ok(Outcome::Leave(port)), ExpectedOutcome::Leave(name)) => (json!(port.name), json!(name)),
        (Ok(Outcome::Wait { state, timeout }), ExpectedOutcome::Wait(wait)) => {
            let timeout = timeout.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
            let state = wait.state.is_some().then(|| json!(state));
            (
                json!([timeout, state]),
                json!([wait.timeout_ms, wait.state]),
            )
        }
        (Ok(Outcome::PushBot { bot, .. }), ExpectedOutcome::PushBot(name)) => {
            (json!(bot), json!(name))
        }
        (Ok(Outcome::Transfer { request, .. }), ExpectedOutcome::Transfer(transfer)) => {
            if request.target != transfer.target {
                return Some(format!(
                    "transfers to {:?}, not to {:?}",
                    request.target, transfer.target
                ));
            }
            (
                json!([request.account, &**request]),
                json!([transfer.account, transfer.options]),
            )
        }
        (Ok(Outcome::Close(reason)), ExpectedOutcome::Close(expected)) => {
            return (reason != expected).then(|| format!("closes as {reason:?}, not {expected:?}"));
        }
        (Err(fault), ExpectedOutcome::Fault(code)) => (json!(fault.code), json!(code)),
        (Err(fault), expected) => return Some(format!("faults: {fault}; expected {expected:?}")),
        (Ok(_), expected) => return Some(format!("does something else than {expected:?}")),
    };
    (is != expected).then(|| format!("gives {is}, not {expected}"))
}
