//! What was said in a session before a handoff resumes it.
//!
//! The history tells no handoffs apart. One ended where the user took leave or the platform ended the
//! conversation; what agents wrote after that, and before the next one began, nobody has told the
//! user. The user's first words of this very handoff may be there too, if a host stopped right after
//! sending them.

use super::wire::{Direction, Kind, StructuredMessage};
use handoff_engine::time::Timestamp;

/// What a history shows from before.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Before {
    /// What of this handoff's first words is there already, as the platform repeats it.
    pub(super) ours: Vec<String>,
    /// Agents' messages nobody has told.
    pub(super) missed: Vec<StructuredMessage>,
    /// When the last message was taken in.
    pub(super) since: Option<Timestamp>,
}

/// Reads a history, oldest first. `farewell` is what handoffs end with when the user leaves, `parts`
/// what this one begins with.
pub(super) fn before<'a>(
    history: &[StructuredMessage],
    farewell: &str,
    parts: impl Iterator<Item = &'a str>,
) -> Before {
    let parts: Vec<_> = parts.collect();
    let from_guest: Vec<_> = history
        .iter()
        .enumerate()
        .filter(|(_, it)| is_said(it) && it.direction == Direction::Inbound)
        .collect();
    let ours = (0..=parts.len().min(from_guest.len()))
        .rev()
        .find(|count| {
            let tail = &from_guest[from_guest.len() - count..];
            let same =
                |((_, it), part): (&(usize, &StructuredMessage), &&str)| is_same(&it.echo(), part);
            tail.iter().zip(&parts).all(same)
        })
        .unwrap_or(0);
    let tail = &from_guest[from_guest.len() - ours..];
    let begins = tail.first().map_or(history.len(), |(at, _)| *at);
    let mut missed = unheard(&history[..begins], farewell);
    let since = history.iter().filter_map(StructuredMessage::time).max();
    let answers = history[begins..].iter();
    missed.extend(answers.filter(|it| is_from_agent(it)).cloned());
    Before {
        ours: tail.iter().map(|(_, it)| it.echo()).collect(),
        missed,
        since,
    }
}

/// What agents wrote while no handoff was open.
fn unheard(history: &[StructuredMessage], farewell: &str) -> Vec<StructuredMessage> {
    let mut listening = true;
    let mut missed = Vec::new();
    for message in history {
        match message.direction {
            Direction::Inbound if is_said(message) => {
                listening = !is_same(&message.echo(), farewell);
                // Whatever was missed before is told by the handoff that begins here.
                missed.clear();
            }
            Direction::Outbound if message.has_presence("Disconnect") => listening = false,
            _ if is_from_agent(message) && !listening => missed.push(message.clone()),
            _ => {}
        }
    }
    missed
}

fn is_said(message: &StructuredMessage) -> bool {
    matches!(message.kind, Kind::Text | Kind::Structured)
}

fn is_from_agent(message: &StructuredMessage) -> bool {
    is_said(message) && message.direction == Direction::Outbound
}

fn is_same(one: &str, another: &str) -> bool {
    one.split_whitespace().eq(another.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `>` is the user's, `<` an agent's, `|` the end of a conversation.
    fn history(lines: &[&str]) -> Vec<StructuredMessage> {
        let one = |(at, line): (usize, &&str)| {
            let time = format!("2026-01-05T10:00:{at:02}.000Z");
            let body = match line.split_at(1) {
                (">", text) => json!({"type": "Text", "direction": "Inbound", "text": text}),
                ("<", text) => json!({"type": "Text", "direction": "Outbound", "text": text}),
                _ => json!({"type": "Event", "direction": "Outbound", "events": [
                    {"eventType": "Presence", "presence": {"type": "Disconnect"}}]}),
            };
            let mut message: StructuredMessage = serde_json::from_value(body).expect("a message");
            message.channel.time = Some(time);
            message
        };
        lines.iter().enumerate().map(one).collect()
    }

    fn missed(lines: &[&str]) -> Vec<String> {
        let before = before(&history(lines), "bye", ["Help", "now"].into_iter());
        let texts = before.missed.into_iter().filter_map(|it| it.text);
        texts.collect()
    }

    #[test]
    fn what_agents_wrote_between_handoffs_is_missed_and_nothing_else() {
        assert_eq!(missed(&[">Hi", "<Hello", "|"]), Vec::<String>::new());
        assert_eq!(missed(&[">Hi", "<Hello", ">bye", "<Solved!"]), ["Solved!"]);
        assert_eq!(
            missed(&[">Hi", "<Hello", ">bye", "<Solved!", "|"]),
            ["Solved!"]
        );
        assert_eq!(missed(&[">Hi", "|", "<P.S."]), ["P.S."]);
        assert_eq!(
            missed(&[">bye", "<Solved!", ">Again", "<Yes?"]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn first_words_that_arrived_before_a_host_stopped_are_recognised() {
        let lines = [">Hi", ">bye", "<Solved!", ">Help", "<Yes?"];
        let before = before(&history(&lines), "bye", ["Help", "now"].into_iter());
        assert_eq!(before.ours, ["Help"]);
        assert_eq!(missed(&lines), ["Solved!", "Yes?"]);
        assert_eq!(missed(&[">now"]), Vec::<String>::new());
    }
}
