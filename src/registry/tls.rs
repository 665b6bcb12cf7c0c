//! TLS for the HTTP agent: whose certificates are believed, and what we show of ourselves.
//!
//! The agent's own layer takes roots only. This one also takes a certificate that the user put down
//! for exactly this host, whoever signed it: what `openssl req -x509` makes calls itself an
//! authority, and the library refuses such a certificate from a server. Name and dates count there
//! too.

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use super::certificates::HostCertificates;
use super::endpoint::Trust;
use crate::error::{Error, Kind, Result};

/// Wraps the connections to one host.
pub struct TlsConnector {
    /// `host[:port]` that the configuration is for; a proxy on the way is not it.
    authority: String,
    own: Arc<ClientConfig>,
    others: Arc<ClientConfig>,
}

impl TlsConnector {
    /// For `authority` with what is known of it, beside the system's authorities.
    pub fn new(
        authority: &str,
        trust: Trust,
        known: HostCertificates,
        system: &RootCertStore,
    ) -> Result<Self> {
        let others = configuration(Trust::System, HostCertificates::default(), system)?;
        Ok(TlsConnector {
            authority: authority.to_owned(),
            own: Arc::new(configuration(trust, known, system)?),
            others: Arc::new(others),
        })
    }
}

/// The system's certificate authorities.
pub fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    // What one system file has too much must not cost the rest.
    roots.add_parsable_certificates(found.certs);
    roots
}

fn configuration(
    trust: Trust,
    known: HostCertificates,
    system: &RootCertStore,
) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let wrong = |error: &dyn fmt::Display| Error::new(Kind::Registry, format!("TLS: {error}"));
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Anything => Arc::new(Unverified(provider.clone())),
        Trust::System => Arc::new(Verified::new(&provider, known.authorities, system)?),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    match known.client {
        None => Ok(builder.with_no_client_auth()),
        Some(client) => builder
            .with_client_auth_cert(client.chain, client.key)
            .map_err(|error| {
                let path = client.path.display();
                Error::invalid(format!("client certificate {path}: {error}"))
            }),
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        // Behind an HTTPS proxy, the tunnel carries our TLS inside the proxy's.
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let authority = details.uri.authority().map(|a| a.as_str());
        let configuration = match authority == Some(&self.authority) {
            true => &self.own,
            false => &self.others,
        };
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ureq::Error::Tls("the host's name can be in no certificate"))?;
        let mut connection = ClientConnection::new(configuration.clone(), name)?;
        let transport: Box<dyn Transport> = Box::new(transport);
        let mut socket = TransportAdapter::new(transport, details.current_time.clone());
        socket.set_timeout(details.timeout);
        connection.complete_io(&mut socket)?;
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        let stream = StreamOwned::new(connection, socket);
        Ok(Some(Either::B(TlsTransport { buffers, stream })))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsConnector({})", self.authority)
    }
}

/// A connection inside TLS.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let count = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(count);
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// The usual checks, and certificates that the user put down for this host.
#[derive(Debug)]
struct Verified {
    usual: Arc<WebPkiServerVerifier>,
    put_down: Vec<CertificateDer<'static>>,
}

impl Verified {
    fn new(
        provider: &Arc<CryptoProvider>,
        put_down: Vec<CertificateDer<'static>>,
        system: &RootCertStore,
    ) -> Result<Self> {
        let mut roots = system.clone();
        roots.add_parsable_certificates(put_down.iter().cloned());
        let builder =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let usual = builder.build().map_err(|error| {
            Error::new(Kind::Registry, format!("certificate authorities: {error}"))
                .hint("install ca-certificates")
        })?;
        Ok(Verified { usual, put_down })
    }
}

impl ServerCertVerifier for Verified {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = self.usual.verify_server_cert(own, chain, name, ocsp, now);
        match usual {
            Err(error) if is_about_its_signer(&error) && self.put_down.contains(own) => {
                verify_server_name(&ParsedCertificate::try_from(own)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, own, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, own, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Nothing else is wrong with it than who signed it. The library looks at the dates before both.
fn is_about_its_signer(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => true,
        // It has no word of its own for this one.
        rustls::Error::InvalidCertificate(CertificateError::Other(inner)) => {
            inner.to_string().contains("CaUsedAsEndEntity")
        }
        _ => false,
    }
}

/// The user named the host insecure: any certificate, but the one that was shown.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _own: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, own, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        own: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, own, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
