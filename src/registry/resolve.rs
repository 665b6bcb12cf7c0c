//! Host names to addresses, without NSS: literals, `/etc/hosts`, then the servers of
//! `/etc/resolv.conf`.
//!
//! `getaddrinfo` loads NSS modules into a static glibc binary and crashes there. What is lost:
//! names that only mDNS, LDAP or systemd's own modules know.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::dns::{self, Answer, Family};

/// How many addresses are handed on; the connector gives each a share of its time.
const MAX_ADDRESSES: usize = 8;
/// Waiting for one server once; resolv.conf(5) defaults to 5 s and two rounds.
const PATIENCE: Duration = Duration::from_secs(3);
const ROUNDS: usize = 2;

/// The resolver the HTTP agent is given.
#[derive(Debug)]
pub struct HostResolver;

impl Resolver for HostResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = match uri.port_u16() {
            Some(port) => port,
            None if uri.scheme_str() == Some("http") => 80,
            None => 443,
        };
        let found = addresses_of(host, Path::new("/etc"));
        let mut addresses = self.empty();
        let allowed = found.into_iter().filter(|address| !is_metadata(*address));
        for address in allowed.take(MAX_ADDRESSES) {
            addresses.push(SocketAddr::new(address, port));
        }
        match addresses.is_empty() {
            true => Err(ureq::Error::HostNotFound),
            false => Ok(addresses),
        }
    }
}

/// Link-local addresses, where clouds serve credentials to whoever asks: no registry lives there,
/// and a redirect must not lead there.
fn is_metadata(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local() || v4.octets() == [100, 100, 100, 200],
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local() || v6 == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    }
}

fn addresses_of(host: &str, etc: &Path) -> Vec<IpAddr> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return vec![address];
    }
    let hosts = std::fs::read_to_string(etc.join("hosts")).unwrap_or_default();
    let found = in_hosts(&hosts, host);
    if !found.is_empty() {
        return found;
    }
    if host.eq_ignore_ascii_case("localhost") {
        return vec![IpAddr::from([127, 0, 0, 1]), Ipv6Addr::LOCALHOST.into()];
    }
    let conf = std::fs::read_to_string(etc.join("resolv.conf")).unwrap_or_default();
    ask(host, &ResolvConf::parse(&conf))
}

/// The addresses `/etc/hosts` gives `host`, IPv4 first.
fn in_hosts(table: &str, host: &str) -> Vec<IpAddr> {
    let lines = table.lines().filter_map(|line| {
        let line = line.split('#').next()?;
        let mut words = line.split_whitespace();
        let address: IpAddr = words.next()?.parse().ok()?;
        words
            .any(|name| name.eq_ignore_ascii_case(host))
            .then_some(address)
    });
    let mut found: Vec<IpAddr> = lines.collect();
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

#[derive(Debug, PartialEq, Eq)]
struct ResolvConf {
    servers: Vec<IpAddr>,
    search: Vec<String>,
    dots: usize,
}

impl ResolvConf {
    fn parse(text: &str) -> Self {
        let mut conf = ResolvConf {
            servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // A zone (`fe80::1%eth0`) is not understood; such a server is left out.
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    conf.servers.extend(address);
                }
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => {
                    let dots = words.filter_map(|word| word.strip_prefix("ndots:"));
                    conf.dots = dots
                        .filter_map(|n| n.parse().ok())
                        .last()
                        .unwrap_or(conf.dots);
                }
                _ => {}
            }
        }
        conf.servers.truncate(3);
        if conf.servers.is_empty() {
            conf.servers.push(IpAddr::from([127, 0, 0, 1]));
        }
        conf
    }

    /// The names to try, in order (resolv.conf(5), `ndots`).
    fn names(&self, host: &str) -> Vec<String> {
        if host.ends_with('.') {
            return vec![host.to_owned()];
        }
        let mut names: Vec<String> = self.search.iter().map(|s| format!("{host}.{s}")).collect();
        let whole = if host.matches('.').count() >= self.dots {
            0
        } else {
            names.len()
        };
        names.insert(whole, host.to_owned());
        names
    }
}

fn ask(host: &str, conf: &ResolvConf) -> Vec<IpAddr> {
    for name in conf.names(host) {
        let mut found = Vec::new();
        // Both families side by side: a server that is slow for one must not delay the other.
        std::thread::scope(|scope| {
            let v6 = scope.spawn(|| ask_family(&name, Family::V6, conf));
            found.extend(ask_family(&name, Family::V4, conf));
            found.extend(v6.join().unwrap_or_default());
        });
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn ask_family(name: &str, family: Family, conf: &ResolvConf) -> Vec<IpAddr> {
    for _ in 0..ROUNDS {
        for server in &conf.servers {
            let mut id = [0; 2];
            // Without randomness the id is zero; the connected socket still filters by sender.
            let _ = rustix::rand::getrandom(&mut id, rustix::rand::GetRandomFlags::empty());
            let Some(asked) = dns::query(u16::from_ne_bytes(id), name, family) else {
                return Vec::new();
            };
            match dns::exchange(SocketAddr::new(*server, 53), &asked, PATIENCE) {
                Some(Answer::Addresses(addresses)) => return addresses,
                Some(Answer::NoSuchName) => return Vec::new(),
                Some(Answer::Truncated) | None => {}
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_file_answers_with_ipv4_first() {
        let table = "# x\n::1 localhost me\n127.0.0.1\tlocalhost # me\nbad me\n10.0.0.9 ME\n";
        let found = in_hosts(table, "me");
        assert_eq!(
            found,
            [IpAddr::from([10, 0, 0, 9]), Ipv6Addr::LOCALHOST.into()]
        );
        assert!(in_hosts(table, "x").is_empty());
    }

    #[test]
    fn search_domains_follow_ndots() {
        let conf = ResolvConf::parse("search a.example b.example\noptions ndots:2 edns0\n");
        assert_eq!(conf.servers, [IpAddr::from([127, 0, 0, 1])]);
        assert_eq!(conf.names("x.y"), ["x.y.a.example", "x.y.b.example", "x.y"]);
        assert_eq!(conf.names("x.y.z")[0], "x.y.z");
        assert_eq!(conf.names("x."), ["x."]);
    }

    #[test]
    fn a31_metadata_addresses_are_never_resolved_to() {
        for bad in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.1.1",
        ] {
            assert!(is_metadata(bad.parse().expect("address")), "{bad}");
        }
        assert!(!is_metadata(IpAddr::from([127, 0, 0, 1])));
    }
}
