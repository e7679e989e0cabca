//! The I/O of a chat: one task per handoff, one request at a time, polls by the clock.

use super::calls::{Answer, Call, Operation, Upload};
use super::protocol::{Protocol, Site, State};
use super::trouble::{Failure, describe};
use super::wire::{Envelope, Status};
use crate::account::{AccountError, secret};
use crate::asking::Weight;
use crate::driving::{Hands, drive};
use crate::media::{File, Media};
use crate::policy::FileRefusal;
use crate::secrets::Secrets;
use crate::traffic::Traffic;
use crate::transport::{Command, Link, Reports, Transport, WebhookReply};
use crate::unreadable::unreadable;
use bytes::{Bytes, BytesMut};
use handoff_engine::account::EngageAccount;
use handoff_engine::clock::Clock;
use handoff_engine::content::Attachment;
use handoff_engine::handoff::{TransferRequest, TransportKind};
use handoff_engine::name::{AccountName, HandoffId};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::multipart::{Form, Part};
use std::sync::Arc;
use url::Url;

/// The largest file fetched, bytes. Whoever keeps files may have a smaller limit.
const LARGEST_DOWNLOAD: usize = 64 * 1024 * 1024;

/// An account on a Genesys Engage site.
#[derive(Debug, Clone)]
pub struct EngageChat {
    pub(super) site: Site,
    base: String,
    api_key: Option<Secret>,
    clock: Arc<dyn Clock>,
    http: reqwest::Client,
    media: Arc<dyn Media>,
}

#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl EngageChat {
    pub(crate) fn new(
        name: &AccountName,
        account: &EngageAccount,
        secrets: &dyn Secrets,
        clock: Arc<dyn Clock>,
        http: reqwest::Client,
        media: Arc<dyn Media>,
    ) -> Result<Self, AccountError> {
        let url = account.url.trim_end_matches('/');
        let bad_address = |why: String| AccountError::Address {
            account: name.clone(),
            field: "url",
            value: account.url.clone(),
            why,
            example: "https://gms.example.org:8080",
        };
        let parsed = Url::parse(url).map_err(|error| bad_address(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(bad_address(format!("its scheme is {}", parsed.scheme())));
        }
        if account.service.is_empty() {
            return Err(AccountError::Empty {
                account: name.clone(),
                field: "service",
                fix: "it is the name of the chat service in the GMS configuration, for example customer-support",
            });
        }
        let api_key = account
            .api_key
            .as_ref()
            .map(|key| secret(name, "api-key", key, secrets).map(Secret))
            .transpose()?;
        Ok(Self {
            site: Site {
                account: name.clone(),
                url: url.to_owned(),
                service: account.service.clone(),
                queue_attribute: account.queue_attribute.clone(),
                poll_interval: account.poll_interval_ms,
            },
            base: format!(
                "{url}/{}/{}",
                account.prefix.trim_matches('/'),
                account.service
            ),
            api_key,
            clock,
            http,
            media,
        })
    }
}

impl Transport for EngageChat {
    fn kind(&self) -> TransportKind {
        TransportKind::EngageChatV2
    }

    fn open(&self, handoff: HandoffId, request: TransferRequest, reports: Reports) -> Link {
        let (site, now) = (self.site.clone(), self.clock.now());
        drive(&self.clock, handoff.clone(), reports, [], |outlet, _| {
            let protocol = Protocol::open(site, handoff, request, now);
            Ok((protocol, Chat::new(self, outlet.traffic())))
        })
    }

    fn resume(
        &self,
        handoff: HandoffId,
        handle: serde_json::Value,
        unsettled: Vec<Command>,
        reports: Reports,
    ) -> Link {
        let (site, now) = (self.site.clone(), self.clock.now());
        drive(
            &self.clock,
            handoff.clone(),
            reports,
            unsettled,
            |outlet, _| {
                let state = outlet.resume::<State>(handle)?;
                let protocol = Protocol::resume(site, handoff, state, now);
                Ok((protocol, Chat::new(self, outlet.traffic())))
            },
        )
    }

    fn webhook(&self, _headers: &http::HeaderMap, _body: &[u8]) -> WebhookReply {
        WebhookReply::new(
            http::StatusCode::NOT_FOUND,
            format!(
                "Account '{}' is a Genesys Engage site, which is polled and sends no webhooks.",
                self.site.account
            ),
        )
    }
}

/// One chat: nothing is open between its requests.
pub(super) struct Chat {
    account: EngageChat,
    traffic: Traffic,
}

impl Hands for Chat {
    type Protocol = Protocol;

    async fn call(&mut self, _protocol: &Protocol, call: &Call) -> Result<Answer, Failure> {
        self.carry_out(call).await
    }
}

impl Chat {
    pub(super) fn new(account: &EngageChat, traffic: &Traffic) -> Self {
        Self {
            account: account.clone(),
            traffic: traffic.clone(),
        }
    }

