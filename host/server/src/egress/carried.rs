//! A request with its secrets in it, and the answer without them.

use super::aws::{self, Keys};
use super::masking::Mask;
use handoff_engine::account::SecretRef;
use handoff_engine::egress::{CallError, HttpRequest, HttpResponse, Place, SigningRequest};
use handoff_engine::time::Timestamp;
use reqwest::header::{HOST, HeaderMap};
use url::{Position, Url};

/// The request that goes over the wire.
pub(super) struct Carried {
    request: HttpRequest,
    /// What must not come back.
    mask: Mask,
    origin: String,
}

impl Carried {
    pub(super) fn new(
        mut request: HttpRequest,
        values: &[(SecretRef, String)],
        now: Timestamp,
    ) -> Result<Self, CallError> {
        let origin = request.origin();
        // A value has another length than its placeholder; the client counts again.
        request.headers.retain(|(name, _)| name != "content-length");
        let mut hidden = Vec::new();
        let mut signing = None;
        for placed in std::mem::take(&mut request.secrets) {
            let value = values.iter().find(|(known, _)| *known == placed.secret);
            let (_, value) = value.ok_or_else(|| CallError::BadSecret {
                message: "the host has no value for a secret of this request".to_owned(),
            })?;
            if placed.place == Place::AwsSignature {
                let keys = Keys::parse(value)?;
                let parts = [Some(&keys.secret_access_key), keys.session_token.as_ref()];
                for part in parts.into_iter().flatten() {
                    hidden.push((placed.placeholder.clone(), part.clone()));
                }
                signing = Some((placed.placeholder, keys));
            } else {
                request.put(&placed, value)?;
                hidden.push((placed.placeholder, value.clone()));
            }
        }
        let mut carried = Self {
            request,
            mask: Mask::new(hidden),
            origin,
        };
        if let Some((placeholder, keys)) = signing {
            carried.sign(&placeholder, &keys, now)?;
        }
        Ok(carried)
    }

    /// Takes the header that asks for a signature out of the request, and signs what is left.
    fn sign(&mut self, placeholder: &str, keys: &Keys, now: Timestamp) -> Result<(), CallError> {
        let headers = &mut self.request.headers;
        let asks = |(name, value): &(String, String)| {
            name == "authorization"
                && SigningRequest::parse(value).is_some_and(|it| it.placeholder == placeholder)
        };
        let Some(place) = headers.iter().position(asks) else {
            return Ok(());
        };
        let (_, header) = headers.remove(place);
        let Some(wanted) = SigningRequest::parse(&header) else {
            return Ok(());
        };
        let mut signed_over = self.request.headers.clone();
        signed_over.push(("host".to_owned(), self.host()));
        let added = aws::signed(
            keys,
            &wanted,
            now,
            (&self.request.method, self.request.url.as_str()),
            &signed_over,
            &self.request.body,
        )?;
        self.request.headers.extend(added);
        Ok(())
    }

    fn host(&self) -> String {
        self.request.url[Position::BeforeHost..Position::AfterPort].to_owned()
    }

    /// The request as the client sends it, to a stand-in if there is one.
    pub(super) fn build(
        &self,
        client: &reqwest::Client,
        stand_in: Option<&Url>,
    ) -> Result<reqwest::Request, CallError> {
        let malformed = |error: &dyn std::fmt::Display| CallError::Malformed {
            reason: error.to_string(),
        };
        let request = &self.request;
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|error| malformed(&error))?;
        let mut url = request.url.clone();
        if let Some(stand_in) = stand_in {
            url = stand_in.clone();
            url.set_path(request.url.path());
            url.set_query(request.url.query());
        }
        let mut builder = client.request(method, url).body(request.body.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if stand_in.is_some() {
            builder = builder
                .header(HOST, self.host())
                .header("x-forwarded-proto", request.url.scheme());
        }
        // What reqwest says could quote an address with a secret in it.
        builder
            .build()
            .map_err(|error| malformed(&error.without_url()))
    }

    /// An answer as the node may see it: an API that echoes a secret gives the placeholder back. What
    /// cannot be searched for secrets is dropped.
    pub(super) fn without_secrets(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<HttpResponse, CallError> {
        let dropped = |reason: &str| CallError::AnswerDropped {
            origin: self.origin.clone(),
            reason: reason.to_owned(),
        };
        let body = self.mask.body(headers, body).map_err(dropped)?;
        let headers = headers
            .iter()
            .filter_map(|(name, value)| {
                let value = self.mask.header(name.as_str(), value.to_str().ok()?)?;
                Some((name.to_string(), value))
            })
            .collect();
        Ok(HttpResponse {
            status,
            headers,
            body: body.into(),
        })
    }
}
