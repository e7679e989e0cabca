//! Carrying out what a turn asks for, once the turn is committed.
//!
//! Nothing here waits for the other side. What a transport has to deliver stays pending in the store
//! until the transport reports it settled; the rest is settled at once.

use crate::host::Host;
use crate::queues::Work;
use crate::spans::{effect_span, handoff_span};
use crate::versions::Version;
use handoff_engine::content::UserMessage;
use handoff_engine::handoff::{HandoffEnd, Signal, Tally};
use handoff_engine::name::{AccountName, EffectId, HandoffId, InputId, Revision, SessionId};
use handoff_engine::session::{Effect, EffectKind, Exchanges, Input, InputKind, Session};
use handoff_genesys::{Command, Link};
use handoff_store::StoreError;
use serde_json::Value;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::Instrument;

/// The open handoffs that this host drives; none once it stops.
#[derive(Debug)]
pub(crate) struct Links(Mutex<Option<HashMap<HandoffId, Driven>>>);

impl Default for Links {
    fn default() -> Self {
        Self(Mutex::new(Some(HashMap::new())))
    }
}

#[derive(Debug)]
struct Driven {
    link: Link,
    /// Settled by the first report.
    opening: Option<EffectId>,
    /// Settled by the last one.
    leaving: Option<EffectId>,
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, Option<HashMap<HandoffId, Driven>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().as_ref().map_or(0, HashMap::len)
    }

    /// Parks every driver; there will be no others.
    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    /// Drives a handoff, unless this host does so already. `start` is called under the lock: once
    /// the links are closed, no driver starts.
    fn drive(&self, handoff: &HandoffId, opening: Option<EffectId>, start: impl FnOnce() -> Link) {
        let mut links = self.lock();
        if let Some(links) = &mut *links
            && let Entry::Vacant(place) = links.entry(handoff.clone())
        {
            place.insert(Driven {
                link: start(),
                opening,
                leaving: None,
            });
        }
    }

    /// Gives a command; false if this host does not drive the handoff. A driver that is over takes none,
    /// but its last report is on its way: after it, what is still pending is looked at again.
    fn command(&self, handoff: &HandoffId, command: Command) -> bool {
        let links = self.lock();
        let Some(driven) = links.as_ref().and_then(|links| links.get(handoff)) else {
            return false;
        };
        driven.link.send(command);
        true
    }

    /// Has a handoff ended; false if this host does not drive it.
    fn leave(&self, handoff: &HandoffId, effect: &EffectId) -> bool {
        let mut links = self.lock();
        let Some(driven) = links.as_mut().and_then(|links| links.get_mut(handoff)) else {
            return false;
        };
        driven.leaving = Some(effect.clone());
        driven.link.send(Command::Leave);
        true
    }

    /// What a report settles besides what it says. The link of a handoff that is over goes.
    pub(crate) fn reported(&self, handoff: &HandoffId, last: bool) -> Vec<EffectId> {
        let mut links = self.lock();
        let Some(links) = &mut *links else {
            return Vec::new();
        };
        let Some(driven) = links.get_mut(handoff) else {
            return Vec::new();
        };
        let mut settled: Vec<EffectId> = driven.opening.take().into_iter().collect();
        if last {
            settled.extend(driven.leaving.take());
            links.remove(handoff);
        }
        settled
    }
}

/// Whether an effect is done once its turn is committed: users read off the journal.
fn is_shown(effect: &EffectKind) -> bool {
    matches!(
        effect,
        EffectKind::SendToUser { .. }
            | EffectKind::TypingToUser { .. }
            | EffectKind::ReceiptToUser { .. }
            | EffectKind::CloseSession { .. }
    )
}

/// What a turn asks for that is settled along with it: what is done by that, and what is of no use
/// later. It costs no commit of its own.
pub(crate) fn settled_by_committing(effects: &[Effect]) -> Vec<EffectId> {
    let fleeting = |kind: &EffectKind| matches!(kind, EffectKind::TypingToAgent { .. });
    let settled = effects
        .iter()
        .filter(|it| is_shown(&it.kind) || fleeting(&it.kind));
    settled.map(|effect| effect.id.clone()).collect()
}

fn say(id: &EffectId, message: &UserMessage, input: Option<&InputId>) -> Command {
    Command::Say {
        id: id.clone(),
        message: message.clone(),
        input: input.cloned(),
    }
}

