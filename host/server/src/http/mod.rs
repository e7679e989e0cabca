//! HTTP: what users' channels, Genesys and operators call.
//!
//! An embedder mounts [`Host::router`] in a server of its own, which is all that Genesys needs, or
//! [`Api::router`], which has the rest too. Whatever a user is shown is read from the journal at the
//! pace of the reader, so that no client holds more of this host's memory than one answer.
//!
//! | module | what |
//! |---|---|
//! | `api` | all routes together, and the document that describes them |
//! | `guard` | what every request goes through first: who calls, from where, how often |
//! | `access` | who may call what |
//! | `roles` | which route needs which role of an operator: the one table of it |
//! | `admin_tokens`, `session_tokens` | operators' tokens and sessions' tokens |
//! | `client` | which client a request comes from |
//! | `problem` | what goes wrong, as clients are told |
//! | `words` | the JSON that goes in and out |
//! | `sessions` | sessions: start, say, attach, look, renew and revoke tokens |
//! | `rotation` | new keys and secrets while the host runs |
//! | `feed`, `events`, `socket` | what a user is shown: as a list, as server-sent events, by WebSocket |
//! | `catalogue` | nodes and projects, for operators and builders |
//! | `versions` | versions of the project, and which one new sessions take |
//! | `limits` | how much of the host one client may have |
//! | `health` | signs of life |
//! | `metrics` | what there is to count |
//! | `genesys` | webhooks and trigger events, and what became of them |

mod access;
mod admin_tokens;
mod api;
mod backup;
mod body;
mod catalogue;
mod client;
mod events;
mod feed;
mod genesys;
mod guard;
mod health;
mod limits;
mod metrics;
mod problem;
mod roles;
mod rotation;
mod session_tokens;
mod sessions;
mod socket;
mod versions;
mod words;

pub use admin_tokens::{AdminToken, AdminTokens, AdminTokensError, WeakToken};
pub use api::{Api, ApiOptions};
pub use limits::{Limits, Rate};
pub use problem::ApiError;
pub use roles::Role;
pub use session_tokens::SessionToken;

pub(crate) use health::while_starting;

use crate::host::Host;
use crate::media;
use crate::metrics::count_request;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;

impl Host {
    /// The routes that Genesys and readers of files need, for an embedder's own server.
    pub fn router(&self) -> Router {
        self.counted(self.routes())
    }

    /// Counts whatever comes for these routes, and for none.
    fn counted(&self, routes: Router) -> Router {
        routes.layer(from_fn_with_state(self.clone(), count_request))
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/v1/media/{id}/{name}", get(media::serve))
            .merge(genesys::routes())
            .with_state(self.clone())
    }

    /// Serves [`Self::router`] until the host stops.
    pub fn serve(&self, listener: TcpListener) {
        let router = self.router();
        let stopping = self.0.stopping.clone();
        self.spawn(async move {
            // Connections outlive the listener; this closes them too.
            let serving =
                axum::serve(listener, router).with_graceful_shutdown(stopping.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::error!(%error, "the HTTP server stopped");
            }
        });
    }
}
