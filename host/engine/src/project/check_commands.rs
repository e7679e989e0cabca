//! Commands that agents type: their names, and what they call.

use super::connector::FOLDER;
use super::{Manifest, SlashAction, SlashCommand};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::source::{Document, Part, pointer};
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn check_commands(
    manifest: &Manifest,
    document: &Document,
    connectors: &BTreeMap<String, Value>,
    found: &mut Vec<Diagnostic>,
) {
    let commands = &manifest.slash_commands;
    check_aliases(commands, document, "/slash-commands", connectors, found);
}

/// Commands that agents type: what they call has to be there. One that calls nobody only disappoints its
/// agent, so that the project loads all the same.
pub(super) fn check_aliases(
    commands: &BTreeMap<String, SlashCommand>,
    document: &Document,
    under: &str,
    connectors: &BTreeMap<String, Value>,
    found: &mut Vec<Diagnostic>,
) {
    for (name, command) in commands {
        let at = pointer(under, name);
        if !name.starts_with('/') || name.len() < 2 || name.contains(char::is_whitespace) {
            let place = document.place_of(&at, Part::Key);
            let message = format!("'{name}' is nothing that an agent can type as a command");
            found.push(
                Diagnostic::error("command.bad_name", place, message)
                    .help("write one word that begins with '/', for example \"/email\""),
            );
        }
        for (index, action) in command.actions.iter().enumerate() {
            let SlashAction::ExecuteApi(alias) = action else {
                continue;
            };
            if connectors.contains_key(alias) {
                continue;
            }
            let place = document.place(&format!("{at}/actions/{index}/value"));
            let message = format!(
                "'{name}' calls the API connector '{alias}', which the project does not have; its agent \
                 is told so"
            );
            let names = || connectors.keys().map(String::as_str);
            let help = did_you_mean(alias, names()).unwrap_or_else(|| {
                format!("add a document with \"Alias\": \"{alias}\" to the folder {FOLDER}")
            });
            found.push(Diagnostic::warning("command.unknown_alias", place, message).help(help));
        }
    }
}

/// A translation by nobody.
pub(super) fn check_translation(
    manifest: &Manifest,
    document: &Document,
    connectors: &BTreeMap<String, Value>,
    found: &mut Vec<Diagnostic>,
) {
    let Some(translation) = &manifest.translation else {
        return;
    };
    let alias = &translation.connector;
    let Some(connector) = connectors.get(alias) else {
        let place = document.place("/translation/connector");
        let message = format!("there is no API connector '{alias}' to translate by");
        let names = || connectors.keys().map(String::as_str);
        let help = did_you_mean(alias, names()).unwrap_or_else(|| {
            format!("add a document with \"Alias\": \"{alias}\" to the folder {FOLDER}")
        });
        found.push(Diagnostic::error("translation.unknown_connector", place, message).help(help));
        return;
    };
    let mapped = connector["ResponseMapping"]
        .as_object()
        .is_some_and(|mappings| {
            mappings
                .values()
                .any(|mapping| mapping["outputPath"] == "$.translation")
        });
    if !mapped {
        let place = document.place("/translation/connector");
        let message = format!("the API connector '{alias}' gives no translation back");
        let help = "add to its ResponseMapping, for example: \"translation\": { \"type\": \"responseBody\", \
                    \"responseBodyPath\": \"$.translatedText\", \"outputPath\": \"$.translation\" }";
        found.push(Diagnostic::error("translation.no_result", place, message).help(help));
    }
}
