//! Host names to addresses, without NSS: literals, `/etc/hosts`, then the servers of
//! `/etc/resolv.conf`.
//!
//! `getaddrinfo` loads NSS modules into a static glibc binary and crashes there. What is lost:
//! names that only mDNS, LDAP or systemd's own modules know.

use std::fmt;
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
/// Waiting for one server once, unless resolv.conf(5) says otherwise (its own default is 5 s).
const PATIENCE: u64 = 3;
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
        let found = addresses_of(host, Path::new("/etc")).map_err(|silent| {
            // Not an I/O error: asking all of them again would take as long again.
            ureq::Error::Other(Box::new(silent))
        })?;
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

/// No name server answered.
#[derive(Debug, PartialEq, Eq)]
struct Silent {
    host: String,
    servers: String,
}

impl fmt::Display for Silent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Silent { host, servers } = self;
        write!(
            f,
            "no address for {host}: no answer from the name server {servers}"
        )
    }
}

impl std::error::Error for Silent {}

fn addresses_of(host: &str, etc: &Path) -> Result<Vec<IpAddr>, Silent> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    let hosts = std::fs::read_to_string(etc.join("hosts")).unwrap_or_default();
    let found = in_hosts(&hosts, host);
    if !found.is_empty() {
        return Ok(found);
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(vec![
            IpAddr::from([127, 0, 0, 1]),
            Ipv6Addr::LOCALHOST.into(),
        ]);
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
    servers: Vec<SocketAddr>,
    search: Vec<String>,
    dots: usize,
    patience: Duration,
    rounds: usize,
}

impl ResolvConf {
    fn parse(text: &str) -> Self {
        let mut conf = ResolvConf {
            servers: Vec::new(),
            search: Vec::new(),
            dots: 1,
            patience: Duration::from_secs(PATIENCE),
            rounds: ROUNDS,
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // A zone (`fe80::1%eth0`) is not understood; such a server is left out.
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    conf.servers
                        .extend(address.map(|address| SocketAddr::new(address, 53)));
                }
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => {
                    for option in words {
                        conf.set(option);
                    }
                }
                _ => {}
            }
        }
        conf.servers.truncate(3);
        if conf.servers.is_empty() {
            conf.servers.push(SocketAddr::from(([127, 0, 0, 1], 53)));
        }
        conf
    }

    /// One of the words after `options`; those without meaning here are passed over.
    fn set(&mut self, option: &str) {
        let Some((name, number)) = option.split_once(':') else {
            return;
        };
        let Ok(number) = number.parse::<usize>() else {
            return;
        };
        match name {
            "ndots" => self.dots = number,
            "timeout" => self.patience = Duration::from_secs(number.clamp(1, 30) as u64),
            "attempts" => self.rounds = number.clamp(1, 5),
            _ => {}
        }
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

fn ask(host: &str, conf: &ResolvConf) -> Result<Vec<IpAddr>, Silent> {
    for name in conf.names(host) {
        // Both families side by side: a server that is slow for one must not delay the other.
        let (v4, v6) = std::thread::scope(|scope| {
            let v6 = scope.spawn(|| ask_family(&name, Family::V6, conf));
            let v4 = ask_family(&name, Family::V4, conf);
            (v4, v6.join().unwrap_or_default())
        });
        // Servers that are silent for one name are silent for the next.
        if v4.is_none() && v6.is_none() {
            let servers: Vec<_> = conf.servers.iter().map(|s| s.ip().to_string()).collect();
            return Err(Silent {
                host: host.to_owned(),
                servers: servers.join(", "),
            });
        }
        let families = [v4, v6].into_iter().flatten();
        let found: Vec<IpAddr> = families.flatten().collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The addresses of one family, perhaps none; `None` if no server answered.
fn ask_family(name: &str, family: Family, conf: &ResolvConf) -> Option<Vec<IpAddr>> {
    for _ in 0..conf.rounds {
        for server in &conf.servers {
            let mut id = [0; 2];
            // Without randomness the id is zero; the connected socket still filters by sender.
            let _ = rustix::rand::getrandom(&mut id, rustix::rand::GetRandomFlags::empty());
            let Some(asked) = dns::query(u16::from_ne_bytes(id), name, family) else {
                return Some(Vec::new());
            };
            match dns::exchange(*server, &asked, conf.patience) {
                Some(Answer::Addresses(addresses)) => return Some(addresses),
                Some(Answer::NoSuchName) => return Some(Vec::new()),
                Some(Answer::Truncated) | None => {}
            }
        }
    }
    None
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
        assert_eq!(conf.servers, [SocketAddr::from(([127, 0, 0, 1], 53))]);
        assert_eq!(conf.names("x.y"), ["x.y.a.example", "x.y.b.example", "x.y"]);
        assert_eq!(conf.names("x.y.z")[0], "x.y.z");
        assert_eq!(conf.names("x."), ["x."]);
    }

    #[test]
    fn f66_silent_name_servers_are_asked_for_one_name_only() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback");
        let mut conf =
            ResolvConf::parse("search a.example b.example\noptions timeout:1 attempts:1\n");
        conf.servers = vec![socket.local_addr().expect("bound")];
        let silent = ask("reg", &conf).expect_err("nobody answers");
        assert!(silent.to_string().contains("127.0.0.1"), "{silent}");
        let wait = socket.set_read_timeout(Some(Duration::from_millis(1)));
        wait.expect("a limit");
        let queries = std::iter::from_fn(|| socket.recv(&mut [0; 512]).ok()).count();
        assert_eq!(queries, 2, "one for each family");
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
