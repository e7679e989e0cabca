//! A transport that does nothing but remember what it was asked to open and to resume.

use axum::http::StatusCode;
use handoff_engine::account::SecretRef;
use handoff_engine::clock::Clock;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::HandoffId;
use handoff_genesys::{
    Command, Link, Reports, SecretError, Secrets, Transport, WebhookOutcome, WebhookReply,
};
use serde_json::Value;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub(crate) struct Silent {
    clock: Arc<dyn Clock>,
    opened: Mutex<Vec<HandoffId>>,
    resumed: Mutex<Vec<(HandoffId, Value)>>,
    unsettled: Mutex<Vec<Command>>,
}

impl Silent {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            opened: Mutex::default(),
            resumed: Mutex::default(),
            unsettled: Mutex::default(),
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

    /// The ids of the says that came with what was resumed.
    pub(crate) fn unsettled(&self) -> Vec<String> {
        let unsettled = self.unsettled.lock().expect("no test panics here");
        let says = unsettled.iter().filter_map(|command| match command {
            Command::Say { id, .. } => Some(id.to_string()),
            _ => None,
        });
        says.collect()
    }

    /// A link behind which everything is taken and nothing is done.
    fn link(&self) -> Link {
        let (link, mut commands) = Link::new(Arc::clone(&self.clock));
        tokio::spawn(async move { while commands.recv().await.is_some() {} });
        link
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
            .push(handoff);
        self.link()
    }

    fn resume(
        &self,
        handoff: HandoffId,
        handle: Value,
        unsettled: Vec<Command>,
        _reports: Reports,
    ) -> Link {
        self.unsettled
            .lock()
            .expect("no test panics here")
            .extend(unsettled);
        self.resumed
            .lock()
            .expect("no test panics here")
            .push((handoff, handle));
        self.link()
    }

    fn webhook(&self, _headers: &axum::http::HeaderMap, body: &[u8]) -> WebhookReply {
        let outcome = match body {
            b"for nobody" => WebhookOutcome::Unclaimed {
                message: "m-1".to_owned(),
                conversation: Some("c-1".to_owned()),
            },
            b"unreadable" => WebhookOutcome::Unreadable {
                why: "it is\nno JSON".to_owned(),
                conversation: None,
            },
            _ => WebhookOutcome::Refused,
        };
        let status = match outcome {
            WebhookOutcome::Unclaimed { .. } => StatusCode::SERVICE_UNAVAILABLE,
            WebhookOutcome::Unreadable { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::UNAUTHORIZED,
        };
        let said = format!("{} bytes from nobody known", body.len());
        WebhookReply::new(status, said).with(outcome)
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
