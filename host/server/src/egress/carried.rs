//! A request with its secrets in it, and the answer without them.

use super::aws::{self, Keys, Wanted};
use handoff_engine::account::SecretRef;
use handoff_engine::egress::{CallError, HttpRequest, HttpResponse};
use handoff_engine::time::Timestamp;
use reqwest::header::{HOST, HeaderMap};
use url::{Position, Url};

/// Shorter secrets are not looked for in answers: they would be found where they are not meant.
const SHORTEST: usize = 6;

/// What goes over the wire.
pub(super) struct Carried {
    method: String,
    url: Url,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Every secret that is in it, and the placeholder that stood for it.
    secrets: Vec<(String, String)>,
}

impl Carried {
    pub(super) fn new(
        request: HttpRequest,
        values: &[(SecretRef, String)],
        now: Timestamp,
    ) -> Result<Self, CallError> {
        let mut secrets = Vec::new();
        for (placeholder, reference) in &request.secrets {
            let value = values.iter().find(|(known, _)| known == reference);
            let (_, value) = value.ok_or_else(|| CallError::BadSecret {
                message: "the host has no value for a secret of this request".to_owned(),
            })?;
            secrets.push((placeholder.clone(), value.clone()));
        }
        let mut carried = Self {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            secrets,
        };
        let signing = carried.take_signing()?;
        carried.fill();
        if let Some((header, keys)) = signing {
            carried.sign(&header, &keys, now)?;
        }
        Ok(carried)
    }

    /// Takes the header that asks for a signature out of the request, with the keys to sign with.
    fn take_signing(&mut self) -> Result<Option<(String, Keys)>, CallError> {
        let place = self
            .headers
            .iter()
            .position(|(name, value)| name == "authorization" && Wanted::parse(value).is_some());
        let Some(place) = place else {
            return Ok(None);
        };
        let (_, header) = self.headers.remove(place);
        let wanted = Wanted::parse(&header).map(|wanted| wanted.placeholder.to_owned());
        let of_signature = self
            .secrets
            .iter()
            .position(|(placeholder, _)| Some(placeholder) == wanted.as_ref());
        let Some(index) = of_signature else {
            return Err(CallError::BadSecret {
                message: "a request to AWS names no secret to sign with".to_owned(),
            });
        };
        let (placeholder, secret) = self.secrets.remove(index);
        let keys = Keys::parse(&secret)?;
        for value in [Some(&keys.secret_access_key), keys.session_token.as_ref()]
            .into_iter()
            .flatten()
        {
            self.secrets.push((placeholder.clone(), value.clone()));
        }
        Ok(Some((header, keys)))
    }

    /// Puts secrets in place of their placeholders.
    fn fill(&mut self) {
        for (placeholder, secret) in &self.secrets {
            for (_, value) in &mut self.headers {
                if value.contains(placeholder) {
                    *value = value.replace(placeholder, secret);
                }
            }
            if let Ok(text) = std::str::from_utf8(&self.body)
                && text.contains(placeholder)
            {
                self.body = text.replace(placeholder, secret).into_bytes();
            }
        }
    }

    fn sign(&mut self, header: &str, keys: &Keys, now: Timestamp) -> Result<(), CallError> {
        let Some(wanted) = Wanted::parse(header) else {
            return Ok(());
        };
        let mut signed_over = self.headers.clone();
        signed_over.push(("host".to_owned(), self.host()));
        let added = aws::signed(
            keys,
            &wanted,
            now,
            (&self.method, self.url.as_str()),
            &signed_over,
            &self.body,
        )?;
        self.headers.extend(added);
        Ok(())
    }

    fn host(&self) -> String {
        self.url[Position::BeforeHost..Position::AfterPort].to_owned()
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
        let method = reqwest::Method::from_bytes(self.method.as_bytes())
            .map_err(|error| malformed(&error))?;
        let mut url = self.url.clone();
        if let Some(stand_in) = stand_in {
            url = stand_in.clone();
            url.set_path(self.url.path());
            url.set_query(self.url.query());
        }
        let mut builder = client.request(method, url).body(self.body.clone());
        for (name, value) in &self.headers {
            builder = builder.header(name, value);
        }
        if stand_in.is_some() {
            builder = builder
                .header(HOST, self.host())
                .header("x-forwarded-proto", self.url.scheme());
        }
        builder.build().map_err(|error| malformed(&error))
    }

    /// An answer as the node may see it: an API that echoes a secret gives the placeholder back.
    pub(super) fn without_secrets(
        &self,
        status: u16,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> HttpResponse {
        let headers = headers
            .iter()
            .filter_map(|(name, value)| {
                let value = value.to_str().ok()?;
                Some((name.to_string(), self.hide(value)))
            })
            .collect();
        let body = match String::from_utf8(body) {
            Ok(text) => self.hide(&text).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        HttpResponse {
            status,
            headers,
            body: body.into(),
        }
    }

    fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (placeholder, secret) in &self.secrets {
            if secret.len() >= SHORTEST && text.contains(secret) {
                text = text.replace(secret, placeholder);
            }
        }
        text
    }
}
