//! The guest API over HTTP: one request, and what its answer means (PROTOCOLS 2.2, 2.3, 2.6).

use super::protocol::{Answer, Call};
use super::reading::PAGE;
use super::state::Seat;
use super::trouble::{Failure, Refusal};
use super::wire::Create;
use crate::client::describe;
use crate::platform::{correlation, retry_after};
use crate::traffic::Traffic;
use crate::unreadable::unreadable;
use handoff_engine::time::Millis;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const CONVERSATIONS: &str = "/api/v2/webchat/guest/conversations";

/// Members per page; all of an ordinary chat's.
const MEMBERS: u32 = 100;

/// How long to wait when the server does not say.
const AFTER_LIMIT: Millis = Millis::from_secs(5);

/// The guest API of a region. It needs no credentials to open a chat.
#[derive(Clone, Debug)]
pub(super) struct GuestApi {
    base: String,
    http: reqwest::Client,
    traffic: Traffic,
}

impl GuestApi {
    pub(super) fn new(base: String, http: reqwest::Client) -> Self {
        let traffic = Traffic::default();
        Self {
            base,
            http,
            traffic,
        }
    }

    /// The same, its calls noted.
    pub(super) fn noting(&self, traffic: &Traffic) -> Self {
        Self {
            traffic: traffic.clone(),
            ..self.clone()
        }
    }

    pub(super) async fn create(&self, create: &Create) -> Result<Answer, Failure> {
        let request = self.request(Method::POST, CONVERSATIONS).json(create);
        Ok(Answer::Created(Box::new(self.read(request).await?)))
    }

    /// Carries out a call of a guest's. Those of the Platform API are not for here.
    pub(super) async fn call(&self, seat: &Seat, call: &Call) -> Result<Answer, Failure> {
        let ours = format!("members/{}", seat.member);
        Ok(match call {
            Call::Members { page } => {
                let query = [
                    ("pageSize", MEMBERS.to_string()),
                    ("pageNumber", page.to_string()),
                    ("excludeDisconnectedMembers", "false".to_owned()),
                ];
                let request = self.get(seat, "members").query(&query);
                Answer::Members(self.read(request).await?)
            }
            Call::Messages { after } => {
                let mut query = vec![
                    ("sortOrder", "ascending".to_owned()),
                    ("maxResults", PAGE.to_string()),
                ];
                query.extend(after.iter().map(|after| ("after", after.clone())));
                let request = self.get(seat, "messages").query(&query);
                Answer::Messages(self.read(request).await?)
            }
            Call::Post(text) => {
                let body = json!({ "body": text, "bodyType": "standard" });
                let path = format!("{ours}/messages");
                let request = self.post(seat, &path, Some(&body));
                Answer::Posted(self.read(request).await?)
            }
            Call::Typing => {
                let path = format!("{ours}/typing");
                self.send(self.post::<Value>(seat, &path, None)).await?;
                Answer::Done
            }
            Call::Leave => {
                self.send(self.of(seat, Method::DELETE, &ours)).await?;
                Answer::Done
            }
            Call::Create(_)
            | Call::FindQueue(_)
            | Call::SetAttributes(_)
            | Call::EstimatedWait(_) => Answer::Done,
        })
    }

    fn get(&self, seat: &Seat, path: &str) -> reqwest::RequestBuilder {
        self.of(seat, Method::GET, path)
    }

    fn post<B: Serialize>(
        &self,
        seat: &Seat,
        path: &str,
        body: Option<&B>,
    ) -> reqwest::RequestBuilder {
        let request = self.of(seat, Method::POST, path);
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    fn of(&self, seat: &Seat, method: Method, path: &str) -> reqwest::RequestBuilder {
        let path = format!("{CONVERSATIONS}/{}/{path}", seat.conversation);
        self.request(method, &path).bearer_auth(&seat.jwt.0)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header(http::header::ACCEPT, "application/json")
    }

    async fn read<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<T, Failure> {
        let body = self.send(request).await?;
        serde_json::from_slice(&body).map_err(|error| Failure::Unknown {
            why: format!("the answer cannot be read ({})", unreadable(&error)),
        })
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let sent = self.traffic.send(request).await;
        let response = sent.map_err(|error| failure(&error))?;
        let status = response.status();
        let correlation = correlation(response.headers());
        let wait = retry_after(response.headers());
        let body = response.bytes().await.map_err(|error| failure(&error))?;
        match status.as_u16() {
            200..=299 => Ok(body.into()),
            429 => Err(Failure::RateLimited {
                retry_after: wait.unwrap_or(AFTER_LIMIT),
            }),
            status @ (408 | 500..=599) => Err(Failure::Unknown {
                why: format!("Genesys is unavailable (HTTP status {status}){correlation}"),
            }),
            status => Err(Failure::Refused(Refusal::new(status, correlation, &body))),
        }
    }
}

fn failure(error: &reqwest::Error) -> Failure {
    let why = describe(error);
    if error.is_connect() {
        Failure::NotSent { why }
    } else {
        Failure::Unknown { why }
    }
}
