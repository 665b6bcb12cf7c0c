//! Where a registry is asked, and by which protocol.
//!
//! HTTPS for everybody. Plain HTTP only for hosts the user listed as insecure (or named with
//! `http://` as a mirror), and for loopback names, where nobody else can listen; the latter only
//! without credentials.

use std::net::IpAddr;

use crate::base::Reference;
use crate::config::RegistrySettings;

/// The host behind the name `docker.io`.
const DOCKER_HUB: &str = "registry-1.docker.io";

/// The protocol of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TLS.
    Https,
    /// Plain text.
    Http,
}

/// How certificates of a host are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trust {
    /// Against the system's authorities.
    System,
    /// Not at all: the user listed the host as insecure.
    Anything,
}

/// One address of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Protocol.
    pub scheme: Scheme,
    /// `host[:port]`
    pub authority: String,
    /// Path before `/v2/`, empty except for some mirrors.
    pub prefix: String,
    /// Certificate checks.
    pub trust: Trust,
    /// Whose login is used: the registry's name in references.
    pub login: String,
    /// May be asked over HTTP if it turns out not to speak TLS.
    pub plain_fallback: bool,
}

impl Endpoint {
    /// The address of `path` below `/v2/`.
    pub fn url(&self, path: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        format!("{scheme}://{}{}/v2/{path}", self.authority, self.prefix)
    }

    /// The same place over plain HTTP.
    pub fn plain(&self) -> Endpoint {
        Endpoint {
            scheme: Scheme::Http,
            ..self.clone()
        }
    }
}

/// The places to ask for `reference`, in order: mirrors (only for docker.io), then the registry.
pub fn endpoints_of(reference: &Reference, settings: &RegistrySettings) -> Vec<Endpoint> {
    if reference.registry != "docker.io" {
        return vec![direct(&reference.registry, &reference.registry, settings)];
    }
    let mirrors = settings
        .mirrors
        .iter()
        .filter_map(|url| mirror(url, settings));
    let hub = direct(DOCKER_HUB, "docker.io", settings);
    mirrors.chain([hub]).collect()
}

fn direct(authority: &str, login: &str, settings: &RegistrySettings) -> Endpoint {
    let listed = is_listed(authority, &settings.insecure);
    Endpoint {
        scheme: Scheme::Https,
        authority: authority.to_owned(),
        prefix: String::new(),
        trust: if listed {
            Trust::Anything
        } else {
            Trust::System
        },
        login: login.to_owned(),
        plain_fallback: listed || is_loopback(host_of(authority)),
    }
}

fn mirror(url: &str, settings: &RegistrySettings) -> Option<Endpoint> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, prefix) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{}", path.trim_end_matches('/'))),
        None => (rest, String::new()),
    };
    let endpoint = direct(authority, authority, settings);
    Some(Endpoint {
        scheme: if scheme == "http" {
            Scheme::Http
        } else {
            Scheme::Https
        },
        prefix: prefix.trim_end_matches('/').to_owned(),
        ..endpoint
    })
}

/// The host part of `host[:port]`, brackets removed.
pub fn host_of(authority: &str) -> &str {
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

/// `localhost` or an address of the loopback network, written as such.
pub fn is_loopback(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether the user listed this `host[:port]`: exactly, or by a range its literal address is in.
pub fn is_listed(authority: &str, list: &[String]) -> bool {
    let address = host_of(authority).parse::<IpAddr>().ok();
    list.iter().any(|entry| {
        entry == authority || address.is_some_and(|address| is_in_range(address, entry))
    })
}

/// Whether `address` is in the range `net/bits`.
pub fn is_in_range(address: IpAddr, range: &str) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    };
    let parsed = range.split_once('/').and_then(|(net, length)| {
        let net: IpAddr = net.parse().ok()?;
        Some((bits(net), length.parse::<u32>().ok()?))
    });
    let Some(((net, width), length)) = parsed else {
        return false;
    };
    let (own, own_width) = bits(address);
    let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
    own_width == width && length <= width && own & mask == net & mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(registry: &str, insecure: &[&str]) -> Endpoint {
        let settings = RegistrySettings {
            insecure: insecure.iter().map(|entry| (*entry).to_owned()).collect(),
            ..RegistrySettings::default()
        };
        let reference = format!("{registry}/x").parse().expect("reference");
        endpoints_of(&reference, &settings).remove(0)
    }

    #[test]
    fn a33_only_listed_and_loopback_hosts_may_speak_plain_http() {
        for plain in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "[::1]:5000",
            "127.9.9.9",
        ] {
            assert!(endpoint(plain, &[]).plain_fallback, "{plain}");
        }
        for secure in [
            "reg.example",
            "10.0.0.1:5000",
            "localhost.example",
            "128.0.0.1",
        ] {
            assert!(!endpoint(secure, &[]).plain_fallback, "{secure}");
        }
        let listed = ["10.0.0.1:5000", "192.168.0.0/16"];
        assert!(endpoint("10.0.0.1:5000", &listed).plain_fallback);
        assert!(endpoint("192.168.3.4:5000", &listed).plain_fallback);
        assert!(!endpoint("10.0.0.1:5001", &listed).plain_fallback);
        assert!(!endpoint("10.0.0.1.example:5000", &listed).plain_fallback);
    }

    #[test]
    fn mirrors_come_first_and_only_for_docker_hub() {
        let settings = RegistrySettings {
            mirrors: vec![
                "https://m.example/hub".into(),
                "http://10.0.0.2:5000".into(),
            ],
            ..RegistrySettings::default()
        };
        let urls = |name: &str| {
            let found = endpoints_of(&name.parse().expect("reference"), &settings);
            found.iter().map(|e| e.url("x")).collect::<Vec<_>>()
        };
        let hub = "https://registry-1.docker.io/v2/x";
        assert_eq!(
            urls("alpine"),
            [
                "https://m.example/hub/v2/x",
                "http://10.0.0.2:5000/v2/x",
                hub
            ]
        );
        assert_eq!(urls("reg.example/a"), ["https://reg.example/v2/x"]);
    }

    #[test]
    fn ranges_compare_by_prefix() {
        let address = |text: &str| text.parse::<IpAddr>().expect("address");
        assert!(is_in_range(address("10.1.2.3"), "10.0.0.0/8"));
        assert!(is_in_range(address("fd00::1"), "fd00::/8"));
        assert!(is_in_range(address("1.2.3.4"), "0.0.0.0/0"));
        for none in ["10.0.0.0/33", "10.0.0.0", "x/8", "fd00::/8", "11.0.0.0/8"] {
            assert!(!is_in_range(address("10.1.2.3"), none), "{none}");
        }
    }
}
