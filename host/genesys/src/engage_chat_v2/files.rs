//! Files, both ways (PROTOCOLS 1.2, 1.3): what the site takes is asked before the first upload, and
//! what an agent sends is fetched before anything after it in the transcript is told.
//!
//! The limits count what the chat has used already, so they are asked once and counted down here.

use super::calls::{Call, Operation, Upload};
use super::protocol::{Phase, Protocol};
use super::transcript::{agent_of, message};
use super::trouble::Failure;
use super::wire::{Envelope, Event};
use crate::carry::Part;
use crate::outbox::{First, Sent};
use crate::policy::{FilePolicy, FileRefusal, refuse_first};
use crate::report::News;
use handoff_engine::content::{Attachment, Content};
use handoff_engine::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a file of an agent's is asked for.
const FETCH_ATTEMPTS: u32 = 3;

/// What may still be uploaded to a chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Limits {
    pub(super) policy: FilePolicy,
    files: Option<u64>,
    bytes: Option<u64>,
    /// Files are taken only while an agent is there.
    needs_agent: bool,
}

impl Limits {
    /// Reads the answer to `file/limits`: texts in the user data of a notice.
    pub(super) fn read(envelope: &Envelope) -> Self {
        let notice = envelope
            .messages
            .iter()
            .find_map(|it| it.user_data.as_ref());
        let text = |name: &str| {
            let value = notice?.get(name)?;
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (!text.is_empty()).then_some(text)
        };
        let number = |name: &str| text(name)?.parse::<u64>().ok();
        let left = |most: &str, used: &str| {
            let used = number(used).unwrap_or_default();
            Some(number(most)?.saturating_sub(used))
        };
        let extensions = text("upload-file-types").map(|list| {
            let each = list.split([':', ',', ' ']).filter(|it| !it.is_empty());
            each.map(|it| it.trim_start_matches('.').to_owned())
                .collect()
        });
        Self {
            policy: FilePolicy {
                largest: number("upload-max-file-size"),
                extensions,
                ..FilePolicy::default()
            },
            files: left("upload-max-files", "used-upload-max-files"),
            bytes: left("upload-max-total-size", "used-upload-max-total-size"),
            needs_agent: text("upload-need-agent").as_deref() == Some("true"),
        }
    }

    /// What a file has to keep to now.
    fn now(&self) -> FilePolicy {
        let largest = [self.policy.largest, self.bytes]
            .into_iter()
            .flatten()
            .min();
        FilePolicy {
            largest,
            ..self.policy.clone()
        }
    }

    fn check(&self, file: &Attachment) -> Result<(), FileRefusal> {
        if self.files == Some(0) || self.bytes == Some(0) {
            return Err(FileRefusal::Enough {
                name: file.name.clone(),
                limit: "as many or as large as the chat service is configured for".to_owned(),
            });
        }
        self.now().check(&file.name, &file.mime, file.size)
    }

    fn count(&mut self, bytes: u64) {
        self.files = self.files.map(|files| files.saturating_sub(1));
        self.bytes = self.bytes.map(|left| left.saturating_sub(bytes));
    }
}

impl Protocol {
    /// What to ask for a file that is first to be sent; none if it has to wait for an agent.
    pub(super) fn next_upload(&self, file: &Attachment) -> Option<Call> {
        let Phase::Open(chat) = &self.state.phase else {
            return None;
        };
        let Some(limits) = &chat.limits else {
            return Some(chat.call(Operation::FileLimits, "file/limits", []));
        };
        if limits.needs_agent && self.state.end.connected_agent().is_none() {
            return None;
        }
        let mut call = chat.call(Operation::Upload, "file", []);
        call.upload = Some(Box::new(Upload {
            file: file.clone(),
            policy: limits.now(),
        }));
        Some(call)
    }

    /// Gives up the files that come first and break a limit; on leaving, also those that wait for an
    /// agent.
    pub(super) fn refuse_files(&mut self, news: &mut News) {
        loop {
            let Phase::Open(chat) = &self.state.phase else {
                return;
            };
            let Some(First::Part(_, Part::File(file))) = self.state.outbox.first() else {
                return;
            };
            let Some(limits) = &chat.limits else { return };
            let waits = limits.needs_agent && self.state.end.connected_agent().is_none();
            let refusal = match limits.check(file) {
                Err(refusal) => refusal,
                Ok(()) if waits && self.state.leaving => FileRefusal::Refused {
                    name: file.name.clone(),
                    why: "it takes files only while an agent is there".to_owned(),
                },
                Ok(()) => return,
            };
            refuse_first(&mut self.state.outbox, &refusal, news);
        }
    }

    /// The site told its limits.
    pub(super) fn limited(&mut self, envelope: &Envelope, news: &mut News) {
        if let Phase::Open(chat) = &mut self.state.phase {
            chat.limits = Some(Limits::read(envelope));
            news.changed = true;
        }
        self.refuse_files(news);
    }

