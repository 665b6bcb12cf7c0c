//! The certificates a user put down for a host: `certs.d/HOST[:PORT]/` with authorities
//! (`*.crt`) and our own side (`NAME.cert` with `NAME.key`), as the neighbours read them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::RegistrySettings;
use crate::error::{Context, Error, Result};

/// What is to be used beside the system's authorities.
#[derive(Debug, Default)]
pub struct HostCertificates {
    /// Trusted for this host; also as the host's own certificate.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What we show of ourselves.
    pub client: Option<ClientCertificate>,
}

/// A certificate of ours with its key.
#[derive(Debug)]
pub struct ClientCertificate {
    /// Our certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
    /// Where it is.
    pub path: PathBuf,
}

impl HostCertificates {
    /// Reads what there is for `host[:port]`.
    pub fn load(authority: &str, settings: &RegistrySettings) -> Result<Self> {
        let mut found = HostCertificates::default();
        let parents = settings.certificates.iter();
        for directory in parents.map(|parent| parent.join(authority)) {
            found.read(&directory, Absence::Fine)?;
        }
        if let Some(named) = &settings.certificate_dir {
            found.read(named, Absence::Error)?;
        }
        Ok(found)
    }

    fn read(&mut self, directory: &Path, absence: Absence) -> Result<()> {
        let entries = match std::fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if absence == Absence::Fine && is_absent(&error) => return Ok(()),
            Err(error) => return Err(error).context(|| format!("read {}", directory.display())),
        };
        let mut paths = Vec::new();
        for entry in entries {
            let entry = entry.context(|| format!("read {}", directory.display()))?;
            paths.push(entry.path());
        }
        paths.sort();
        for path in &paths {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => self.authorities.extend(read_certificates(path)?),
                Some("cert") => self.add_client(path)?,
                Some("key") if !path.with_extension("cert").exists() => {
                    let why = format!("{}: there is no certificate for it", path.display());
                    return Err(Error::invalid(why).hint(
                        "our own certificate is NAME.cert beside NAME.key, an authority NAME.crt",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The first one found is shown.
    fn add_client(&mut self, path: &Path) -> Result<()> {
        let key_path = path.with_extension("key");
        let chain = read_certificates(path)?;
        let key = PrivateKeyDer::from_pem_file(&key_path).map_err(|error| {
            Error::invalid(format!(
                "{}: no key for {}: {error}",
                key_path.display(),
                path.display()
            ))
            .hint("our own certificate is NAME.cert beside NAME.key, an authority NAME.crt")
        })?;
        let path = path.to_owned();
        self.client
            .get_or_insert(ClientCertificate { chain, key, path });
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Absence {
    Fine,
    Error,
}

/// All certificates of a PEM file, of which there must be one.
fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let refuse = |why: String| Error::invalid(format!("{}: {why}", path.display()));
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found: Vec<_> = read.map_err(|error| refuse(error.to_string()))?;
    match found.is_empty() {
        true => Err(refuse("no certificate in it".to_owned()).hint("it must be PEM")),
        false => Ok(found),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied
    )
}
