//! The scenario format: a TOML file with a head and a list of steps.

use crate::step::{Step, parse_step};
use handoff_engine::diagnostic::{Diagnostic, did_you_mean, name_list};
use handoff_engine::handoff::TransportKind;
use handoff_engine::name::EnvironmentName;
use handoff_engine::source::{Document, Part};
use handoff_server::{FileProblem, read_text_file};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_path_to_error::Segment;
use std::collections::BTreeMap;
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
    /// The environment that the project is loaded for; none is its first.
    pub environment: Option<EnvironmentName>,
    /// The simulated organisation.
    pub org: PathBuf,
    /// Transports it runs on; none for all that the project has accounts for.
    pub transports: Option<Vec<TransportKind>>,
    /// Whether the project's own default account and channels decide where each handoff goes. It is
    /// then played once.
    pub as_configured: bool,
    /// The bot that is talked to; none for the project's start bot.
    pub bot: Option<String>,
    /// The channel the user comes by.
    pub channel: Option<String>,
    /// The row of a capability matrix that it stands for.
    pub capability: Option<String>,
    /// What happens instead, on transports that lack the capability.
    pub instead: BTreeMap<TransportKind, String>,
    /// Whether the project fails to load, and with which codes.
    pub project_errors: Option<Vec<String>>,
    /// What happens.
    pub steps: Vec<Step>,
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
        error: FileProblem,
    },
    /// The file is not a scenario. Each mistake with its place.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Bad(Vec<Diagnostic>),
}

/// A scenario: who says what, what agents do, time passing, and what must hold.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Head {
    /// What it shows, in a sentence.
    name: String,
    /// Rows of a feature table that it proves.
    #[serde(default)]
    covers: Vec<String>,
    /// The project's directory, from here. Left out, it is the one above.
    #[serde(default)]
    project: Option<PathBuf>,
    /// The environment of the project.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    env: Option<EnvironmentName>,
    /// The simulated organisation, relative to the project. Left out, it is org.toml.
    #[serde(default)]
    org: Option<PathBuf>,
    /// The transports it runs on. Left out, it is all that the project has accounts for.
    #[serde(default)]
    transports: Option<Vec<TransportKind>>,
    /// The project's own default account and channels decide where handoffs go.
    #[serde(default)]
    as_configured: bool,
    /// The bot that is talked to. Left out, it is the project's first.
    #[serde(default)]
    bot: Option<String>,
    /// The channel the user comes by.
    #[serde(default)]
    channel: Option<String>,
    /// The row of the capability matrix that it stands for.
    #[serde(default)]
    capability: Option<String>,
    /// What happens instead, by transport.
    #[serde(default)]
    instead: BTreeMap<TransportKind, String>,
    /// Codes of the mistakes for which the project does not load.
    #[serde(default)]
    project_errors: Option<Vec<String>>,
    /// What is done, and what must hold, in order.
    #[serde(default)]
    #[schemars(schema_with = "crate::step::schema")]
    steps: Vec<Value>,
}

/// The JSON Schema of scenario files.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Head).to_value()
}

impl Scenario {
    /// Reads a scenario. All mistakes in its steps come at once.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let text = match leads_out(path) {
            true => Err(FileProblem::Outside),
            false => read_text_file(path),
        };
        let text = text.map_err(|error| FileError::Unreadable {
            path: file.clone(),
            error,
        })?;
        Self::parse(path, &text)
    }

    /// Reads a scenario from its text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, FileError> {
        let file = path.display().to_string();
        let document = Document::parse(&file, text).map_err(|error| FileError::Bad(vec![error]))?;
        let head: Head = serde_path_to_error::deserialize(document.value())
            .map_err(|error| FileError::Bad(vec![mistake_in_head(&document, &error)]))?;
        let mut steps = Vec::new();
        let mut mistakes = Vec::new();
        for (index, step) in head.steps.iter().enumerate() {
            let place = document.place(&format!("/steps/{index}"));
            match parse_step(step) {
                Ok((kind, limits)) => steps.push(Step {
                    line: place.line,
                    on: limits.on,
                    within: limits.within,
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
            environment: head.env,
            org: project.join(head.org.unwrap_or_else(|| PathBuf::from("org.toml"))),
            project,
            transports: head.transports,
            as_configured: head.as_configured,
            bot: head.bot,
            channel: head.channel,
            capability: head.capability,
            instead: head.instead,
            project_errors: head.project_errors,
            steps,
        })
    }
}

/// Whether a scenario of a project is a link to a file outside of the project.
fn leads_out(path: &Path) -> bool {
    let folder = path.parent().map(Path::canonicalize);
    let (Some(Ok(folder)), Ok(real)) = (folder, path.canonicalize()) else {
        return false;
    };
    let is_in_project = folder.file_name().is_some_and(|name| name == "scenarios");
    let project = folder.parent().unwrap_or(&folder);
    is_in_project && !real.starts_with(project)
}