    /// A file was taken in.
    pub(super) fn uploaded(&mut self, news: &mut News) {
        let Some(Sent::Part(_, Part::File(file))) = self.state.outbox.delivered_first(news) else {
            return;
        };
        if let Phase::Open(chat) = &mut self.state.phase
            && let Some(limits) = &mut chat.limits
        {
            limits.count(file.size.unwrap_or_default());
        }
        let part = Part::File(file);
        self.state.echoes.owe(part.echo().to_owned());
    }

    /// A file is not taken, whatever the chat itself thinks.
    pub(super) fn refused_file(
        &mut self,
        refusal: Option<FileRefusal>,
        why: &str,
        news: &mut News,
    ) {
        let Some(First::Part(_, Part::File(file))) = self.state.outbox.first() else {
            return;
        };
        let refusal = refusal.unwrap_or_else(|| FileRefusal::Refused {
            name: file.name.clone(),
            why: why.to_owned(),
        });
        refuse_first(&mut self.state.outbox, &refusal, news);
    }

    /// The request for the file of an agent's that is to be fetched.
    pub(super) fn next_download(&self) -> Option<Call> {
        let Phase::Open(chat) = &self.state.phase else {
            return None;
        };
        let fetch = self.fetch.as_ref()?;
        let path = format!("file/{}/download", fetch.file);
        let mut call = chat.call(Operation::Download, &path, []);
        call.name.clone_from(&fetch.name);
        Some(call)
    }

    /// An agent's file is kept: it is told, and what came after it.
    pub(super) fn fetched(&mut self, file: Attachment, news: &mut News) {
        let Some(fetch) = self.fetch.take() else {
            return;
        };
        let Phase::Open(chat) = &self.state.phase else {
            return;
        };
        let content = vec![Content::Attachment(file)];
        let told = message(chat, &fetch.event, String::new(), content);
        news.tell(format!("engage:{}", fetch.event.index), told);
        self.go_on_reading(news);
    }

    /// An agent's file cannot be had, for now or at all.
    pub(super) fn not_fetched(&mut self, now: Timestamp, failure: &Failure, news: &mut News) {
        let Some(fetch) = &mut self.fetch else { return };
        fetch.attempts += 1;
        if failure.is_passing() && fetch.attempts < FETCH_ATTEMPTS {
            self.blocked_until =
                now + super::failing::wait_after(failure, fetch.attempts, &self.handoff);
            return;
        }
        let event = &fetch.event;
        news.notice(
            format!("engage:{}", event.index),
            "genesys.file_not_received",
            format!(
                "{} sent the file '{}', which could not be shown to the user: {failure}.",
                agent_of(event).name,
                fetch.name
            ),
        );
        self.fetch = None;
        self.go_on_reading(news);
    }
}

/// A file of an agent's that is to be fetched.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) event: Event,
    file: String,
    name: String,
    attempts: u32,
}

impl Fetch {
    /// What to fetch for a `FileUploaded` event; none if it names no file.
    pub(super) fn of(event: &Event) -> Option<Self> {
        let data = event.user_data.as_ref();
        let text = |name: &str| {
            let value = data?.get(name)?.as_str()?;
            (!value.is_empty()).then(|| value.to_owned())
        };
        let file = text("file-id")?;
        let name = text("file-name").or_else(|| event.text.clone());
        Some(Self {
            name: name.unwrap_or_else(|| file.clone()),
            event: event.clone(),
            file,
            attempts: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file(name: &str, size: u64) -> Attachment {
        Attachment {
            name: name.to_owned(),
            mime: "image/png".to_owned(),
            url: String::new(),
            size: Some(size),
        }
    }

    #[test]
    fn limits_are_read_from_texts_and_counted_down() {
        let envelope: Envelope = serde_json::from_value(json!({"statusCode": 0, "messages": [{
            "index": 0, "type": "Notice", "text": "file-client-cfg-get", "userData": {
                "upload-max-files": "2", "upload-max-file-size": "100", "upload-max-total-size": "150",
                "upload-file-types": "jpeg:png", "upload-need-agent": "false",
                "used-upload-max-files": "0", "used-upload-max-total-size": "0"}}]}))
        .expect("an answer");
        let mut limits = Limits::read(&envelope);
        let code = |limits: &Limits, name, size| {
            let checked = limits.check(&file(name, size));
            checked.err().map(|refusal| refusal.code())
        };
        assert_eq!(code(&limits, "a.png", 100), None);
        assert_eq!(code(&limits, "a.png", 101), Some("genesys.file_too_large"));
        assert_eq!(code(&limits, "a.exe", 1), Some("genesys.file_type_refused"));
        limits.count(100);
        assert_eq!(code(&limits, "a.png", 60), Some("genesys.file_too_large"));
        limits.count(10);
        assert_eq!(
            code(&limits, "a.png", 1),
            Some("genesys.file_limit_reached")
        );
    }
}
