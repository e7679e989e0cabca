//! Carrying out what a turn asks for, once the turn is committed.
//!
//! Nothing here waits for the other side. What a transport has to deliver stays pending in the store
//! until the transport reports it settled; the rest is settled at once.

use crate::host::Host;
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::name::{AccountName, EffectId, HandoffId, InputId, SessionId};
use handoff_engine::session::{Effect, EffectKind, Input, InputKind};
use handoff_genesys::{Command, Link};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The open handoffs that this host drives.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<HashMap<HandoffId, Driven>>);

#[derive(Debug)]
struct Driven {
    link: Link,
    /// Settled by the first report.
    opening: Option<EffectId>,
    /// Settled by the last one.
    leaving: Option<EffectId>,
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, HashMap<HandoffId, Driven>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn insert(&self, handoff: &HandoffId, link: Link, opening: Option<EffectId>) {
        let driven = Driven {
            link,
            opening,
            leaving: None,
        };
        self.lock().insert(handoff.clone(), driven);
    }

    /// Gives a command; false if this host does not drive the handoff.
    fn command(&self, handoff: &HandoffId, command: Command) -> bool {
        let links = self.lock();
        let Some(driven) = links.get(handoff) else {
            return false;
        };
        driven.link.send(command);
        true
    }

    fn leave(&self, handoff: &HandoffId, effect: &EffectId) -> bool {
        let mut links = self.lock();
        let Some(driven) = links.get_mut(handoff) else {
            return false;
        };
        driven.leaving = Some(effect.clone());
        driven.link.send(Command::Leave);
        true
    }

    /// What a report settles besides what it says. The link of a handoff that is over goes.
    pub(crate) fn reported(&self, handoff: &HandoffId, last: bool) -> Vec<EffectId> {
        let mut links = self.lock();
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

impl Host {
    /// Carries out effects, in order.
    pub(crate) async fn carry_out(&self, session: &SessionId, effects: &[Effect]) {
        let settled: Vec<EffectId> = effects
            .iter()
            .filter(|effect| self.act(effect))
            .map(|effect| effect.id.clone())
            .collect();
        if settled.is_empty() {
            return;
        }
        if let Err(error) = self.0.store.settle(session, &settled).await {
            // They stay pending, and are recognised as repeats when they are carried out again.
            tracing::error!(%session, %error, "effects were carried out and not settled");
        }
    }

    /// Carries out an effect; true if that settles it.
    fn act(&self, effect: &Effect) -> bool {
        match &effect.kind {
            // Shown by being committed.
            EffectKind::SendToUser { .. }
            | EffectKind::TypingToUser { .. }
            | EffectKind::CloseSession { .. } => true,
            EffectKind::OpenHandoff { handoff, request } => {
                let Some(transport) = self.0.transports.get(&request.account) else {
                    self.refuse(handoff, &request.account);
                    return true;
                };
                let reports = self.0.reports.clone();
                let link = transport.open(handoff.clone(), request.clone(), reports);
                let opening = Some(effect.id.clone());
                self.0.links.insert(handoff, link, opening);
                false
            }
            EffectKind::SendToAgent { handoff, text } => {
                let say = Command::Say {
                    id: effect.id.clone(),
                    text: text.clone(),
                };
                // The handoff ended while the turn was computed: there is nobody to tell any more.
                !self.0.links.command(handoff, say)
            }
            EffectKind::TypingToAgent { handoff, on } => {
                self.0.links.command(handoff, Command::Typing { on: *on });
                true
            }
            EffectKind::LeaveHandoff {
                handoff,
                account,
                handle,
            } => {
                if self.0.links.leave(handoff, &effect.id) {
                    return false;
                }
                if handle.is_null() {
                    // It was never opened.
                    return true;
                }
                self.resume_handoff(handoff, account, handle);
                !self.0.links.leave(handoff, &effect.id)
            }
        }
    }

    /// Takes up an open handoff.
    pub(crate) fn resume_handoff(
        &self,
        handoff: &HandoffId,
        account: &AccountName,
        handle: &Value,
    ) {
        let Some(transport) = self.0.transports.get(account) else {
            self.refuse(handoff, account);
            return;
        };
        let reports = self.0.reports.clone();
        let link = transport.resume(handoff.clone(), handle.clone(), reports);
        self.0.links.insert(handoff, link, None);
    }

    /// Ends a handoff whose account this host does not have.
    fn refuse(&self, handoff: &HandoffId, account: &AccountName) {
        let end = HandoffEnd::error(
            "transfer.unknown_account",
            format!("this host has no account '{account}'; add it under [accounts] of project.toml"),
        );
        let input = Input {
            id: InputId::new(format!("{handoff}:refused")),
            kind: InputKind::Signal {
                handoff: handoff.clone(),
                signal: Some(Signal::Ended(end)),
                handle: Value::Null,
            },
        };
        let busy = self.0.clock.busy();
        drop(self.enqueue(&handoff.session(), input, Vec::new(), busy));
    }
}
