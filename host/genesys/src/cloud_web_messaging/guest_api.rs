//! The HTTP calls of a guest: the deployment's configuration, the history, and uploads.
//!
//! None of them needs an OAuth client; the history takes the guest's own JWT.

use super::sending::wait_of;
use super::trouble::Trouble;
use super::wire::{Configuration, Page};
use crate::client::describe;
use crate::platform::{ErrorBody, Hosts};
use crate::traffic::Traffic;
use crate::unreadable::unreadable;
use bytes::Bytes;
use http::header::{ACCEPT, ORIGIN, RETRY_AFTER};
use std::collections::BTreeMap;

/// Messages per page of the history; Genesys gives 100 at most.
pub(super) const PAGE_SIZE: usize = 100;

/// The guest's side of Genesys' HTTP interfaces.
#[derive(Clone, Debug)]
pub(super) struct GuestApi {
    pub(super) hosts: Hosts,
    pub(super) origin: Option<String>,
    pub(super) http: reqwest::Client,
    pub(super) traffic: Traffic,
}

impl GuestApi {
    /// The same, its calls noted.
    pub(super) fn noting(&self, traffic: &Traffic) -> Self {
        Self {
            traffic: traffic.clone(),
            ..self.clone()
        }
    }

    /// The deployment's configuration.
    pub(super) async fn configuration(&self, deployment: &str) -> Result<Configuration, Trouble> {
        const DOING: &str = "read the deployment's configuration";
        let url = format!(
            "{}/webdeployments/v1/deployments/{deployment}/config.json",
            self.hosts.cdn
        );
        let body = match self.send(DOING, self.get(url)).await {
            // The CDN knows no other reason not to serve a file.
            Err(Trouble::Refused {
                code: 403 | 404 | 410,
                ..
            }) => {
                let deployment = deployment.to_owned();
                return Err(Trouble::DeploymentUnknown { deployment });
            }
            other => other?,
        };
        let configuration: Configuration = read(DOING, &body)?;
        let inactive = |status: &String| status.eq_ignore_ascii_case("inactive");
        if configuration.status.as_ref().is_some_and(inactive) {
            let deployment = deployment.to_owned();
            return Err(Trouble::DeploymentInactive { deployment });
        }
        Ok(configuration)
    }

    /// A page of the history, counted from 1, newest first.
    pub(super) async fn history(&self, jwt: &str, page: u32) -> Result<Page, Trouble> {
        const DOING: &str = "read the conversation's history";
        let url = format!("{}/api/v2/webmessaging/messages", self.hosts.api);
        let request = self
            .get(url)
            .query(&[
                ("pageNumber", page.to_string()),
                ("pageSize", PAGE_SIZE.to_string()),
            ])
            .bearer_auth(jwt);
        let body = self.send(DOING, request).await?;
        read(DOING, &body)
    }

    /// Uploads a file to the address Genesys gave, with the headers it gave.
    pub(super) async fn put(
        &self,
        url: &str,
        headers: &BTreeMap<String, String>,
        bytes: Bytes,
    ) -> Result<(), Trouble> {
        let mut request = self.http.put(url).body(bytes);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        // The address is signed: whoever has it may put a file there.
        let sent = self.traffic.send_as("PUT (upload address)", request).await;
        answer("take the file", sent).await.map(drop)
    }

    async fn send(
        &self,
        doing: &'static str,
        request: reqwest::RequestBuilder,
    ) -> Result<Bytes, Trouble> {
        answer(doing, self.traffic.send(request).await).await
    }

    fn get(&self, url: String) -> reqwest::RequestBuilder {
        let request = self.http.get(url).header(ACCEPT, "application/json");
        match &self.origin {
            Some(origin) => request.header(ORIGIN, origin),
            None => request,
        }
    }
}

/// What an answer means.
async fn answer(
    doing: &'static str,
    sent: reqwest::Result<reqwest::Response>,
) -> Result<Bytes, Trouble> {
    let unreachable = |error: reqwest::Error| Trouble::Unreachable {
        why: describe(&error),
    };
    let response = sent.map_err(unreachable)?;
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(wait_of);
    let body = response.bytes().await.map_err(unreachable)?;
    if status.is_success() {
        return Ok(body);
    }
    let refusal: ErrorBody = serde_json::from_slice(&body).unwrap_or_default();
    let words = match refusal.message.trim().trim_end_matches('.') {
        "" => "it gave no reason".to_owned(),
        words => words.to_owned(),
    };
    Err(Trouble::of_status(
        doing,
        status.as_u16(),
        retry_after,
        words,
    ))
}

fn read<T: serde::de::DeserializeOwned>(doing: &'static str, body: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(body).map_err(|error| Trouble::Unreadable {
        doing,
        why: unreadable(&error),
    })
}
