//! Playing a scenario, step after step.

use crate::expect::{Expectations, Holds};
use crate::file::Scenario;
use crate::preflight;
use crate::provision;
use crate::sample;
use crate::stage::{Stage, StageError, load_project};
use crate::step::{AgentAct, Step, StepKind, UserAct};
use crate::told::{self, Told};
use crate::webhook;
use genesys_sim::{AgentAction, ControlError, StructuredContent};
use handoff_engine::Engine;
use handoff_engine::content::{Receipt, UserMessage};
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::{BotName, Revision};
use handoff_engine::time::Millis;
use handoff_server::InputError;
use handoff_store::{MemoryStore, Store};
use std::sync::Arc;

/// How long, in simulated time, what must hold may take to hold.
const PATIENCE: Millis = Millis::from_secs(45);

/// How a scenario went.
#[derive(Debug)]
pub struct Report {
    /// The scenario.
    pub scenario: Scenario,
    /// The transport it ran on.
    pub transport: TransportKind,
    /// How it went.
    pub outcome: Outcome,
}

/// How a scenario went.
#[derive(Debug)]
pub enum Outcome {
    /// Everything held.
    Passed,
    /// Something did not.
    Failed(Failure),
    /// It could not be played.
    NotPlayed(StageError),
}

/// What did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Line of the scenario file.
    pub line: usize,
    /// What was expected.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

/// Plays a scenario on a transport. `tell` is given each line as it happens.
pub async fn play(
    engine: &Engine,
    scenario: &Scenario,
    transport: TransportKind,
    tell: &mut (dyn FnMut(&Told) + Send),
) -> Report {
    play_in(
        Arc::new(MemoryStore::new()),
        engine,
        scenario,
        transport,
        tell,
    )
    .await
}

/// As [`play`], with the sessions kept in a store: `session-1` and, where the user comes again,
/// `session-2` and so on.
pub async fn play_in(
    store: Arc<dyn Store>,
    engine: &Engine,
    scenario: &Scenario,
    transport: TransportKind,
    tell: &mut (dyn FnMut(&Told) + Send),
) -> Report {
    let outcome = match perform(store, engine, scenario, transport, tell).await {
        Ok(Ok(())) => Outcome::Passed,
        Ok(Err(failure)) => Outcome::Failed(failure),
        Err(error) => Outcome::NotPlayed(error),
    };
    Report {
        scenario: scenario.clone(),
        transport,
        outcome,
    }
}

async fn perform(
    store: Arc<dyn Store>,
    engine: &Engine,
    scenario: &Scenario,
    transport: TransportKind,
    tell: &mut (dyn FnMut(&Told) + Send),
) -> Result<Result<(), Failure>, StageError> {
    let elsewhere;
    let engine = match &scenario.environment {
        Some(environment) => {
            elsewhere = engine.in_environment(environment.clone());
            &elsewhere
        }
        None => engine,
    };
    if let Some(codes) = &scenario.project_errors {
        return Ok(must_not_load(engine, scenario, codes).await);
    }
    let stage = Stage::set_up(engine, scenario, transport, store).await?;
    let mut playing = Playing {
        stage,
        tell,
        revision: Revision::default(),
        stack: Vec::new(),
        inputs: 0,
        refusal: None,
        seen: Expectations::default(),
    };
    playing.start(scenario).await;
    for step in &scenario.steps {
        let elsewhere = |on: &Vec<TransportKind>| !on.contains(&transport);
        if step.on.as_ref().is_some_and(elsewhere) {
            continue;
        }
        if let Err(failure) = playing.step(scenario, step).await? {
            return Ok(Err(failure));
        }
    }
    let end = Step {
        line: scenario.steps.last().map_or(1, |step| step.line),
        on: None,
        within: None,
        kind: StepKind::Silence,
    };
    Ok(playing.must_hold(&end).await)
}

/// A scenario about a project that is refused.
async fn must_not_load(
    engine: &Engine,
    scenario: &Scenario,
    codes: &[String],
) -> Result<(), Failure> {
    refused_with(load_project(engine, &scenario.project).await, codes)
}

