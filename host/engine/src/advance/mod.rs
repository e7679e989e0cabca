//! `advance`: one input applied to a session.
//!
//! A pure function of project, session, input and time: it touches no socket, no disk and no clock,
//! and the same arguments give the same turn. It is async only because a node may wait.
//!
//! | input | owner in charge | what happens |
//! |---|---|---|
//! | message | flow | its node steps, if it waits for one |
//! | message | agent or worker | the agent gets it |
//! | signal | agent or worker | the handoff goes on, or ends and is popped |
//! | due | any | the node times out, the handoff gives up, or the session closes |

mod calling;
mod close;
mod command;
mod flow;
mod handoff;
mod history;
mod transfer;
mod translation;
mod waiting;
mod watch;

pub use watch::StepWatch;

use crate::availability::{AskAgents, NobodyToAsk};
use crate::content::{Receipt, UserMessage};
use crate::egress::{Egress, NoEgress};
use crate::name::{EffectId, InputId};
use crate::node::{EndDetail as NodeEndDetail, SessionEnd, Trigger, UserMessage as NodeMessage};
use crate::project::{Bot, Project};
use crate::session::{
    CloseReason, DeadlineKind, Effect, EffectKind, Entry, FlowFrame, History, HistoryError, Input,
    InputKind, MAX_MESSAGE, NoHistory, Owner, Refusal, Session, SessionLimits, Speaker, Started,
    TranscriptLine, Turn, UserText, Waiting,
};
use crate::time::Timestamp;
use std::sync::Arc;

/// A session is handed over at most so many times without a word from the user in between.
pub const MAX_HANDOFFS_IN_A_ROW: u32 = 3;

/// A turn takes at most this many steps.
pub const MAX_STEPS: usize = 1_000;

/// Whom a turn meets on its way.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// Looks on.
    pub watch: &'a mut dyn StepWatch,
    /// Carries the requests of nodes.
    pub egress: Arc<dyn Egress>,
    /// Asks how many agents there are.
    pub agents: Arc<dyn AskAgents>,
    /// Reads what earlier turns said.
    pub history: Arc<dyn History>,
    /// How long the session may become.
    pub limits: SessionLimits,
}

/// Applies one input to a session. Nobody looks on, no request leaves, and what earlier turns said is not known:
/// an agent reads no transcript of them. A refusal means that nothing has changed.
pub async fn advance(
    project: &Project,
    session: &Session,
    input: &Input,
    now: Timestamp,
) -> Result<Turn, Refusal> {
    let surroundings = Surroundings {
        watch: &mut watch::Unwatched,
        egress: Arc::new(NoEgress),
        agents: Arc::new(NobodyToAsk),
        history: Arc::new(NoHistory),
        limits: SessionLimits::default(),
    };
    advance_in(project, session, input, now, surroundings).await
}

/// As [`advance()`], for somebody who looks on and lets requests out. Given the same answers to them the
/// turn is the same.
pub async fn advance_in(
    project: &Project,
    session: &Session,
    input: &Input,
    now: Timestamp,
    surroundings: Surroundings<'_>,
) -> Result<Turn, Refusal> {
    if session.project != project.digest {
        return Err(Refusal::OtherProject {
            pinned: session.project.clone(),
        });
    }
    let mut next = session.clone();
    next.revision = session.revision.next();
    let mut advancing = Advancing {
        project,
        session: next,
        now,
        input: &input.id,
        watch: surroundings.watch,
        egress: surroundings.egress,
        agents: surroundings.agents,
        history: surroundings.history,
        history_error: None,
        said: Vec::new(),
        journal: Vec::new(),
        effects: Vec::new(),
        steps: 0,
        ids: 0,
    };
    let active = advancing.apply(&input.kind).await?;
    if let Some(HistoryError(reason)) = advancing.history_error {
        return Err(Refusal::History { reason });
    }
    advancing.enforce(surroundings.limits);
    advancing.rearm_inactivity(active);
    Ok(Turn {
        deadlines: advancing.session.deadlines(),
        session: advancing.session,
        at: now,
        input: input.clone(),
        journal: advancing.journal,
        effects: advancing.effects,
        said: advancing.said,
    })
}

