//! Translation between a user and an agent who speak different languages.
//!
//! A hook: what translates is an API connector of the project. It gets `$.text`, `$.from` and `$.to` beside
//! the context, and its ResponseMapping puts the result at `$.translation`. What cannot be translated goes
//! on as it was said, because a foreign sentence is better than none; the journal says why. The transcript
//! keeps what was really said.

use super::Advancing;
use crate::name::NodeId;
use crate::session::Entry;
use serde_json::{Value, json};

/// Whose words are translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// The user's, for the agent.
    ToAgent,
    /// The agent's, for the user.
    ToUser,
}

/// The context key under which a translation comes back.
const TRANSLATION: &str = "translation";

impl Advancing<'_> {
    /// A text in the language of the one who reads it; none if it is to stay as it is.
    pub(super) async fn translated(&mut self, text: &str, direction: Direction) -> Option<String> {
        let project = self.project;
        let translation = project.translation.as_ref()?;
        let user = self.session.context.get(&translation.user_language);
        let user = user.and_then(Value::as_str)?.to_owned();
        let agent = &translation.agent_language;
        if text.trim().is_empty() || same_language(&user, agent) {
            return None;
        }
        let (from, to) = match direction {
            Direction::ToAgent => (user.as_str(), agent.as_str()),
            Direction::ToUser => (agent.as_str(), user.as_str()),
        };
        let id = NodeId::new("translation");
        let input = json!({"text": text, "from": from, "to": to});
        let called = self
            .call_connector(&id, "translation", &translation.connector, input)
            .await;
        let mut host = match called {
            Ok(host) => host,
            Err(error) => {
                self.journal.push(Entry::Failed(error));
                return None;
            }
        };
        match host.context_writes.remove(TRANSLATION).flatten() {
            Some(Value::String(result)) => Some(match translation.show_original {
                true => format!("{result}\n({text})"),
                false => result,
            }),
            _ => {
                self.journal.push(Entry::Logged {
                    node: id,
                    level: "warn".to_owned(),
                    text: format!(
                        "the API connector '{}' gives no text at $.{TRANSLATION}; add to its \
                         ResponseMapping an entry with \"outputPath\": \"$.{TRANSLATION}\"",
                        translation.connector
                    ),
                });
                None
            }
        }
    }
}

/// Whether two language tags (BCP 47) mean the same language, whatever the region.
fn same_language(one: &str, other: &str) -> bool {
    let language = |tag: &str| {
        tag.split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    language(one) == language(other)
}
