//! Where a registry is asked, and by which protocol.
//!
//! HTTPS for everybody. Plain HTTP only for hosts the user listed as insecure (or named with
//! `http://` as a mirror), and for loopback names, where nobody else can listen; the latter only
//! without credentials.

use std::net::IpAddr;

use ureq::http::Uri;

use super::redirect::origin;
use crate::base::Reference;
use crate::config::{RegistryRule, RegistrySettings, Serves};
use crate::error::{Error, Kind, Result};

/// The host behind the name `docker.io`.
const DOCKER_HUB: &str = "registry-1.docker.io";
/// The name of Docker's registry in references.
const DOCKER_IO: &str = "docker.io";

/// The protocol of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TLS.
    Https,
    /// Plain text.
    Http,
}

/// Which of a registry's interfaces is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// The one of today.
    V2,
    /// Only for searching.
    V1,
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
    /// What the repository is called there.
    pub repository: String,
    /// The interface.
    pub api: Api,
    /// Path before `/v2/`, empty except for some mirrors.
    pub prefix: String,
    /// Certificate checks.
    pub trust: Trust,
    /// Whose login is used: `host[:port]/repository` as in references.
    pub login: String,
    /// May be asked over HTTP if it turns out not to speak TLS.
    pub plain_fallback: bool,
}

impl Endpoint {
    /// The address of `path` below `/v2/`, or below that of another interface.
    pub fn url(&self, path: &str) -> String {
        let scheme = match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        let api = match self.api {
            Api::V2 => "v2",
            Api::V1 => "v1",
        };
        format!("{scheme}://{}{}/{api}/{path}", self.authority, self.prefix)
    }

    /// Whether an address is of this place: scheme, host and port.
    pub fn is_origin_of(&self, uri: &Uri) -> bool {
        let own = self.url("").parse::<Uri>();
        own.is_ok_and(|own| origin(&own) == origin(uri))
    }

    /// The same place over plain HTTP.
    pub fn plain(&self) -> Endpoint {
        Endpoint {
            scheme: Scheme::Http,
            ..self.clone()
        }
    }
}

/// The places to ask for `reference`, in order: mirrors, then the registry itself, which is last.
/// An error if the settings block it.
pub fn endpoints_of(reference: &Reference, settings: &RegistrySettings) -> Result<Vec<Endpoint>> {
    let name = reference.full_name();
    let rule = rule_for(&name, &settings.rules);
    if rule.is_some_and(|rule| rule.blocked) {
        let why = format!("registry {} is blocked", reference.registry);
        return Err(Error::new(Kind::Registry, why).hint("registries.conf says so"));
    }
    let mut places = Vec::new();
    if reference.registry == DOCKER_IO {
        let mirrors = settings.mirrors.iter();
        places.extend(mirrors.filter_map(|url| mirror(url, &reference.repository, settings)));
    }
    let Some(rule) = rule else {
        places.push(direct(&reference.registry, &reference.repository, settings));
        return Ok(places);
    };
    let rewritten = |location: &str, insecure: bool| {
        let name = rewrite(&name, &rule.prefix, location);
        let (authority, repository) = name.split_once('/').unwrap_or((&name, ""));
        match insecure && settings.verify.is_none() {
            true => distrusted(direct(authority, repository, settings)),
            false => direct(authority, repository, settings),
        }
    };
    let by_digest = reference.digest.is_some();
    let mirrors = rule.mirrors.iter().filter(|mirror| match mirror.serves {
        Serves::All => true,
        Serves::DigestOnly => by_digest,
        Serves::TagOnly => !by_digest,
    });
    places.extend(mirrors.map(|mirror| rewritten(&mirror.location, mirror.insecure)));
    places.push(rewritten(&rule.location, rule.insecure));
    Ok(places)
}

/// The rule with the longest prefix of `name`.
fn rule_for<'a>(name: &str, rules: &'a [RegistryRule]) -> Option<&'a RegistryRule> {
    let fitting = rules
        .iter()
        .filter(|rule| matched(name, &rule.prefix).is_some());
    fitting.max_by_key(|rule| rule.prefix.len())
}

/// How many bytes of `name` a prefix stands for. It ends where a part of the name ends, so that
/// `reg.example/a` says nothing of `reg.example/ab`.
fn matched(name: &str, prefix: &str) -> Option<usize> {
    if let Some(domain) = prefix.strip_prefix('*') {
        let host = name.split('/').next().unwrap_or_default();
        return host.ends_with(domain).then_some(host.len());
    }
    let rest = name.strip_prefix(prefix)?;
    let ends = rest.is_empty() || rest.starts_with('/');
    ends.then_some(prefix.len())
}

/// `name` with `location` in place of `prefix`.
fn rewrite(name: &str, prefix: &str, location: &str) -> String {
    match matched(name, prefix) {
        Some(length) if !location.is_empty() => format!("{location}{}", &name[length..]),
        _ => name.to_owned(),
    }
}

