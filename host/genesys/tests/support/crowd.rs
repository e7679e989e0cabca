//! Many handoffs at once over one transport, and what was told of each.

use super::{Stage, Told, no_repeats};
use genesys_sim::{AgentAction, ConversationView, Speaker};
use handoff_engine::content::{Receipt, UserMessage};
use handoff_engine::handoff::{FAREWELL, HandoffEnd, Signal, Tally, TransferRequest};
use handoff_engine::name::{EffectId, HandoffId, InputId};
use handoff_genesys::{Command, Link, Report, Reports};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;

/// Handoffs that go on at the same time.
pub(crate) struct Crowd {
    pub(crate) stage: Stage,
    pub(crate) all: Vec<Talk>,
    reports: Reports,
    told: Arc<Mutex<BTreeMap<HandoffId, Vec<Told>>>>,
}

/// One of them, as the user's side sees it.
pub(crate) struct Talk {
    pub(crate) handoff: HandoffId,
    link: Link,
    said: Vec<String>,
    given: Vec<EffectId>,
}

/// What became of a handoff.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) told: Vec<Told>,
    pub(crate) conversation: ConversationView,
    said: Vec<String>,
    given: Vec<EffectId>,
}

/// How close the transcript of the user's side is to the agents', nothing being lost in silence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fidelity {
    /// Whether the user's side was told in the order in which agents wrote.
    pub(crate) in_order: bool,
    /// How much of what the user said was told to have reached nobody, because it was over by then.
    pub(crate) undelivered: usize,
}

impl Crowd {
    pub(crate) fn new(stage: Stage) -> Self {
        let (reports, mut receiver): (_, mpsc::UnboundedReceiver<Report>) = Reports::channel();
        let told: Arc<Mutex<BTreeMap<HandoffId, Vec<Told>>>> = Arc::default();
        let into = Arc::clone(&told);
        tokio::spawn(async move {
            while let Some(report) = receiver.recv().await {
                let mut told = into.lock().unwrap();
                told.entry(report.handoff).or_default().push(Told {
                    input: report.input,
                    signal: report.signal,
                    handle: report.handle,
                    settled: report.settled,
                    tally: report.tally,
                });
            }
        });
        Self {
            stage,
            all: Vec::new(),
            reports,
            told,
        }
    }

    pub(crate) fn open(&mut self, handoff: HandoffId, request: TransferRequest) {
        let said = request.opening_text.clone();
        let transport = &self.stage.transport;
        let link = transport.open(handoff.clone(), request, self.reports.clone());
        self.all.push(Talk {
            handoff,
            link,
            said: said.into_iter().collect(),
            given: Vec::new(),
        });
    }

    /// Takes a handoff up again, from the last handle told, as another host would.
    pub(crate) fn restart(&mut self, number: usize) {
        let handoff = self.all[number].handoff.clone();
        let told = self.told_of(&handoff);
        let handle = told.last().unwrap().handle.clone();
        let settled: Vec<_> = told.into_iter().flat_map(|it| it.settled).collect();
        let talk = &mut self.all[number];
        // The opening is not a say.
        let texts = talk.said.iter().skip(1).zip(&talk.given);
        let unsettled = texts.filter(|(_, id)| !settled.contains(id));
        let unsettled = unsettled.map(|(text, id)| say(id, text)).collect();
        let transport = &self.stage.transport;
        talk.link = transport.resume(handoff, handle, unsettled, self.reports.clone());
    }

    fn told_of(&self, handoff: &HandoffId) -> Vec<Told> {
        let told = self.told.lock().unwrap();
        told.get(handoff).cloned().unwrap_or_default()
    }

    /// What was told of one handoff, and its conversation.
    pub(crate) fn outcome(&self, number: usize, views: &[ConversationView]) -> Outcome {
        let talk = &self.all[number];
        let told = self.told_of(&talk.handoff);
        // The guest's own wire does not tell every transport which conversation it is.
        let began = |view: &&ConversationView| view.lines.iter().any(|it| it.text == talk.said[0]);
        let conversation = views.iter().find(began);
        Outcome {
            conversation: conversation
                .unwrap_or_else(|| panic!("{} has no conversation: {told:#?}", talk.handoff))
                .clone(),
            told,
            said: talk.said.clone(),
            given: talk.given.clone(),
        }
    }

    pub(crate) fn views(&self) -> Vec<ConversationView> {
        self.stage.control.conversations()
    }

    /// Lets whoever a conversation is at do something; false if it is at nobody.
    pub(crate) fn agent(&self, view: &ConversationView, state: &str, action: AgentAction) -> bool {
        let mut there = view.participants.iter().rev();
        let there = there.find(|it| it.state == state && it.agent.is_some());
        let Some(agent) = there.and_then(|it| it.agent.as_ref()) else {
            return false;
        };
        let done = self.stage.control.agent_in(agent, &view.id, action);
        done.is_ok()
    }
}

