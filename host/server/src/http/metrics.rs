//! What there is to count, for Prometheus.

use super::access::Operator;
use super::api::Api;
use super::problem::Problem;
use crate::metrics::METRICS_FORMAT;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Metrics of this host, in the OpenMetrics text format.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 200, description = "Metrics.", body = String, content_type = "application/openmetrics-text"),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
    ),
)]
pub(super) async fn metrics(State(api): State<Api>, _: Operator) -> Response {
    let text = api.host().metrics().await;
    ([(CONTENT_TYPE, METRICS_FORMAT)], text).into_response()
}