/// The registry `authority` itself.
fn direct(authority: &str, repository: &str, settings: &RegistrySettings) -> Endpoint {
    let authority = if authority == DOCKER_IO {
        DOCKER_HUB
    } else {
        authority
    };
    let login = if authority == DOCKER_HUB {
        DOCKER_IO
    } else {
        authority
    };
    let loopback = is_loopback(host_of(authority)) && settings.verify != Some(true);
    let endpoint = Endpoint {
        scheme: Scheme::Https,
        authority: authority.to_owned(),
        repository: repository.to_owned(),
        api: Api::V2,
        prefix: String::new(),
        trust: Trust::System,
        login: format!("{login}/{repository}"),
        plain_fallback: loopback,
    };
    match trust_of(authority, settings) {
        Trust::Anything => distrusted(endpoint),
        Trust::System => endpoint,
    }
}

/// The same, named insecure by the user.
fn distrusted(endpoint: Endpoint) -> Endpoint {
    Endpoint {
        trust: Trust::Anything,
        plain_fallback: true,
        ..endpoint
    }
}

fn mirror(url: &str, repository: &str, settings: &RegistrySettings) -> Option<Endpoint> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, prefix) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{}", path.trim_end_matches('/'))),
        None => (rest, String::new()),
    };
    let endpoint = direct(authority, repository, settings);
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

/// How far the certificate of `host[:port]` is looked at.
pub fn trust_of(authority: &str, settings: &RegistrySettings) -> Trust {
    let insecure = match settings.verify {
        Some(verify) => !verify,
        None => is_listed(authority, &settings.insecure),
    };
    match insecure {
        true => Trust::Anything,
        false => Trust::System,
    }
}

/// Whether the user listed this `host[:port]`: exactly, or by a range its literal address is in.
fn is_listed(authority: &str, list: &[String]) -> bool {
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
    use crate::config::RegistryMirror;

    fn endpoint(registry: &str, insecure: &[&str]) -> Endpoint {
        let settings = RegistrySettings {
            insecure: insecure.iter().map(|entry| (*entry).to_owned()).collect(),
            ..RegistrySettings::default()
        };
        let reference = format!("{registry}/x").parse().expect("reference");
        endpoints_of(&reference, &settings)
            .expect("not blocked")
            .remove(0)
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
            let reference = name.parse().expect("reference");
            let found = endpoints_of(&reference, &settings).expect("not blocked");
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

    fn rule(prefix: &str, location: &str) -> RegistryRule {
        RegistryRule {
            prefix: prefix.into(),
            location: location.into(),
            insecure: false,
            blocked: false,
            mirrors: Vec::new(),
        }
    }

    #[test]
    fn the_longest_prefix_rewrites_the_name() {
        let copy = RegistryMirror {
            location: "10.0.0.1:5000/copy".into(),
            insecure: true,
            serves: Serves::DigestOnly,
        };
        let settings = RegistrySettings {
            rules: vec![
                rule("reg.example", "other.example"),
                RegistryRule {
                    mirrors: vec![copy],
                    ..rule("reg.example/team", "reg.example/moved")
                },
                rule("*.wild.example", ""),
                RegistryRule {
                    blocked: true,
                    ..rule("bad.example/a", "bad.example/a")
                },
            ],
            ..RegistrySettings::default()
        };
        let urls = |name: &str| {
            let reference = name.parse().expect("reference");
            let found = endpoints_of(&reference, &settings).map_err(|error| error.to_string())?;
            let found = found.iter();
            Ok::<_, String>(
                found
                    .map(|e| format!("{}/{}", e.authority, e.repository))
                    .collect::<Vec<_>>(),
            )
        };
        let one = |name: &str| Ok(vec![name.to_owned()]);
        assert_eq!(urls("reg.example/x"), one("other.example/x"));
        assert_eq!(urls("reg.example/teams/x"), one("other.example/teams/x"));
        assert_eq!(urls("reg.example/team/x:1"), one("reg.example/moved/x"));
        let digest = crate::base::Digest::of(b"x");
        let both = ["10.0.0.1:5000/copy/x", "reg.example/moved/x"];
        assert_eq!(
            urls(&format!("reg.example/team/x@{digest}")),
            Ok(both.map(str::to_owned).to_vec())
        );
        assert_eq!(urls("a.wild.example/x"), one("a.wild.example/x"));
        assert_eq!(urls("reg.example:444/x"), one("reg.example:444/x"));
        assert_eq!(urls("bad.example/b"), one("bad.example/b"));
        let error = urls("bad.example/a").expect_err("blocked");
        assert!(error.contains("is blocked"), "{error}");
    }

    #[test]
    fn a33_tls_verify_decides_over_every_list() {
        let settings = |verify| RegistrySettings {
            insecure: vec!["reg.example".into()],
            verify,
            ..RegistrySettings::default()
        };
        let trust = |name: &str, verify| trust_of(name, &settings(verify));
        assert_eq!(trust("reg.example", None), Trust::Anything);
        assert_eq!(trust("reg.example", Some(true)), Trust::System);
        assert_eq!(trust("x.example", None), Trust::System);
        assert_eq!(trust("x.example", Some(false)), Trust::Anything);
        let loopback = "127.0.0.1/x".parse().expect("reference");
        let found = endpoints_of(&loopback, &settings(Some(true))).expect("not blocked");
        assert!(!found[0].plain_fallback, "--tls-verify insists on TLS");
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