/// Whether a version was published, or refused with codes if there are any.
fn as_expected(
    published: Result<(), StageError>,
    codes: Option<&[String]>,
) -> Result<Result<(), Failure>, StageError> {
    match codes {
        Some(codes) => Ok(refused_with(published, codes)),
        None => published.map(Ok),
    }
}

/// Whether a project was refused, with these codes at least.
fn refused_with<T>(loaded: Result<T, StageError>, codes: &[String]) -> Result<(), Failure> {
    let expected = format!("the project to be refused with {}", codes.join(", "));
    let fail = |got: String| {
        Err(Failure {
            line: 1,
            expected: expected.clone(),
            got,
        })
    };
    match loaded {
        Ok(_) => fail("it loaded".to_owned()),
        Err(StageError::Project(found)) => {
            let found_codes: Vec<&str> = found.iter().map(|it| it.code).collect();
            if codes
                .iter()
                .all(|code| found_codes.contains(&code.as_str()))
            {
                return Ok(());
            }
            fail(StageError::Project(found).to_string())
        }
        Err(other) => fail(other.to_string()),
    }
}

/// A scenario under way.
struct Playing<'t> {
    stage: Stage,
    tell: &'t mut (dyn FnMut(&Told) + Send),
    /// The last turn that was told.
    revision: Revision,
    stack: Vec<String>,
    inputs: usize,
    /// The code with which the user's last deed was refused.
    refusal: Option<String>,
    seen: Expectations,
}

