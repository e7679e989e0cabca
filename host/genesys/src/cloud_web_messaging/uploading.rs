//! Files on their way to Genesys: read, offered, put where Genesys says, and then sent as a message.
//!
//! Nothing of it is in the handle: after a restart a file that was not sent is uploaded again. What
//! Genesys' policy refuses is refused before it is read, or once its true size is known.

use super::line::What;
use super::protocol::{Call, Protocol};
use super::trouble::Trouble;
use super::wire::{Action, Frame, PresignedUrl, UploadOutcome};
use crate::carry::Part;
use crate::media::File;
use crate::outbox::First;
use crate::policy::FileRefusal;
use crate::report::News;
use handoff_engine::content::Attachment;
use handoff_engine::time::Timestamp;

/// How often a file is tried.
const ATTEMPTS: u32 = 3;

/// The file that is first in the outbox.
#[derive(Debug)]
pub(super) enum Upload {
    /// Not begun.
    None,
    /// Its bytes are here.
    Read(File),
    /// Genesys was asked where to put it.
    Offered { id: String, file: File },
    /// It is to be put there.
    Granted {
        id: String,
        grant: PresignedUrl,
        file: File,
    },
    /// It was put there; Genesys has not said yet that it is complete.
    Put { id: String },
    /// It can be sent by this id.
    Ready { id: String },
}

impl Upload {
    pub(super) fn ready(&self) -> Option<&str> {
        match self {
            Self::Ready { id } => Some(id),
            _ => None,
        }
    }

    pub(super) fn done(&mut self) {
        *self = Self::None;
    }

    /// The socket is gone, and with it whatever was to be told on it.
    pub(super) fn interrupted(&mut self) {
        *self = match std::mem::replace(self, Self::None) {
            Self::Offered { file, .. } => Self::Read(file),
            Self::Put { id } => Self::Ready { id },
            other => other,
        };
    }

    /// Whatever is put counts as complete.
    pub(super) fn complete(&mut self) {
        if let Self::Put { id } = self {
            *self = Self::Ready {
                id: std::mem::take(id),
            };
        }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Self::Offered { id, .. }
            | Self::Granted { id, .. }
            | Self::Put { id }
            | Self::Ready { id } => Some(id),
            Self::None | Self::Read(_) => None,
        }
    }
}

impl Protocol {
    /// The next step towards having a file at Genesys.
    pub(super) fn next_upload(
        &mut self,
        now: Timestamp,
        attachment: &Attachment,
        key: &str,
    ) -> Option<Call> {
        match std::mem::replace(&mut self.upload, Upload::None) {
            Upload::None => Some(Call::ReadFile(attachment.url.clone())),
            Upload::Read(file) => {
                let id = self.id_of(&format!("{key}/file/{}", self.failures));
                let action = Action::OnAttachment {
                    attachment_id: id.clone(),
                    file_name: file.name.clone(),
                    file_type: file.mime.clone(),
                    file_size: file.bytes.len() as u64,
                    errors_as_json: true,
                };
                self.upload = Upload::Offered { id, file };
                Some(self.ask(now, What::Offer, action))
            }
            Upload::Granted { id, grant, file } => {
                let call = Call::Put {
                    url: grant.url.clone(),
                    headers: grant.headers.clone(),
                    file: file.clone(),
                };
                self.upload = Upload::Granted { id, grant, file };
                Some(call)
            }
            other => {
                self.upload = other;
                None
            }
        }
    }

    pub(super) fn file_read(&mut self, file: File, news: &mut News) {
        let policy = self.state.talk().map(|talk| &talk.limits.files);
        let size = Some(file.bytes.len() as u64);
        match policy.map_or(Ok(()), |it| it.check(&file.name, &file.mime, size)) {
            Ok(()) => self.upload = Upload::Read(file),
            Err(refusal) => self.refuse_file(&refusal, news),
        }
    }

    /// Genesys tells where to put it.
    pub(super) fn upload_granted(&mut self, frame: &Frame) {
        let Some(grant) = frame.read::<PresignedUrl>() else {
            return;
        };
        self.upload = match std::mem::replace(&mut self.upload, Upload::None) {
            Upload::Offered { id, file } if grant.attachment_id == id => {
                if self.line.awaits(&What::Offer) {
                    self.line.answered();
                }
                Upload::Granted { id, grant, file }
            }
            other => other,
        };
    }

    pub(super) fn file_put(&mut self, now: Timestamp) {
        if let Upload::Granted { id, .. } = &self.upload {
            let id = id.clone();
            // Nothing is sent for it: word that it is complete comes by itself.
            self.line.await_answer(super::line::Awaited {
                until: now + What::Upload.patience(),
                tracing: id.clone(),
                what: What::Upload,
            });
            self.upload = Upload::Put { id };
        }
    }

    /// Genesys tells that an upload is complete.
    pub(super) fn upload_complete(&mut self, frame: &Frame) {
        let outcome = frame.read::<UploadOutcome>().unwrap_or_default();
        let ours = self.upload.id() == Some(&outcome.attachment_id);
        if !ours {
            return;
        }
        if let Upload::Put { .. } | Upload::Granted { .. } = self.upload {
            self.upload = Upload::Ready {
                id: outcome.attachment_id,
            };
        }
        if self.line.awaits(&What::Upload) {
            self.line.answered();
        }
    }

    /// Genesys tells that an upload is not to be.
    pub(super) fn upload_refused(&mut self, frame: &Frame, news: &mut News) {
        let outcome = frame.read::<UploadOutcome>().unwrap_or_default();
        if self.upload.id() != Some(&outcome.attachment_id) {
            return;
        }
        if self.line.awaits(&What::Offer) || self.line.awaits(&What::Upload) {
            self.line.answered();
        }
        let code = outcome.error_code.unwrap_or_default();
        let words = outcome.error_message.unwrap_or_default();
        let trouble = match code {
            429 | 4029 | 408 | 500..=599 | 5000 => Trouble::Unavailable { words, code },
            _ => Trouble::Refused {
                doing: "take the file",
                words: words.trim().trim_end_matches('.').to_owned(),
                code,
            },
        };
        self.upload_failed(&trouble, news);
    }

    /// A step failed: all of it is done again, or the file is given up.
    pub(super) fn upload_failed(&mut self, trouble: &Trouble, news: &mut News) {
        self.failures += 1;
        self.upload.done();
        if trouble.is_passing() && self.failures < ATTEMPTS {
            return;
        }
        let name = match self.state.outbox.first() {
            Some(First::Part(_, Part::File(file))) => file.name.clone(),
            _ => return,
        };
        let why = trouble.to_string();
        let refusal = match trouble {
            Trouble::Media(_) => FileRefusal::Unreadable { name, why },
            _ => FileRefusal::Refused {
                name,
                why: why.trim_end_matches('.').to_owned(),
            },
        };
        self.refuse_file(&refusal, news);
    }
}
