//! The scenario format: a TOML file with a list of steps, each one thing that is done or must hold.
//!
//! A step is a table whose first word says what it is: `{ user = "hi" }`,
//! `{ agent = "kim", does = "accept" }`, `{ context = { SessionEndReason = "AgentLeft" } }`.

use handoff_engine::diagnostic::{Diagnostic, did_you_mean, name_list};
use handoff_engine::handoff::TransportKind;
use handoff_engine::project::Span;
use handoff_engine::source::{Document, Part};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A scenario as read.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it stands.
    pub path: PathBuf,
    /// What it shows, in a sentence.
    pub name: String,
    /// Rows of the feature table that it proves.
    pub covers: Vec<String>,
    /// The project's directory.
    pub project: PathBuf,
    /// The simulated organisation.
    pub org: PathBuf,
    /// Transports it runs on; none for all.
    pub transports: Option<Vec<TransportKind>>,
    /// The bot that is talked to; none for the project's start bot.
    pub bot: Option<String>,
    /// The channel the user comes by.
    pub channel: Option<String>,
    /// Whether the project fails to load, and with which codes.
    pub project_errors: Option<Vec<String>>,
    /// What happens.
    pub steps: Vec<Step>,
}

/// One step and its place.
#[derive(Clone, Debug)]
pub struct Step {
    /// Line of the file, from 1.
    pub line: usize,
    /// What it is.
    pub kind: StepKind,
}

/// What a step is. The first group is done, the second must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum StepKind {
    /// The user writes.
    UserSays(String),
    /// The user does something else.
    UserDoes(UserAct),
    /// An agent does something.
    Agent(String, AgentAct),
    /// Time passes.
    Advance(Span),
    /// The host is stopped, and another one started on the same store.
    Restart,
    /// Something goes wrong at Genesys: a fault of the simulator.
    Fault(Map<String, Value>),

    /// The next message is a bot's, with this text. `*` stands for anything.
    BotSays(String),
    /// The next message is the host's or the platform's.
    SystemSays(String),
    /// The next message is an agent's.
    UserHears {
        /// The text.
        text: String,
        /// The agent's name.
        from: Option<String>,
    },
    /// The user sees that an agent types, or stopped.
    UserSees(Typing),
    /// No further message has come.
    Silence,
    /// An agent has a message of the user's before them.
    AgentHears(String, String),
    /// These are all messages of the user's in the last conversation, in order.
    Heard(Vec<String>),
    /// An agent sees these participant attributes.
    AgentSees(String, Map<String, Value>),
    /// How an agent is occupied.
    AgentIs(String, Occupation),
    /// These keys of the context have these values.
    Context(Map<String, Value>),
    /// These keys are not in the context.
    ContextLacks(Vec<String>),
    /// Names of the owners, the one in charge last.
    Stack(Vec<String>),
    /// The node the flow in charge is at.
    AtNode(String),
    /// Whether the session goes on, and why not.
    Session {
        /// `open` or `closed`.
        open: bool,
        /// Why it closed.
        reason: Option<String>,
    },
    /// How many handoffs of the session have ended.
    HandoffsEnded(usize),
    /// How many conversations there ever were at Genesys.
    Conversations(usize),
    /// How many network calls were made to Genesys.
    Requests(usize),
    /// The queue in which the last conversation waits, or last waited.
    Queue(String),
    /// The identity fields that the last conversation was started with.
    Identity(Map<String, Value>),
    /// Identity fields that were not sent.
    IdentityLacks(Vec<String>),
    /// The last conversation goes on at Genesys, or was ended by someone.
    Conversation(String),
    /// What the user did last was refused with this code.
    Refused(String),
    /// The finer detail of how the last handoff ended.
    EndDetail {
        /// Its code.
        code: String,
        /// Words that its message holds.
        mentions: Vec<String>,
    },
    /// What went wrong last in a node.
    Error {
        /// Its code.
        code: String,
        /// Words that its message holds.
        mentions: Vec<String>,
    },
}

