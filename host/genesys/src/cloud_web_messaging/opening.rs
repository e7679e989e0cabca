//! How a handoff begins: the deployment, the queue, the session, and a first message that carries
//! everything.
//!
//! Architect reads a conversation's attributes when its first message arrives, so all of them are in
//! that one, and in the `Join` before it where the deployment wants one. A queue can be looked for
//! first only where the account has an OAuth client; otherwise Architect finds it by name, or not.

use super::baseline::{Before, before};
use super::deployment::{Deployment, Limits};
use super::protocol::{Call, HANDOFF_ATTRIBUTE, Protocol, Site};
use super::reading::Purpose;
use super::state::{Leaving, Phase, Progress, State, Talk, Tracked};
use super::wire::{SessionResponse, StructuredMessage};
use crate::attributes::attributes;
use crate::carry::{Part, WEB_MESSAGING};
use crate::echoes::Echoes;
use crate::end::EndOfHandoff;
use crate::order::Order;
use crate::outbox::{Origin, Outbox};
use crate::report::News;
use handoff_engine::account::SecondHandoff;
use handoff_engine::handoff::{FAREWELL, IdentityField, Target, TransferRequest};
use handoff_engine::name::HandoffId;
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What opens a conversation if the user has said nothing and there is no subject.
const NEUTRAL_OPENING: &str = "The user would like to talk to an agent.";

/// A handoff whose session is not ready yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Opening {
    queue: Option<String>,
    /// Whether the queue was looked for.
    looked_for_queue: bool,
    pub(super) deployment: Option<Deployment>,
    /// The session's limits, while its history is read before anything else.
    limits: Option<Limits>,
    /// Whether the session found takes no more, and a new one has to begin once it was read.
    pub(super) read_only: bool,
    missed: Vec<StructuredMessage>,
    since: Option<Timestamp>,
    echoes: Vec<String>,
}

impl State {
    /// A handoff that was asked for.
    pub(super) fn begin(handoff: &HandoffId, request: &TransferRequest, site: &Site) -> Self {
        let options = &request.options;
        let mut riding = attributes(request, &site.queue_attribute, &IdentityField::ALL);
        let subject = options.subject.clone().filter(|it| !it.trim().is_empty());
        if let Some(subject) = &subject {
            let name = "subject".to_owned();
            riding.entry(name).or_insert_with(|| subject.clone());
        }
        if site.has_platform {
            riding.insert(HANDOFF_ATTRIBUTE.to_owned(), handoff.to_string());
        }
        let mut outbox = Outbox::hand_over(request, &WEB_MESSAGING);
        let spoken = request.opening_text.as_deref().unwrap_or_default();
        if spoken.trim().is_empty() {
            let text = subject.as_deref().unwrap_or(NEUTRAL_OPENING);
            outbox.own(Origin::Opening, text, &WEB_MESSAGING);
        }
        let opening = Opening {
            queue: match &request.target {
                Target::Queue(name) => Some(name.clone()),
                Target::AnyAgent => None,
            },
            looked_for_queue: false,
            deployment: None,
            limits: None,
            read_only: false,
            missed: Vec::new(),
            since: None,
            echoes: Vec::new(),
        };
        Self {
            guest: site
                .tokens
                .guest(handoff, options.identity.external_id.as_deref()),
            phase: Phase::Opening(Box::new(opening)),
            outbox,
            riding,
            tracked: Tracked::default(),
            end: EndOfHandoff::default(),
            leaving: Leaving::No,
            farewell: options
                .messages
                .farewell
                .clone()
                .filter(|text| !text.trim().is_empty())
                .unwrap_or_else(|| FAREWELL.to_owned()),
            warned: BTreeSet::new(),
        }
    }
}

impl Protocol {
    /// What has to be known before a socket is opened.
    pub(super) fn next_preparation(&self) -> Option<Call> {
        let Phase::Opening(opening) = &self.state.phase else {
            return None;
        };
        if opening.deployment.is_none() {
            return Some(Call::Configuration);
        }
        if !self.site.has_platform || opening.looked_for_queue {
            return None;
        }
        Some(match &opening.queue {
            Some(queue) => Call::FindQueue(queue.clone()),
            None => Call::ListQueues,
        })
    }