/// A turn in the making.
struct Advancing<'a> {
    project: &'a Project,
    session: Session,
    now: Timestamp,
    input: &'a InputId,
    watch: &'a mut dyn StepWatch,
    egress: Arc<dyn Egress>,
    agents: Arc<dyn AskAgents>,
    history: Arc<dyn History>,
    history_error: Option<HistoryError>,
    said: Vec<TranscriptLine>,
    journal: Vec<Entry>,
    effects: Vec<Effect>,
    steps: usize,
    ids: usize,
}

impl Advancing<'_> {
    /// Returns whether the input counts as activity of the session.
    async fn apply(&mut self, kind: &InputKind) -> Result<bool, Refusal> {
        let fresh = self.session.stack.is_empty() && self.session.is_open();
        if let InputKind::Started { bot, channel } = kind {
            if !fresh {
                return Err(Refusal::Started);
            }
            self.session.channel.clone_from(channel);
            self.session.started = Some(Started {
                at: self.now,
                bot: bot.clone(),
            });
            self.start(bot.as_ref()).await?;
            return Ok(true);
        }
        if fresh {
            return Err(Refusal::Started);
        }
        if !self.session.is_open() {
            return match kind {
                InputKind::UserMessage(_) => Err(Refusal::Closed),
                InputKind::Signal {
                    handoff, signal, ..
                } => {
                    self.late(handoff, signal.as_ref()).await;
                    Ok(false)
                }
                _ => {
                    self.ignore("the session is closed");
                    Ok(false)
                }
            };
        }
        match kind {
            InputKind::Started { .. } => Err(Refusal::Started),
            InputKind::UserMessage(message) if message.text.len() > MAX_MESSAGE => {
                let bytes = message.text.len();
                Err(Refusal::TooLong { bytes })
            }
            InputKind::UserMessage(message) => {
                self.user_message(message).await;
                Ok(true)
            }
            InputKind::UserReceipt { message, receipt } => {
                if let Some(handoff) = self.session.handoff() {
                    let handoff = handoff.id.clone();
                    self.effect(EffectKind::ReceiptToAgent {
                        handoff,
                        message: message.clone(),
                        receipt: *receipt,
                    });
                }
                Ok(false)
            }
            InputKind::Undelivered { message } => {
                self.journal.push(Entry::Undelivered {
                    message: message.clone(),
                });
                self.effect(EffectKind::ReceiptToUser {
                    message: message.clone(),
                    receipt: Receipt::Failed,
                });
                Ok(false)
            }
            InputKind::UserTyping { on } => {
                if let Some(handoff) = self.session.handoff() {
                    let handoff = handoff.id.clone();
                    self.effect(EffectKind::TypingToAgent { handoff, on: *on });
                }
                Ok(false)
            }
            InputKind::UserLeft => {
                self.user_left().await;
                Ok(false)
            }
            InputKind::Signal {
                handoff,
                signal,
                handle,
                tally,
                exchanges: _,
            } => Ok(self.signal(handoff, signal.as_ref(), handle, *tally).await),
            InputKind::Due(deadline) => Ok(self.due(*deadline).await),
        }
    }

    async fn start(&mut self, bot: Option<&crate::name::BotName>) -> Result<(), Refusal> {
        let name = bot.unwrap_or(&self.project.start).clone();
        match self.project.bots.get(&name) {
            None => Err(Refusal::UnknownBot { bot: name }),
            Some(Bot::Worker(_)) => Err(Refusal::NotAddressable { bot: name }),
            Some(Bot::Flow(flow)) => {
                let frame = self.flow_frame(&name, flow);
                self.push(Owner::Flow(frame));
                self.run(Trigger::Entered, None).await;
                Ok(())
            }
        }
    }

    async fn user_message(&mut self, said: &UserMessage) {
        let text = said.as_text();
        self.say(Speaker::User, &text);
        self.session.handoffs_in_a_row = 0;
        self.session.last_message = Some(UserText {
            id: self.input.to_string(),
            text: text.clone(),
        });
        match self.session.owner() {
            Some(Owner::Flow(FlowFrame {
                waiting: Waiting::Message { state, .. },
                ..
            })) => {
                let state = state.clone();
                let message = NodeMessage {
                    id: self.input.to_string(),
                    text,
                    at: self.now.0,
                };
                self.run(Trigger::UserMessage(message), Some(state)).await;
            }
            Some(owner) if owner.handoff().is_some() => self.message_to_agent(said).await,
            _ => self.ignore("no node waits for a message"),
        }
    }

    async fn user_left(&mut self) {
        if self.session.handoff().is_some() {
            self.leave_handoff().await;
        } else {
            self.close(CloseReason::UserLeft);
        }
    }

    /// Returns whether it counts as activity.
    async fn due(&mut self, deadline: DeadlineKind) -> bool {
        let reached = self
            .session
            .deadlines()
            .iter()
            .any(|it| it.kind == deadline && it.at <= self.now);
        if !reached {
            self.ignore("the deadline was moved");
            return false;
        }
        match deadline {
            DeadlineKind::Inactivity => {
                self.close(CloseReason::Inactivity);
                false
            }
            DeadlineKind::Node => {
                if let Some(Owner::Flow(FlowFrame {
                    waiting: Waiting::Message { state, .. },
                    ..
                })) = self.session.owner()
                {
                    let state = state.clone();
                    self.run(Trigger::TimedOut, Some(state)).await;
                }
                false
            }
            DeadlineKind::NoAgent => {
                self.give_up_on_agents().await;
                true
            }
            DeadlineKind::UserIdle => self.take_idle_step().await,
            DeadlineKind::QueueUpdate => {
                self.tell_queue_again();
                false
            }
        }
    }

    /// The inactivity limit counts only while a bot is in charge, from the user's last activity or
    /// from the moment the bot got the session back.
    fn rearm_inactivity(&mut self, active: bool) {
        let bot_in_charge =
            self.session.is_open() && matches!(self.session.owner(), Some(Owner::Flow(_)));
        if !bot_in_charge {
            self.session.inactive_at = None;
        } else if active || self.session.inactive_at.is_none() {
            self.session.inactive_at = Some(self.now + self.project.inactivity);
        }
    }

    fn effect(&mut self, kind: EffectKind) {
        let id = EffectId::new(self.next_id());
        self.journal.push(Entry::Asked(id.clone()));
        self.effects.push(Effect { id, kind });
    }

    /// An id that is the same whenever the turn is computed again.
    fn next_id(&mut self) -> String {
        self.ids += 1;
        format!("{}/{}/{}", self.session.id, self.session.revision, self.ids)
    }

    fn push(&mut self, owner: Owner) {
        self.session.stack.push(owner);
        self.journal.push(Entry::Pushed {
            stack: self.session.stack_names(),
        });
    }

    fn pop(&mut self) {
        self.session.stack.pop();
        self.journal.push(Entry::Popped {
            stack: self.session.stack_names(),
        });
    }

    fn ignore(&mut self, reason: &str) {
        self.journal.push(Entry::Ignored {
            reason: reason.to_owned(),
        });
    }
}

impl From<&crate::session::EndedHandoff> for SessionEnd {
    fn from(ended: &crate::session::EndedHandoff) -> Self {
        use crate::handoff::SessionEndReason as Reason;
        use crate::node::EndReason;
        Self {
            reason: match ended.end.reason {
                Reason::UserLeft => EndReason::UserLeft,
                Reason::AgentLeft => EndReason::AgentLeft,
                Reason::Error => EndReason::Error,
            },
            last_agent: ended.last_agent.as_ref().map(|agent| agent.name.clone()),
            detail: ended.end.detail.as_ref().map(|detail| NodeEndDetail {
                code: detail.code.clone(),
                message: detail.message.clone(),
            }),
        }
    }
}
