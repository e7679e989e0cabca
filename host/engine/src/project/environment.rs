//! Environments: one project, with other accounts in development than in live.
//!
//! `environments` in `project.toml` names them in the order in which a project goes through them, and
//! `project.NAME.toml` lies over `project.toml` in the environment NAME. Accounts are added and edited
//! before the last one. The last one only chooses: its default account, its channels, where its secrets
//! come from, and which account takes another one's place. It has the accounts of `project.toml` and of the
//! environment before it, so that nothing goes live that could not be tried.
//!
//! The files of all environments are checked whichever is loaded, so that a mistake in live is seen before.

use super::load::typed;
use super::{MANIFEST, Manifest};
use crate::account::Account;
use crate::diagnostic::{Diagnostic, Place, did_you_mean, name_list};
use crate::name::{AccountName, EnvironmentName};
use crate::project::SecretEntry;
use crate::source::{Document, Part, pointer};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What `project.NAME.toml` may say in an environment before the last one.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "it is read for its mistakes, and then laid over the manifest"
)]
struct Edits {
    #[serde(default)]
    default_account: Option<AccountName>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Account>")]
    accounts: BTreeMap<AccountName, Account>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    channels: BTreeMap<String, AccountName>,
    #[serde(default)]
    secrets: BTreeMap<String, SecretEntry>,
}

/// What `project.NAME.toml` may say in the last environment.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Choices {
    #[serde(default)]
    #[expect(dead_code, reason = "laid over the manifest")]
    default_account: Option<AccountName>,
    /// Accounts and those that take their place.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    accounts: BTreeMap<AccountName, AccountName>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    #[expect(dead_code, reason = "laid over the manifest")]
    channels: BTreeMap<String, AccountName>,
    #[serde(default)]
    #[expect(dead_code, reason = "laid over the manifest")]
    secrets: BTreeMap<String, SecretEntry>,
}

/// The environment that is loaded.
pub(super) struct Chosen {
    /// None if the project has none.
    pub(super) name: Option<EnvironmentName>,
    /// The manifest with what lies over it.
    pub(super) manifest: Document,
    /// Accounts and those that take their place.
    mapped: BTreeMap<AccountName, AccountName>,
    /// Where that is said.
    said: Option<Document>,
}

/// The file of an environment: `project.live.toml` gives `live`.
pub(super) fn environment_of(file: &str) -> Option<&str> {
    let name = file.strip_prefix("project.")?.strip_suffix(".toml")?;
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

fn file_of(name: &EnvironmentName) -> String {
    format!("project.{name}.toml")
}

/// Checks the environments of a project, and lays the files of the one that is asked for over the manifest.
/// None asked for is the first.
pub(super) fn choose(
    manifest: &Document,
    documents: &BTreeMap<String, Document>,
    asked: Option<&EnvironmentName>,
    found: &mut Vec<Diagnostic>,
) -> Chosen {
    let names = names(manifest, found);
    let mut choices = None;
    for (file, document) in documents {
        let Some(name) = environment_of(file).map(EnvironmentName::from) else {
            continue;
        };
        if !names.contains(&name) {
            found.push(unknown(&name, &names, Place::file(file)));
        } else if names.last() == Some(&name) {
            choices = read_choices(&name, &names, document, found);
        } else {
            let _: Option<Edits> = typed(document, "environment.bad", found);
        }
    }
    if let Some(asked) = asked
        && !names.contains(asked)
    {
        let place = manifest.place_of("/environments", Part::Key);
        found.push(unknown(asked, &names, place));
    }
    let name = asked.or(names.first()).cloned();
    let mut chosen = Chosen {
        name: name.clone(),
        manifest: manifest.clone(),
        mapped: BTreeMap::new(),
        said: None,
    };
    let Some(at) = names.iter().position(|it| Some(it) == name.as_ref()) else {
        return chosen;
    };
    let file = |at: usize| documents.get(&file_of(&names[at]));
    if at + 1 < names.len() {
        if let Some(edits) = file(at) {
            let members = ["default-account", "accounts", "channels", "secrets"];
            chosen.manifest = chosen.manifest.under(edits, &members);
        }
        return chosen;
    }
    if let Some(before) = at.checked_sub(1).and_then(file) {
        chosen.manifest = chosen.manifest.under(before, &["accounts"]);
    }
    if let Some(last) = file(at) {
        let members = ["default-account", "channels", "secrets"];
        chosen.manifest = chosen.manifest.under(last, &members);
        chosen.said = Some(last.clone());
    }
    chosen.mapped = choices.map(|it| it.accounts).unwrap_or_default();
    chosen
}

/// The environments in their order. What is no list of texts is told when the manifest is read.
fn names(manifest: &Document, found: &mut Vec<Diagnostic>) -> Vec<EnvironmentName> {
    let value = manifest.value();
    let listed = value["environments"].as_array().into_iter().flatten();
    let names: Vec<EnvironmentName> = listed
        .filter_map(|it| it.as_str().map(Into::into))
        .collect();
    if names.len() == 1 {
        let place = manifest.place("/environments");
        let message =
            "one environment is none: the last one only chooses accounts that another one added";
        found.push(
            Diagnostic::error("environment.alone", place, message)
                .help("write for example environments = [\"development\", \"live\"]"),
        );
    }
    let mut seen = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let place = || manifest.place(&format!("/environments/{index}"));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.as_str().is_empty() || !name.as_str().chars().all(plain) {
            let message = format!("'{name}' cannot name an environment");
            found.push(
                Diagnostic::error("environment.bad_name", place(), message)
                    .help("use small letters, digits and '-'; it is part of a file's name"),
            );
        }
        if !seen.insert(name) {
            let message = format!("the environment '{name}' is named twice");
            found.push(Diagnostic::error("environment.twice", place(), message).help("remove one"));
        }
    }
    names
}

