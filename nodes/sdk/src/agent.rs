//! What every node that hands the session to an agent has in common: the ways out, and the mistakes it
//! looks for.

use crate::{
    CloseReason, EndReason, IdleStep, Key, Outcome, Port, Problem, QueueUpdates, SessionEnd,
    TransferMessages, is_template,
};

/// The agent closed the conversation, and the bot is to resume.
pub const COMPLETED: Port = Port::success("completed", "Agent done");
/// The user left the agent.
pub const USER_LEFT: Port = Port::success("userLeft", "User left");
/// No agent could be found.
pub const NO_AGENT: Port = Port::failure("noAgent", "No agent");
/// The session has a handoff that has not ended.
pub const ALREADY_ACTIVE: Port = Port::failure("alreadyActive", "Already with an agent");

/// The ways out of a node that hands over.
pub const PORTS: &[Port] = &[COMPLETED, USER_LEFT, NO_AGENT, ALREADY_ACTIVE, Port::ERROR];

/// The context keys that the host sets once a handoff has ended.
pub const WRITES: &[Key] = &[Key::Named("SessionEndReason"), Key::Named("LastKnownAgent")];

/// Where the flow goes once the handoff has ended.
#[must_use]
pub fn after(end: &SessionEnd, resume_bot: bool) -> Outcome {
    match end.reason {
        EndReason::AgentLeft if resume_bot => Outcome::Leave(COMPLETED),
        EndReason::AgentLeft => Outcome::Close(CloseReason::AgentLeft),
        EndReason::UserLeft => Outcome::Leave(USER_LEFT),
        EndReason::Error if end.has_code("transfer.no_agent") => Outcome::Leave(NO_AGENT),
        EndReason::Error if end.has_code("transfer.already_active") => {
            Outcome::Leave(ALREADY_ACTIVE)
        }
        // Completed is how a bot ends, never a handoff.
        EndReason::Error | EndReason::Completed => Outcome::Leave(Port::ERROR),
    }
}

/// A queue's name that most likely has a space too many. `node` is what the codes of the node's
/// problems begin with.
#[must_use]
pub fn queue_problem(node: &str, path: &str, queue: &str) -> Option<Problem> {
    (queue.trim() != queue).then(|| {
        Problem::at(
            path,
            format!("{node}.queue_spaces"),
            format!(
                "'{queue}' begins or ends with a space. Names of queues are matched exactly: remove \
                 the space unless the queue in Genesys has it too."
            ),
        )
    })
}

/// An end command that nobody can write, because it is empty.
#[must_use]
pub fn end_command_problem(node: &str, command: Option<&str>) -> Option<Problem> {
    let command = command?;
    command.trim().is_empty().then(|| {
        Problem::at(
            "/userEndCommand",
            format!("{node}.empty_end_command"),
            "The command is empty. Write one, for example /end, or leave the field out.",
        )
    })
}

/// An email address that is none.
#[must_use]
pub fn email_problem(node: &str, address: Option<&str>) -> Option<Problem> {
    let address = address?;
    let fits = is_template(address) || address.trim().is_empty() || address.contains('@');
    (!fits).then(|| {
        Problem::at(
            "/identity/emailAddress",
            format!("{node}.bad_email_address"),
            format!(
                "'{address}' is no email address. Write one, or a template such as \
                 {{{{ context.email }}}}."
            ),
        )
    })
}