/// What a user can do but write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserAct {
    /// Leaves.
    Leave,
    /// Begins to type.
    Type,
    /// Stops typing.
    StopTyping,
}

/// Whether someone types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Typing {
    /// They do.
    Typing,
    /// They stopped.
    StoppedTyping,
}

/// What an agent can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgentAct {
    /// Answers.
    Accept,
    /// Refuses.
    Decline,
    /// Ends the conversation.
    Close,
    /// Begins to type.
    Type,
    /// Stops typing.
    StopTyping,
    /// Ends after-call work.
    FinishAfterCallWork,
    /// Takes conversations from now on.
    GoOnQueue,
    /// Takes none any more.
    GoOffQueue,
    /// Writes.
    Say(String),
    /// Hands the conversation to a queue.
    TransferToQueue(String),
    /// Hands the conversation to an agent.
    TransferToAgent(String),
}

/// How an agent is occupied with the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Occupation {
    /// It rings.
    Alerting,
    /// They talk.
    Connected,
    /// The work after it.
    AfterCallWork,
    /// None.
    Idle,
}

/// A scenario that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("the scenario '{path}' cannot be read: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        #[source]
        error: std::io::Error,
    },
    /// The file is not a scenario. Each mistake with its place.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Bad(Vec<Diagnostic>),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Head {
    name: String,
    #[serde(default)]
    covers: Vec<String>,
    #[serde(default)]
    project: Option<PathBuf>,
    #[serde(default)]
    org: Option<PathBuf>,
    #[serde(default)]
    transports: Option<Vec<TransportKind>>,
    #[serde(default)]
    bot: Option<String>,
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    project_errors: Option<Vec<String>>,
    #[serde(default)]
    steps: Vec<Value>,
}

impl Scenario {
    /// Reads a scenario. All mistakes in its steps come at once.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| FileError::Unreadable {
            path: file.clone(),
            error,
        })?;
        Self::parse(path, &text)
    }

    /// Reads a scenario from its text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let document = Document::parse(&file, text).map_err(|error| FileError::Bad(vec![error]))?;
        let head: Head = serde_path_to_error::deserialize(document.value()).map_err(|error| {
            let pointer = format!("/{}", error.path().to_string().replace('.', "/"));
            FileError::Bad(vec![Diagnostic::error(
                "scenario.bad",
                document.place_of(&pointer, Part::Key),
                error.inner().to_string(),
            )])
        })?;
        let mut steps = Vec::new();
        let mut mistakes = Vec::new();
        for (index, step) in head.steps.iter().enumerate() {
            let place = document.place(&format!("/steps/{index}"));
            match parse_step(step) {
                Ok(kind) => steps.push(Step {
                    line: place.line,
                    kind,
                }),
                Err(message) => {
                    mistakes.push(Diagnostic::error("scenario.bad_step", place, message));
                }
            }
        }
        if !mistakes.is_empty() {
            return Err(FileError::Bad(mistakes));
        }
        let directory = path.parent().unwrap_or(Path::new("."));
        let project = directory.join(head.project.unwrap_or_else(|| PathBuf::from("..")));
        Ok(Self {
            path: path.to_owned(),
            name: head.name,
            covers: head.covers,
            org: project.join(head.org.unwrap_or_else(|| PathBuf::from("org.toml"))),
            project,
            transports: head.transports,
            bot: head.bot,
            channel: head.channel,
            project_errors: head.project_errors,
            steps,
        })
    }
}

/// Collects scenario files: the file itself, or every `*.toml` in a directory named `scenarios` at or
/// below a directory, in order of their paths.
pub fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), FileError> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let unreadable = |error| FileError::Unreadable {
        path: path.display().to_string(),
        error,
    };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    entries.sort();
    let here = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let holds_scenarios = here.file_name().is_some_and(|name| name == "scenarios");
    for entry in entries {
        if entry.is_dir() {
            find(&entry, files)?;
        } else if holds_scenarios && entry.extension().is_some_and(|ending| ending == "toml") {
            files.push(entry);
        }
    }
    Ok(())
}

