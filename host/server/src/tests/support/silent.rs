//! A transport that does nothing but remember what it was asked to open and to resume.

use handoff_engine::account::{Account, EngageAccount, SecretRef};
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use handoff_genesys::{Link, Reports, SecretError, Secrets, Transport, WebhookReply};
use serde_json::Value;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub(crate) struct Silent {
    /// Only to make links with.
    engage: Arc<dyn Transport>,
    opened: Mutex<Vec<HandoffId>>,
    resumed: Mutex<Vec<(HandoffId, Value)>>,
}

impl Silent {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        let account = EngageAccount::new("http://gms.invalid".to_owned(), "none".to_owned());
        let account = Account::EngageChatV2(account);
        let http = handoff_genesys::http_client();
        let name = AccountName::new("silent");
        let engage = handoff_genesys::transport(&name, &account, &NoSecrets, clock, http);
        Arc::new(Self {
            engage: engage.expect("an account without secrets"),
            opened: Mutex::default(),
            resumed: Mutex::default(),
        })
    }

    pub(crate) fn opened(&self) -> Vec<String> {
        let opened = self.opened.lock().expect("no test panics here");
        opened.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn resumed(&self) -> Vec<(String, Value)> {
        let resumed = self.resumed.lock().expect("no test panics here");
        let resumed = resumed.iter();
        resumed
            .map(|(handoff, handle)| (handoff.to_string(), handle.clone()))
            .collect()
    }

    /// A link behind which nobody is: a handle that cannot be read starts no driver.
    fn dead_link(&self, handoff: HandoffId) -> Link {
        let (nowhere, _) = Reports::channel();
        self.engage.resume(handoff, Value::Null, nowhere)
    }
}

impl Transport for Silent {
    fn kind(&self) -> TransportKind {
        TransportKind::EngageChatV2
    }

    fn open(&self, handoff: HandoffId, _request: TransferRequest, _reports: Reports) -> Link {
        self.opened
            .lock()
            .expect("no test panics here")
            .push(handoff.clone());
        self.dead_link(handoff)
    }

    fn resume(&self, handoff: HandoffId, handle: Value, _reports: Reports) -> Link {
        self.resumed
            .lock()
            .expect("no test panics here")
            .push((handoff.clone(), handle));
        self.dead_link(handoff)
    }

    fn webhook(&self, _headers: &axum::http::HeaderMap, body: &[u8]) -> WebhookReply {
        WebhookReply {
            status: axum::http::StatusCode::UNAUTHORIZED,
            body: format!("{} bytes from nobody known", body.len()),
        }
    }
}

/// No secrets.
#[derive(Debug)]
pub(crate) struct NoSecrets;

impl Secrets for NoSecrets {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        Err(SecretError::new(format!("{secret:?} is not there")))
    }
}
