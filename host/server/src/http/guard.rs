//! What every request for the API's routes goes through first: who calls, from where, how often; and
//! last, the audit log.

use super::access::Visit;
use super::admin_tokens::Operator;
use super::api::Api;
use super::client::Client;
use super::problem::{ApiError, ErrorCode};
use super::roles::{Audited, access_to};
use crate::audit::{self, AuditRecord};
use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// Who calls and from where, for the handlers and the limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// None if the server does not tell where connections come from.
    pub(super) client: Option<Client>,
    address: Option<IpAddr>,
    /// Whose token the request bears, if it is an operator's.
    pub(super) operator: Option<Arc<Operator>>,
}

/// The session a request is about and who makes it, once that is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Visited(pub(super) Arc<OnceLock<Visit>>);

pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Layer of a router: `middleware::from_fn_with_state(api, guard)`.
pub(super) async fn guard(State(api): State<Api>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let now = api.host().now();
    let client = Client::of_request(&parts.extensions, &parts.headers, api.proxies());
    let operator = bearer(&parts).and_then(|token| api.gate().operator(token, now));
    let origin = Origin {
        client: client.map(|(client, _)| client),
        address: client.map(|(_, address)| address),
        operator: operator.map(Arc::new),
    };
    let route = parts.extensions.get::<MatchedPath>();
    let route = route.map(|route| route.as_str().to_owned());
    let route = route.unwrap_or_else(|| "none".to_owned());
    if !route.ends_with("/readyz")
        && let Err(error) = limit(&api, &origin)
    {
        return error.into_response();
    }
    let Some(operator) = origin.operator.clone() else {
        let visited = Visited::default();
        parts.extensions.insert(origin);
        parts.extensions.insert(visited.clone());
        let response = next.run(Request::from_parts(parts, body)).await;
        return within_token(api, &visited, response);
    };
    let method = parts.method.clone();
    let audited = access_to(&method, &route).is_none_or(|it| it.audited == Audited::Yes);
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let of_path = |wanted: &str| {
        let params = params.as_ref().ok()?;
        let found = params.iter().find(|(name, _)| *name == wanted)?;
        Some(found.1.to_owned())
    };
    let (session, project) = (of_path("id"), of_path("name"));
    let version = of_path("digest");
    let query = parts.uri.query().unwrap_or_default();
    let revealed = url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "reveal" && value == "true");
    let address = origin.address;
    parts.extensions.insert(origin);
    parts.extensions.insert(Visited::default());
    let response = next.run(Request::from_parts(parts, body)).await;
    let error = response.extensions().get::<ErrorCode>().map(|code| code.0);
    if audited || error.is_some() {
        api.audit().record(AuditRecord {
            at: audit::time(now),
            operator: &operator.name,
            client: address.map(|address| address.to_string()),
            method: method.as_str(),
            route: &route,
            session: session.or_else(|| created(&response)),
            project,
            version,
            status: response.status().as_u16(),
            error,
            revealed,
            lost: 0,
        });
    }
    response
}

/// Ends a stream of events when the token that opened it is revoked or expires.
fn within_token(api: Api, visited: &Visited, response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE);
    let streams = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let Some(visit) = visited.0.get().filter(|_| streams).cloned() else {
        return response;
    };
    response.map(|body| {
        let over = Box::pin(async move { visit.over(&api).await });
        Body::from_stream(body.into_data_stream().take_until(over))
    })
}

fn limit(api: &Api, origin: &Origin) -> Result<(), ApiError> {
    match (&origin.operator, origin.client) {
        (Some(operator), _) => api.limiter().operator(&operator.name),
        (None, Some(client)) => api.limiter().client(client),
        (None, None) => Ok(()),
    }
}

/// The session that a call created.
fn created(response: &Response) -> Option<String> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let (_, id) = location.rsplit_once("/v1/sessions/")?;
    Some(id.to_owned())
}
