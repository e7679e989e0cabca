//! Running a flow: step after step, until the session waits, is transferred, or closes.

use super::transfer::Prepared;
use super::{Advancing, MAX_STEPS};
use crate::egress::Access;
use crate::handoff::EndDetail;
use crate::name::{BotName, FlowId, NodeId, Port};
use crate::node::node_text;
use crate::node::{
    Accounts, Audience, CloseReason as NodeCloseReason, EndReason, Node, Outcome, OutgoingMessage,
    SessionEnd, StepFailure, StepHost, StepInput, Trigger,
};
use crate::project::{Flow, PlacedNode, Project};
use crate::session::{
    CloseReason, EffectKind, Entry, FlowFrame, NodeError, Owner, Sender, Speaker, StepDecision,
    Waiting,
};
use crate::size::json_size;
use crate::source::pointer;
use crate::time::Millis;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::sync::Arc;

/// Bytes that a turn may write: its journal, its effects, and the states of the nodes that wait. Room for
/// some ten of the longest answers over HTTP, and for nothing that never ends.
const MAX_TURN: usize = 4 << 20;

/// What follows a step.
pub(super) enum Next {
    /// Call the node of the flow in charge.
    Step(Trigger, Option<String>),
    /// The turn is over.
    Rest,
}

/// A step that cannot be carried out.
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) message: String,
}