/// What is pending to be said to the agent of a handoff.
fn says_to(to: &HandoffId, pending: &[Effect]) -> Vec<Command> {
    let says = pending.iter().filter_map(|effect| match &effect.kind {
        EffectKind::SendToAgent {
            handoff,
            message,
            input,
        } if handoff == to => Some(say(&effect.id, message, input.as_ref())),
        _ => None,
    });
    says.collect()
}

impl Host {
    /// Carries out the effects of a turn that is committed.
    pub(crate) async fn act_on(&self, version: &Version, session: &SessionId, effects: &[Effect]) {
        if let Err(error) = self
            .carry_out(version, session, effects, &settled_by_committing(effects))
            .await
        {
            // What was done is recognised when it is done again.
            tracing::error!(%session, %error, "effects are not settled; they are taken up again");
            self.take_up(session);
        }
    }

    /// Drives the open handoff of a session, and carries out the effects that are pending. What
    /// this host does already it does not do twice.
    pub(crate) async fn carry_on(&self, id: &SessionId) -> Result<(), StoreError> {
        let Some(session) = self.0.store.load(id).await? else {
            return Ok(());
        };
        // Whoever appended last may not have come to say so.
        self.deadlines_changed();
        self.0.watchers.committed(id, session.revision);
        let Some(version) = self.0.versions.of(&session.project) else {
            tracing::error!(
                session = %id,
                version = session.project,
                "the session stands still, because this host lacks the version of the project that it started on; start the host with that version among the earlier ones"
            );
            return Ok(());
        };
        let pending = self.0.store.pending_effects(id).await?;
        if let Some(handoff) = session.handoff()
            && !handoff.handle.is_null()
        {
            let account = &handoff.request.account;
            let says = says_to(&handoff.id, &pending);
            self.resume_handoff(&version, &handoff.id, account, &handoff.handle, says);
        }
        self.resume_those_to_leave(&version, &pending).await?;
        self.carry_out(&version, id, &pending, &[]).await
    }

    /// Takes up the handoffs that the session has let go of and that are still to be left: what was
    /// said before that is said first.
    async fn resume_those_to_leave(
        &self,
        version: &Version,
        pending: &[Effect],
    ) -> Result<(), StoreError> {
        for effect in pending {
            if let EffectKind::LeaveHandoff {
                handoff,
                account,
                handle,
            } = &effect.kind
            {
                let handle = self.last_handle(handoff, handle).await?;
                if !handle.is_null() {
                    let says = says_to(handoff, pending);
                    self.resume_handoff(version, handoff, account, &handle, says);
                }
            }
        }
        Ok(())
    }

    /// Carries out effects, in order, and settles what is done by that and was not settled before.
    async fn carry_out(
        &self,
        version: &Version,
        session: &SessionId,
        effects: &[Effect],
        settled_before: &[EffectId],
    ) -> Result<(), StoreError> {
        let mut settled = Vec::new();
        for effect in effects {
            let span = effect_span(version, effect);
            let done = self.act(version, effect).instrument(span).await?;
            if done && !settled_before.contains(&effect.id) {
                settled.push(effect.id.clone());
            }
        }
        if !settled.is_empty() {
            self.0.store.settle(session, &settled).await?;
        }
        Ok(())
    }

    /// Carries out an effect; true if that settles it.
    async fn act(&self, version: &Version, effect: &Effect) -> Result<bool, StoreError> {
        Ok(match &effect.kind {
            // Shown by being committed.
            EffectKind::SendToUser { .. }
            | EffectKind::TypingToUser { .. }
            | EffectKind::ReceiptToUser { .. }
            | EffectKind::CloseSession { .. } => true,
            EffectKind::OpenHandoff { handoff, request } => {
                let Some(transport) = version.transport(&request.account) else {
                    self.refuse(handoff, &request.account);
                    return Ok(true);
                };
                let reports = self.0.reports.clone();
                let opening = Some(effect.id.clone());
                let span = handoff_span(handoff, &request.account, transport.kind());
                let open =
                    || span.in_scope(|| transport.open(handoff.clone(), request.clone(), reports));
                self.0.links.drive(handoff, opening, open);
                false
            }
            EffectKind::SendToAgent {
                handoff,
                message,
                input,
            } => {
                let say = say(&effect.id, message, input.as_ref());
                if self.0.links.command(handoff, say)
                    || self.is_stopping()
                    || self.stands_still(handoff).await?
                {
                    return Ok(false);
                }
                self.nobody_heard(handoff, &effect.id, input.as_ref());
                true
            }
            EffectKind::TypingToAgent { handoff, on } => {
                self.0.links.command(handoff, Command::Typing { on: *on });
                true
            }
            EffectKind::ReceiptToAgent {
                handoff,
                message,
                receipt,
            } => {
                let receipt = Command::Receipt {
                    message: message.clone(),
                    receipt: *receipt,
                };
                self.0.links.command(handoff, receipt);
                true
            }
            EffectKind::LeaveHandoff {
                handoff,
                account,
                handle,
            } => {
                if self.0.links.leave(handoff, &effect.id) {
                    return Ok(false);
                }
                let handle = self.last_handle(handoff, handle).await?;
                if handle.is_null() {
                    // It was never opened.
                    return Ok(true);
                }
                if !self.resume_handoff(version, handoff, account, &handle, Vec::new()) {
                    return Ok(false);
                }
                !self.0.links.leave(handoff, &effect.id) && !self.is_stopping()
            }
        })
    }

