//! Credentials of a simulated organisation.
//!
//! A project names its secrets and does not hold them. Against a simulator nobody should have to
//! supply them, so they are read from the organisation's own file: the secret of the OAuth client
//! that the account names, and of the integration that it names.

use handoff_engine::account::{Account, OAuthClient, OpenMessagingAccount, SecretRef};
use handoff_engine::project::Project;
use handoff_genesys::{SecretError, Secrets};
use serde::Deserialize;

/// The part of an organisation file that holds secrets.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct OrgSecrets {
    oauth_clients: Vec<OauthClient>,
    integrations: Vec<Integration>,
}

#[derive(Debug, Deserialize)]
struct OauthClient {
    id: String,
    secret: String,
}

#[derive(Debug, Deserialize)]
struct Integration {
    name: String,
    #[serde(default)]
    id: Option<String>,
    secret: String,
}

/// Resolves a project's secrets from a simulated organisation.
#[derive(Debug)]
pub struct SimulatedSecrets(Vec<(SecretRef, String)>);

impl SimulatedSecrets {
    /// The secrets that a project needs against an organisation, from the text of its file.
    #[must_use]
    pub fn new(project: &Project, org: &str) -> Self {
        // The simulator has read the same text, and would have refused it if it were broken.
        let org: OrgSecrets = toml::from_str(org).unwrap_or_default();
        let mut known = Vec::new();
        for (_, account) in project.accounts() {
            match account {
                Account::CloudOpenMessaging(account) => known.extend(org.of(account)),
                Account::CloudWebchat(account) => {
                    known.extend(org.of_client(account.oauth_client.as_ref()));
                }
                Account::CloudWebMessaging(account) => {
                    known.extend(org.of_client(account.oauth_client.as_ref()));
                    let secret = account.token_secret.clone();
                    known
                        .extend(secret.map(|secret| (secret, "simulated-token-secret".to_owned())));
                }
                Account::EngageChatV2(account) => {
                    let key = account.api_key.clone();
                    known.extend(key.map(|key| (key, "simulated".to_owned())));
                }
            }
        }
        for (name, reference) in project.secrets_for_nodes() {
            known.push((reference.clone(), simulated(name)));
        }
        Self(known)
    }
}

/// What a secret that nodes use is here. It is also what a request to AWS can be signed with.
fn simulated(name: &str) -> String {
    serde_json::json!({
        "accessKeyId": "SIMULATED",
        "secretAccessKey": format!("simulated-{name}"),
    })
    .to_string()
}

impl OrgSecrets {
    fn of(&self, account: &OpenMessagingAccount) -> Vec<(SecretRef, String)> {
        let wanted = Some(&account.integration);
        let integration = self
            .integrations
            .iter()
            .find(|it| Some(&it.name) == wanted || it.id.as_ref() == wanted)
            .map(|integration| integration.secret.clone());
        let token = account.events_token.clone();
        let mut known = vec![
            (
                account.client_secret.clone(),
                self.client_secret(&account.client_id),
            ),
            (
                account.webhook_secret.clone(),
                match account.provision {
                    // What is still to be provisioned gets what the project says.
                    Some(_) => integration.unwrap_or_else(|| "simulated-webhook-secret".to_owned()),
                    None => or_wrong(integration),
                },
            ),
        ];
        known.extend(token.map(|token| (token, "simulated-events-token".to_owned())));
        known
    }

    fn of_client(&self, client: Option<&OAuthClient>) -> Option<(SecretRef, String)> {
        let client = client?;
        Some((client.secret.clone(), self.client_secret(&client.id)))
    }

    fn client_secret(&self, id: &str) -> String {
        let client = self.oauth_clients.iter().find(|client| client.id == id);
        or_wrong(client.map(|client| client.secret.clone()))
    }
}

/// What the organisation does not know is wrong there, as it would be at Genesys.
fn or_wrong(secret: Option<String>) -> String {
    secret.unwrap_or_else(|| "not-known-to-that-organisation".to_owned())
}

impl Secrets for SimulatedSecrets {
    fn resolve(&self, secret: &SecretRef) -> Result<String, SecretError> {
        let found = self.0.iter().find(|(known, _)| known == secret);
        found.map(|(_, value)| value.clone()).ok_or_else(|| {
            SecretError::new(
                "no account of the project uses this secret, so it has no simulated value",
            )
        })
    }
}
