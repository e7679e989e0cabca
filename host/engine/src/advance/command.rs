//! Commands that agents type. The user sees neither the command nor what is answered to it.
//!
//! A command is the first word of a message: one of the worker bot in charge, or of the project. `/help`
//! lists them, `/quick` the quick responses. A word that is nearly a command is taken for a slip and kept
//! from the user too; any other text that begins with a slash is what the agent says.
//!
//! API connectors are called by the node that flows use for it, with the session's context, so there is one
//! way to call an API. The turn waits for the answer, as it does for any node.

use super::Advancing;
use crate::content::UserMessage;
use crate::handoff::Agent;
use crate::name::NodeId;
use crate::project::{Bot, Project, QuickResponse, SlashAction, SlashCommand};
use crate::session::{EffectKind, Entry, NodeError, Owner};
use serde_json::json;
use std::collections::BTreeMap;

/// Lists the commands.
const HELP: &str = "/help";
/// Lists the quick responses, or sends one.
const QUICK: &str = "/quick";

/// What agents may type in a handoff.
struct Commands<'p> {
    commands: BTreeMap<&'p str, &'p SlashCommand>,
    quick: &'p [QuickResponse],
}

impl<'p> Commands<'p> {
    /// Those of the worker in charge, and of the project.
    fn of(project: &'p Project, owner: Option<&Owner>) -> Self {
        let worker = match owner {
            Some(Owner::Worker(frame)) => match project.bots.get(&frame.bot) {
                Some(Bot::Worker(worker)) => Some(worker),
                _ => None,
            },
            _ => None,
        };
        let of_worker = worker.iter().flat_map(|worker| &worker.slash_commands);
        let commands = project.slash_commands.iter().chain(of_worker);
        Self {
            commands: commands
                .map(|(name, command)| (name.as_str(), command))
                .collect(),
            quick: worker.map_or(&[], |worker| &worker.quick_responses),
        }
    }

    /// The command that a word was to be: one letter is wrong, or two of a long one.
    fn nearest(&self, word: &str) -> Option<&str> {
        self.names()
            .map(|name| (strsim::osa_distance(name, word), name))
            .filter(|(slips, name)| *slips == 1 || (*slips == 2 && name.len() > 6))
            .min()
            .map(|(_, name)| name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let quick = (!self.quick.is_empty()).then_some(QUICK);
        self.commands.keys().copied().chain(quick).chain([HELP])
    }

    fn is_empty(&self) -> bool {
        self.commands.is_empty() && self.quick.is_empty()
    }
}

impl Advancing<'_> {
    /// Takes a message for a command, if it is one or nearly one. Returns whether it was.
    pub(super) async fn agent_commands(
        &mut self,
        from: Option<&Agent>,
        message: &str,
        text: &str,
    ) -> bool {
        let text = text.trim();
        let word = text.split_whitespace().next().unwrap_or_default();
        let known = Commands::of(self.project, self.session.owner());
        if !word.starts_with('/') || known.is_empty() {
            return false;
        }
        let arguments = text[word.len()..].trim();
        if let Some(command) = known.commands.get(word) {
            let command = (*command).clone();
            self.run_command(from, message, word, arguments, &command)
                .await;
            return true;
        }
        match word {
            HELP => self.note(&help(&known)),
            QUICK if !known.quick.is_empty() => {
                let quick = known.quick;
                self.send_quick(from, message, arguments, quick).await;
            }
            _ => match known.nearest(word) {
                Some(meant) => self.note(&format!(
                    "There is no command {word}; did you mean {meant}? The customer did not see it."
                )),
                None => return false,
            },
        }
        true
    }

    async fn run_command(
        &mut self,
        from: Option<&Agent>,
        message: &str,
        word: &str,
        arguments: &str,
        command: &SlashCommand,
    ) {
        for action in &command.actions {
            match action {
                SlashAction::Message(text) => {
                    self.agent_tells_user(from, message, text, &[]).await;
                }
                SlashAction::ExecuteApi(alias) => {
                    if let Err(error) = self.execute_api(word, arguments, alias).await {
                        self.note(&format!(
                            "{word} was not done: {} The customer did not see it.",
                            sentence(&error.message)
                        ));
                        self.journal.push(Entry::Failed(error));
                        return;
                    }
                }
            }
        }
        self.note(&format!("{word}: done. The customer did not see it."));
    }

    /// Calls an API connector with the session's context; what it answers goes there.
    async fn execute_api(
        &mut self,
        word: &str,
        arguments: &str,
        alias: &str,
    ) -> Result<(), NodeError> {
        let input = json!({"arguments": arguments});
        let host = self
            .call_connector(&NodeId::new(word), "command", alias, input)
            .await?;
        self.commit(&self.bot_in_charge(), host);
        Ok(())
    }

    async fn send_quick(
        &mut self,
        from: Option<&Agent>,
        message: &str,
        wanted: &str,
        quick: &[QuickResponse],
    ) {
        let chosen = wanted
            .parse::<usize>()
            .ok()
            .and_then(|number| quick.get(number.checked_sub(1)?));
        match chosen {
            Some(response) => {
                let text = response.value.as_str();
                self.agent_tells_user(from, message, text, &[]).await;
            }
            None => self.note(&list(quick, wanted)),
        }
    }

    /// Tells the agent something.
    fn note(&mut self, text: &str) {
        let Some(handoff) = self.session.handoff().map(|handoff| handoff.id.clone()) else {
            return;
        };
        self.effect(EffectKind::SendToAgent {
            handoff,
            message: UserMessage::text(format!("[{text}]")),
            input: None,
        });
    }
}

fn help(known: &Commands<'_>) -> String {
    let mut lines = vec!["Commands, which the customer does not see:".to_owned()];
    for (name, command) in &known.commands {
        lines.push(match command.description.as_str() {
            "" => (*name).to_owned(),
            description => format!("{name}: {description}"),
        });
    }
    if !known.quick.is_empty() {
        lines.push(format!(
            "{QUICK}: lists quick responses; {QUICK} 1 sends the first"
        ));
    }
    lines.join("\n")
}

/// The quick responses with their numbers: all of them, or those of a category.
fn list(quick: &[QuickResponse], category: &str) -> String {
    let of_category = |response: &QuickResponse| response.category.eq_ignore_ascii_case(category);
    let all = !quick.iter().any(of_category);
    let mut lines = vec![format!("Quick responses; {QUICK} and a number sends one:")];
    for (index, response) in quick.iter().enumerate() {
        if all || of_category(response) {
            let category = match response.category.as_str() {
                "" => String::new(),
                category => format!(" ({category})"),
            };
            lines.push(format!("{}{category}: {}", index + 1, response.value));
        }
    }
    lines.join("\n")
}

/// With a capital letter and one full stop.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}
