//! A running host, asked over HTTP with its admin token.

use anyhow::{anyhow, bail};
use reqwest::{Response, Url};
use serde_json::Value;

/// Where a running host is, and what opens it.
#[derive(Debug, clap::Args)]
pub(crate) struct Remote {
    /// Address of a running host, for example http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", requires = "admin_token")]
    pub(crate) url: Option<Url>,
    /// The running host's admin token.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "HANDOFF_ADMIN_TOKEN",
        hide_env_values = true
    )]
    admin_token: Option<String>,
}

impl Remote {
    /// Asks for a route, and gives the answer if it is a success.
    pub(crate) async fn get(
        &self,
        url: &Url,
        route: &[&str],
        query: &[(&str, &str)],
    ) -> anyhow::Result<Response> {
        let mut address = url.clone();
        address
            .path_segments_mut()
            .map_err(|()| anyhow!("'{url}' is no address of a host"))?
            .pop_if_empty()
            .extend(route);
        let request = handoff_genesys::http_client()
            .get(address)
            .query(query)
            .bearer_auth(self.admin_token.as_deref().unwrap_or_default());
        let answer = request.send().await.map_err(|error| {
            // Without its address, which is on the command line already.
            let error = error.without_url();
            anyhow!("no answer from '{url}' ({error}); is a host running there?")
        })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.text().await?;
        let problem: Value = serde_json::from_str(&body).unwrap_or_default();
        match problem["message"].as_str() {
            Some(message) => bail!("'{url}' refuses: {message}"),
            None => {
                bail!("'{url}' answers with HTTP status {status}; it may not be a handoff host")
            }
        }
    }
}