impl Advancing<'_> {
    pub(super) fn flow_frame(&self, bot: &BotName, flow: &FlowId) -> FlowFrame {
        FlowFrame {
            bot: bot.clone(),
            flow: flow.clone(),
            node: self.project.flows[flow].start.clone(),
            waiting: Waiting::Entry,
        }
    }

    /// Steps the flow in charge until there is nothing left to do in this turn.
    pub(super) async fn run(&mut self, trigger: Trigger, state: Option<String>) {
        let mut next = Next::Step(trigger, state);
        let mut written = json_size(&self.journal) + json_size(&self.effects);
        while let Next::Step(trigger, state) = next {
            let Some(Owner::Flow(frame)) = self.session.owner() else {
                return;
            };
            let frame = frame.clone();
            if self.steps >= MAX_STEPS {
                self.close_for_loop(&frame);
                return;
            }
            self.steps += 1;
            let (entries, effects) = (self.journal.len(), self.effects.len());
            next = match self.step(&frame, trigger, state).await {
                Ok(next) => next,
                Err(failure) => self.failed(&frame, failure),
            };
            written += json_size(&&self.journal[entries..]) + json_size(&&self.effects[effects..]);
            if written + self.states() > MAX_TURN && matches!(next, Next::Step(..)) {
                self.close_for_size(&frame);
                return;
            }
        }
    }

    /// Bytes of what the nodes that wait remember.
    fn states(&self) -> usize {
        let states = self.session.stack.iter().map(|owner| match owner {
            Owner::Flow(FlowFrame { waiting, .. }) => match waiting {
                Waiting::Message { state, .. } | Waiting::Owner { state } => state.len(),
                Waiting::Entry => 0,
            },
            _ => 0,
        });
        states.sum()
    }

    async fn step(
        &mut self,
        frame: &FlowFrame,
        trigger: Trigger,
        state: Option<String>,
    ) -> Result<Next, Failure> {
        let project: &Project = self.project;
        let flow = &project.flows[&frame.flow];
        let Some(placed) = flow.nodes.get(&frame.node) else {
            return Err(Failure {
                code: "flow.missing_node".to_owned(),
                message: format!("the flow '{}' has no node '{}'", flow.id, frame.node),
            });
        };
        let seed = format!(
            "{}/{}/{}",
            self.session.id, self.session.revision, self.steps
        );
        let config = self.resolve(flow, &frame.node, placed, &seed)?;
        let input = StepInput {
            config: config.into_owned(),
            state,
            node_id: frame.node.to_string(),
            session_id: self.session.id.to_string(),
            now: self.now.0,
            trigger: trigger.clone(),
        };
        let (host, result) = self
            .call_node(&frame.node, &placed.node, input, &seed)
            .await;
        let outcome = result.map_err(|failure| Failure {
            code: failure.code().to_owned(),
            message: failure.to_string(),
        })?;
        self.carry_out(frame, placed, &trigger, outcome, host).await
    }

    /// Calls a node, and keeps what it asked for and logged whatever comes of it.
    pub(super) async fn call_node(
        &mut self,
        id: &NodeId,
        node: &Node,
        input: StepInput,
        seed: &str,
    ) -> (StepHost, Result<Outcome, StepFailure>) {
        self.watch.began(id, &node.descriptor().node_type);
        let (mut host, result) = node.step(self.lend(seed), input, seed).await;
        self.watch
            .ended(result.as_ref().err().map(StepFailure::code));
        self.take_back(&mut host);
        for call in host.calls.drain(..) {
            let node = id.clone();
            self.journal.push(Entry::Called { node, call });
        }
        for asked in host.asked.drain(..) {
            let node = id.clone();
            self.journal.push(Entry::AskedForAgents { node, asked });
        }
        self.log(id, &mut host);
        (host, result)
    }

    /// Gives a step what it may see. Moved, not copied; [`Self::take_back`] returns it.
    fn lend(&mut self, seed: &str) -> StepHost {
        StepHost {
            context: std::mem::take(&mut self.session.context),
            attributes: std::mem::take(&mut self.session.attributes),
            said: std::mem::take(&mut self.said),
            lines: self.session.lines,
            history: Some((self.session.id.clone(), Arc::clone(&self.history))),
            last_handoff: self.session.last_handoff.as_ref().map(Into::into),
            connectors: Arc::clone(&self.project.connectors),
            accounts: Accounts {
                overriding: self.project.override_account.clone(),
                by_default: self
                    .project
                    .choose_account(None, self.session.channel.as_deref()),
                known: Arc::clone(&self.project.account_names),
                mapped: Arc::clone(&self.project.mapped),
            },
            agents: Some(Arc::clone(&self.agents)),
            access: Access {
                egress: Arc::clone(&self.egress),
                allowed: Arc::clone(&self.project.egress),
                grants: Arc::clone(&self.project.grants),
                ids: seed.to_owned(),
            },
            ..StepHost::default()
        }
    }

    fn take_back(&mut self, host: &mut StepHost) {
        self.session.context = std::mem::take(&mut host.context);
        self.session.attributes = std::mem::take(&mut host.attributes);
        self.said = std::mem::take(&mut host.said);
        if let Some(error) = host.history_error.take() {
            self.history_error = Some(error);
        }
    }

    fn log(&mut self, node: &NodeId, host: &mut StepHost) {
        for line in host.log.drain(..) {
            let level = format!("{:?}", line.level);
            let level = level.rsplit("::").next().unwrap_or_default().to_lowercase();
            self.journal.push(Entry::Logged {
                node: node.clone(),
                level,
                text: line.text,
            });
        }
        if host.log_dropped > 0 {
            self.journal.push(Entry::Logged {
                node: node.clone(),
                level: "warn".to_owned(),
                text: format!("{} more log lines were dropped", host.log_dropped),
            });
        }
    }

    /// Does what a node decided; only now do its writes and messages count.
    async fn carry_out(
        &mut self,
        frame: &FlowFrame,
        placed: &PlacedNode,
        trigger: &Trigger,
        outcome: Outcome,
        host: StepHost,
    ) -> Result<Next, Failure> {
        // A push or transfer that is refused fails the step, so it is prepared before the step's
        // writes count. It sees them all the same.
        let node_type = &placed.node.descriptor().node_type;
        let stepped = |decision| Entry::Stepped {
            bot: frame.bot.clone(),
            node: frame.node.clone(),
            node_type: node_type.clone(),
            trigger: trigger_name(trigger).to_owned(),
            decision,
        };
        match outcome {
            Outcome::Leave(port) => {
                let port = Port::new(port);
                let to = placed.to.get(&port).cloned();
                self.journal.push(stepped(StepDecision::Leave {
                    port: port.clone(),
                    to: to.clone(),
                }));
                self.commit(&frame.bot, host);
                if to.is_none() && placed.node.descriptor().is_failure(port.as_str()) {
                    return Ok(self.failed(frame, unwired(frame, &port, trigger)));
                }
                Ok(self.follow(to))
            }
            Outcome::Wait(wait) => {
                self.journal.push(stepped(StepDecision::Wait));
                self.commit(&frame.bot, host);
                self.wait_for(Waiting::Message {
                    state: wait.state,
                    until: wait.timeout.map(|timeout| self.now + Millis(timeout)),
                });
                Ok(Next::Rest)
            }
            Outcome::PushBot(push) => {
                let bot = BotName::new(push.bot);
                let mut prepared = self.prepare_push(&bot, &host)?;
                if let Prepared::Worker(_, request) = &mut prepared {
                    self.add_transcript(request, &host).await;
                }
                self.journal.push(stepped(StepDecision::PushBot(bot)));
                self.commit(&frame.bot, host);
                self.wait_for(Waiting::Owner { state: push.state });
                Ok(self.push_prepared(prepared))
            }
            Outcome::Transfer(transfer) => {
                let mut request = self.prepare_transfer(&transfer, &host)?;
                self.add_transcript(&mut request, &host).await;
                self.journal.push(stepped(StepDecision::Transfer));
                self.commit(&frame.bot, host);
                self.wait_for(Waiting::Owner {
                    state: transfer.state,
                });
                self.open_for_agent(request);
                Ok(Next::Rest)
            }
            Outcome::Close(reason) => {
                self.journal.push(stepped(StepDecision::Close));
                self.commit(&frame.bot, host);
                if matches!(reason, NodeCloseReason::Completed) {
                    // The bot is done; a bot below it goes on.
                    return Ok(self.follow(None));
                }
                self.close(close_reason(reason, frame));
                Ok(Next::Rest)
            }
        }
    }

    /// Makes a step's writes and messages count.
    pub(super) fn commit(&mut self, bot: &BotName, host: StepHost) {
        for (key, value) in host.context_writes {
            match value {
                Some(value) => self.session.context.insert(key, value),
                None => self.session.context.remove(&key),
            };
        }
        for (key, value) in host.attribute_writes {
            match value {
                Some(value) => self.session.attributes.insert(key, value),
                None => self.session.attributes.remove(&key),
            };
        }
        for OutgoingMessage { to, text } in host.messages {
            // While a flow steps, no agent is connected: the next one reads it.
            let for_agent = matches!(to, Audience::Agent | Audience::Both);
            if for_agent && !self.session.keep_for_agent(text.clone()) {
                self.ignore("a message to the agent was dropped: too many are kept already");
            }
            if matches!(to, Audience::User | Audience::Both) {
                self.bot_says(bot, text);
            }
        }
    }

    fn bot_says(&mut self, bot: &BotName, text: String) {
        self.say(Speaker::Bot(bot.to_string()), &text);
        self.effect(EffectKind::SendToUser {
            from: Sender::Bot(bot.clone()),
            text,
            content: Vec::new(),
            message: None,
        });
    }

    fn wait_for(&mut self, waiting: Waiting) {
        if let Some(Owner::Flow(frame)) = self.session.stack.last_mut() {
            frame.waiting = waiting;
        }
    }

    /// Goes on to a node, or ends the flow where a port leads nowhere.
    fn follow(&mut self, to: Option<NodeId>) -> Next {
        if let (Some(to), Some(Owner::Flow(frame))) = (to, self.session.stack.last_mut()) {
            frame.node = to;
            frame.waiting = Waiting::Entry;
            return Next::Step(Trigger::Entered, None);
        }
        if self.session.stack.len() <= 1 {
            self.close(CloseReason::Completed);
            return Next::Rest;
        }
        self.pop();
        self.give_back(SessionEnd {
            reason: EndReason::Completed,
            last_agent: None,
            detail: None,
        })
    }

    /// Tells the node that pushed an owner that it has the session back.
    pub(super) fn give_back(&mut self, end: SessionEnd) -> Next {
        match self.session.owner() {
            Some(Owner::Flow(FlowFrame {
                waiting: Waiting::Owner { state },
                ..
            })) => {
                let state = state.clone();
                Next::Step(Trigger::Returned(end), Some(state))
            }
            _ => Next::Rest,
        }
    }

    /// A step failed: by the `error` port if it is wired, else the session is over.
    fn failed(&mut self, frame: &FlowFrame, failure: Failure) -> Next {
        let error = NodeError {
            node: frame.node.clone(),
            code: node_text::name(failure.code),
            message: node_text::sentence(failure.message),
        };
        self.journal.push(Entry::Failed(error.clone()));
        let flow = &self.project.flows[&frame.flow];
        let wired = flow
            .nodes
            .get(&frame.node)
            .and_then(|placed| placed.to.get("error"))
            .cloned();
        let detail = EndDetail::new(error.code.clone(), error.message.clone());
        self.session.last_error = Some(error);
        match wired {
            Some(to) => self.follow(Some(to)),
            None => {
                self.close(CloseReason::Error(detail));
                Next::Rest
            }
        }
    }

    fn close_for_loop(&mut self, frame: &FlowFrame) {
        self.stop(
            frame,
            "flow.loop",
            format!(
                "the flow '{}' took more than {MAX_STEPS} steps without waiting for anyone; it was \
                 stopped at '{}'. Look for a circle of nodes in which none waits, such as an error \
                 port that leads back",
                frame.flow, frame.node
            ),
        );
    }

    fn close_for_size(&mut self, frame: &FlowFrame) {
        self.stop(
            frame,
            "flow.turn_too_large",
            format!(
                "the flow '{}' wrote more than {MAX_TURN} bytes without waiting for anyone; it was stopped at \
                 '{}'. Look for a circle of nodes that log, call out or send messages each time around",
                frame.flow, frame.node
            ),
        );
    }

    /// Closes the session of a flow that would go on for ever.
    fn stop(&mut self, frame: &FlowFrame, code: &str, message: String) {
        let error = NodeError {
            node: frame.node.clone(),
            code: code.to_owned(),
            message,
        };
        self.journal.push(Entry::Failed(error.clone()));
        let detail = EndDetail::new(error.code.clone(), error.message.clone());
        self.session.last_error = Some(error);
        self.close(CloseReason::Error(detail));
    }

    /// The node's config with every template resolved and every secret named by its placeholder, as JSON
    /// text.
    fn resolve<'p>(
        &self,
        flow: &Flow,
        node: &NodeId,
        placed: &'p PlacedNode,
        seed: &str,
    ) -> Result<Cow<'p, str>, Failure> {
        let grants = &self.project.grants;
        let placeholder = |name: &str| {
            let granted = grants.0.get(name).is_some_and(|grant| !grant.to.is_empty());
            granted.then(|| placed.node.placeholders(seed).of(name))
        };
        self.project
            .templates
            .resolve(&placed.config, || self.scope(), placeholder)
            .map_err(|error| {
                let at = format!(
                    "{}/config{}",
                    pointer("/nodes", node.as_str()),
                    error.pointer
                );
                let place = self.project.place_of(&flow.id, &at);
                let help = error
                    .help
                    .map(|help| format!("; {help}"))
                    .unwrap_or_default();
                Failure {
                    code: error.code.to_owned(),
                    message: format!("{place}: {}{help}", error.message),
                }
            })
    }

    /// What templates can read.
    fn scope(&self) -> Value {
        let session = &self.session;
        json!({
            "context": session.context,
            "attributes": session.attributes,
            "message": session.last_message,
            "session": {"id": session.id, "channel": session.channel},
            "handoff": session.last_handoff.as_ref().map(|ended| json!({
                "reason": ended.end.reason,
                "detail": ended.end.detail,
                "agent": ended.last_agent.as_ref().map(|agent| &agent.name),
            })),
            "error": session.last_error,
        })
    }
}

