//! The HTTP agents: TLS roots, proxies, time limits. Built when first used, so that a command that
//! needs no network pays nothing.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustls::RootCertStore;

use ureq::http::{Request, Response, Uri};
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector, SocksConnector, TcpConnector,
};
use ureq::{Agent, Body, Proxy, SendBody};

use super::certificates::HostCertificates;
use super::endpoint::{Trust, host_of, is_in_range, is_loopback};
use super::outgoing::{Method, Payload};
use super::resolve::HostResolver;
use super::retry::Pace;
use super::tls::{self, TlsConnector};
use crate::config::RegistrySettings;
use crate::error::{Context, Result};

/// Agents by where they go; each keeps its connections.
#[derive(Debug)]
pub struct Transport {
    settings: RegistrySettings,
    pace: Pace,
    /// Read when TLS is first spoken.
    system: OnceLock<RootCertStore>,
    agents: Mutex<HashMap<Route, Agent>>,
}

/// What two requests must share to share an agent. The proxy's password is in it and
/// must not be shown.
#[derive(PartialEq, Eq, Hash)]
struct Route {
    authority: String,
    trust: Trust,
    proxy: Option<String>,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({})", self.authority)
    }
}

impl Transport {
    /// A transport without any connection yet.
    pub fn new(settings: RegistrySettings, pace: Pace) -> Self {
        Transport {
            settings,
            pace,
            system: OnceLock::new(),
            agents: Mutex::default(),
        }
    }

    /// Sends one GET; redirects and statuses are the caller's.
    pub fn get(
        &self,
        uri: &Uri,
        trust: Trust,
        headers: &[(&str, &str)],
    ) -> Result<std::result::Result<Response<Body>, ureq::Error>> {
        self.send(Method::Get, uri, trust, headers, Payload::None)
    }

    /// Sends one request; redirects and statuses are the caller's.
    pub fn send(
        &self,
        method: Method,
        uri: &Uri,
        trust: Trust,
        headers: &[(&str, &str)],
        payload: Payload<'_>,
    ) -> Result<std::result::Result<Response<Body>, ureq::Error>> {
        let agent = self.agent(uri, trust)?;
        let mut request = Request::builder().method(method.name()).uri(uri.clone());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let Some(length) = payload.length() else {
            let request = request.body(()).map_err(ureq::Error::from);
            return Ok(request.and_then(|request| agent.run(request)));
        };
        let mut reader = payload.reader();
        let request = request
            .header("Content-Length", length.to_string())
            .body(SendBody::from_reader(&mut reader))
            .map_err(ureq::Error::from);
        // What is put is kept before the answer; anything else is answered at once.
        let answer = match method {
            Method::Put => self.pace.put,
            _ => self.pace.progress,
        };
        let patient = |request| {
            let limits = agent.configure_request(request);
            limits
                .timeout_recv_response(Some(answer))
                .timeout_per_read(Some(answer))
                .build()
        };
        Ok(request.and_then(|request| agent.run(patient(request))))
    }

