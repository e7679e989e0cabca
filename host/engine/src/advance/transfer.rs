//! Preparing a handoff: everything that can be refused is refused here, before any network call.

use super::flow::{Failure, Next};
use super::{Advancing, MAX_HANDOFFS_IN_A_ROW};
use crate::account::Account;
use crate::diagnostic::{did_you_mean, name_list};
use crate::handoff::{
    IdentityField, Signal, Tally, Target, Transcript, TransferOptions, TransferRequest,
};
use crate::name::{AccountName, BotName, FlowId, HandoffId};
use crate::node::{Audience, StepHost, Target as NodeTarget, Transfer, Trigger};
use crate::project::Bot;
use crate::session::{
    AgentFrame, EffectKind, Entry, OpenHandoff, Owner, Phase, Sender, Speaker, WorkerFrame,
};
use serde_json::Value;

/// A bot that can be pushed.
pub(super) enum Prepared {
    Flow(BotName, FlowId),
    Worker(BotName, Box<TransferRequest>),
}

impl Advancing<'_> {
    /// Checks that a bot can be pushed.
    pub(super) fn prepare_push(&self, bot: &BotName, host: &StepHost) -> Result<Prepared, Failure> {
        let Some(found) = self.project.bots.get(bot) else {
            let names = || self.project.bots.keys().map(BotName::as_str);
            let help = did_you_mean(bot.as_str(), names())
                .unwrap_or_else(|| format!("the bots are {}", name_list(names())));
            return Err(Failure {
                code: "bot.unknown".to_owned(),
                message: format!("the project has no bot '{bot}'; {help}"),
            });
        };
        match found {
            Bot::Flow(flow) => Ok(Prepared::Flow(bot.clone(), flow.clone())),
            Bot::Worker(worker) if !worker.enabled => Err(Failure {
                code: "bot.disabled".to_owned(),
                message: format!(
                    "the worker bot '{bot}' is disabled; set \"Enabled\": true in its file, or push \
                     another bot"
                ),
            }),
            Bot::Worker(worker) => {
                let account = self
                    .project
                    .override_account
                    .clone()
                    .unwrap_or_else(|| worker.account.clone());
                let options = (*worker.options).clone();
                let request = self.complete(account, Target::AnyAgent, options, host)?;
                Ok(Prepared::Worker(bot.clone(), Box::new(request)))
            }
        }
    }

    /// Pushes a bot that can be pushed.
    pub(super) fn push_prepared(&mut self, prepared: Prepared) -> Next {
        match prepared {
            Prepared::Flow(bot, flow) => {
                let frame = self.flow_frame(&bot, &flow);
                self.push(Owner::Flow(frame));
                Next::Step(Trigger::Entered, None)
            }
            Prepared::Worker(bot, request) => {
                let handoff = self.open_handoff(*request);
                self.push(Owner::Worker(WorkerFrame { bot, handoff }));
                Next::Rest
            }
        }
    }

    /// Checks a transfer that a node asks for, and completes it from the session.
    pub(super) fn prepare_transfer(
        &self,
        transfer: &Transfer,
        host: &StepHost,
    ) -> Result<TransferRequest, Failure> {
        let options: TransferOptions =
            serde_json::from_str(&transfer.options).map_err(|error| Failure {
                code: "transfer.bad_options".to_owned(),
                message: format!("the node's transfer options are not understood: {error}"),
            })?;
        let channel = self.session.channel.as_deref();
        let Some(account) = self
            .project
            .choose_account(transfer.account.as_deref(), channel)
        else {
            return Err(Failure {
                code: "transfer.no_account".to_owned(),
                message:
                    "no account is named by the node, and the project has no default one; set \
                          'default-account' in project.toml or 'account' in the node"
                        .to_owned(),
            });
        };
        let target = match &transfer.target {
            NodeTarget::Queue(name) => Target::Queue(name.clone()),
            NodeTarget::AnyAgent => Target::AnyAgent,
        };
        self.complete(account, target, options, host)
    }

    /// Completes identity and attributes from the session, and checks what the account requires.
    fn complete(
        &self,
        name: AccountName,
        target: Target,
        mut options: TransferOptions,
        host: &StepHost,
    ) -> Result<TransferRequest, Failure> {
        let Some(account) = self.project.accounts.get(&name) else {
            let names = || self.project.accounts.keys().map(AccountName::as_str);
            let help = did_you_mean(name.as_str(), names())
                .unwrap_or_else(|| format!("the accounts are {}", name_list(names())));
            return Err(Failure {
                code: "transfer.unknown_account".to_owned(),
                message: format!("the project has no account '{name}'; {help}"),
            });
        };
        if !account.enabled() {
            return Err(Failure {
                code: "transfer.account_disabled".to_owned(),
                message: format!(
                    "the account '{name}' is switched off; take 'enabled = false' out of it in project.toml, \
                     or name another account"
                ),
            });
        }
        if self.session.handoffs_in_a_row >= MAX_HANDOFFS_IN_A_ROW {
            return Err(Failure {
                code: "transfer.loop".to_owned(),
                message: format!(
                    "the session was handed over {MAX_HANDOFFS_IN_A_ROW} times without a word from the user in \
                     between, so it is not handed over again; look for a port that leads back to the node \
                     that hands over, and ask the user something on the way"
                ),
            });
        }
        for field in IdentityField::ALL {
            let given = options.identity.get(field).map(str::to_owned);
            let known = given.or_else(|| self.context_text(field.as_str(), host));
            options
                .identity
                .set(field, known.filter(|text| !text.trim().is_empty()));
        }
        if options.subject.is_none() {
            options.subject = self.context_text("subject", host);
        }
        options.subject = options.subject.filter(|text| !text.trim().is_empty());
        let mut attributes = self.session.attributes.clone();
        for (key, value) in &host.attribute_writes {
            match value {
                Some(value) => attributes.insert(key.clone(), value.clone()),
                None => attributes.remove(key),
            };
        }
        attributes.append(&mut options.attributes);
        options.attributes = attributes;
        check_identity(&name, account, &options)?;
        Ok(TransferRequest {
            account: name,
            target,
            transcript: Vec::new(),
            options,
            opening_text: self
                .session
                .last_message
                .as_ref()
                .map(|message| message.text.clone()),
        })
    }

    /// Adds what the agent is to read of the conversation so far. The user's last message is not in it: it opens
    /// the handoff. What bots have to say to the agent comes last, whatever the transcript is to be.
    pub(super) async fn add_transcript(&mut self, request: &mut TransferRequest, host: &StepHost) {
        let mut lines = self.said_so_far(&request.options).await;
        let mut notes = self.session.for_agent.clone();
        // The node that hands over may have something to say, too.
        let own = host
            .messages
            .iter()
            .filter(|message| matches!(message.to, Audience::Agent | Audience::Both));
        notes.extend(own.map(|message| message.text.clone()));
        // What was said to both stands in a transcript already.
        let stands = |note: &String| {
            let mut said = lines.iter().filter_map(|line| line.split_once(": "));
            said.any(|(_, text)| text == note)
        };
        notes.retain(|note| !stands(note));
        lines.extend(notes);
        request.transcript = lines;
    }

    async fn said_so_far(&mut self, options: &TransferOptions) -> Vec<String> {
        let limit = match &options.transcript {
            Transcript::None => return Vec::new(),
            Transcript::Text(text) => return text.lines().map(str::to_owned).collect(),
            Transcript::Full => usize::MAX,
            Transcript::Last(limit) => *limit,
        };
        let user = options.identity.nickname.as_deref().unwrap_or("User");
        let lines = self.transcript().await;
        let opening = lines.iter().rposition(|line| line.speaker == Speaker::User);
        let said = lines.iter().enumerate().filter_map(|(at, line)| {
            let name = match &line.speaker {
                Speaker::User if Some(at) == opening => return None,
                Speaker::System => return None,
                Speaker::User => user,
                Speaker::Bot(name) | Speaker::Agent(name) => name,
            };
            Some(format!("{name}: {}", line.text))
        });
        let mut said: Vec<_> = said.collect();
        said.drain(..said.len().saturating_sub(limit));
        said
    }

    /// A context value as text, the step's own writes included.
    fn context_text(&self, key: &str, host: &StepHost) -> Option<String> {
        let value = match host.context_writes.get(key) {
            Some(written) => written.as_ref(),
            None => self.session.context.get(key),
        };
        match value? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Opens a handoff for a node that asked for one.
    pub(super) fn open_for_agent(&mut self, request: TransferRequest) {
        let handoff = self.open_handoff(request);
        self.push(Owner::Agent(AgentFrame { handoff }));
    }

    fn open_handoff(&mut self, mut request: TransferRequest) -> OpenHandoff {
        if let Some(text) = request.options.messages.requested.clone() {
            self.system_says(text);
        }
        self.session.handoffs_in_a_row += 1;
        let id = HandoffId::new(self.next_id());
        self.effect(EffectKind::OpenHandoff {
            handoff: id.clone(),
            request: request.clone(),
        });
        self.warn(&id, &request);
        // The effect carries the transcript to the agent; the session has no more use for it.
        request.transcript.clear();
        OpenHandoff {
            id,
            asked_at: Some(self.now),
            phase: Phase::Opening,
            last_agent: None,
            conversation: None,
            handle: Value::Null,
            no_agent_at: request
                .options
                .no_agent_timeout_ms
                .map(|timeout| self.now + timeout),
            request,
            tally: Tally::default(),
            queue_told: None,
            idle: None,
        }
    }

    /// Says what will not go as the designer may think.
    fn warn(&mut self, handoff: &HandoffId, request: &TransferRequest) {
        let Some(account) = self.project.accounts.get(&request.account) else {
            return;
        };
        let name = &request.account;
        let off = (!account.events()).then(|| {
            let message = format!(
                "the events of the account '{name}' are switched off, so the user sees nothing of what its \
                 agents do; take 'events = false' out of it in project.toml"
            );
            ("account.events_off", message)
        });
        let named = matches!(request.target, Target::Queue(_));
        let read = account.queue_attribute().filter(|_| !named);
        let misspelt = read.and_then(|read| {
            let attributes = &request.options.attributes;
            let near = attributes.keys().find(|key| key.eq_ignore_ascii_case(read));
            let near = near.filter(|_| !attributes.contains_key(read))?;
            let message = format!(
                "the attribute '{near}' chooses no queue, for the account '{name}' reads '{read}', in exactly \
                 these letters; rename it where the flow sets it, or set 'queue-attribute' of the account"
            );
            Some(("transfer.queue_key", message))
        });
        for (code, message) in off.into_iter().chain(misspelt) {
            self.journal.push(Entry::Signalled {
                handoff: handoff.clone(),
                signal: Signal::Notice {
                    code: code.to_owned(),
                    message,
                },
            });
        }
    }

    pub(super) fn system_says(&mut self, text: String) {
        self.say(Speaker::System, &text);
        self.effect(EffectKind::SendToUser {
            from: Sender::System,
            text,
            content: Vec::new(),
            message: None,
        });
    }
}

fn check_identity(
    name: &AccountName,
    account: &Account,
    options: &TransferOptions,
) -> Result<(), Failure> {
    let missing: Vec<&str> = account
        .required_identity()
        .into_iter()
        .filter(|field| options.identity.get(*field).is_none())
        .map(IdentityField::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let (are, them) = match missing.len() {
        1 => ("it is", "it"),
        _ => ("they are", "them"),
    };
    Err(Failure {
        code: "transfer.missing_field".to_owned(),
        message: format!(
            "the account '{name}' ({}) needs {} before a chat can start, and {are} not set; set {them} in \
             the context with a setContext node on every path to this one",
            account.transport(),
            name_list(missing.iter().copied()),
        ),
    })
}