    pub(super) async fn carry_out(&self, call: &Call) -> Result<Answer, Failure> {
        match (call.operation, &call.upload) {
            (Operation::Download, _) => self.download(call).await.map(Answer::Kept),
            (_, Some(upload)) => self.upload(call, upload).await.map(Answer::from),
            _ => {
                let request = self.request(call).form(&call.form);
                let weight = match call.operation {
                    Operation::Refresh => Weight::Poll,
                    _ => Weight::Single,
                };
                self.ask(request, weight).await.map(Answer::from)
            }
        }
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.account.base, call.path);
        let request = self.account.http.post(url);
        match &self.account.api_key {
            Some(Secret(key)) => request.header("apikey", key),
            None => request,
        }
    }

    async fn ask(
        &self,
        request: reqwest::RequestBuilder,
        weight: Weight,
    ) -> Result<Envelope, Failure> {
        let sent = self.traffic.weighed(request, weight).await;
        let response = sent.map_err(|error| failure(&error))?;
        let status = response.status();
        let retry_after = retry_after(&response);
        let body = response.bytes().await.map_err(|error| failure(&error))?;
        read(status.as_u16(), retry_after, &body)
    }

    /// Sends a file's bytes, once they are there and keep to the limits.
    async fn upload(&self, call: &Call, upload: &Upload) -> Result<Envelope, Failure> {
        let name = &upload.file.name;
        let unreadable = |why: String| {
            let name = name.clone();
            Failure::File(FileRefusal::Unreadable { name, why })
        };
        let read = self.account.media.read(&upload.file.url).await;
        let file = read.map_err(|error| unreadable(error.to_string()))?;
        let length = file.bytes.len() as u64;
        let checked = upload.policy.check(name, &file.mime, Some(length));
        checked.map_err(Failure::File)?;
        let part = Part::stream_with_length(file.bytes, length)
            .file_name(name.clone())
            .mime_str(&file.mime)
            .map_err(|error| unreadable(format!("its media type is none ({error})")))?;
        let form = call.form.iter().fold(Form::new(), |form, (key, value)| {
            form.text(key.clone(), value.clone())
        });
        let request = self.request(call).multipart(form.part("file", part));
        self.ask(request, Weight::Single).await
    }

    /// Fetches an agent's file and keeps it for the user.
    async fn download(&self, call: &Call) -> Result<Attachment, Failure> {
        let request = self.request(call).form(&call.form);
        let sent = self.traffic.send(request).await;
        let response = sent.map_err(|error| failure(&error))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::Status {
                status: status.as_u16(),
                retry_after: retry_after(&response),
            });
        }
        let mime = header(&response, CONTENT_TYPE.as_str());
        let mime = mime.unwrap_or_else(|| "application/octet-stream".to_owned());
        let bytes = whole(response).await?;
        if let Some(why) = refusal(&mime, &bytes) {
            return Err(why);
        }
        let size = bytes.len() as u64;
        let name = call.name.clone();
        let file = File {
            name: name.clone(),
            mime: mime.clone(),
            bytes,
        };
        let kept = self.account.media.keep(file).await;
        let url = kept.map_err(|error| Failure::NotKept {
            why: error.to_string(),
        })?;
        Ok(Attachment {
            name,
            mime,
            url,
            size: Some(size),
        })
    }
}

/// Reads an answer. A refusal in the protocol's own words counts whatever HTTP status it came with,
/// unless the status says that the address or the access is wrong.
pub(super) fn read(
    status: u16,
    retry_after: Option<u64>,
    body: &[u8],
) -> Result<Envelope, Failure> {
    let is_success = (200..300).contains(&status);
    let elsewhere = matches!(status, 401 | 403 | 404 | 410);
    match serde_json::from_slice::<Envelope>(body) {
        Ok(envelope) if is_success => Ok(envelope),
        Ok(envelope) if !envelope.errors.is_empty() && !elsewhere => Ok(envelope),
        Err(error) if is_success => Err(Failure::Unknown {
            why: format!(
                "the answer is not a Chat API answer ({})",
                unreadable(&error)
            ),
        }),
        _ => Err(Failure::Status {
            status,
            retry_after,
        }),
    }
}

/// A body of bounded length.
async fn whole(mut response: reqwest::Response) -> Result<Bytes, Failure> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > LARGEST_DOWNLOAD {
            let why = format!("it is over the limit of {LARGEST_DOWNLOAD} bytes");
            return Err(Failure::NotKept { why });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// A refusal in the protocol's own words where a file was expected. A file may be JSON too, but has
/// no status code.
fn refusal(mime: &str, body: &[u8]) -> Option<Failure> {
    if !mime.starts_with("application/json") {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    value.get("statusCode")?.as_i64()?;
    let envelope: Envelope = serde_json::from_value(value).ok()?;
    let why = describe(&envelope.errors);
    Some(match envelope.status_code {
        Status::Transient => Failure::Transient { why },
        Status::Ok | Status::Permanent => Failure::NotKept { why },
    })
}

fn header(response: &reqwest::Response, name: &str) -> Option<String> {
    let value = response.headers().get(name)?;
    value.to_str().ok().map(str::to_owned)
}

fn retry_after(response: &reqwest::Response) -> Option<u64> {
    header(response, RETRY_AFTER.as_str())?.trim().parse().ok()
}

fn failure(error: &reqwest::Error) -> Failure {
    let why = crate::client::describe(error);
    if error.is_connect() {
        Failure::NotSent { why }
    } else {
        Failure::Unknown { why }
    }
}
