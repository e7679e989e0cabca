//! What the user is told while waiting for an agent, and what happens while the agent waits for the user.

use super::Advancing;
use crate::handoff::{Agent, EndDetail, HandoffEnd, IdleStep, QueueUpdates, SessionEndReason};
use crate::session::{Idle, OpenHandoff, Owner, QueueTold};
use crate::time::Millis;

impl Advancing<'_> {
    /// The platform tells where the user stands.
    pub(super) fn tell_queue(&mut self, position: Option<u32>, wait: Option<Millis>) {
        let now = self.now;
        let Some(handoff) = self.handoff_mut() else {
            return;
        };
        let Some(updates) = &handoff.request.options.queue_updates else {
            return;
        };
        let Some(text) = update(updates, position, wait) else {
            return;
        };
        if let Some(told) = &mut handoff.queue_told {
            let same = told.text == text;
            if same || now.since(told.at) < updates.every_ms {
                told.next = (!same).then_some(text);
                return;
            }
        }
        self.say_of_queue(text);
    }

    /// Enough time has passed to tell what has become true meanwhile.
    pub(super) fn tell_queue_again(&mut self) {
        let told = self.handoff_mut().and_then(|it| it.queue_told.as_mut());
        if let Some(text) = told.and_then(|told| told.next.take()) {
            self.say_of_queue(text);
        }
    }

    fn say_of_queue(&mut self, text: String) {
        let at = self.now;
        if let Some(handoff) = self.handoff_mut() {
            handoff.queue_told = Some(QueueTold {
                text: text.clone(),
                at,
                next: None,
            });
        }
        self.system_says(text);
    }

    /// The user waits no longer.
    pub(super) fn no_longer_waits(&mut self) {
        if let Some(handoff) = self.handoff_mut() {
            handoff.queue_told = None;
        }
    }

    /// The agent wrote, so the user owes an answer.
    pub(super) fn agent_waits(&mut self) {
        let since = self.now;
        if let Some(handoff) = self.handoff_mut()
            && !handoff.request.options.user_idle.is_empty()
        {
            handoff.idle = Some(Idle { since, taken: 0 });
        }
    }

    /// The user wrote.
    pub(super) fn user_answered(&mut self) {
        if let Some(handoff) = self.handoff_mut() {
            handoff.idle = None;
        }
    }

    /// The user did not answer in time. Returns whether the session came back to a bot.
    pub(super) async fn take_idle_step(&mut self) -> bool {
        let Some(handoff) = self.handoff_mut() else {
            return false;
        };
        let Some(idle) = &mut handoff.idle else {
            return false;
        };
        let step = handoff.request.options.user_idle.get(idle.taken);
        let Some(IdleStep { text, leave, .. }) = step.cloned() else {
            return false;
        };
        idle.taken += 1;
        if let Some(text) = text {
            self.system_says(text);
        }
        if leave {
            self.end_from_here(HandoffEnd {
                reason: SessionEndReason::UserLeft,
                detail: Some(EndDetail::new(
                    "transfer.user_idle",
                    "the user did not answer the agent in the time the flow allows",
                )),
            })
            .await;
        }
        leave
    }

    fn handoff_mut(&mut self) -> Option<&mut OpenHandoff> {
        self.session.stack.last_mut().and_then(Owner::handoff_mut)
    }
}

/// What the user is told of the queue.
fn update(updates: &QueueUpdates, position: Option<u32>, wait: Option<Millis>) -> Option<String> {
    let far = updates
        .max_position
        .zip(position)
        .is_some_and(|(most, it)| it > most);
    let long = updates
        .max_wait_ms
        .zip(wait)
        .is_some_and(|(most, it)| it > most);
    let place = position.map(|place| place.to_string());
    let seconds = wait.map(|wait| wait.0.div_ceil(1000).to_string());
    let minutes = wait.map(|wait| wait.0.div_ceil(60_000).max(1).to_string());
    let in_words = minutes.as_ref().map(|minutes| format!("{minutes} min"));
    let values = [
        ("position", &place),
        ("positionInQueue", &place),
        ("minutes", &minutes),
        ("seconds", &seconds),
        ("estimatedWaitTime", &in_words),
    ];
    let told = (!far && !long).then(|| filled(&updates.text, &values));
    told.flatten().or_else(|| updates.otherwise.clone())
}

/// A text with the agent's name in it.
pub(super) fn naming(text: &str, agent: Option<&Agent>) -> String {
    let name = agent.map(|agent| agent.name.clone());
    filled(text, &[("agentName", &name)]).unwrap_or_else(|| text.to_owned())
}

/// A text with its placeholders filled: `{name}`, and `{{name}}` as ServisBOT writes it. None if one of them
/// has no value.
fn filled(text: &str, values: &[(&str, &Option<String>)]) -> Option<String> {
    let mut text = text.to_owned();
    for (name, value) in values {
        for placeholder in [
            format!("{{{{{name}}}}}"),
            format!("{{{{ {name} }}}}"),
            format!("{{{name}}}"),
        ] {
            if text.contains(&placeholder) {
                text = text.replace(&placeholder, value.as_deref()?);
            }
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn updates(text: &str) -> QueueUpdates {
        QueueUpdates {
            text: text.to_owned(),
            otherwise: Some("Many are waiting.".to_owned()),
            every_ms: Millis::from_secs(60),
            max_position: Some(10),
            max_wait_ms: Some(Millis::from_mins(15)),
        }
    }

    #[test]
    fn an_update_says_what_the_platform_tells_and_otherwise_what_the_designer_wrote() {
        let both = updates("Number {position}, {minutes} minutes");
        let minutes = |minutes| Some(Millis::from_mins(minutes));
        let said = |position, wait| update(&both, position, wait).unwrap_or_default();
        assert_eq!(said(Some(3), minutes(4)), "Number 3, 4 minutes");
        assert_eq!(said(Some(3), Some(Millis(61_000))), "Number 3, 2 minutes");
        assert_eq!(said(Some(3), Some(Millis(0))), "Number 3, 1 minutes");
        for (position, wait) in [
            (None, minutes(4)),
            (Some(3), None),
            (Some(11), minutes(4)),
            (Some(3), minutes(16)),
        ] {
            assert_eq!(said(position, wait), "Many are waiting.");
        }
        let servisbot = updates("{{positionInQueue}}: {{ estimatedWaitTime }}");
        let said = update(&servisbot, Some(2), minutes(5));
        assert_eq!(said.as_deref(), Some("2: 5 min"));
    }

    #[test]
    fn a_text_that_names_nobody_stays_as_it_is() {
        assert_eq!(naming("Hello", None), "Hello");
        assert_eq!(naming("{agentName} is gone", None), "{agentName} is gone");
        let kim = Agent {
            id: None,
            name: "Kim".to_owned(),
        };
        assert_eq!(naming("{agentName} is here", Some(&kim)), "Kim is here");
        assert_eq!(naming("{{agentName}} is here", Some(&kim)), "Kim is here");
    }
}
