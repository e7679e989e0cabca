//! What must hold at Genesys.

use super::Holds;
use super::pattern::matches;
use crate::step::StepKind;
use genesys_sim::{ConversationView, Ender, Speaker, Transport};
use handoff_engine::handoff::TransportKind;
use serde_json::Value;

pub(super) fn at_genesys(conversations: &[ConversationView], kind: &StepKind) -> Holds {
    if let StepKind::Conversations(count) = kind {
        return Holds::now(
            conversations.len() == *count,
            format!("{count} conversations at Genesys"),
            format!("{}", conversations.len()),
        );
    }
    let Some(last) = conversations.last() else {
        return Holds::NotYet {
            expected: "a conversation at Genesys".to_owned(),
            got: "none".to_owned(),
        };
    };
    match kind {
        StepKind::Over(wanted) => {
            let got = match last.transport {
                Transport::EngageChatV2 => TransportKind::EngageChatV2,
                Transport::CloudWebchat => TransportKind::CloudWebchat,
                Transport::CloudWebMessaging => TransportKind::CloudWebMessaging,
                Transport::CloudOpenMessaging => TransportKind::CloudOpenMessaging,
            };
            Holds::now(
                got == *wanted,
                format!("the conversation to come over {wanted}"),
                got.to_string(),
            )
        }
        StepKind::Queue(wanted) => {
            let got = last.queue.clone().unwrap_or_else(|| "no queue".to_owned());
            Holds::soon(got == *wanted, format!("the queue {wanted:?}"), got)
        }
        StepKind::Identity(wanted) => {
            let fits = wanted
                .iter()
                .all(|(key, value)| last.identity.get(key).map(String::as_str) == value.as_str());
            Holds::soon(
                fits,
                format!("the identity {}", Value::from(wanted.clone())),
                format!("{:?}", last.identity),
            )
        }
        StepKind::IdentityLacks(fields) => {
            let sent: Vec<&String> = fields
                .iter()
                .filter(|field| last.identity.contains_key(*field))
                .collect();
            Holds::now(
                sent.is_empty(),
                format!("{fields:?} not to be sent"),
                format!("sent were {sent:?}"),
            )
        }
        StepKind::Heard(wanted) => {
            let got: Vec<&str> = last
                .lines
                .iter()
                .filter(|line| line.who == Speaker::Customer)
                .map(|line| line.text.as_str())
                .collect();
            let fits = got.len() == wanted.len()
                && got
                    .iter()
                    .zip(wanted)
                    .all(|(got, wanted)| matches(wanted, got));
            Holds::soon(
                fits,
                format!("the agent side to have heard exactly {wanted:?}"),
                format!("{got:?}"),
            )
        }
        StepKind::Receipt(wanted) => {
            let said = last.lines.iter().rev();
            let status = said
                .filter(|line| line.who == Speaker::Agent)
                .find_map(|line| line.status);
            let got = status.unwrap_or("no status");
            Holds::soon(
                got == wanted,
                format!("the agent's last message to be {wanted}"),
                got,
            )
        }
        StepKind::Conversation(wanted) => {
            let got = match last.ended_by {
                None => "open",
                Some(Ender::Agent) => "ended-by-agent",
                Some(Ender::Customer) => "ended-by-customer",
                Some(Ender::System) => "ended-by-system",
            };
            Holds::soon(
                got == wanted,
                format!("the conversation to be {wanted}"),
                got,
            )
        }
        other => Holds::Never {
            expected: format!("{other:?}"),
            got: "this step says nothing about Genesys".to_owned(),
        },
    }
}
