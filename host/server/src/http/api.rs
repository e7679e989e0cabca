//! All routes together, and the document that describes them.

use super::access::{AdminToken, Gate};
use super::limits::{Limiter, Limits};
use super::problem::ApiError;
use super::{backup, catalogue, events, health, metrics, sessions, socket, versions};
use crate::host::Host;
use crate::key::HostKey;
use crate::releases::Deployments;
use axum::Router;
use axum::http::{HeaderName, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use handoff_engine::node::Node;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{Any, CorsLayer};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How the routes of a host behave.
#[derive(Debug)]
pub struct ApiOptions {
    /// What the tokens of sessions are made with. Hosts that share it take each other's.
    pub key: HostKey,
    /// Opens the operator's routes. Without one nobody can call them.
    pub admin_token: Option<AdminToken>,
    /// Whether anybody may start a session, as a page on the web has to; else the operator's token is
    /// needed.
    pub public_sessions: bool,
    /// The node types that `/v1/nodes` tells of; those that the project uses if there are none.
    pub nodes: Vec<Arc<Node>>,
    /// How much of the host one client may have.
    pub limits: Limits,
    /// The versions of the project that the operator may choose from.
    pub deployments: Option<Deployments>,
    /// The directory in which a copy of the store is made before it is sent. It needs as much room as the store.
    pub scratch: PathBuf,
}

impl ApiOptions {
    /// Nobody but holders of sessions' tokens may call anything.
    #[must_use]
    pub fn new(key: HostKey) -> Self {
        Self {
            key,
            admin_token: None,
            public_sessions: false,
            nodes: Vec::new(),
            limits: Limits::default(),
            deployments: None,
            scratch: std::env::temp_dir(),
        }
    }
}

/// The HTTP surface of a host. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Host,
    gate: Gate,
    public_sessions: bool,
    nodes: Vec<Arc<Node>>,
    limiter: Limiter,
    deployments: Option<Deployments>,
    scratch: PathBuf,
    backups: Semaphore,
    draining: CancellationToken,
}

impl Api {
    /// The HTTP surface of a host.
    #[must_use]
    pub fn new(host: &Host, options: ApiOptions) -> Self {
        let ApiOptions {
            key,
            admin_token,
            public_sessions,
            mut nodes,
            limits,
            deployments,
            scratch,
        } = options;
        if nodes.is_empty() {
            nodes.extend(host.project().nodes().map(|(_, node)| Arc::clone(node)));
        }
        Self(Arc::new(Inner {
            gate: Gate::new(&key, admin_token),
            host: host.clone(),
            public_sessions,
            nodes,
            limiter: Limiter::new(limits),
            deployments,
            scratch,
            backups: Semaphore::new(1),
            draining: CancellationToken::new(),
        }))
    }

    /// The place of who makes a copy of the store; none if it is taken.
    pub(super) fn backup_place(&self) -> Option<SemaphorePermit<'_>> {
        self.0.backups.try_acquire().ok()
    }

    /// Where copies of the store are made.
    pub(super) fn scratch(&self) -> &Path {
        &self.0.scratch
    }

    /// Every route, those of [`Host::router`] included.
    pub fn router(&self) -> Router {
        let (router, document) = self.described().split_for_parts();
        let document = Arc::new(document);
        let describe = move || async move { axum::Json((*document).clone()) };
        let host = &self.0.host;
        let routes = router
            .route("/openapi.json", get(describe))
            .with_state(self.clone())
            .merge(host.routes())
            .method_not_allowed_fallback(wrong_method)
            .fallback(unknown_route)
            // Around what stands for wrong methods too: a browser asks with one.
            .layer(from_anywhere());
        host.counted(routes)
    }

    /// The document that describes the routes: OpenAPI 3.1.
    #[must_use]
    pub fn document(&self) -> utoipa::openapi::OpenApi {
        self.described().into_openapi()
    }

    fn described(&self) -> OpenApiRouter<Self> {
        let limits = self.0.limiter.limits();
        let streams = OpenApiRouter::new()
            .routes(routes!(events::events))
            .routes(routes!(socket::socket));
        OpenApiRouter::with_openapi(Description::openapi())
            .merge(sessions::routes(limits))
            .merge(sessions::uploads(limits))
            .merge(streams)
            .merge(catalogue::routes())
            .merge(versions::routes())
            .merge(backup::routes())
            .routes(routes!(health::ready))
            .routes(routes!(metrics::metrics))
    }

    /// Takes no new sessions from now on, and sends those who watch one elsewhere. Whatever else is
    /// asked is still done.
    pub fn drain(&self) {
        self.0.draining.cancel();
    }

    pub(super) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled() || self.0.host.is_stopping()
    }

    /// Waits until the host is about to stop.
    pub(super) async fn draining(&self) {
        self.0.draining.cancelled().await;
    }

    pub(super) fn host(&self) -> &Host {
        &self.0.host
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub(super) fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    pub(super) fn is_public(&self) -> bool {
        self.0.public_sessions
    }

    pub(super) fn deployments(&self) -> Option<&Deployments> {
        self.0.deployments.as_ref()
    }

    pub(super) fn nodes(&self) -> &[Arc<Node>] {
        &self.0.nodes
    }
}

/// Pages from anywhere may call: a token is all that opens anything, and no browser adds one by itself.
fn from_anywhere() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::LOCATION, header::RETRY_AFTER])
}

async fn unknown_route() -> Response {
    ApiError::UnknownRoute.into_response()
}

async fn wrong_method() -> Response {
    ApiError::WrongMethod.into_response()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "handoff",
        description = "Sessions of chatbots that hand a conversation to a human agent and take it back. Errors are `{\"code\", \"message\"}`."
    ),
    modifiers(&Schemes),
    tags(
        (name = "sessions", description = "For users' channels. Every session has a token of its own."),
        (name = "operation", description = "For operators and builders of flows."),
    ),
)]
struct Description;

/// The ways to show who calls.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = |description: &str| {
            let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
            SecurityScheme::Http(scheme.description(Some(description)).build())
        };
        let in_address = ApiKeyValue::with_description(
            "access_token",
            "The session's token, where a browser cannot send a header: streams and WebSockets.",
        );
        let components = openapi.components.get_or_insert_default();
        for (name, scheme) in [
            (
                "session",
                bearer("The session's token, which creating it returned; or the admin token."),
            ),
            (
                "admin",
                bearer("The operator's token, with which the host was started."),
            ),
            (
                "sessionInAddress",
                SecurityScheme::ApiKey(ApiKey::Query(in_address)),
            ),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}
