//! The HTTP client all transports share.

use std::sync::Once;
use std::time::Duration;

/// How long one request may take from first to last byte. Polls and Platform API calls answer in
/// milliseconds; after half a minute the connection is taken for dead.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A client fit for Genesys: TLS by ring, no redirects (none are documented, and one could lead
/// credentials astray), 30 s per request.
#[must_use]
pub fn http_client() -> reqwest::Client {
    http_client_builder()
        .build()
        .expect("a client from constants and an installed TLS provider always builds")
}

/// The same, for more to be said of it.
pub fn http_client_builder() -> reqwest::ClientBuilder {
    install_tls();
    reqwest::Client::builder()
        .user_agent(concat!("handoff/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(REQUEST_TIMEOUT)
        .tcp_nodelay(true)
}

/// Installs the process-wide TLS provider, unless the embedding program has chosen one already.
pub(crate) fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider()
            .install_default()
            .is_err()
        {
            tracing::debug!("the program has its own TLS provider; using that");
        }
    });
}

/// What went wrong with a request, down to its cause, and without its address, which may hold
/// secrets.
#[must_use]
pub fn describe(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    if error.is_connect() {
        return format!("no connection ({cause})");
    }
    format!("the connection broke ({cause})")
}
