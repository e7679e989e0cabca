//! Where requests may go: origins, as projects and operators list them.
//!
//! An origin is a scheme, a host and a port (RFC 6454), for example `https://api.example.com`. A host may
//! begin with `*.`, which stands for every name below it and not for the name itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// An origin, or a pattern of origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no origin: {reason}. Write scheme and host, and the port if it is not the usual one, \
     for example 'https://api.example.com' or 'https://*.example.com:8443'"
)]
pub struct OriginError {
    text: String,
    reason: &'static str,
}

impl Origin {
    /// Whether a request to this address is meant.
    #[must_use]
    pub fn permits(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        self.scheme == url.scheme()
            && Some(self.port) == url.port_or_known_default()
            && self.covers_host(host)
    }

    /// Whether everything that another one means is meant by this one too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.port == other.port && self.covers_host(&other.host)
    }

    fn covers_host(&self, host: &str) -> bool {
        match self.host.strip_prefix('*') {
            // The point is part of what is left: '*.example.com' is no 'badexample.com'.
            Some(below) => host.ends_with(below) && host.len() > below.len(),
            None => self.host == host,
        }
    }

    /// The origin of an address, as people write it.
    #[must_use]
    pub fn of(url: &Url) -> String {
        url.origin().ascii_serialization()
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |reason| OriginError {
            text: text.to_owned(),
            reason,
        };
        // A star is not a letter that a host may have; a name that is takes its place.
        let (plain, below) = match text.split_once("://*.") {
            Some((scheme, rest)) => (format!("{scheme}://{rest}"), true),
            None => (text.to_owned(), false),
        };
        let url = Url::parse(&plain).map_err(|_| bad("it cannot be read"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("its scheme is neither https nor http"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a path"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it holds credentials"));
        }
        let host = url.host_str().ok_or_else(|| bad("it has no host"))?;
        if host.contains('*') {
            return Err(bad(
                "a '*' stands only at the beginning of the host, before a point",
            ));
        }
        if below && !host.contains('.') {
            return Err(bad("it would allow a whole top-level domain"));
        }
        Ok(Self {
            scheme: url.scheme().to_owned(),
            host: if below {
                format!("*.{host}")
            } else {
                host.to_owned()
            },
            port: url
                .port_or_known_default()
                .ok_or_else(|| bad("it has no port"))?,
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        match (self.scheme.as_str(), self.port) {
            ("https", 443) | ("http", 80) => Ok(()),
            (_, port) => write!(f, ":{port}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Origin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Origin".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Scheme, host and port of an address. The host may begin with '*.'.",
            "examples": ["https://api.example.com", "https://*.example.com:8443"],
        })
    }
}

/// A list of origins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    origins: Vec<Origin>,
    everything: bool,
}

impl Allowed {
    /// Every origin, for tools whose user is the operator.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            origins: Vec::new(),
            everything: true,
        }
    }

    /// Whether a request may go to this address.
    #[must_use]
    pub fn permits(&self, url: &Url) -> bool {
        self.everything || self.origins.iter().any(|origin| origin.permits(url))
    }

    /// Whether it has everything that an origin means.
    #[must_use]
    pub fn covers(&self, other: &Origin) -> bool {
        self.everything || self.origins.iter().any(|origin| origin.covers(other))
    }

    /// Whether it has nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.everything && self.origins.is_empty()
    }
}

impl FromIterator<Origin> for Allowed {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        Self {
            origins: origins.into_iter().collect(),
            everything: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Origin {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn permits(pattern: &str, url: &str) -> bool {
        origin(pattern).permits(&Url::parse(url).expect("an address"))
    }

    #[test]
    fn scheme_host_and_port_all_count() {
        assert!(permits(
            "https://api.example.com",
            "https://api.example.com/a?b#c"
        ));
        assert!(permits(
            "https://api.example.com",
            "https://API.example.com:443/"
        ));
        assert!(!permits(
            "https://api.example.com",
            "http://api.example.com/"
        ));
        assert!(!permits(
            "https://api.example.com",
            "https://api.example.com:8443/"
        ));
        assert!(!permits(
            "https://api.example.com",
            "https://api.example.com.evil.org/"
        ));
        assert!(!permits(
            "https://api.example.com",
            "https://evil.org/api.example.com"
        ));
        assert!(!permits(
            "https://api.example.com",
            "https://api.example.com@evil.org/"
        ));
        assert!(permits("http://127.0.0.1:8080", "http://0x7f000001:8080/"));
    }

    #[test]
    fn a_star_stands_for_every_name_below() {
        assert!(permits("https://*.example.com", "https://a.b.example.com/"));
        assert!(!permits("https://*.example.com", "https://example.com/"));
        assert!(!permits("https://*.example.com", "https://badexample.com/"));
        assert!(origin("https://*.example.com").covers(&origin("https://a.example.com")));
        assert!(origin("https://*.example.com").covers(&origin("https://*.a.example.com")));
        assert!(!origin("https://a.example.com").covers(&origin("https://*.example.com")));
    }

    #[test]
    fn what_is_no_origin_is_refused_with_a_reason() {
        for text in [
            "api.example.com",
            "ftp://example.com",
            "https://example.com/path",
            "https://user@example.com",
            "https://*.com",
            "https://a.*.example.com",
            "https://",
            "*",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
        assert_eq!(
            origin("https://example.com:443/").to_string(),
            "https://example.com"
        );
        assert_eq!(
            origin("https://*.example.com:8443").to_string(),
            "https://*.example.com:8443"
        );
    }
}