impl Talk {
    pub(crate) fn say(&mut self, text: &str) {
        let id = EffectId::new(format!("{}/{}", self.handoff, self.given.len()));
        self.link.send(say(&id, text));
        self.given.push(id);
        self.said.push(text.to_owned());
    }

    pub(crate) fn leave(&self) {
        self.link.send(Command::Leave);
    }
}

fn say(id: &EffectId, text: &str) -> Command {
    Command::Say {
        id: id.clone(),
        message: UserMessage::text(text),
        input: Some(input(id)),
    }
}

/// The user's message behind a say.
fn input(id: &EffectId) -> InputId {
    InputId::new(format!("input/{id}"))
}

impl Outcome {
    pub(crate) fn signals(&self) -> impl Iterator<Item = &Signal> {
        self.told.iter().filter_map(|told| told.signal.as_ref())
    }

    /// How it ended. Checks that it did, once and last.
    pub(crate) fn end(&self) -> Result<&HandoffEnd, String> {
        let ends: Vec<_> = self
            .signals()
            .filter_map(|signal| match signal {
                Signal::Ended(end) => Some(end),
                _ => None,
            })
            .collect();
        match (ends.as_slice(), self.signals().last()) {
            ([end], Some(Signal::Ended(_))) => Ok(end),
            ([], _) => Err("never ended".to_owned()),
            _ => Err("ended more than once, or not at last".to_owned()),
        }
    }

    pub(crate) fn joined(&self) -> Vec<&str> {
        let names = self.signals().filter_map(|signal| match signal {
            Signal::AgentJoined { agent } => Some(agent.name.as_str()),
            _ => None,
        });
        names.collect()
    }

    /// Who answered, in truth.
    pub(crate) fn answered(&self) -> Vec<String> {
        let said = |line: &&genesys_sim::Line| line.who == Speaker::Agent;
        let mut names: Vec<String> = Vec::new();
        for line in self.conversation.lines.iter().filter(said) {
            if names.last() != Some(&line.name) {
                names.push(line.name.clone());
            }
        }
        names
    }

    /// What the user said and was told to have reached nobody, by its place among all that was said.
    fn undelivered(&self) -> BTreeSet<usize> {
        let failed: BTreeSet<_> = self
            .signals()
            .filter_map(|signal| match signal {
                Signal::Receipt {
                    message,
                    receipt: Receipt::Failed,
                } => Some(message.clone()),
                _ => None,
            })
            .collect();
        // The opening is not a say.
        let given = self.given.iter().enumerate();
        let failed = given.filter(|(_, id)| failed.contains(&input(id)));
        failed.map(|(at, _)| at + 1).collect()
    }

    /// Compares both transcripts, text by text: what the user said has arrived, once and in order, or
    /// its sender was told before the end that it has not.
    pub(crate) fn transcripts(&self) -> Result<Fidelity, String> {
        let lines = |who: Speaker| {
            let lines = self.conversation.lines.iter();
            let lines = lines.filter(move |line| line.who == who);
            lines.map(|line| line.text.as_str()).collect::<Vec<_>>()
        };
        let heard: Vec<_> = self
            .signals()
            .filter_map(|signal| match signal {
                Signal::Message {
                    from: Some(_),
                    text,
                    ..
                } => Some(text.as_str()),
                _ => None,
            })
            .collect();
        let by_agents = lines(Speaker::Agent);
        let sorted = |texts: &[&str]| {
            let mut texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            texts.sort_unstable();
            texts
        };
        if sorted(&heard) != sorted(&by_agents) {
            return Err(format!("the user heard {heard:?} of {by_agents:?}"));
        }
        let mut arrived = lines(Speaker::Customer);
        if arrived.last() == Some(&FAREWELL) {
            arrived.pop();
        }
        let undelivered = self.undelivered();
        let said = self.said.iter().enumerate();
        let said = said.filter(|(at, _)| !undelivered.contains(at));
        let expected: Vec<_> = said.map(|(_, text)| text.as_str()).collect();
        if arrived != expected {
            return Err(format!(
                "the agents have {arrived:?} of {:?}, of which {undelivered:?} were told to be lost",
                self.said
            ));
        }
        let mut settled: Vec<_> = self.told.iter().flat_map(|it| &it.settled).collect();
        settled.sort();
        settled.dedup();
        if settled.len() != self.given.len() {
            return Err(format!("{settled:?} settled of {:?}", self.given));
        }
        Ok(Fidelity {
            in_order: heard == by_agents,
            undelivered: undelivered.len(),
        })
    }

    /// Checks that every report has an id of its own.
    pub(crate) fn ids(&self) {
        no_repeats(&self.told);
    }

    pub(crate) fn tally(&self) -> Tally {
        self.told.last().map_or_else(Tally::default, |it| it.tally)
    }

    pub(crate) fn messages(&self) -> usize {
        self.conversation.lines.len()
    }
}
