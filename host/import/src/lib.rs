//! Projects made of what other systems' Genesys integrations were configured with.
//!
//! Texts in, texts out: who calls this reads the files, and writes the project. What comes out is a
//! project of its own that can be checked and played: `project.toml`, a flow, a simulated organisation, one
//! scenario, and a `README.md` that says what came from where. What an integration says that has no place
//! in the project is never dropped in silence: it is among the [`Imported::notes`], with its file and line.
//!
//! | module | from |
//! |---|---|
//! | [`servisbot`] | worker and BaaS documents, JSON |
//! | [`kore`] | an agent's settings, and the scripts that call `agentUtils.setMetaInfo` |
//! | [`dydu`] | a connector's settings, and tables of competencies, CSV |

mod dialogue;
pub mod dydu;
mod form;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
pub mod kore;
mod manifest;
mod org;
mod readme;
pub mod servisbot;

use handoff_engine::diagnostic::Diagnostic;

/// A file to import.
#[derive(Clone, Debug)]
pub struct Source {
    /// What messages call it. Its ending says how it is read.
    pub file: String,
    /// All of it.
    pub text: String,
}

/// A file of the new project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFile {
    /// Relative to the project, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// A project that was made.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its files, `project.toml` first.
    pub files: Vec<ImportedFile>,
    /// What remains for people to do, one sentence or two each.
    pub to_do: Vec<String>,
    /// What was not carried over, or not as it was, with its place in the sources.
    pub notes: Vec<Diagnostic>,
}

/// Nothing was made: the sources have mistakes.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ImportError(pub Vec<Diagnostic>);

impl From<Diagnostic> for ImportError {
    fn from(mistake: Diagnostic) -> Self {
        Self(vec![mistake])
    }
}

/// Letters, digits, `-` and `_`: what may stand in the name of a bot, a flow or a file. Anything else
/// becomes a `-`.
fn plain_name(text: &str) -> String {
    let plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let name: String = text
        .chars()
        .map(|it| if plain(it) { it } else { '-' })
        .collect();
    name.trim_matches('-').to_owned()
}
