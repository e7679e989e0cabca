//! All routes together, and the document that describes them.

use super::access::Gate;
use super::admin_tokens::{AdminToken, AdminTokens};
use super::guard::guard;
use super::limits::{Limiter, Limits};
use super::problem::ApiError;
use super::{
    backup, catalogue, events, genesys, health, metrics, rotation, sessions, socket, versions,
};
use crate::audit::Audit;
use crate::host::Host;
use crate::key::HostKey;
use crate::releases::Deployments;
use crate::revocations::Revocations;
use axum::Router;
use axum::http::{HeaderName, Method, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use handoff_engine::node::Node;
use ipnet::IpNet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
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
    /// Opens every route of operators. Without one, and without [`Self::admin_tokens`], nobody can call
    /// them.
    pub admin_token: Option<AdminToken>,
    /// Operators' tokens with roles, in place of [`Self::admin_token`].
    pub admin_tokens: Option<AdminTokens>,
    /// How long a session's token opens it; at most [`Revocations::KEPT_FOR`].
    pub token_lifetime: Duration,
    /// Which sessions' tokens were revoked.
    pub revocations: Revocations,
    /// Proxies that are believed when they say where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// Where it is kept what operators did.
    pub audit: Audit,
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

/// How long a session's token opens it, if nothing is said.
const TOKEN_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl ApiOptions {
    /// Nobody but holders of sessions' tokens may call anything.
    #[must_use]
    pub fn new(key: HostKey) -> Self {
        Self {
            key,
            admin_token: None,
            admin_tokens: None,
            token_lifetime: TOKEN_LIFETIME,
            revocations: Revocations::in_memory(),
            trusted_proxies: Vec::new(),
            audit: Audit::default(),
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
    proxies: Vec<IpNet>,
    audit: Audit,
    deployments: Option<Deployments>,
    scratch: PathBuf,
    backups: Semaphore,
    leaving: CancellationToken,
    draining: CancellationToken,
}

impl Api {
    /// The HTTP surface of a host.
    #[must_use]
    pub fn new(host: &Host, options: ApiOptions) -> Self {
        let ApiOptions {
            key,
            admin_token,
            admin_tokens,
            token_lifetime,
            revocations,
            trusted_proxies,
            audit,
            public_sessions,
            mut nodes,
            limits,
            deployments,
            scratch,
        } = options;
        if nodes.is_empty() {
            nodes.extend(host.project().nodes().map(|(_, node)| Arc::clone(node)));
        }
        let operators = admin_tokens.unwrap_or_else(|| AdminTokens::only(admin_token.as_ref()));
        Self(Arc::new(Inner {
            gate: Gate::new(&key, operators, token_lifetime, revocations),
            host: host.clone(),
            public_sessions,
            nodes,
            limiter: Limiter::new(limits),
            proxies: trusted_proxies,
            audit,
            deployments,
            scratch,
            backups: Semaphore::new(1),
            leaving: CancellationToken::new(),
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
            .route_layer(from_fn_with_state(self.clone(), guard))
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
            .merge(rotation::routes())
            .routes(routes!(genesys::webhooks))
            .routes(routes!(health::ready))
            .routes(routes!(metrics::metrics))
    }

    /// Says at `/readyz` that the host is about to stop, so that whoever spreads the load sends nothing
    /// new here. Everything is still done.
    pub fn announce_end(&self) {
        self.0.leaving.cancel();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.0.leaving.is_cancelled() || self.is_draining()
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

    pub(super) fn proxies(&self) -> &[IpNet] {
        &self.0.proxies
    }

    pub(super) fn audit(&self) -> &Audit {
        &self.0.audit
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
                bearer(
                    "The session's token, which creating it returned; or an admin token with the role that the route needs.",
                ),
            ),
            (
                "admin",
                bearer(
                    "An admin token with the role that the route needs: view, operate or deploy.",
                ),
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
