//! Requests over HTTP and their answers, complete on both sides.

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Names and values, in order. A placeholder of a secret becomes the secret on the way out.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none. Placeholders of secrets count here too.
    pub body: Vec<u8>,
}

/// An answer, of whatever status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status, 200 for example.
    pub status: u16,
    /// Lower-case names and values, in order. What is not UTF-8 is left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of this name, which is lower-case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// There is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Project and operator do not both allow the address.
    #[error("the request was denied")]
    Denied,
    /// No answer came in time. The other side may have got the request.
    #[error("no answer came in time")]
    TimedOut,
    /// Anything else, as the host tells it.
    #[error("{0}")]
    Failed(String),
}
