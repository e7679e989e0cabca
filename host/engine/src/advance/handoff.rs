//! While the agent side has the session, and when it gives it back.

use super::Advancing;
use super::translation::Direction;
use super::waiting::naming;
use crate::content::{Content, UserMessage, all_as_text};
use crate::handoff::{Agent, HandoffEnd, Signal, Tally};
use crate::name::HandoffId;
use crate::node::SessionEnd;
use crate::session::{
    EffectKind, EndedHandoff, Entry, LAST_CONVERSATION, LAST_KNOWN_AGENT, Owner, Phase,
    SESSION_END_DETAIL, SESSION_END_REASON, Sender, Speaker,
};
use serde_json::{Value, json};

impl Advancing<'_> {
    /// The user writes to the agent, or leaves by the end command.
    pub(super) async fn message_to_agent(&mut self, message: &UserMessage) {
        let Some(handoff) = self.session.handoff() else {
            return;
        };
        let id = handoff.id.clone();
        let command = handoff.request.options.user_end_command.as_deref();
        if command.is_some_and(|command| command == message.text.trim()) {
            self.leave_handoff().await;
            return;
        }
        self.user_answered();
        let mut message = message.clone();
        if let Some(text) = self.translated(&message.text, Direction::ToAgent).await {
            message.text = text;
        }
        self.effect(EffectKind::SendToAgent {
            handoff: id,
            message,
            input: Some(self.input.clone()),
        });
    }

    /// The user leaves the agent.
    pub(super) async fn leave_handoff(&mut self) {
        self.end_from_here(HandoffEnd::user_left()).await;
    }

    /// No agent accepted in time.
    pub(super) async fn give_up_on_agents(&mut self) {
        self.end_from_here(HandoffEnd::error(
            "transfer.no_agent",
            "no agent accepted the conversation in the time the flow allows",
        ))
        .await;
    }

    /// Ends the handoff in charge without waiting for the other side to agree.
    pub(super) async fn end_from_here(&mut self, end: HandoffEnd) {
        let Some(handoff) = self.session.handoff() else {
            return;
        };
        let (id, leave) = (handoff.id.clone(), handoff.leave());
        self.effect(leave);
        self.end_handoff(&id, end).await;
    }

    /// Takes what a transport reports. Returns whether the session came back to a bot.
    pub(super) async fn signal(
        &mut self,
        id: &HandoffId,
        signal: Option<&Signal>,
        handle: &Value,
        tally: Tally,
    ) -> bool {
        let Some(handoff) = self
            .session
            .stack
            .last_mut()
            .and_then(Owner::handoff_mut)
            .filter(|handoff| handoff.id == *id)
        else {
            self.late(id, signal).await;
            return false;
        };
        handoff.handle = handle.clone();
        handoff.tally = tally;
        let account = self.project.accounts.get(&handoff.request.account);
        let events_off = account.is_some_and(|account| !account.events());
        let Some(signal) = signal else {
            return false;
        };
        // An account whose events are switched off. How the host itself fared with it is no event of it.
        let ignored = events_off
            && !matches!(
                signal,
                Signal::Opened { .. } | Signal::Notice { .. } | Signal::Ended(_)
            );
        if let Signal::Ended(end) = signal {
            self.end_handoff(id, end.clone()).await;
            return true;
        }
        if ignored {
            return false;
        }
        self.journal.push(Entry::Signalled {
            handoff: id.clone(),
            signal: signal.clone(),
        });
        self.follow_signal(signal).await;
        false
    }

    /// Something came for a handoff that is over. What an agent wrote is not lost: the user gets it, at once or
    /// on return. A command is not: nobody is left to carry it out.
    pub(super) async fn late(&mut self, handoff: &HandoffId, signal: Option<&Signal>) {
        let account = self.session.last_handoff.as_ref();
        let account = account.and_then(|ended| ended.account.as_ref());
        let account = account.and_then(|name| self.project.accounts.get(name));
        let events_off = account.is_some_and(|account| !account.events());
        let message = match signal {
            Some(Signal::Message {
                message_id,
                from: Some(from),
                text,
                content,
                ..
            }) if !events_off && !text.starts_with('/') => Some((message_id, from, text, content)),
            _ => None,
        };
        self.journal.push(Entry::Late {
            handoff: handoff.clone(),
            told: message.is_some(),
        });
        if let Some((id, from, text, content)) = message {
            self.show_from_agent(Some(from), id, text, content).await;
        }
    }

    async fn follow_signal(&mut self, signal: &Signal) {
        match signal {
            Signal::Queued { .. } => self.set_phase(Phase::Queued),
            Signal::AgentLeft { agent } => self.agent_left(agent),
            Signal::AgentJoined { agent } => self.agent_joined(agent),
            Signal::Message {
                message_id,
                from,
                text,
                content,
                ..
            } => {
                self.agent_says(from.as_ref(), message_id, text, content)
                    .await;
            }
            Signal::Receipt { message, receipt } => self.effect(EffectKind::ReceiptToUser {
                message: message.clone(),
                receipt: *receipt,
            }),
            Signal::Typing { on } => self.effect(EffectKind::TypingToUser { on: *on }),
            Signal::Opened { conversation } => self.opened(conversation.as_ref()),
            Signal::QueuePosition {
                position,
                estimated_wait,
            } => self.tell_queue(*position, *estimated_wait),
            Signal::AgentAlerting { .. }
            | Signal::AgentDeclined { .. }
            | Signal::Notice { .. }
            | Signal::Ended(_) => {}
        }
    }

    /// A platform may tell the id later than that the conversation is open.
    fn opened(&mut self, conversation: Option<&String>) {
        let handoff = self.session.stack.last_mut().and_then(Owner::handoff_mut);
        if let (Some(handoff), Some(id)) = (handoff, conversation) {
            handoff.conversation = Some(id.clone());
        }
    }

    fn set_phase(&mut self, phase: Phase) {
        if let Some(handoff) = self.session.stack.last_mut().and_then(Owner::handoff_mut) {
            handoff.phase = phase;
            // Whoever wrote is gone, so nobody waits for the user's answer.
            handoff.idle = None;
        }
    }

    fn agent_joined(&mut self, agent: &Agent) {
        let Some(handoff) = self.session.stack.last_mut().and_then(Owner::handoff_mut) else {
            return;
        };
        let before = handoff.last_agent.as_ref();
        let first = before.is_none();
        let changed = before.is_some_and(|before| !before.is(agent));
        handoff.phase = Phase::Connected(agent.clone());
        if changed {
            handoff.idle = None;
        }
        handoff.last_agent = Some(agent.clone());
        handoff.no_agent_at = None;
        let messages = &handoff.request.options.messages;
        let text = match (first, changed) {
            (true, _) => messages.assigned.clone(),
            (false, true) => messages.agent_changed.clone(),
            (false, false) => None,
        };
        self.no_longer_waits();
        // An agent has read what bots had to say; one who never came has not.
        self.session.for_agent.clear();
        if let Some(text) = text {
            self.system_says(naming(&text, Some(agent)));
        }
    }

    /// After a transfer the agent who left may be reported gone once the next one is there.
    fn agent_left(&mut self, gone: &Agent) {
        let connected = self.session.handoff().map(|handoff| &handoff.phase);
        if matches!(connected, Some(Phase::Connected(agent)) if agent.is(gone)) {
            self.set_phase(Phase::Queued);
        }
    }

    async fn agent_says(
        &mut self,
        from: Option<&Agent>,
        message: &str,
        text: &str,
        content: &[Content],
    ) {
        if content.is_empty() && self.agent_commands(from, message, text).await {
            return;
        }
        self.agent_tells_user(from, message, text, content).await;
    }

    /// What the agent in charge says reaches the user, who now owes an answer.
    pub(super) async fn agent_tells_user(
        &mut self,
        from: Option<&Agent>,
        message: &str,
        said: &str,
        content: &[Content],
    ) {
        self.show_from_agent(from, message, said, content).await;
        if from.is_some() {
            self.agent_waits();
        }
    }

    /// What an agent says is shown in the user's language. The transcript keeps what was said.
    async fn show_from_agent(
        &mut self,
        from: Option<&Agent>,
        message: &str,
        said: &str,
        content: &[Content],
    ) {
        let translated = match from {
            Some(_) => self.translated(said, Direction::ToUser).await,
            None => None,
        };
        let speaker = from.map_or(Speaker::System, |agent| Speaker::Agent(agent.name.clone()));
        let line = all_as_text(said, content);
        self.say(speaker, &line);
        self.effect(EffectKind::SendToUser {
            from: from.map_or(Sender::System, |agent| Sender::Agent(agent.clone())),
            text: translated.unwrap_or_else(|| said.to_owned()),
            content: content.to_vec(),
            message: Some(message.to_owned()),
        });
    }

    /// The handoff in charge is over: pop it and tell the node that asked for it.
    async fn end_handoff(&mut self, id: &HandoffId, end: HandoffEnd) {
        let Some(handoff) = self.session.handoff().cloned() else {
            return;
        };
        self.journal.push(Entry::HandoffEnded {
            handoff: id.clone(),
            end: end.clone(),
        });
        self.session.past_tally = self.session.past_tally + handoff.tally;
        let messages = handoff.request.options.messages;
        let text = match (&end.reason, &end.detail) {
            (crate::handoff::SessionEndReason::AgentLeft, _) => messages.agent_left,
            (crate::handoff::SessionEndReason::UserLeft, _) => messages.user_left,
            (crate::handoff::SessionEndReason::Error, Some(detail))
                if detail.code == "transfer.no_agent" =>
            {
                messages.no_agent
            }
            (crate::handoff::SessionEndReason::Error, _) => None,
        };
        if let Some(text) = text {
            self.system_says(naming(&text, handoff.last_agent.as_ref()));
        }
        let ended = EndedHandoff {
            end,
            last_agent: handoff.last_agent,
            conversation: handoff.conversation,
            account: Some(handoff.request.account),
        };
        self.write_end(&ended);
        let returned = SessionEnd::from(&ended);
        self.session.last_handoff = Some(ended);
        self.pop();
        if let super::flow::Next::Step(trigger, state) = self.give_back(returned) {
            self.run(trigger, state).await;
        }
    }

    /// ServisBOT's two context keys, exactly, and what else is known beside them.
    fn write_end(&mut self, ended: &EndedHandoff) {
        let context = &mut self.session.context;
        context.insert(
            SESSION_END_REASON.to_owned(),
            json!(ended.end.reason.as_str()),
        );
        match &ended.last_agent {
            Some(agent) => context.insert(
                LAST_KNOWN_AGENT.to_owned(),
                json!({"AgentName": agent.name}),
            ),
            None => context.remove(LAST_KNOWN_AGENT),
        };
        match &ended.conversation {
            Some(id) => context.insert(LAST_CONVERSATION.to_owned(), json!(id)),
            None => context.remove(LAST_CONVERSATION),
        };
        match &ended.end.detail {
            Some(detail) => context.insert(
                SESSION_END_DETAIL.to_owned(),
                json!({"code": detail.code, "message": detail.message}),
            ),
            None => context.remove(SESSION_END_DETAIL),
        };
    }
}
