//! Asking for agents: which account is meant, and what is kept of the answer.

use crate::support::{Sample, entries, told};
use async_trait::async_trait;
use handoff_engine::availability::{AskAgents, Availability, NotTold, RecordedAgents};
use handoff_engine::content::UserMessage;
use handoff_engine::name::{AccountName, InputId};
use handoff_engine::session::{Entry, Input, InputKind};
use handoff_engine::time::Millis;
use serde_json::{Value, json};
use std::sync::Arc;

/// Agents on queue, by account.
#[derive(Debug)]
struct Centre(&'static str);

#[async_trait]
impl AskAgents for Centre {
    async fn ask(
        &self,
        account: &AccountName,
        queue: Option<&str>,
    ) -> Result<Availability, NotTold> {
        if account.as_str() != self.0 {
            return Err(NotTold::new("test.other", "another one is open"));
        }
        Ok(Availability {
            on_queue: Some(u32::try_from(queue.unwrap_or_default().len()).unwrap_or_default()),
            estimated_wait: Some(Millis::from_secs(90)),
            ..Availability::default()
        })
    }
}

fn project(config: &Value) -> Sample {
    let nodes = json!({
        "ask": {"type": "ask", "config": {"text": "What?"}, "to": {"next": "check"}},
        "check": {"type": "checkAvailability", "config": config, "to": {"available": "yes", "unavailable": "no", "error": "sorry"}},
        "yes": {"type": "say", "config": {"text": "yes {{ context.availability.onQueue }} {{ context.availability.estimatedWaitSeconds }}"}},
        "no": {"type": "say", "config": {"text": "no {{ context.availability.reason }}"}},
        "sorry": {"type": "say", "config": {"text": "{{ error.code }}: {{ error.message }}"}},
    });
    Sample::main("ask", nodes)
}

#[tokio::test]
async fn the_account_is_the_one_that_is_named_or_the_default_one() {
    for (config, open, expected) in [
        (json!({"queue": "abc"}), "cloud", "main: yes 3 90"),
        (
            json!({"queue": "abc", "account": "site"}),
            "site",
            "main: yes 3 90",
        ),
        (
            json!({"queue": "", "account": "site"}),
            "site",
            "main: no no_agents_on_queue",
        ),
        (
            json!({"queue": "abc", "account": "{{ 'sit' }}"}),
            "site",
            "main: transfer.unknown_account: there is no account 'sit'; did you mean 'site'?",
        ),
    ] {
        let mut talk = project(&config).talk().await;
        talk.agents = Arc::new(Centre(open));
        talk.start().await;
        assert_eq!(told(&talk.user("x").await)[0], expected);
    }
}

#[tokio::test]
async fn a_turn_is_made_again_from_its_journal_and_nobody_is_asked() {
    let mut talk = project(&json!({"queue": "abc"})).talk().await;
    talk.agents = Arc::new(Centre("cloud"));
    talk.start().await;
    let input = Input {
        id: InputId::new("again"),
        kind: InputKind::UserMessage(UserMessage::text("x".to_owned())),
    };
    let first = talk.turn(&input).await.expect("is taken");
    let asked = entries(&first, |entry| match entry {
        Entry::AskedForAgents { asked, .. } => Some(asked.clone()),
        _ => None,
    });
    assert_eq!(asked.len(), 1);
    talk.agents = Arc::new(RecordedAgents::new(asked));
    let again = talk.turn(&input).await.expect("is taken");
    let json = |turn| serde_json::to_string(turn).expect("is JSON");
    assert_eq!(json(&first), json(&again));
}
