//! A request taken apart into the texts in which a secret may stand, and put together again with the
//! secret in its place, encoded as that place demands.

use super::{CallError, HttpRequest, Place, PlacedSecret};
use serde_json::Value;
use std::fmt;
use url::{Url, form_urlencoded};

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// One where secrets may be put.
    Place(Place),
    /// One where they never are.
    Other(&'static str),
}

impl Spot {
    /// The place that a placeholder in this text asks for.
    pub(super) fn place(&self, text: &str, placeholder: &str) -> Option<Place> {
        match self {
            Self::Place(Place::Header(name)) if name == "authorization" => {
                match SigningRequest::parse(text) {
                    Some(signing) if signing.placeholder == placeholder => {
                        Some(Place::AwsSignature)
                    }
                    Some(_) => None,
                    None => Some(Place::header(name)),
                }
            }
            Self::Place(place) => Some(place.clone()),
            Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Place(place) => place.fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// The `authorization` header by which a node asks the host to sign a request to AWS:
/// `AWS4-HMAC-SHA256 Credential=<placeholder>/<region>/<service>/aws4_request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningRequest<'h> {
    /// The placeholder of the key.
    pub placeholder: &'h str,
    /// The AWS region.
    pub region: &'h str,
    /// The AWS service, as signatures name it.
    pub service: &'h str,
}

impl<'h> SigningRequest<'h> {
    /// Reads the header; none if it asks for no signature.
    #[must_use]
    pub fn parse(header: &'h str) -> Option<Self> {
        let scope = header
            .strip_prefix("AWS4-HMAC-SHA256 Credential=")?
            .strip_suffix("/aws4_request")?;
        let (rest, service) = scope.rsplit_once('/')?;
        let (placeholder, region) = rest.rsplit_once('/')?;
        Some(Self {
            placeholder,
            region,
            service,
        })
    }
}

/// A body, as its `content-type` says.
enum Shape {
    Form,
    Json(Value),
    Other,
}

fn shape(headers: &[(String, String)], body: &[u8]) -> Shape {
    let content_type = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .map(|(_, value)| value.split(';').next().unwrap_or_default().trim())
        .map(str::to_ascii_lowercase);
    let json = || serde_json::from_slice(body).map_or(Shape::Other, Shape::Json);
    match content_type.as_deref() {
        Some("application/x-www-form-urlencoded") => Shape::Form,
        Some(kind) if kind == "application/json" || kind.ends_with("+json") => json(),
        Some(_) => Shape::Other,
        None => json(),
    }
}

/// Every text of a request, decoded, with its place.
pub(super) fn texts(url: &Url, headers: &[(String, String)], body: &[u8]) -> Vec<(Spot, String)> {
    let mut all = Vec::new();
    let decoded = |text: &str| {
        let pairs = form_urlencoded::parse(text.as_bytes());
        pairs
            .map(|(name, value)| format!("{name}{value}"))
            .collect()
    };
    all.push((Spot::Other("the address"), decoded(url.path())));
    all.push((Spot::Other("the address"), decoded(url.username())));
    all.push((
        Spot::Other("the address"),
        decoded(url.password().unwrap_or_default()),
    ));
    all.push((
        Spot::Other("the address"),
        decoded(url.fragment().unwrap_or_default()),
    ));
    for (name, value) in url.query_pairs() {
        all.push((
            Spot::Other("the name of a query parameter"),
            name.to_string(),
        ));
        all.push((
            Spot::Place(Place::Query(name.into_owned())),
            value.into_owned(),
        ));
    }
    for (name, value) in headers {
        all.push((Spot::Place(Place::header(name)), value.clone()));
    }
    match shape(headers, body) {
        Shape::Form => {
            for (name, value) in form_urlencoded::parse(body) {
                all.push((Spot::Other("the name of a form field"), name.to_string()));
                all.push((
                    Spot::Place(Place::Form(name.into_owned())),
                    value.into_owned(),
                ));
            }
        }
        Shape::Json(value) => json_texts(&value, String::new(), &mut all),
        Shape::Other => {
            let text = String::from_utf8_lossy(body).into_owned();
            all.push((Spot::Other("a body that is neither JSON nor a form"), text));
        }
    }
    all
}

fn json_texts(value: &Value, at: String, all: &mut Vec<(Spot, String)>) {
    match value {
        Value::String(text) => all.push((Spot::Place(Place::Body(at)), text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                json_texts(item, crate::source::pointer(&at, &index.to_string()), all);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                all.push((
                    Spot::Other("the name of a member of the body"),
                    name.clone(),
                ));
                json_texts(member, crate::source::pointer(&at, name), all);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl HttpRequest {
    /// Puts the value of a secret where its placeholder stands, and nowhere else. A key that signs is
    /// not put anywhere.
    ///
    /// # Errors
    ///
    /// [`CallError::BadSecret`] if the place cannot hold the value.
    pub fn put(&mut self, secret: &PlacedSecret, value: &str) -> Result<(), CallError> {
        let placeholder = secret.placeholder.as_str();
        match &secret.place {
            Place::Header(wanted) => {
                if value.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
                    return Err(CallError::BadSecret {
                        message: format!(
                            "a secret cannot be sent in the header '{wanted}': its value has characters \
                             that are not printable ASCII"
                        ),
                    });
                }
                for (name, header) in &mut self.headers {
                    if name.eq_ignore_ascii_case(wanted) {
                        *header = header.replace(placeholder, value);
                    }
                }
            }
            Place::Query(wanted) => {
                let query = self.url.query().unwrap_or_default();
                let query = in_pairs(query, wanted, placeholder, value);
                self.url.set_query(Some(&query));
            }
            Place::Form(wanted) => {
                if let Ok(body) = std::str::from_utf8(&self.body) {
                    self.body = in_pairs(body, wanted, placeholder, value).into_bytes();
                }
            }
            Place::Body(pointer) => {
                if let Shape::Json(mut body) = shape(&self.headers, &self.body)
                    && let Some(Value::String(text)) = body.pointer_mut(pointer)
                {
                    *text = text.replace(placeholder, value);
                    self.body = body.to_string().into_bytes();
                }
            }
            Place::AwsSignature => {}
        }
        Ok(())
    }
}

/// Pairs of a query or form, with a placeholder replaced in the values of one name. Other pairs stay byte
/// for byte.
fn in_pairs(pairs: &str, wanted: &str, placeholder: &str, value: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let replaced = pairs.split('&').map(|pair| {
        let parsed = form_urlencoded::parse(pair.as_bytes()).next();
        match parsed {
            Some((name, text)) if name == wanted && text.contains(placeholder) => {
                let text = text.replace(placeholder, value);
                format!("{}={}", encoded(&name), encoded(&text))
            }
            _ => pair.to_owned(),
        }
    });
    replaced.collect::<Vec<_>>().join("&")
}
