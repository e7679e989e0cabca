//! What a fuzz target for a transport reads: one thing that happens per line.
//!
//! Words are chosen so that a person can write a seed and a fuzzer can take it apart: cutting,
//! doubling and swapping lines gives other scripts. A line that says nothing is passed over, so every
//! text is a script.

use handoff_engine::content::{Attachment, Choice, ChoiceKind, Receipt, UserMessage};
use handoff_engine::handoff::TransferRequest;
use handoff_engine::time::Millis;

/// The longest single wait: far beyond every deadline of a transport.
const LONGEST_WAIT: u64 = 1_000_000_000;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// `request {json}`: what the handoff is asked to be. Counts before anything else happened.
    Request(Box<TransferRequest>),
    /// `say text`, `file name`, `pick payload`: the user's next message.
    Say(UserMessage),
    /// `again n`: the message of that number is given once more.
    Again(usize),
    /// `typing`, `still`.
    Typing(bool),
    /// `set name value`.
    Set(String, String),
    /// `read id`, `failed id`: what became of an agent's message.
    Receipt(String, Receipt),
    /// `leave`.
    Leave,
    /// `wait ms`.
    Wait(Millis),
    /// `restart`: the host stops, and another goes on from the handle.
    Restart,
    /// `heard text`: a webhook body or a frame nobody asked for.
    Heard(String),
    /// What comes back for the next request.
    Reply(Reply),
}

/// What comes back for a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A line that is JSON, or `http status [retry-after] body`.
    Http {
        status: u16,
        /// Seconds.
        retry_after: Option<u64>,
        body: String,
    },
    /// `unsent`: the request never arrived.
    NotSent,
    /// `lost`: it may have.
    Lost,
}

impl Reply {
    fn fine(body: &str) -> Self {
        Self::Http {
            status: 200,
            retry_after: None,
            body: body.to_owned(),
        }
    }
}

/// The lines of a script that say something.
pub(crate) fn lines(script: &[u8]) -> Vec<Line> {
    let text = String::from_utf8_lossy(script);
    text.lines().filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    if text.starts_with(['{', '[']) {
        return Some(Line::Reply(Reply::fine(text)));
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    Some(match word {
        "request" => Line::Request(serde_json::from_str(rest).ok()?),
        "say" => Line::Say(UserMessage::text(rest)),
        "file" => Line::Say(file(rest)),
        "pick" => Line::Say(pick(rest)),
        "again" => Line::Again(rest.parse().ok()?),
        "typing" => Line::Typing(true),
        "still" => Line::Typing(false),
        "set" => {
            let (name, value) = rest.split_once(' ')?;
            Line::Set(name.to_owned(), value.to_owned())
        }
        "read" => Line::Receipt(rest.to_owned(), Receipt::Read),
        "failed" => Line::Receipt(rest.to_owned(), Receipt::Failed),
        "leave" => Line::Leave,
        "wait" => Line::Wait(Millis(rest.parse::<u64>().ok()?.min(LONGEST_WAIT))),
        "restart" => Line::Restart,
        "heard" => Line::Heard(rest.to_owned()),
        "http" => Line::Reply(http(rest)?),
        "unsent" => Line::Reply(Reply::NotSent),
        "lost" => Line::Reply(Reply::Lost),
        _ => return None,
    })
}

fn http(rest: &str) -> Option<Reply> {
    let (status, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (seconds, body) = rest.split_once(' ').unwrap_or((rest, ""));
    let retry_after = seconds.parse().ok();
    let body = if retry_after.is_some() { body } else { rest };
    Some(Reply::Http {
        status: status.parse().ok()?,
        retry_after,
        body: body.to_owned(),
    })
}

fn file(name: &str) -> UserMessage {
    UserMessage {
        attachments: vec![Attachment {
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            url: format!("https://host.example.org/v1/media/1/{name}"),
            size: Some(2048),
        }],
        ..UserMessage::default()
    }
}

fn pick(payload: &str) -> UserMessage {
    UserMessage {
        text: payload.to_owned(),
        choice: Some(Choice {
            kind: ChoiceKind::QuickReply,
            payload: payload.to_owned(),
            message: "m1".to_owned(),
        }),
        ..UserMessage::default()
    }
}
