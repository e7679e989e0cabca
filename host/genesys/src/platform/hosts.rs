//! Where the Platform API is: one region's hosts, or the ones an account names instead.

use handoff_engine::account::HostOverrides;

/// Base addresses, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Platform API.
    pub api: String,
    /// OAuth.
    pub login: String,
    /// Web Messaging sockets.
    pub webmessaging: String,
    /// Deployment configuration.
    pub cdn: String,
}

impl Hosts {
    /// The hosts of a region, but for those an account overrides.
    #[must_use]
    pub fn new(region: &str, overrides: &HostOverrides) -> Self {
        let host = |given: &Option<String>, scheme: &str, name: &str| {
            let given = given.as_deref().map(|url| url.trim_end_matches('/'));
            given.map_or_else(|| format!("{scheme}://{name}.{region}"), str::to_owned)
        };
        Self {
            api: host(&overrides.api, "https", "api"),
            login: host(&overrides.login, "https", "login"),
            webmessaging: host(&overrides.webmessaging, "wss", "webmessaging"),
            cdn: host(&overrides.cdn, "https", "api-cdn"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_gives_its_hosts_and_overrides_win() {
        let mut overrides = HostOverrides::default();
        let hosts = Hosts::new("mypurecloud.de", &overrides);
        assert_eq!(hosts.api, "https://api.mypurecloud.de");
        assert_eq!(hosts.webmessaging, "wss://webmessaging.mypurecloud.de");
        assert_eq!(hosts.cdn, "https://api-cdn.mypurecloud.de");
        overrides.login = Some("http://127.0.0.1:8080/".to_owned());
        let hosts = Hosts::new("mypurecloud.de", &overrides);
        assert_eq!(hosts.login, "http://127.0.0.1:8080");
    }
}