/// A node left by a failure port that leads nowhere. What an owner that gave the session back said of
/// its end says more than the port does.
fn unwired(frame: &FlowFrame, port: &Port, trigger: &Trigger) -> Failure {
    if let Trigger::Returned(SessionEnd {
        detail: Some(detail),
        ..
    }) = trigger
    {
        return Failure {
            code: detail.code.clone(),
            message: detail.message.clone(),
        };
    }
    Failure {
        code: "flow.unwired_failure".to_owned(),
        message: format!(
            "the node '{}' left by its failure port '{port}', which leads nowhere; wire it, or the \
             port 'error', to a node that tells the user",
            frame.node
        ),
    }
}

fn trigger_name(trigger: &Trigger) -> &'static str {
    match trigger {
        Trigger::Entered => "entered",
        Trigger::UserMessage(_) => "user-message",
        Trigger::Returned(_) => "returned",
        Trigger::TimedOut => "timed-out",
    }
}

fn close_reason(reason: NodeCloseReason, frame: &FlowFrame) -> CloseReason {
    match reason {
        NodeCloseReason::Completed => CloseReason::Completed,
        NodeCloseReason::AgentLeft => CloseReason::AgentLeft,
        NodeCloseReason::UserLeft => CloseReason::UserLeft,
        NodeCloseReason::Error => CloseReason::Error(EndDetail::new(
            "flow.closed_with_error",
            format!("the node '{}' closed the session with an error", frame.node),
        )),
    }
}
