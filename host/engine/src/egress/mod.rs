//! Requests that leave: what a node's call needs in order to go out, and what comes back.
//!
//! The engine opens no socket. A node asks by `wasi:http`, the engine checks the address against what the
//! project declares, and an [`Egress`] of the embedder's carries the request. None supplied, none
//! leaves. Both sides have to agree: a project lists origins under `[egress]`, and is loaded only if the
//! engine's own list ([`crate::EngineBuilder::allow_egress`]) has them too, so that neither side can
//! widen what the other allows.
//!
//! Requests and answers are complete: a node never holds a connection. Answers are journaled, so that a
//! turn can be made again from a [`Recorded`] egress. A request that was sent is not taken back when
//! its turn fails, and a turn that a crash cut short sends it again: under the same `idempotency-key`.

mod call;
mod origin;
mod place;
mod recorded;
mod secrets;
mod substitution;

pub use call::{Answer, Body, Call, CallError, HttpRequest, HttpResponse, PlacedSecret};
pub use origin::{Allowed, Origin, OriginError};
pub use place::{Place, PlaceError};
pub use recorded::Recorded;
pub(crate) use secrets::{Grant, Grants, Placeholders};
pub use substitution::SigningRequest;

use async_trait::async_trait;
use std::fmt::Debug;
use std::sync::Arc;

/// Carries requests out. Supplied by whoever embeds the engine.
#[async_trait]
pub trait Egress: Debug + Send + Sync {
    /// Sends a request that is allowed, and waits for the whole answer, at most for
    /// [`HttpRequest::deadline`]. Placeholders of secrets are still in it: their values are put in here,
    /// at the last moment, and must not come back with the answer.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CallError>;
}

/// Lets nothing out.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEgress;

#[async_trait]
impl Egress for NoEgress {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        Err(CallError::Denied {
            origin: request.origin(),
        })
    }
}

/// What one step may call, and by whom it is carried.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) egress: Arc<dyn Egress>,
    pub(crate) allowed: Arc<Allowed>,
    pub(crate) grants: Arc<Grants>,
    /// What the ids of this step's requests begin with.
    pub(crate) ids: String,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            egress: Arc::new(NoEgress),
            allowed: Arc::default(),
            grants: Arc::default(),
            ids: String::new(),
        }
    }
}
