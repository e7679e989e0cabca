//! What must hold of what was told, whatever way a story took.

use super::player::{Record, Subject};
use super::way::Way;
use crate::end::UNNAMED_AGENT;
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::time::Millis;
use std::collections::BTreeSet;

/// What transports wait for messages that were overtaken.
const A_MOMENT: Millis = Millis(450);

/// The first thing that is wrong.
pub(crate) fn judge<S: Subject>(record: &Record, way: &Way) -> Result<(), String> {
    if record.restless {
        return Err("it never comes to rest".to_owned());
    }
    ended::<S>(record, way)?;
    agents::<S>(record, way)?;
    words::<S>(record, way)?;
    users_words(record)?;
    let keys: BTreeSet<_> = record.told.iter().map(|(_, key, _)| key).collect();
    if keys.len() < record.told.len() {
        return Err("two things were told under one key".to_owned());
    }
    Ok(())
}

fn ended<S: Subject>(record: &Record, way: &Way) -> Result<(), String> {
    let ends: Vec<_> = record
        .told
        .iter()
        .enumerate()
        .filter_map(|(at, (when, _, signal))| match signal {
            Signal::Ended(end) => Some((at, *when, end)),
            _ => None,
        })
        .collect();
    let over = record.truth.ended.ok_or("the story has no end")?;
    let (at, when, HandoffEnd { reason, .. }) = match ends.as_slice() {
        [end] => end,
        [] => return Err("the end was missed".to_owned()),
        _ => return Err("it ended more than once".to_owned()),
    };
    if *when < over {
        return Err("it ended before its end".to_owned());
    }
    if at + 1 < record.told.len() {
        return Err("something was told after the end".to_owned());
    }
    if !record.truth.reasons.contains(reason) {
        return Err(format!(
            "it ended with {reason:?} instead of {:?}",
            record.truth.reasons
        ));
    }
    let all_came = (0..record.events).all(|event| way.brings(event));
    let prompt = all_came && !record.lost;
    let (since, within) = if prompt {
        (over.max(record.quiet_since), S::AT_BEST)
    } else {
        (over, S::AT_THE_LATEST)
    };
    if when.since(since) > within {
        let took = when.since(since);
        return Err(format!(
            "the end was told after {took}, not within {within}"
        ));
    }
    Ok(())
}

/// Who joined, declined and left: once per stay, in order, and nobody else.
fn agents<S: Subject>(record: &Record, way: &Way) -> Result<(), String> {
    let truth = &record.truth;
    // Who shows only by a word that was missed shows late, and out of order.
    let all_came = (0..record.events).all(|event| way.brings(event));
    if S::BY_WORDS && !(is_certain::<S>(record) && all_came) {
        return Ok(());
    }
    let mut joined: Vec<&str> = Vec::new();
    let mut left: Vec<&str> = Vec::new();
    let mut declined: Vec<&str> = Vec::new();
    for (_, _, signal) in &record.told {
        match signal {
            Signal::AgentJoined { agent } => joined.push(&agent.name),
            Signal::AgentLeft { agent } => {
                if !joined.contains(&agent.name.as_str()) {
                    return Err(format!("{} left before joining", agent.name));
                }
                left.push(&agent.name);
            }
            Signal::AgentDeclined { agent } => {
                declined.push(agent.as_ref().map_or("", |agent| agent.name.as_str()));
            }
            _ => {}
        }
    }
    // Who answers in the moment the user leaves need not be seen any more.
    let complete = if truth.left {
        is_part_of(&joined, &truth.answered)
    } else {
        joined == truth.answered
    };
    if !complete {
        return Err(format!("{joined:?} joined instead of {:?}", truth.answered));
    }
    let mut right = truth.passed_on.clone();
    right.extend(truth.answered.last());
    if !is_part_of(&left, &right) {
        return Err(format!("{left:?} left instead of {:?}", truth.passed_on));
    }
    let known = declined.iter().all(|name| {
        truth.declined.contains(name) || (truth.left && !truth.answered.contains(name))
    });
    if !known || declined.len() > truth.declined.len() + usize::from(truth.left) {
        return Err(format!(
            "{declined:?} declined instead of {:?}",
            truth.declined
        ));
    }
    Ok(())
}