/// How each word of the head is written.
const HEAD_EXAMPLES: &[(&str, &str)] = &[
    ("name", "name = \"An agent takes over\""),
    ("covers", "covers = [\"SO5\"]"),
    ("project", "project = \"../../other\""),
    ("env", "env = \"production\""),
    ("org", "org = \"org-night.toml\""),
    ("transports", "transports = [\"cloud-web-messaging\"]"),
    ("as-configured", "as-configured = true"),
    ("bot", "bot = \"CareBot\""),
    ("channel", "channel = \"whatsapp\""),
    ("capability", "capability = \"Typing of the agent\""),
    (
        "instead",
        "instead = { cloud-webchat = \"nothing is shown\" }",
    ),
    ("project-errors", "project-errors = [\"flow.unknown_node\"]"),
    ("steps", "steps = [{ user = \"hi\" }, { bot = \"*\" }]"),
];

/// Words that do not say what to write get it from here.
fn mistake_in_head(
    document: &Document,
    error: &serde_path_to_error::Error<serde_json::Error>,
) -> Diagnostic {
    let mut pointer = String::new();
    for segment in error.path() {
        pointer = match segment {
            Segment::Map { key } => handoff_engine::source::pointer(&pointer, key),
            Segment::Seq { index } => format!("{pointer}/{index}"),
            Segment::Enum { .. } | Segment::Unknown => pointer,
        };
    }
    let names = || HEAD_EXAMPLES.iter().map(|(name, _)| *name);
    let word = pointer.split('/').nth(1).unwrap_or("name");
    let message = error.inner().to_string();
    let help = match HEAD_EXAMPLES.iter().find(|(name, _)| *name == word) {
        Some((_, example)) => format!("write for example {example}"),
        None => did_you_mean(word, names())
            .unwrap_or_else(|| format!("a scenario has {}", name_list(names()))),
    };
    Diagnostic::error(
        "scenario.bad",
        document.place_of(&pointer, Part::Key),
        message,
    )
    .help(help)
}

/// Collects scenario files: the file itself, or every `*.toml` in a directory named `scenarios` at or
/// below a directory, in order of their paths.
pub fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), FileError> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let unreadable = |error: std::io::Error| FileError::Unreadable {
        path: path.display().to_string(),
        error: FileProblem::Unreadable(error.kind()),
    };
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    entries.sort();
    let here = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let holds_scenarios = here.file_name().is_some_and(|name| name == "scenarios");
    for entry in entries {
        // A link may lead round in a circle.
        if entry.is_dir() && !entry.is_symlink() {
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
        let mut transports = match &self.transports {
            Some(transports) => transports.clone(),
            None => self.transports_of_project(),
        };
        if self.as_configured {
            transports.truncate(1);
        }
        transports
    }

    /// The transports of the project's accounts, those its worker bots bring along included. Of a
    /// project that cannot be read, all: playing on any will say what is wrong with it.
    fn transports_of_project(&self) -> Vec<TransportKind> {
        let manifest = read_text_file(&self.project.join("project.toml"));
        let read = manifest.map(|text| toml::from_str::<Accounts>(&text));
        let Ok(Ok(manifest)) = read else {
            return TransportKind::ALL.to_vec();
        };
        let accounts = manifest.accounts.values();
        let mut had: Vec<TransportKind> = accounts.map(|account| account.transport).collect();
        if manifest.bots.values().any(|bot| bot.worker.is_some()) {
            had.push(TransportKind::EngageChatV2);
        }
        let all = TransportKind::ALL.into_iter();
        all.filter(|transport| had.contains(transport)).collect()
    }
}

/// What a manifest says of transports; everything else is the engine's to read.
#[derive(Deserialize)]
struct Accounts {
    #[serde(default)]
    accounts: BTreeMap<String, OneAccount>,
    #[serde(default)]
    bots: BTreeMap<String, OneBot>,
}

#[derive(Deserialize)]
struct OneAccount {
    transport: TransportKind,
}

#[derive(Deserialize)]
struct OneBot {
    worker: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_head_has_an_example_that_is_taken() {
        let schema = schema();
        let words = schema["properties"].as_object().expect("an object");
        let examples: BTreeMap<_, _> = HEAD_EXAMPLES.iter().copied().collect();
        assert!(
            words
                .keys()
                .map(String::as_str)
                .eq(examples.keys().copied())
        );
        for (word, example) in examples {
            let text = match word {
                "name" => example.to_owned(),
                _ => format!("name = 'x'\n{example}"),
            };
            Scenario::parse(Path::new("s.toml"), &text).expect(word);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_scenario_that_leads_out_of_its_project_is_not_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let folder = directory.path().join("project/scenarios");
        std::fs::create_dir_all(&folder).expect("created");
        let outside = directory.path().join("secret.toml");
        std::fs::write(&outside, "name = 'x'\nPASSWORD").expect("written");
        let inside = folder.join("inside.toml");
        std::fs::write(&inside, "name = 'x'\nsteps = []").expect("written");
        let link = |name: &str, to: &Path| {
            std::os::unix::fs::symlink(to, folder.join(name)).expect("linked");
        };
        link("a.toml", &outside);
        link("b.toml", Path::new("/dev/zero"));
        link("c.toml", &inside);
        let mut found = Vec::new();
        find(directory.path(), &mut found).expect("looks");
        let read: Vec<_> = found.iter().map(|path| Scenario::read(path)).collect();
        assert!(matches!(
            &read[..],
            [
                Err(FileError::Unreadable {
                    error: FileProblem::Outside,
                    ..
                }),
                Err(FileError::Unreadable {
                    error: FileProblem::Outside,
                    ..
                }),
                Ok(_),
                Ok(_)
            ]
        ));
    }
}