/// What will not be said as it is written: a placeholder that nothing fills, and steps that are never reached.
/// `node` is what the codes of the node's problems begin with.
#[must_use]
pub fn waiting_problems(
    node: &str,
    messages: &TransferMessages,
    updates: Option<&QueueUpdates>,
    idle: &[IdleStep],
) -> Vec<Problem> {
    const NAME: &[&str] = &["agentName"];
    const QUEUE: &[&str] = &["position", "minutes", "seconds"];
    let mut problems = Vec::new();
    let mut check = |path: String, text: Option<&String>, known: &[&str]| {
        let unknown = text.and_then(|text| unknown_placeholder(text, known));
        problems.extend(unknown.map(|word| {
            let message = match known {
                [] => format!("Nothing fills '{{{word}}}' here. Write the words themselves."),
                _ => format!(
                    "Nothing fills '{{{word}}}' here. Write '{{{}}}', or the words themselves.",
                    known.join("}', '{")
                ),
            };
            Problem::at(path, format!("{node}.unknown_placeholder"), message)
        }));
    };
    for (member, text, known) in [
        ("requested", &messages.requested, [].as_slice()),
        ("assigned", &messages.assigned, NAME),
        ("agentChanged", &messages.agent_changed, NAME),
        ("agentLeft", &messages.agent_left, NAME),
    ] {
        check(format!("/messages/{member}"), text.as_ref(), known);
    }
    if let Some(updates) = updates {
        check("/queueUpdates/text".to_owned(), Some(&updates.text), QUEUE);
        let otherwise = updates.otherwise.as_ref();
        check("/queueUpdates/otherwise".to_owned(), otherwise, &[]);
    }
    for (index, step) in idle.iter().enumerate() {
        let path = format!("/userIdle/{index}");
        let before = idle[..index].last();
        if before.is_some_and(|before| before.leave || before.after >= step.after) {
            problems.push(Problem::at(
                path,
                format!("{node}.idle_order"),
                "This step is never reached. Sort the steps by 'after', and let only the last one leave.",
            ));
        } else if step.text.is_none() && !step.leave {
            problems.push(Problem::at(
                path,
                format!("{node}.idle_nothing"),
                "This step does nothing. Give it a text, or let it leave.",
            ));
        }
    }
    problems
}

/// The first `{word}` in a text that is none of these.
fn unknown_placeholder<'t>(text: &'t str, known: &[&str]) -> Option<&'t str> {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('{') {
        let end = after.find('}')?;
        let word = &after[..end];
        let plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
        if !word.is_empty() && word.chars().all(plain) && !known.contains(&word) {
            return Some(word);
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EndDetail;

    fn ended(reason: EndReason, code: &str) -> SessionEnd {
        SessionEnd {
            reason,
            last_agent: None,
            detail: (!code.is_empty()).then(|| EndDetail {
                code: code.to_owned(),
                message: "Says why.".to_owned(),
            }),
        }
    }

    #[test]
    fn the_flow_goes_on_after_the_agent_only_if_it_is_to_resume() {
        let end = ended(EndReason::AgentLeft, "");
        assert_eq!(after(&end, true), Outcome::Leave(COMPLETED));
        assert_eq!(after(&end, false), Outcome::Close(CloseReason::AgentLeft));
    }

    #[test]
    fn every_error_has_its_port() {
        for (code, port) in [
            ("transfer.no_agent", NO_AGENT),
            ("transfer.no_agent.timeout", NO_AGENT),
            ("transfer.no_agent_closed", NO_AGENT),
            ("transfer.already_active", ALREADY_ACTIVE),
            ("transfer.no_agents_table", Port::ERROR),
            ("genesys.queue_not_visible", Port::ERROR),
            ("", Port::ERROR),
        ] {
            let end = ended(EndReason::Error, code);
            assert_eq!(after(&end, false), Outcome::Leave(port), "{code}");
        }
    }

    #[test]
    fn placeholders_that_nothing_fills_and_steps_that_are_not_reached_are_found() {
        let messages = TransferMessages {
            assigned: Some("{agentName} is here".to_owned()),
            agent_left: Some("{name} has left".to_owned()),
            ..TransferMessages::default()
        };
        let updates = |text: &str| QueueUpdates {
            text: text.to_owned(),
            otherwise: None,
            every: 60,
            max_position: None,
            max_wait: None,
        };
        let step = |after, text: Option<&str>, leave| IdleStep {
            after,
            text: text.map(str::to_owned),
            leave,
        };
        let idle = [
            step(60, Some("Still there?"), false),
            step(60, Some("Hello?"), false),
            step(90, None, false),
            step(120, None, true),
            step(180, Some("Bye"), false),
        ];
        let updates = updates("Number {postion}, {minutes} minutes, {not a word}");
        let found = waiting_problems("redirect", &messages, Some(&updates), &idle);
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.path.as_str(), it.code.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("/messages/agentLeft", "redirect.unknown_placeholder"),
                ("/queueUpdates/text", "redirect.unknown_placeholder"),
                ("/userIdle/1", "redirect.idle_order"),
                ("/userIdle/2", "redirect.idle_nothing"),
                ("/userIdle/4", "redirect.idle_order"),
            ]
        );
    }
}