    /// The handoff ended while the turn was computed, or before its driver got to the message: the
    /// user gets to know.
    fn nobody_heard(&self, handoff: &HandoffId, effect: &EffectId, message: Option<&InputId>) {
        let Some(message) = message.cloned() else {
            return;
        };
        let input = Box::new(Input {
            id: InputId::new(format!("undelivered:{effect}")),
            kind: InputKind::Undelivered { message },
        });
        let settled = Vec::new();
        let work = Work::Input { input, settled };
        self.keep_trying(&handoff.session(), work, self.0.clock.busy());
    }

    /// The newest handle of a handoff that its session has let go of. Reports that came later stand
    /// in the journal only; without them, what was opened in the meantime would never be closed.
    async fn last_handle(&self, handoff: &HandoffId, known: &Value) -> Result<Value, StoreError> {
        let all = Revision::default();
        // It stands in one of the last turns, but for handoffs after which the session went on for long.
        for limit in [64, usize::MAX] {
            let session = handoff.session();
            let turns = self.0.store.journal(&session, all, limit).await?;
            let told = turns.iter().rev().find_map(|turn| match &turn.input.kind {
                InputKind::Signal {
                    handoff: other,
                    handle,
                    ..
                } if other == handoff && !handle.is_null() => Some(handle),
                _ => None,
            });
            if let Some(told) = told {
                return Ok(told.clone());
            }
            if turns.len() < limit {
                break;
            }
        }
        Ok(known.clone())
    }

    /// Whether a handoff is open and cannot be driven, because nobody can read its handle. What is said in
    /// it waits for a host that can.
    async fn stands_still(&self, handoff: &HandoffId) -> Result<bool, StoreError> {
        let session = self.0.store.load(&handoff.session()).await?;
        let open = session.as_ref().and_then(Session::handoff);
        let open = open.filter(|open| open.id == *handoff);
        Ok(open.is_some_and(|open| self.0.seal.open(handoff, &open.handle).is_err()))
    }

    /// Takes up an open handoff, unless this host drives it already. False if it stands still, because
    /// nobody can read its handle.
    fn resume_handoff(
        &self,
        version: &Version,
        handoff: &HandoffId,
        account: &AccountName,
        handle: &Value,
        unsettled: Vec<Command>,
    ) -> bool {
        let Some(transport) = version.transport(account) else {
            self.refuse(handoff, account);
            return true;
        };
        let handle = match self.0.seal.open(handoff, handle) {
            Ok(handle) => handle,
            Err(error) => {
                tracing::error!(%handoff, %error, "the handoff stands still");
                return false;
            }
        };
        let reports = self.0.reports.clone();
        let span = handoff_span(handoff, account, transport.kind());
        let resume =
            || span.in_scope(|| transport.resume(handoff.clone(), handle, unsettled, reports));
        self.0.links.drive(handoff, None, resume);
        true
    }

    /// Ends a handoff whose account this host does not have.
    fn refuse(&self, handoff: &HandoffId, account: &AccountName) {
        let end = HandoffEnd::error(
            "transfer.unknown_account",
            format!(
                "this host has no account '{account}'; add it under [accounts] of project.toml"
            ),
        );
        let input = Box::new(Input {
            id: InputId::new(format!("{handoff}:refused")),
            kind: InputKind::Signal {
                handoff: handoff.clone(),
                signal: Some(Signal::Ended(end)),
                handle: Value::Null,
                tally: Tally::default(),
                exchanges: Exchanges::default(),
            },
        });
        let settled = Vec::new();
        let work = Work::Input { input, settled };
        self.keep_trying(&handoff.session(), work, self.0.clock.busy());
    }
}