impl Playing<'_> {
    async fn start(&mut self, scenario: &Scenario) {
        let bot = scenario.bot.as_deref().map(BotName::from);
        let session = self.stage.session.clone();
        let channel = scenario.channel.clone();
        let started = self.stage.host.start_session(session, bot, channel).await;
        self.note_refusal(started);
        self.rest().await;
    }

    /// Outer error: the scenario cannot go on. Inner error: something does not hold.
    async fn step(
        &mut self,
        scenario: &Scenario,
        step: &Step,
    ) -> Result<Result<(), Failure>, StageError> {
        let at = self.stage.now();
        match &step.kind {
            StepKind::UserSays { text, id } => {
                let id = id.clone().unwrap_or_else(|| self.next_input());
                let session = &self.stage.session;
                let said = self.stage.host.user_message(session, &id, text).await;
                self.note_refusal(said);
                self.rest().await;
            }
            StepKind::UserAttaches { text, file, bytes } => {
                let sent = self.attach(text, sample::file(file, *bytes)).await;
                if let Err(error) = sent {
                    self.refusal = Some(error);
                }
                self.rest().await;
            }
            StepKind::UserPicks(label) => {
                if let Err(got) = self.pick(label).await {
                    let expected = format!("the last message to offer {label:?}");
                    let line = step.line;
                    return Ok(Err(Failure {
                        line,
                        expected,
                        got,
                    }));
                }
                self.rest().await;
            }
            StepKind::UserDoes(act @ (UserAct::Receive | UserAct::Read)) => {
                let receipt = match act {
                    UserAct::Read => Receipt::Read,
                    _ => Receipt::Delivered,
                };
                let id = self.next_input();
                if let Some((message, _)) = self.seen.last_offer(&self.stage).await {
                    let (host, session) = (&self.stage.host, &self.stage.session);
                    let told = host.user_receipt(session, &id, &message, receipt).await;
                    self.note_refusal(told);
                }
                self.rest().await;
            }
            StepKind::UserDoes(act) => {
                let id = self.next_input();
                let (host, session) = (&self.stage.host, &self.stage.session);
                let done = match act {
                    UserAct::Leave => host.user_leaves(session, &id).await,
                    UserAct::Type => host.user_typing(session, &id, true).await,
                    // Receipts are dealt with above.
                    UserAct::StopTyping | UserAct::Receive | UserAct::Read => {
                        host.user_typing(session, &id, false).await
                    }
                };
                self.note_refusal(done);
                self.rest().await;
            }
            StepKind::Agent(agent, act) => return Ok(self.agent(step.line, agent, act).await),
            StepKind::AgentCannot(agent, act) => {
                let tried = self.stage.control.agent(agent, action(act));
                let expected = format!("{agent} to be unable to: {act:?}");
                if let Some(got) = not_refused(tried) {
                    let line = step.line;
                    return Ok(Err(Failure {
                        line,
                        expected,
                        got,
                    }));
                }
            }
            StepKind::Advance(span) => {
                (self.tell)(&told::scenario(at, format!("{} pass", span.0)));
                let until = at + span.0;
                while self.stage.hop(until).await {
                    self.retell().await;
                }
                self.retell().await;
            }
            StepKind::Jump(span) => {
                (self.tell)(&told::scenario(
                    at,
                    format!("the clock jumps by {}", span.0),
                ));
                self.stage.jump(at + span.0).await;
                self.retell().await;
            }
            StepKind::Start => {
                self.stage.next_session();
                self.revision = Revision::default();
                self.stack = Vec::new();
                self.seen = Expectations::default();
                self.start(scenario).await;
            }
            StepKind::Restart => {
                (self.tell)(&told::scenario(at, "the host is restarted".to_owned()));
                self.stage.restart().await?;
                self.rest().await;
            }
            StepKind::Publish { project, refused } => {
                (self.tell)(&told::scenario(at, format!("{project} is published")));
                let path = scenario.project.join(project);
                let published = self.stage.publish(&path).await;
                if let Err(got) = as_expected(published, refused.as_deref())? {
                    return Ok(Err(Failure {
                        line: step.line,
                        ..got
                    }));
                }
                self.rest().await;
            }
            StepKind::ApiAnswers {
                origin,
                status,
                body,
            } => {
                let told = self.stage.apis.answers(origin, *status, body.clone());
                if let Err(got) = told {
                    return Ok(Err(Failure {
                        line: step.line,
                        expected: "an API that answers".to_owned(),
                        got,
                    }));
                }
            }
            StepKind::Fault(fault) => {
                let fault = serde_json::Value::Object(fault.clone());
                match serde_json::from_value(fault) {
                    Ok(fault) => self.stage.control.fault(fault),
                    Err(error) => {
                        return Ok(Err(Failure {
                            line: step.line,
                            expected: "a fault of the simulator".to_owned(),
                            got: error.to_string(),
                        }));
                    }
                }
                self.rest().await;
            }
            StepKind::Webhook(call) => {
                (self.tell)(&told::scenario(
                    at,
                    format!("somebody calls the webhook: {}", call.says),
                ));
                let answered = webhook::call(&self.stage, step.line, call).await;
                self.rest().await;
                return Ok(answered);
            }
            StepKind::Provision(wanted) => {
                (self.tell)(&told::scenario(
                    at,
                    format!("the account '{}' is provisioned", wanted.account),
                ));
                let done = provision::holds(&mut self.stage, step.line, wanted).await;
                self.rest().await;
                return Ok(done);
            }
            StepKind::Admin(act) => return Ok(provision::admin(&self.stage, step.line, act)),
            StepKind::Preflight(wanted) => {
                (self.tell)(&told::scenario(
                    at,
                    format!("the account '{}' is looked at", wanted.account),
                ));
                return Ok(preflight::holds(&self.stage, step.line, wanted).await);
            }
            _ => return Ok(self.must_hold(step).await),
        }
        Ok(Ok(()))
    }

    /// The user sends a file. The error is the code of a refusal.
    async fn attach(&mut self, text: &str, file: handoff_genesys::File) -> Result<(), String> {
        let id = self.next_input();
        let host = &self.stage.host;
        let kept = host.keep_file(file).await;
        let attachment = kept.map_err(|error| error.code().to_owned())?;
        let message = UserMessage {
            text: text.to_owned(),
            attachments: vec![attachment],
            choice: None,
        };
        let said = host.user_says(&self.stage.session, &id, message).await;
        self.note_refusal(said);
        Ok(())
    }

    /// The user picks something the last message offered. The error says what it offers.
    async fn pick(&mut self, label: &str) -> Result<(), String> {
        let id = self.next_input();
        let offer = self.seen.last_offer(&self.stage).await;
        let Some((message, content)) = offer else {
            return Err("no message offers anything".to_owned());
        };
        let said = UserMessage::picking(label, &content, &message);
        let said = said.ok_or_else(|| format!("{content:?}"))?;
        let (host, session) = (&self.stage.host, &self.stage.session);
        let said = host.user_says(session, &id, said).await;
        self.note_refusal(said);
        Ok(())
    }

    /// An agent acts, as soon as the conversation is before them.
    async fn agent(&mut self, line: usize, agent: &str, act: &AgentAct) -> Result<(), Failure> {
        let action = action(act);
        let until = self.stage.now() + PATIENCE;
        loop {
            self.rest().await;
            let Err(error) = self.stage.control.agent(agent, action.clone()) else {
                self.rest().await;
                return Ok(());
            };
            if !self.stage.hop(until).await {
                return Err(Failure {
                    line,
                    expected: format!("{agent} to be able to: {act:?}"),
                    got: error.to_string(),
                });
            }
        }
    }

    /// Waits, in simulated time, until something holds.
    async fn must_hold(&mut self, step: &Step) -> Result<(), Failure> {
        let until = self.stage.now() + step.within.map_or(PATIENCE, |within| within.0);
        loop {
            self.rest().await;
            let refusal = self.refusal.as_deref();
            let holds = self.seen.holds(&self.stage, refusal, &step.kind).await;
            let (expected, got) = match holds {
                Holds::Yes => return Ok(()),
                Holds::NotYet { expected, got } if self.stage.hop(until).await => {
                    let _ = (expected, got);
                    continue;
                }
                Holds::NotYet { expected, got } | Holds::Never { expected, got } => (expected, got),
            };
            self.retell().await;
            return Err(Failure {
                line: step.line,
                expected,
                got,
            });
        }
    }

    /// Lets everything come to rest, and tells what happened.
    async fn rest(&mut self) {
        self.stage.settle().await;
        self.retell().await;
    }

    async fn retell(&mut self) {
        let session = &self.stage.session;
        let journal = self.stage.host.journal(session, self.revision.next()).await;
        for turn in journal.unwrap_or_default() {
            for line in told::turn(&turn, &self.stack) {
                (self.tell)(&line);
            }
            self.revision = turn.session.revision;
            self.stack = turn.session.stack_names();
        }
    }

    fn next_input(&mut self) -> String {
        self.inputs += 1;
        format!("{}", self.inputs)
    }

    fn note_refusal(&mut self, result: Result<(), InputError>) {
        self.refusal = result.err().map(|error| error.code().to_owned());
    }
}