/// What agents said: once, in order, by whom it was said, and not before that one joined.
fn words<S: Subject>(record: &Record, way: &Way) -> Result<(), String> {
    let mut here: Vec<&str> = Vec::new();
    let mut heard: Vec<(&str, &str)> = Vec::new();
    for (_, _, signal) in &record.told {
        match signal {
            Signal::AgentJoined { agent } => here.push(&agent.name),
            Signal::Message { from, text, .. } => {
                let from = from.as_ref().map_or("", |agent| agent.name.as_str());
                // Who leaves does not wait for the name of whoever speaks last.
                let nameless = record.truth.left && is_nobody(from);
                if !here.contains(&from) && !nameless {
                    return Err(format!("{from} speaks before joining: {text}"));
                }
                heard.push((from, text));
            }
            _ => {}
        }
    }
    let said = &record.truth.said;
    let heard: Vec<_> = heard
        .into_iter()
        .map(|(from, text)| (named(from, text, said), text))
        .collect();
    if record.truth.left && is_part_of(&heard, said) {
        return Ok(());
    }
    let certain = is_certain::<S>(record);
    if !certain {
        let by_anyone = |it: &[(&str, &str)]| {
            let mut texts: Vec<_> = it.iter().map(|(_, text)| (*text).to_owned()).collect();
            texts.sort_unstable();
            texts
        };
        return if by_anyone(&heard) == by_anyone(said) {
            Ok(())
        } else {
            Err(format!("heard {heard:?} instead of {said:?}"))
        };
    }
    // One that comes after a later one was told is late rather than lost.
    let in_order = way.late.0 == 0 && (0..record.events).all(|event| way.brings(event));
    let mut sorted = (heard.clone(), said.clone());
    if !in_order {
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
    }
    if sorted.0 != sorted.1 {
        return Err(format!("heard {heard:?} instead of {said:?}"));
    }
    Ok(())
}

/// Whether words are told in their order and by whom they were said.
fn is_certain<S: Subject>(record: &Record) -> bool {
    S::CHECKED || record.slowest <= A_MOMENT
}

/// Who said something, if whoever told it does not know.
fn named<'a>(from: &'a str, text: &str, said: &[(&'a str, &'a str)]) -> &'a str {
    let known = said.iter().find(|(_, other)| *other == text);
    match known {
        Some((name, _)) if is_nobody(from) => name,
        _ => from,
    }
}

fn is_nobody(name: &str) -> bool {
    name.is_empty() || name == UNNAMED_AGENT
}

/// What the user said: each settled, once and in order; what did not arrive is said.
fn users_words(record: &Record) -> Result<(), String> {
    let truth = &record.truth;
    let arrived: Vec<_> = record.user_said.iter().map(String::as_str).collect();
    let known: Vec<_> = arrived
        .iter()
        .copied()
        .filter(|text| truth.user_said.contains(text))
        .collect();
    if !is_part_of(&known, &truth.user_said) {
        return Err(format!(
            "the agent side has {arrived:?} instead of {:?}",
            truth.user_said
        ));
    }
    if record.settled.len() != record.given.len() {
        return Err(format!(
            "{:?} settled of {:?}",
            record.settled, record.given
        ));
    }
    let given_up = record
        .told
        .iter()
        .filter(|(_, key, _)| key.starts_with("say/") && key.ends_with("/not_delivered"))
        .count();
    if known.len() + given_up < truth.user_said.len() {
        return Err(format!(
            "the agent side has only {arrived:?}, and nobody is told"
        ));
    }
    Ok(())
}

/// Whether all of `part` is in `whole`, in that order.
fn is_part_of<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|one| whole.any(|other| other == one))
}
