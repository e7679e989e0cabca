//! Nodes and projects, for operators and for builders of flows. Of accounts no secret is shown, nor
//! where one comes from.

use super::access::Operator;
use super::api::Api;
use super::problem::{ApiError, Problem};
use axum::Json;
use axum::extract::{Path, State};
use handoff_engine::account::Account;
use handoff_engine::project::{Bot, Project};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(nodes))
        .routes(routes!(projects))
        .routes(routes!(project))
}

/// Node types.
#[derive(Serialize, ToSchema)]
struct NodeList {
    /// Their descriptors, as their components export them.
    #[schema(value_type = Vec<Object>)]
    nodes: Vec<Value>,
}

/// Projects.
#[derive(Serialize, ToSchema)]
struct ProjectList {
    projects: Vec<ProjectSummary>,
}

/// A project in short.
#[derive(Serialize, ToSchema)]
struct ProjectSummary {
    name: String,
    /// SHA-256 over its files and node components. Sessions are pinned to it.
    digest: String,
    /// The bot that new sessions talk to.
    start: String,
}

/// A project.
#[derive(Serialize, ToSchema)]
#[schema(as = Project)]
struct ProjectJson {
    #[serde(flatten)]
    summary: ProjectSummary,
    bots: Vec<BotJson>,
    /// The flows, as their files have them.
    #[schema(value_type = Vec<Object>)]
    flows: Vec<Value>,
    accounts: Vec<AccountJson>,
    /// What is doubtful, though it loads.
    warnings: Vec<String>,
}

/// A bot.
#[derive(Serialize, ToSchema)]
#[schema(as = Bot)]
struct BotJson {
    name: String,
    /// Of a flow bot: its flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<String>,
    /// Of a worker bot: where it hands over to.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Whether it takes sessions.
    enabled: bool,
}

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountJson {
    name: String,
    /// `engage-chat-v2`, `cloud-webchat`, `cloud-web-messaging` or `cloud-open-messaging`.
    transport: String,
    /// Whether transfers go there that name no account.
    default: bool,
    /// The Engage site, or the region of Genesys Cloud.
    at: String,
}

/// The node types that flows can use.
#[utoipa::path(
    get,
    path = "/v1/nodes",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 200, description = "Descriptors.", body = NodeList),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
    ),
)]
async fn nodes(State(api): State<Api>, _: Operator) -> Result<Json<NodeList>, ApiError> {
    let unwritable = |error: serde_json::Error| ApiError::Malformed(error.to_string());
    let nodes = api.nodes();
    let nodes = nodes
        .iter()
        .map(|node| serde_json::to_value(node.descriptor()));
    let nodes = nodes.collect::<Result<_, _>>().map_err(unwritable)?;
    Ok(Json(NodeList { nodes }))
}

/// The projects of this host.
#[utoipa::path(
    get,
    path = "/v1/projects",
    tag = "operation",
    security(("admin" = [])),
    responses(
        (status = 200, description = "Projects.", body = ProjectList),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
    ),
)]
async fn projects(State(api): State<Api>, _: Operator) -> Json<ProjectList> {
    let projects = vec![summary(&api.host().project())];
    Json(ProjectList { projects })
}

/// A project: its bots, flows and accounts.
#[utoipa::path(
    get,
    path = "/v1/projects/{name}",
    tag = "operation",
    params(("name" = String, Path, description = "The project.")),
    security(("admin" = [])),
    responses(
        (status = 200, description = "The project.", body = ProjectJson),
        (status = 401, description = "No token.", body = Problem),
        (status = 403, description = "A wrong token.", body = Problem),
        (status = 404, description = "No such project.", body = Problem),
    ),
)]
async fn project(
    State(api): State<Api>,
    _: Operator,
    Path(name): Path<String>,
) -> Result<Json<ProjectJson>, ApiError> {
    let project = api.host().project();
    if project.name() != name {
        return Err(ApiError::UnknownProject(name));
    }
    Ok(Json(ProjectJson {
        summary: summary(&project),
        bots: project
            .bots()
            .map(|(name, it)| bot(name.as_str(), it))
            .collect(),
        flows: project.flows().map(|(_, flow)| flow.source()).collect(),
        accounts: accounts(&project),
        warnings: project.warnings().iter().map(ToString::to_string).collect(),
    }))
}

fn summary(project: &Project) -> ProjectSummary {
    ProjectSummary {
        name: project.name().to_owned(),
        digest: project.digest().to_owned(),
        start: project.start().to_string(),
    }
}

fn bot(name: &str, bot: &Bot) -> BotJson {
    let (flow, account, enabled) = match bot {
        Bot::Flow(flow) => (Some(flow.to_string()), None, true),
        Bot::Worker(worker) => (None, Some(worker.account.to_string()), worker.enabled),
    };
    BotJson {
        name: name.to_owned(),
        flow,
        account,
        enabled,
    }
}

fn accounts(project: &Project) -> Vec<AccountJson> {
    let default = project.default_account();
    let accounts = project.accounts().map(|(name, account)| AccountJson {
        name: name.to_string(),
        transport: account.transport().to_string(),
        default: default == Some(name),
        at: match account {
            Account::EngageChatV2(it) => it.url.clone(),
            Account::CloudWebchat(it) => it.region.clone(),
            Account::CloudWebMessaging(it) => it.region.clone(),
            Account::CloudOpenMessaging(it) => it.region.clone(),
        },
    });
    accounts.collect()
}