    /// The queue was looked for, or where it may be any, all of them.
    pub(super) fn queues_found(&mut self, ids: Vec<String>) {
        let named = self
            .state
            .opening_mut()
            .is_some_and(|it| it.queue.is_some());
        let tracked = &mut self.state.tracked;
        tracked.queue = ids.first().filter(|_| named).cloned();
        tracked.queues = ids;
        if let Some(opening) = self.state.opening_mut() {
            opening.looked_for_queue = true;
        }
    }

    /// The session is there. One that goes on from an earlier handoff is read first: what was said
    /// before is not to be told, unless nobody has told it.
    pub(super) fn session_found(
        &mut self,
        now: Timestamp,
        session: &SessionResponse,
        news: &mut News,
    ) {
        let resumes = self.site.tokens.second_handoff == SecondHandoff::Resume;
        let Some(opening) = self.state.opening_mut() else {
            return;
        };
        let known = opening.limits.replace(Limits::of(session)).is_some();
        opening.read_only = session.read_only;
        if resumes && !session.new_session && !known {
            return self.reading.want(now, Purpose::Before);
        }
        self.begin_talk(now, session.new_session, news);
        if session.read_only {
            self.close(now);
        }
    }

    /// What was said in the session before was read, or cannot be.
    pub(super) fn read_before(
        &mut self,
        now: Timestamp,
        history: &[StructuredMessage],
        news: &mut News,
    ) {
        let parts = self.state.outbox.parts().map(Part::echo);
        let Before {
            ours,
            missed,
            since,
        } = before(history, &self.state.farewell, parts);
        let read_only = match self.state.opening_mut() {
            Some(opening) => {
                // Words in a conversation that is over are to be said again.
                opening.echoes = if opening.read_only { Vec::new() } else { ours };
                opening.missed = missed;
                opening.since = since;
                opening.read_only
            }
            None => return,
        };
        if read_only {
            self.line.start_anew();
        } else {
            self.begin_talk(now, false, news);
        }
    }

    /// From here on things can be said, and the handoff can be resumed.
    fn begin_talk(&mut self, now: Timestamp, new: bool, news: &mut News) {
        let Phase::Opening(opening) = &mut self.state.phase else {
            return;
        };
        let Some(deployment) = opening.deployment else {
            return;
        };
        let mut echoes = Echoes::default();
        for text in &opening.echoes {
            echoes.seen(text);
        }
        let resumed = opening.since.is_some();
        let talk = Talk {
            deployment,
            limits: opening.limits.take().unwrap_or_default(),
            began: now,
            progress: if new {
                Progress::Silent
            } else {
                Progress::Begun
            },
            join: deployment.auto_start && new,
            since: opening.since,
            order: Order::default(),
            echoes,
            missed: std::mem::take(&mut opening.missed),
            held: Vec::new(),
            inferred: super::agents::Inferred::default(),
            closing: None,
            closed_by: None,
        };
        self.state.phase = Phase::Open(Box::new(talk));
        news.changed = true;
        if !new && !resumed {
            // This very handoff was opened before, and stopped before it could report.
            self.reading.decide(now, Purpose::CatchUp { gaps: false });
        }
        self.fit_attributes(news);
    }

    /// Something of ours has arrived: the conversation is open.
    pub(super) fn opened(&mut self, news: &mut News) {
        let Some(talk) = self.state.talk_mut() else {
            return;
        };
        if talk.progress == Progress::Opened {
            return;
        }
        talk.progress = Progress::Opened;
        let missed = std::mem::take(&mut talk.missed);
        let tells_end = talk.deployment.tells_end;
        let conversation = self.state.tracked.conversation.clone();
        news.tell(
            "opened",
            handoff_engine::handoff::Signal::Opened { conversation },
        );
        news.changed = true;
        if !tells_end && !self.site.has_platform {
            self.warn_once(
                "genesys.end_not_told",
                "The deployment does not tell when an agent ends a conversation, so this handoff ends only when the user leaves. Turn on Conversation Disconnect in the Messenger configuration, or give the account an oauth-client.".to_owned(),
                news,
            );
        }
        for message in missed {
            self.tell_missed(&message, news);
        }
    }

    /// Tells a notice unless it was told before.
    pub(super) fn warn_once(&mut self, code: &'static str, message: String, news: &mut News) {
        if self.state.warned.insert(code.to_owned()) {
            news.notice(format!("once/{code}"), code, message);
            news.changed = true;
        }
    }
}
