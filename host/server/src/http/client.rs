//! Which client a request comes from: the address of its connection, or what a trusted proxy says.
//!
//! A header that says where a request came from is believed for as far as trusted proxies wrote it: read
//! from its end, the first address that is none of theirs is the client. A client can put anything
//! before that. Where a proxy sets one of `X-Forwarded-For` and `Forwarded` and lets the other through,
//! the two disagree; then the proxy's own address counts, which gains a client nothing.

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName, header};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Addresses in one list at most. Who sends more is not believed.
const MOST_HOPS: usize = 32;

/// A client, as limits know it: an IPv4 address, or the network of an IPv6 one, since a customer of a
/// provider has at least 2^64 of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() & (u128::MAX << 64);
                Self(Ipv6Addr::from_bits(network).into())
            }
            address => Self(address),
        }
    }

    /// The client of a request; none if the server does not tell where connections come from.
    pub(super) fn of_request(
        extensions: &Extensions,
        headers: &HeaderMap,
        proxies: &[IpNet],
    ) -> Option<(Self, IpAddr)> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        let address = client_address(peer.ip(), headers, proxies);
        Some((Self::of(address), address))
    }
}

/// The address that a request comes from.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let trusted = |address: &IpAddr| proxies.iter().any(|proxy| proxy.contains(address));
    if !trusted(&peer) {
        return peer;
    }
    let said = [
        (X_FORWARDED_FOR, plain as fn(&str) -> Option<IpAddr>),
        (header::FORWARDED, of_pair),
    ];
    let said = said.map(|(name, read)| {
        let lists = headers.get_all(&name);
        let mut hops = Vec::new();
        for list in lists {
            let list = list.to_str().unwrap_or_default();
            hops.extend(list.split(',').map(read));
        }
        (!hops.is_empty()).then(|| last_untrusted(peer, &hops, trusted))
    });
    match said {
        [None, None] => peer,
        [Some(one), None] | [None, Some(one)] => one,
        [Some(one), Some(other)] if one == other => one,
        [Some(_), Some(_)] => peer,
    }
}

/// The last address that is none of the trusted proxies', or the last that could be read.
fn last_untrusted(
    peer: IpAddr,
    hops: &[Option<IpAddr>],
    trusted: impl Fn(&IpAddr) -> bool,
) -> IpAddr {
    let mut last = peer;
    for hop in hops.iter().rev().take(MOST_HOPS) {
        match hop {
            Some(address) if trusted(address) => last = *address,
            Some(address) => return *address,
            // A name, or nothing that can be read: who wrote it is the last that is known.
            None => return last,
        }
    }
    last
}

/// An address, perhaps in brackets and with a port.
fn plain(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().ok();
    let with_port = || text.parse::<SocketAddr>().ok().map(|it| it.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = address.or_else(with_port).or_else(bracketed)?;
    Some(address.to_canonical())
}

/// `for` of an element of `Forwarded` (RFC 7239).
fn of_pair(text: &str) -> Option<IpAddr> {
    let mut pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    plain(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.1";

    fn seen(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let proxies = [
            "10.0.0.0/8".parse().expect("one"),
            "fd00::/8".parse().expect("one"),
        ];
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("is a header"));
        }
        client_address(peer.parse().expect("an address"), &map, &proxies).to_string()
    }

    #[test]
    fn forwarded_addresses_are_believed_from_trusted_proxies_only() {
        let said = [("x-forwarded-for", "1.1.1.1")];
        assert_eq!(seen("9.9.9.9", &said), "9.9.9.9");
        assert_eq!(seen(PROXY, &said), "1.1.1.1");
        assert_eq!(seen("::ffff:10.0.0.1", &said), "1.1.1.1");
        assert_eq!(seen(PROXY, &[]), PROXY);
    }

    #[test]
    fn what_a_client_puts_in_front_counts_for_nothing() {
        for (list, expected) in [
            ("6.6.6.6, 1.1.1.1", "1.1.1.1"),
            ("6.6.6.6, 1.1.1.1, 10.0.0.7", "1.1.1.1"),
            ("10.0.0.9, 1.1.1.1", "1.1.1.1"),
            ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
            ("1.1.1.1, nonsense", PROXY),
            ("1.1.1.1, nonsense, 10.0.0.8", "10.0.0.8"),
            ("1.1.1.1:4711", "1.1.1.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("", PROXY),
        ] {
            assert_eq!(
                seen(PROXY, &[("x-forwarded-for", list)]),
                expected,
                "{list}"
            );
        }
        let twice = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "1.1.1.1"),
        ];
        assert_eq!(seen(PROXY, &twice), "1.1.1.1");
    }

    #[test]
    fn the_standard_header_is_read_and_one_that_disagrees_is_not() {
        for (list, expected) in [
            (
                "for=6.6.6.6, for=1.1.1.1;proto=https;by=10.0.0.1",
                "1.1.1.1",
            ),
            ("proto=https; For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=_hidden", PROXY),
            ("for=unknown", PROXY),
            ("proto=https", PROXY),
        ] {
            assert_eq!(seen(PROXY, &[("forwarded", list)]), expected, "{list}");
        }
        let (x, standard) = (("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=6.6.6.6"));
        assert_eq!(seen(PROXY, &[x, standard]), PROXY);
        assert_eq!(seen(PROXY, &[x, ("forwarded", "for=1.1.1.1")]), "1.1.1.1");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| Client::of(text.parse().expect("an address"));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    proptest! {
        /// Whatever a client sends, the address that the proxy adds is what counts.
        #[test]
        fn no_header_of_a_client_hides_where_it_comes_from(sent in "[ -~]{0,60}", forwarded in any::<bool>()) {
            let (name, list) = if forwarded {
                ("forwarded", format!("{sent}, for=1.1.1.1"))
            } else {
                ("x-forwarded-for", format!("{sent}, 1.1.1.1"))
            };
            prop_assert_eq!(seen(PROXY, &[(name, &list)]), "1.1.1.1");
        }
    }
}
