//! The requests of a chat: paths and forms (PROTOCOLS 1.2).

use super::protocol::Site;
use super::wire::Form;
use crate::attributes::attributes;
use crate::end::LegId;
use handoff_engine::handoff::{IdentityField, TransferRequest};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request to GMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// After the base address; empty for the base itself.
    pub(super) path: String,
    pub(super) form: Form,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    RequestChat,
    Refresh,
    Send,
    UpdateData,
    Typing,
    Disconnect,
}

/// What names an open chat to the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chat {
    pub(super) chat_id: String,
    pub(super) user_id: String,
    pub(super) secure_key: String,
    /// Names the server instance, and may change with every answer.
    pub(super) alias: String,
    /// The index of the first event not yet seen.
    pub(super) position: u64,
    /// The leg of each participant who is an agent and has not left.
    pub(super) legs: BTreeMap<i64, LegId>,
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
    }
}

fn user_data(attributes: &BTreeMap<String, String>) -> impl Iterator<Item = (String, String)> {
    attributes
        .iter()
        .map(|(name, value)| (format!("userData[{name}]"), value.clone()))
}
