//! The requests of a chat: paths and forms (PROTOCOLS 1.2).

use super::files::Limits;
use super::protocol::Site;
use super::wire::{Envelope, Form};
use crate::attributes::attributes;
use crate::end::LegId;
use crate::policy::FilePolicy;
use handoff_engine::content::Attachment;
use handoff_engine::handoff::{IdentityField, Tally, TransferRequest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request to GMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// After the base address; empty for the base itself.
    pub(super) path: String,
    pub(super) form: Form,
    /// The file to upload.
    pub(super) upload: Option<Box<Upload>>,
    /// The name of the file to download.
    pub(super) name: String,
}

/// A file to send, and what it has to keep to once its bytes are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) file: Attachment,
    pub(super) policy: FilePolicy,
}

/// What a request came to.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    Envelope(Box<Envelope>),
    /// A file of an agent's, where it is kept now.
    Kept(Attachment),
}

impl From<Envelope> for Answer {
    fn from(envelope: Envelope) -> Self {
        Self::Envelope(Box::new(envelope))
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    RequestChat,
    Refresh,
    Send,
    UpdateData,
    Typing,
    ReadReceipt,
    FileLimits,
    Upload,
    Download,
    Disconnect,
}

impl Operation {
    /// Whether the answer is the transcript from the position asked for.
    pub(super) fn reads_transcript(self) -> bool {
        matches!(self, Self::RequestChat | Self::Refresh | Self::Send)
    }
}

/// What names an open chat to the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chat {
    pub(super) chat_id: String,
    pub(super) user_id: String,
    #[serde(with = "crate::marking")]
    pub(super) secure_key: String,
    /// Names the server instance, and may change with every answer.
    pub(super) alias: String,
    /// The index of the first event not yet seen.
    pub(super) position: u64,
    /// The leg of each participant who is an agent and has not left.
    pub(super) legs: BTreeMap<i64, LegId>,
    /// What may be uploaded, once asked for.
    pub(super) limits: Option<Limits>,
    /// How far the user has read, and how far the server knows.
    pub(super) read: u64,
    pub(super) read_told: u64,
    /// An index that is missing and was asked for again.
    pub(super) hole: Option<u64>,
    pub(super) tally: Tally,
}

impl Chat {
    pub(super) fn call<const N: usize>(
        &self,
        operation: Operation,
        path: &str,
        fields: [(&str, String); N],
    ) -> Call {
        let mut form = vec![
            ("userId".to_owned(), self.user_id.clone()),
            ("secureKey".to_owned(), self.secure_key.clone()),
            ("alias".to_owned(), self.alias.clone()),
        ];
        form.extend(fields.map(|(name, value)| (name.to_owned(), value)));
        Call {
            operation,
            path: format!("/{}/{path}", self.chat_id),
            form,
            upload: None,
            name: String::new(),
        }
    }

    pub(super) fn refresh(&self) -> Call {
        let position = ("transcriptPosition", self.position.to_string());
        self.call(Operation::Refresh, "refresh", [position])
    }

    pub(super) fn send(&self, text: &str) -> Call {
        let position = ("transcriptPosition", self.position.to_string());
        let message = ("message", text.to_owned());
        self.call(Operation::Send, "send", [message, position])
    }

    pub(super) fn read_receipt(&self) -> Call {
        let position = ("transcriptPosition", self.read.to_string());
        self.call(Operation::ReadReceipt, "readReceipt", [position])
    }

    pub(super) fn update_data(&self, attributes: &BTreeMap<String, String>) -> Call {
        let mut call = self.call(Operation::UpdateData, "updateData", []);
        call.form.extend(user_data(attributes));
        call
    }
}

/// The request that opens a chat. Absent fields are left out, not empty.
pub(super) fn request_chat(request: &TransferRequest, site: &Site) -> Call {
    let identity = &request.options.identity;
    let fields = [
        ("nickname", &identity.nickname),
        ("firstName", &identity.first_name),
        ("lastName", &identity.last_name),
        ("emailAddress", &identity.email_address),
        ("subject", &request.options.subject),
    ];
    let mut form: Form = fields
        .into_iter()
        .filter_map(|(name, value)| {
            let value = value.clone().filter(|value| !value.is_empty())?;
            Some((name.to_owned(), value))
        })
        .collect();
    let unnamed = [IdentityField::Mobile, IdentityField::ExternalId];
    let attributes = attributes(request, &site.queue_attribute, &unnamed);
    form.extend(user_data(&attributes));
    Call {
        operation: Operation::RequestChat,
        path: String::new(),
        form,
        upload: None,
        name: String::new(),
    }
}

fn user_data(attributes: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    attributes
        .iter()
        .map(|(name, value)| (format!("userData[{name}]"), value.clone()))
}
