//! The HTTP agents: TLS roots, proxies, time limits. Built when first used, so that a command that
//! needs no network pays nothing.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ureq::http::{Request, Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Body, Proxy, SendBody};

use super::endpoint::{Trust, host_of, is_in_range, is_loopback};
use super::outgoing::{Method, Payload};
use super::resolve::HostResolver;
use super::retry::Pace;
use crate::config::Proxies;
use crate::error::{Context, Result};

/// Agents by certificate checks and proxy; each keeps its connections.
#[derive(Debug)]
pub struct Transport {
    proxies: Proxies,
    pace: Pace,
    agents: Mutex<HashMap<(Trust, Option<String>), Agent>>,
}

impl Transport {
    /// A transport without any connection yet.
    pub fn new(proxies: Proxies, pace: Pace) -> Self {
        Transport {
            proxies,
            pace,
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
        Ok(request.and_then(|request| agent.run(request)))
    }

    fn agent(&self, uri: &Uri, trust: Trust) -> Result<Agent> {
        let proxy = self.proxy_for(uri);
        let key = (trust, proxy.map(str::to_owned));
        // The table is only inserted into: a thread that panicked left it whole.
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(agent) = agents.get(&key) {
            return Ok(agent.clone());
        }
        let agent = self.build(trust, proxy)?;
        agents.insert(key, agent.clone());
        Ok(agent)
    }

    fn build(&self, trust: Trust, proxy: Option<&str>) -> Result<Agent> {
        let proxy = proxy.map(Proxy::new).transpose().map_err(|error| {
            crate::error::Error::invalid(format!("proxy: {error}"))
                .hint("check HTTP_PROXY and HTTPS_PROXY")
        })?;
        let tls = match trust {
            Trust::System => TlsConfig::builder().root_certs(system_roots()),
            Trust::Anything => TlsConfig::builder().disable_verification(true),
        };
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
            .tls_config(tls.build())
            .build();
        Ok(Agent::with_parts(
            config,
            DefaultConnector::default(),
            HostResolver,
        ))
    }

    /// The proxy the environment names for this address, if any.
    fn proxy_for(&self, uri: &Uri) -> Option<&str> {
        let host = host_of(uri.authority()?.as_str());
        let proxy = match uri.scheme_str() {
            Some("http") => &self.proxies.http,
            _ => &self.proxies.https,
        };
        let direct = self.proxies.no_proxy.as_deref().unwrap_or_default();
        let bypass = is_loopback(host) || is_reached_directly(host, direct);
        proxy.as_deref().filter(|_| !bypass)
    }
}

/// `NO_PROXY` as curl and Go read it: names match themselves and what is below them.
fn is_reached_directly(host: &str, list: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    list.split(',').map(str::trim).any(|entry| {
        let name = entry.trim_start_matches("*.").trim_start_matches('.');
        let below = host
            .strip_suffix(name)
            .is_some_and(|rest| rest.ends_with('.'));
        let range = address.is_some_and(|address| is_in_range(address, entry));
        entry == "*" || range || (!name.is_empty() && (host == name || below))
    })
}

/// The system's certificate authorities. None at all makes every TLS connection fail with the
/// library's word for an unknown issuer, which is the right end.
fn system_roots() -> RootCerts {
    let found = rustls_native_certs::load_native_certs();
    let certificates = found.certs.iter();
    certificates
        .map(|der| Certificate::from_der(der.as_ref()).to_owned())
        .into()
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
            assert!(is_reached_directly(host, list), "{host}");
        }
        for host in ["xa.example", "example", "11.0.0.1", "d.example"] {
            assert!(!is_reached_directly(host, list), "{host}");
        }
        assert!(is_reached_directly("anything", "*"));
    }
}
