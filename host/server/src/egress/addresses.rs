//! Which addresses a name may lead to.
//!
//! A node's request to a public name must not end at the operator's database because somebody's DNS says
//! so. The name is resolved here, and the connection made to what was looked at.

use handoff_engine::egress::CallError;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::LazyLock;
use url::{Host, Url};

/// What is no public address (IANA's registries of special-purpose addresses). Of IPv6 only global unicast is
/// public at all.
static PRIVATE: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    ]
    .iter()
    .filter_map(|net| net.parse().ok())
    .collect()
});

fn is_public(address: IpAddr) -> bool {
    let address = address.to_canonical();
    if let IpAddr::V6(six) = address {
        let parts = six.segments();
        if parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
            let [a, b] = parts[6].to_be_bytes();
            let [c, d] = parts[7].to_be_bytes();
            return is_public(Ipv4Addr::new(a, b, c, d).into());
        }
        if parts[0] & 0xe000 != 0x2000 {
            return false;
        }
    }
    !PRIVATE.iter().any(|net| net.contains(&address))
}

/// A name leads to a private address.
#[derive(Debug, thiserror::Error)]
#[error("{host} leads to the private address {address}")]
struct Private {
    host: String,
    address: IpAddr,
}

/// Resolves names, and refuses those that lead to a private address, even among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if let Some(private) = found.iter().find(|address| !is_public(address.ip())) {
                let address = private.ip();
                return Err(Private { host, address }.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// An address that is written out is not resolved by anybody.
pub(super) fn check_literal(url: &Url) -> Result<(), CallError> {
    let address: IpAddr = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    if is_public(address) {
        return Ok(());
    }
    Err(CallError::PrivateAddress {
        host: url.host_str().unwrap_or_default().to_owned(),
        address: address.to_string(),
    })
}

/// Why a request got no answer.
pub(super) fn unreachable(origin: &str, error: &reqwest::Error) -> CallError {
    let mut cause: &dyn Error = error;
    loop {
        if let Some(Private { host, address }) = cause.downcast_ref() {
            return CallError::PrivateAddress {
                host: host.clone(),
                address: address.to_string(),
            };
        }
        match cause.source() {
            Some(deeper) => cause = deeper,
            None => break,
        }
    }
    CallError::Unreachable {
        origin: origin.to_owned(),
        reason: handoff_genesys::describe_http(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().expect("an address"))
    }

    #[test]
    fn addresses_inside_networks_are_not_public() {
        for inside in [
            "10.1.2.3",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.168.1.1",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fd00::1",
            "fe80::1",
            "2002:a00:1::",
            "ff02::1",
        ] {
            assert!(!public(inside), "{inside}");
        }
        for outside in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
        ] {
            assert!(public(outside), "{outside}");
        }
    }

    #[test]
    fn every_network_of_the_list_is_one() {
        assert_eq!(PRIVATE.len(), 18);
    }
}
