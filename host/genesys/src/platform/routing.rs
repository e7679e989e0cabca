//! Message Routing: which Architect flow answers an address, and whether that flow is published.

use super::call::{Call, Platform};
use super::conversations::Reference;
use super::error::PlatformError;
use http::Method;
use serde::Deserialize;
use serde_json::json;

/// An address that customers write to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Recipient {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// The flow that answers.
    #[serde(default)]
    pub(crate) flow: Option<NamedReference>,
}

/// Something by id and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct NamedReference {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
}

/// An Architect flow, as far as the API shows it. What it does inside is not shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Flow {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) division: Option<Reference>,
    #[serde(default)]
    pub(crate) published_version: Option<Reference>,
}

/// A Messenger deployment, as those who look after it see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct WebDeployment {
    #[serde(default)]
    pub(crate) flow: Option<NamedReference>,
}

#[derive(Deserialize)]
struct Flows {
    #[serde(default)]
    entities: Vec<Flow>,
}

impl Platform {
    /// An address.
    pub(crate) async fn recipient(&self, id: &str) -> Result<Recipient, PlatformError> {
        let path = format!("/api/v2/routing/message/recipients/{id}");
        let doing = "look at Message Routing";
        self.get(path, &[], doing, "routing:message:manage").await
    }

    /// Has a flow answer an address.
    pub(crate) async fn bind(
        &self,
        recipient: &str,
        name: &str,
        flow: &Flow,
    ) -> Result<(), PlatformError> {
        let body = json!({
            "id": recipient,
            "name": name,
            "messengerType": "open",
            "flow": { "id": flow.id, "name": flow.name },
        });
        self.tell(Call {
            method: Method::PUT,
            path: format!("/api/v2/routing/message/recipients/{recipient}"),
            query: &[],
            body: Some(&body),
            doing: "choose the flow in Message Routing",
            permission: "routing:message:manage",
        })
        .await
    }

    /// The flows of a name.
    pub(crate) async fn flows_named(&self, name: &str) -> Result<Vec<Flow>, PlatformError> {
        let query = [("name", name), ("pageSize", "100")];
        let doing = "look at Architect flows";
        let path = "/api/v2/flows".to_owned();
        let page: Flows = self.get(path, &query, doing, "architect:flow:view").await?;
        Ok(page.entities)
    }

    /// A flow that something refers to; none if this client does not see it.
    pub(crate) async fn flow(&self, at: &NamedReference) -> Result<Option<Flow>, PlatformError> {
        let mut flows = self.flows_named(&at.name).await?.into_iter();
        Ok(flows.find(|flow| flow.id == at.id))
    }

    /// A Messenger deployment.
    pub(crate) async fn web_deployment(&self, id: &str) -> Result<WebDeployment, PlatformError> {
        let path = format!("/api/v2/webdeployments/deployments/{id}");
        let doing = "look at the Messenger deployment";
        self.get(path, &[], doing, "webDeployments:deployment:view")
            .await
    }
}