impl Scenario {
    /// The transports it is to be played on.
    #[must_use]
    pub fn plays_on(&self) -> Vec<TransportKind> {
        if self.project_errors.is_some() {
            // Nothing is handed over.
            return vec![TransportKind::ALL[0]];
        }
        self.transports
            .clone()
            .unwrap_or_else(|| TransportKind::ALL.to_vec())
    }
}

/// The words a step can begin with, each with the words that can go along.
const VERBS: &[(&str, &[&str])] = &[
    ("user", &["does"]),
    (
        "agent",
        &[
            "does",
            "says",
            "transfers-to-queue",
            "transfers-to-agent",
            "hears",
            "sees",
            "is",
        ],
    ),
    ("advance", &[]),
    ("restart", &[]),
    ("fault", &[]),
    ("bot", &[]),
    ("system", &[]),
    ("user-hears", &["from"]),
    ("user-sees", &[]),
    ("silence", &[]),
    ("heard", &[]),
    ("context", &[]),
    ("context-lacks", &[]),
    ("stack", &[]),
    ("node", &[]),
    ("session", &["reason"]),
    ("handoffs-ended", &[]),
    ("conversations", &[]),
    ("requests", &[]),
    ("queue", &[]),
    ("identity", &[]),
    ("identity-lacks", &[]),
    ("conversation", &[]),
    ("refused", &[]),
    ("end-detail", &["mentions"]),
    ("error", &["mentions"]),
];

fn parse_step(step: &Value) -> Result<StepKind, String> {
    let Value::Object(step) = step else {
        return Err("a step is a table, for example { user = \"hi\" }".to_owned());
    };
    let verbs = || VERBS.iter().map(|(verb, _)| *verb);
    let Some((verb, along)) = VERBS.iter().find(|(verb, _)| step.contains_key(*verb)) else {
        let first = step.keys().next().map_or("", String::as_str);
        let help = did_you_mean(first, verbs())
            .unwrap_or_else(|| format!("a step begins with one of {}", name_list(verbs())));
        return Err(format!("'{first}' is not a step; {help}"));
    };
    let stray = step
        .keys()
        .find(|key| key.as_str() != *verb && !along.contains(&key.as_str()));
    if let Some(stray) = stray {
        return Err(match along.len() {
            0 => format!("'{stray}' cannot stand beside '{verb}'; make it a step of its own"),
            _ => format!(
                "'{stray}' cannot stand beside '{verb}'; {} can",
                name_list(along.iter().copied())
            ),
        });
    }
    let words = Words { verb, step };
    match *verb {
        "user" => match step.get("does") {
            Some(_) if step["user"] == true => Ok(StepKind::UserDoes(words.get("does")?)),
            Some(_) => Err("write { user = true, does = \"leave\" }".to_owned()),
            None => Ok(StepKind::UserSays(words.get("user")?)),
        },
        "agent" => parse_agent(&words),
        "advance" => {
            let text: String = words.get("advance")?;
            Span::parse(&text)
                .map(StepKind::Advance)
                .map_err(|error| error.to_string())
        }
        "restart" => words.flag(StepKind::Restart),
        "fault" => Ok(StepKind::Fault(words.get("fault")?)),
        "bot" => Ok(StepKind::BotSays(words.get("bot")?)),
        "system" => Ok(StepKind::SystemSays(words.get("system")?)),
        "user-hears" => Ok(StepKind::UserHears {
            text: words.get("user-hears")?,
            from: words.maybe("from")?,
        }),
        "user-sees" => Ok(StepKind::UserSees(words.get("user-sees")?)),
        "silence" => words.flag(StepKind::Silence),
        "heard" => Ok(StepKind::Heard(words.get("heard")?)),
        "context" => Ok(StepKind::Context(words.get("context")?)),
        "context-lacks" => Ok(StepKind::ContextLacks(words.get("context-lacks")?)),
        "stack" => Ok(StepKind::Stack(words.get("stack")?)),
        "node" => Ok(StepKind::AtNode(words.get("node")?)),
        "session" => {
            let state: String = words.get("session")?;
            let open = match state.as_str() {
                "open" => true,
                "closed" => false,
                other => return Err(format!("'session' is 'open' or 'closed', not '{other}'")),
            };
            Ok(StepKind::Session {
                open,
                reason: words.maybe("reason")?,
            })
        }
        "handoffs-ended" => Ok(StepKind::HandoffsEnded(words.get("handoffs-ended")?)),
        "conversations" => Ok(StepKind::Conversations(words.get("conversations")?)),
        "requests" => Ok(StepKind::Requests(words.get("requests")?)),
        "queue" => Ok(StepKind::Queue(words.get("queue")?)),
        "identity" => Ok(StepKind::Identity(words.get("identity")?)),
        "identity-lacks" => Ok(StepKind::IdentityLacks(words.get("identity-lacks")?)),
        "conversation" => Ok(StepKind::Conversation(words.get("conversation")?)),
        "refused" => Ok(StepKind::Refused(words.get("refused")?)),
        "end-detail" => Ok(StepKind::EndDetail {
            code: words.get("end-detail")?,
            mentions: words.maybe("mentions")?.unwrap_or_default(),
        }),
        _ => Ok(StepKind::Error {
            code: words.get("error")?,
            mentions: words.maybe("mentions")?.unwrap_or_default(),
        }),
    }
}

