//! Trying a permission by a call that cannot do anything.
//!
//! A call that writes is sent void: without what Genesys requires of it, or about a conversation that
//! cannot exist. Genesys looks at the permission first, so a refusal for want of it tells, and any other
//! refusal tells that it is there.

use super::call::{Call, Platform};
use super::error::PlatformError;
use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A permission that only a write needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Void {
    AddIntegration,
    ReceiveMessage,
    ViewMessage,
    Disconnect,
    Transfer,
}

impl Platform {
    /// Whether the client may. An error is what kept us from knowing, or the permission's lack.
    pub(crate) async fn may(&self, what: Void) -> Result<(), PlatformError> {
        let nobody = Uuid::new_v4();
        let conversations = "/api/v2/conversations";
        let (method, path, permission) = match what {
            Void::AddIntegration => (
                Method::POST,
                format!("{conversations}/messaging/integrations/open"),
                "messaging:integration:add",
            ),
            Void::ReceiveMessage => (
                Method::POST,
                format!("{conversations}/messages/{nobody}/inbound/open/event"),
                "conversation:message:receive",
            ),
            Void::ViewMessage => (
                Method::GET,
                format!("{conversations}/messages/{nobody}/messages/{nobody}"),
                "conversation:message:view",
            ),
            Void::Disconnect => (
                Method::POST,
                format!("{conversations}/{nobody}/disconnect"),
                "conversation:communication:disconnect",
            ),
            Void::Transfer => (
                Method::POST,
                format!("{conversations}/messages/{nobody}/participants/{nobody}/replace"),
                "conversation:communication:transfer",
            ),
        };
        let empty = json!({});
        let body: Option<&Value> = (method == Method::POST).then_some(&empty);
        let tried = self.tell(Call {
            method,
            path,
            query: &[],
            body,
            doing: "do what a handoff needs",
            permission,
        });
        match tried.await {
            Err(PlatformError::NotFound { .. } | PlatformError::Refused { .. }) | Ok(()) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
