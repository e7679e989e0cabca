//! Requests of nodes, carried out over HTTP.
//!
//! What may go where was decided before: the engine asks for nothing that project and operator do not
//! both allow. Here a name is not let lead into the operator's own network unless that is meant, secrets
//! are put in at the last moment and taken out of what comes back, requests to AWS are signed, and
//! neither redirects nor slow or endless answers are followed.

mod addresses;
mod aws;
mod carried;
mod masking;
#[cfg(test)]
mod tests;

use addresses::Guarded;
use async_trait::async_trait;
use carried::Carried;
use handoff_engine::account::SecretRef;
use handoff_engine::clock::Clock;
use handoff_engine::egress::{CallError, Egress, HttpRequest, HttpResponse};
use handoff_engine::project::Project;
use handoff_genesys::{SecretError, Secrets};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;
use url::Url;

/// How requests of nodes leave.
#[derive(Clone, Debug, Default)]
pub struct EgressOptions {
    /// Whether names may lead to private addresses, such as those of the operator's own network.
    pub private_addresses: bool,
    /// Where requests go instead, as to a stand-in for every API. They keep their path and their `host`.
    pub stand_in: Option<Url>,
}

/// Carries the requests of every version.
#[derive(Debug)]
pub(crate) struct Carrier {
    client: reqwest::Client,
    options: EgressOptions,
    clock: Arc<dyn Clock>,
}

impl Carrier {
    pub(crate) fn new(options: EgressOptions, clock: Arc<dyn Clock>) -> Self {
        let guarded = !options.private_addresses && options.stand_in.is_none();
        let mut builder = handoff_genesys::http_client_builder();
        if guarded {
            builder = builder.dns_resolver(Arc::new(Guarded));
        }
        Self {
            // The deadline is each request's own.
            client: builder
                .no_proxy()
                .timeout(Duration::MAX)
                .build()
                .expect("a client from constants and an installed TLS provider always builds"),
            options,
            clock,
        }
    }

    /// For a version, with the secrets that its nodes may use. All that are missing are told at once.
    pub(crate) fn of_version(
        self: &Arc<Self>,
        project: &Project,
        secrets: &dyn Secrets,
    ) -> Result<Arc<dyn Egress>, Vec<SecretError>> {
        let mut values = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, reference) in project.secrets_for_nodes() {
            match usable(secrets, reference, project.signs(name)) {
                Ok(value) => {
                    values.insert(name.to_owned(), (reference.clone(), value));
                }
                Err(reason) => errors.push(SecretError::new(format!(
                    "the secret '{name}' of the project: {reason}"
                ))),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Arc::new(OfVersion {
            carrier: Arc::clone(self),
            secrets: values.into_values().collect(),
        }))
    }
}

/// A secret that is for nodes: shorter ones could not be told from other text in answers.
const SHORTEST_SECRET: usize = 8;

/// The value of a secret, or why it will not do.
fn usable(secrets: &dyn Secrets, reference: &SecretRef, signs: bool) -> Result<String, String> {
    let value = secrets.resolve(reference).map_err(|error| error.message)?;
    handoff_genesys::check_secret(&value, SHORTEST_SECRET).map_err(|error| error.to_string())?;
    if signs {
        aws::Keys::parse(&value).map_err(|error| error.to_string())?;
    }
    Ok(value)
}

/// A version's way out.
struct OfVersion {
    carrier: Arc<Carrier>,
    secrets: Vec<(SecretRef, String)>,
}

impl std::fmt::Debug for OfVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OfVersion").finish_non_exhaustive()
    }
}

#[async_trait]
impl Egress for OfVersion {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let span = tracing::info_span!(
            "egress",
            http.request.method = %request.method,
            server.address = request.url.host_str(),
        );
        let deadline = request.deadline;
        let origin = request.origin();
        let sending = self.exchange(request).instrument(span);
        tokio::time::timeout(Duration::from_millis(deadline.0), sending)
            .await
            .unwrap_or(Err(CallError::TimedOut { origin, deadline }))
    }
}

impl OfVersion {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, CallError> {
        let Carrier {
            client,
            options,
            clock,
        } = &*self.carrier;
        if !options.private_addresses && options.stand_in.is_none() {
            addresses::check_literal(&request.url)?;
        }
        let most = request.most;
        let origin = request.origin();
        let carried = Carried::new(request, &self.secrets, clock.now())?;
        let built = carried.build(client, options.stand_in.as_ref())?;
        let response = client
            .execute(built)
            .await
            .map_err(|error| addresses::unreachable(&origin, &error.without_url()))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read(response, most, &origin).await?;
        carried.without_secrets(status, &headers, body)
    }
}

/// The body, unless it is longer than it may be.
async fn read(
    mut response: reqwest::Response,
    most: usize,
    origin: &str,
) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| addresses::unreachable(origin, &error.without_url()))?
    {
        if body.len() + chunk.len() > most {
            return Err(CallError::ResponseTooLong { limit: most });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
