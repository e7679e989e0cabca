//! Accounts that are switched off, accounts whose events are, and keys that choose no queue.

use crate::support::{Sample, Talk, entries, told};
use handoff_engine::handoff::{HandoffEnd, Signal};
use handoff_engine::session::{Entry, InputKind, Turn};
use serde_json::{Value, json};

/// A bot that hands over to the account `desk`.
async fn with(switch: &str, attributes: Value) -> Talk {
    let nodes = json!({
        "set": {
            "type": "setExternalSessionAttributes",
            "config": {"attributes": attributes},
            "to": {"next": "agent"},
        },
        "agent": {
            "type": "redirect",
            "config": {"resumeBot": true},
            "to": {"completed": "after", "error": "sorry"},
        },
        "after": {"type": "ask", "config": {"text": "{{ context.SessionEndReason }}"}},
        "sorry": {"type": "ask", "config": {"text": "{{ error.code }}"}},
    });
    let desk = format!(
        "channels = {{ web = 'desk' }}\n\
         [accounts.desk]\ntransport = 'cloud-web-messaging'\nregion = 'mypurecloud.de'\ndeployment-id = 'd'\n{switch}\n"
    );
    Sample::main("set", nodes).top(&desk).talk().await
}

async fn begin(talk: &mut Talk) -> Turn {
    let channel = Some("web".to_owned());
    talk.input(InputKind::Started { bot: None, channel }).await
}

fn notices(turn: &Turn) -> Vec<String> {
    entries(turn, |entry| match entry {
        Entry::Signalled {
            signal: Signal::Notice { code, message },
            ..
        } => Some(format!("{code}: {message}")),
        _ => None,
    })
}

#[tokio::test]
async fn nothing_is_handed_over_to_an_account_that_is_switched_off() {
    let mut talk = with("enabled = false", json!({"plan": "gold"})).await;
    assert_eq!(talk.project.warnings()[0].code, "account.disabled");
    assert_eq!(
        told(&begin(&mut talk).await),
        ["main: transfer.account_disabled"]
    );
    assert_eq!(talk.stack(), ["main"]);
    insta::assert_snapshot!(talk.error().1, @"the account 'desk' is switched off; take 'enabled = false' out of it in project.toml, or name another account");
}

#[tokio::test]
async fn events_that_are_switched_off_are_ignored_and_that_is_said_once() {
    let mut talk = with("events = false", json!({"plan": "gold"})).await;
    assert_eq!(talk.project.warnings()[0].code, "account.events_off");
    let turn = begin(&mut talk).await;
    insta::assert_snapshot!(notices(&turn).join("\n"), @"account.events_off: the events of the account 'desk' are switched off, so the user sees nothing of what its agents do; take 'events = false' out of it in project.toml");
    for turn in [
        talk.queued().await,
        talk.joined("Kim").await,
        talk.agent_says("Kim", "Hello").await,
    ] {
        assert_eq!((told(&turn), turn.journal), (vec![], vec![]));
    }
    assert_eq!(told(&talk.user("Hello?").await), ["to agent: Hello?"]);
    assert_eq!(
        told(&talk.end(HandoffEnd::agent_left()).await),
        ["main: AgentLeft"]
    );
    assert_eq!(
        talk.context("LastKnownAgent"),
        Value::Null,
        "nobody was seen"
    );
}

#[tokio::test]
async fn a_key_that_is_nearly_the_queues_chooses_none_and_that_is_said() {
    let mut talk = with("", json!({"queueName": "Billing"})).await;
    let warnings: Vec<&str> = talk.project.warnings().iter().map(|it| it.code).collect();
    assert_eq!(warnings, ["flow.queue_key"]);
    insta::assert_snapshot!(talk.project.warnings()[0], @r"
    flows/main.json:24:11: warning[flow.queue_key]: 'queueName' chooses no queue; the key that is read is 'QueueName'
      help: write 'QueueName', in exactly these letters
    ");
    let turn = begin(&mut talk).await;
    insta::assert_snapshot!(notices(&turn).join("\n"), @"transfer.queue_key: the attribute 'queueName' chooses no queue, for the account 'desk' reads 'QueueName', in exactly these letters; rename it where the flow sets it, or set 'queue-attribute' of the account");
    let mut talk = with("", json!({"QueueName": "Billing"})).await;
    assert_eq!(talk.project.warnings(), []);
    assert!(notices(&begin(&mut talk).await).is_empty());
}