fn parse_agent(words: &Words<'_>) -> Result<StepKind, String> {
    let agent: String = words.get("agent")?;
    let others: Vec<&str> = words
        .step
        .keys()
        .map(String::as_str)
        .filter(|key| *key != "agent")
        .collect();
    let [what] = others.as_slice() else {
        return Err(
            "an agent does one thing a step, for example { agent = \"kim\", does = \"accept\" }"
                .to_owned(),
        );
    };
    let act = match *what {
        "says" => AgentAct::Say(words.get("says")?),
        "transfers-to-queue" => AgentAct::TransferToQueue(words.get(what)?),
        "transfers-to-agent" => AgentAct::TransferToAgent(words.get(what)?),
        "hears" => return Ok(StepKind::AgentHears(agent, words.get("hears")?)),
        "sees" => return Ok(StepKind::AgentSees(agent, words.get("sees")?)),
        "is" => return Ok(StepKind::AgentIs(agent, words.get("is")?)),
        _ => {
            let does: String = words.get("does")?;
            let acts = [
                ("accept", AgentAct::Accept),
                ("decline", AgentAct::Decline),
                ("close", AgentAct::Close),
                ("type", AgentAct::Type),
                ("stop-typing", AgentAct::StopTyping),
                ("finish-after-call-work", AgentAct::FinishAfterCallWork),
                ("go-on-queue", AgentAct::GoOnQueue),
                ("go-off-queue", AgentAct::GoOffQueue),
            ];
            let names: Vec<&str> = acts.iter().map(|(name, _)| *name).collect();
            match acts.into_iter().find(|(name, _)| *name == does) {
                Some((_, act)) => act,
                None => {
                    return Err(format!(
                        "an agent cannot '{does}'; an agent does {}",
                        name_list(names)
                    ));
                }
            }
        }
    };
    Ok(StepKind::Agent(agent, act))
}

/// The words of a step.
struct Words<'a> {
    verb: &'a str,
    step: &'a Map<String, Value>,
}

impl Words<'_> {
    fn get<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<T, String> {
        let value = self.step.get(key).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| format!("'{key}': {error}"))
    }

    fn maybe<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Option<T>, String> {
        if self.step.contains_key(key) {
            return self.get(key).map(Some);
        }
        Ok(None)
    }

    fn flag(&self, kind: StepKind) -> Result<StepKind, String> {
        if self.step[self.verb] == true {
            return Ok(kind);
        }
        Err(format!("write {{ {} = true }}", self.verb))
    }
}