    /// Posts a form; the answer is the caller's to judge.
    pub fn post_form(
        &self,
        uri: &Uri,
        trust: Trust,
        form: &str,
    ) -> Result<std::result::Result<Response<Body>, ureq::Error>> {
        let agent = self.agent(uri, trust)?;
        let request = Request::post(uri.clone())
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form);
        Ok(request
            .map_err(ureq::Error::from)
            .and_then(|request| agent.run(request)))
    }

    fn agent(&self, uri: &Uri, trust: Trust) -> Result<Agent> {
        let proxy = self.proxy_for(uri);
        let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
        let key = Route {
            authority: authority.to_owned(),
            trust,
            proxy: proxy.map(str::to_owned),
        };
        // The table is only inserted into: a thread that panicked left it whole.
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let agent = self.build(&key)?;
        agents.insert(key, agent.clone());
        Ok(agent)
    }

    fn build(&self, route: &Route) -> Result<Agent> {
        let proxy = route.proxy.as_deref().map(Proxy::new).transpose();
        let proxy = proxy.map_err(|error| {
            // Must not: show the address, which may have a password.
            crate::error::Error::invalid(format!("proxy for {}: {error}", route.authority))
                .hint("check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY")
        })?;
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(proxy)
            .user_agent(concat!("hull/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .timeout_connect(Some(self.pace.connect))
            .timeout_send_request(Some(self.pace.progress))
            .timeout_recv_response(Some(self.pace.progress))
            .timeout_per_read(Some(self.pace.progress))
            .timeout_per_write(Some(self.pace.progress))
            .input_buffer_size(256 << 10)
            .build();
        let known = HostCertificates::load(&route.authority, &self.settings)?;
        let system = self.system.get_or_init(tls::system_roots);
        let tls = TlsConnector::new(&route.authority, route.trust, known, system)?;
        let connector =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(tls);
        Ok(Agent::with_parts(config, connector, HostResolver))
    }

    /// The proxy the environment names for this address, if any.
    fn proxy_for(&self, uri: &Uri) -> Option<&str> {
        let authority = uri.authority()?.as_str();
        let proxies = &self.settings.proxies;
        let (proxy, port) = match uri.scheme_str() {
            Some("http") => (&proxies.http, 80),
            _ => (&proxies.https, 443),
        };
        let direct = proxies.no_proxy.as_deref().unwrap_or_default();
        let port = uri.port_u16().unwrap_or(port);
        let host = host_of(authority);
        let bypass = is_loopback(host) || is_reached_directly(host, port, direct);
        proxy.as_deref().filter(|_| !bypass)
    }
}

/// `NO_PROXY` as curl and Go read it: names match themselves and what is below them, ranges the
/// addresses in them; each may be limited to a port.
fn is_reached_directly(host: &str, port: u16, list: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    let list = list.to_ascii_lowercase();
    list.split([',', ' ']).map(str::trim).any(|entry| {
        let is_range = entry.contains('/');
        let (entry, limit) = match entry.rsplit_once(':') {
            Some((name, digits)) if !is_range && !name.ends_with(':') => match digits.parse() {
                Ok(limit) if !name.contains(':') || name.ends_with(']') => (name, Some(limit)),
                _ => (entry, None),
            },
            _ => (entry, None),
        };
        let entry = entry.trim_start_matches('[').trim_end_matches(']');
        let name = entry.trim_start_matches("*.").trim_start_matches('.');
        let below = host
            .strip_suffix(name)
            .is_some_and(|rest| rest.ends_with('.') && address.is_none());
        let range = address.is_some_and(|address| is_in_range(address, entry));
        let fits = entry == "*" || range || (!name.is_empty() && (host == name || below));
        fits && limit.is_none_or(|limit: u16| limit == port)
    })
}

/// Parses an address made of checked parts.
pub fn parse_uri(text: &str) -> Result<Uri> {
    text.parse::<Uri>()
        .map_err(|error| crate::error::Error::invalid(error.to_string()))
        .context(|| format!("address {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_matches_names_domains_and_ranges() {
        let list = "a.example, .b.example,10.0.0.0/8,*.c.example";
        for host in [
            "a.example",
            "x.a.example",
            "x.b.example",
            "10.1.2.3",
            "y.c.example",
        ] {
            assert!(is_reached_directly(host, 443, list), "{host}");
        }
        for host in ["xa.example", "example", "11.0.0.1", "d.example"] {
            assert!(!is_reached_directly(host, 443, list), "{host}");
        }
        assert!(is_reached_directly("anything", 443, "*"));
        assert!(is_reached_directly("A.EXAMPLE", 443, list));
        let ports = "a.example:5000,[fd00::1]:80,fd00::2";
        for (host, port, expected) in [
            ("a.example", 5000, true),
            ("a.example", 443, false),
            ("fd00::1", 80, true),
            ("fd00::1", 443, false),
            ("fd00::2", 443, true),
        ] {
            assert_eq!(
                is_reached_directly(host, port, ports),
                expected,
                "{host}:{port}"
            );
        }
    }
}