fn unknown(name: &EnvironmentName, names: &[EnvironmentName], place: Place) -> Diagnostic {
    let known = || names.iter().map(EnvironmentName::as_str);
    let message = format!("the project has no environment '{name}'");
    let help = did_you_mean(name.as_str(), known()).unwrap_or_else(|| {
        if names.is_empty() {
            format!("write for example environments = [\"development\", \"{name}\"] in {MANIFEST}")
        } else {
            format!("the environments are {}", name_list(known()))
        }
    });
    Diagnostic::error("environment.unknown", place, message).help(help)
}

/// What the last environment chooses. It is refused if it adds or edits an account.
fn read_choices(
    name: &EnvironmentName,
    names: &[EnvironmentName],
    document: &Document,
    found: &mut Vec<Diagnostic>,
) -> Option<Choices> {
    let value = document.value();
    let accounts = value["accounts"].as_object().into_iter().flatten();
    let edited: Vec<&str> = accounts
        .filter(|(_, account)| matches!(account, Value::Object(_)))
        .map(|(account, _)| account.as_str())
        .collect();
    let before = names.iter().rev().nth(1).map(file_of);
    let before = before.map_or_else(String::new, |file| format!(" or {file}"));
    for account in &edited {
        let place = document.place_of(&pointer("/accounts", account), Part::Key);
        let message =
            format!("'{name}' chooses among accounts and may not add or edit '{account}'");
        found.push(
            Diagnostic::error("environment.read_only", place, message).help(format!(
                "configure it in {MANIFEST}{before}; here may stand 'default-account', [channels], [secrets] \
                 and, under [accounts], which account takes another one's place: care = \"{account}\""
            )),
        );
    }
    if !edited.is_empty() {
        return None;
    }
    typed(document, "environment.bad", found)
}

impl Chosen {
    /// Puts accounts into the place of others: what names the one means the other.
    pub(super) fn map_accounts(&self, manifest: &mut Manifest, found: &mut Vec<Diagnostic>) {
        let Some(document) = &self.said else { return };
        for (from, to) in &self.mapped {
            let at = pointer("/accounts", from.as_str());
            let known = || manifest.accounts.keys().map(AccountName::as_str);
            for (name, part) in [(from, Part::Key), (to, Part::Value)] {
                if manifest.accounts.contains_key(name) {
                    continue;
                }
                let message = format!("there is no account '{name}' to choose");
                let help = did_you_mean(name.as_str(), known())
                    .unwrap_or_else(|| format!("the accounts are {}", name_list(known())));
                let place = document.place_of(&at, part);
                found.push(Diagnostic::error("project.unknown_account", place, message).help(help));
            }
            if let Some(further) = self.mapped.get(to) {
                let message =
                    format!("'{to}', which is to take the place of '{from}', is replaced itself");
                found.push(
                    Diagnostic::error("environment.mapped_on", document.place(&at), message).help(
                        format!("name the account that is meant, such as \"{further}\""),
                    ),
                );
            }
        }
        manifest.mapped.clone_from(&self.mapped);
        manifest
            .accounts
            .retain(|name, _| !self.mapped.contains_key(name));
    }
}