/// What an agent does, in the simulator's words.
fn action(act: &AgentAct) -> AgentAction {
    match act {
        AgentAct::Accept => AgentAction::Accept,
        AgentAct::Decline => AgentAction::Decline,
        AgentAct::Close => AgentAction::Close,
        AgentAct::Type => AgentAction::Typing(true),
        AgentAct::StopTyping => AgentAction::Typing(false),
        AgentAct::FinishAfterCallWork => AgentAction::FinishAfterCallWork,
        AgentAct::GoOnQueue => AgentAction::OnQueue(true),
        AgentAct::GoOffQueue => AgentAction::OnQueue(false),
        AgentAct::Say(text) => AgentAction::Say(text.clone()),
        AgentAct::Send(name) => AgentAction::SendFile(name.clone()),
        AgentAct::Offer { text, content } => AgentAction::SendContent(StructuredContent {
            text: Some(text.clone()).filter(|text| !text.is_empty()),
            items: content.clone(),
        }),
        AgentAct::TransferToQueue(queue) => AgentAction::TransferToQueue(queue.clone()),
        AgentAct::TransferToAgent(other) => AgentAction::TransferToAgent(other.clone()),
    }
}

/// Why an order was not refused: the transport has no way to carry it out, or the centre no wish to.
fn not_refused(tried: Result<(), ControlError>) -> Option<String> {
    match tried {
        Err(ControlError::NotCarried { .. } | ControlError::FileRefused { .. }) => None,
        Err(other) => Some(other.to_string()),
        Ok(()) => Some("it was done".to_owned()),
    }
}
