//! The flags of every command that talks to a registry: who is asking, and whom to believe.

use std::path::PathBuf;

use clap::Command;

use super::{Matches, switch_on, text};
use crate::base::Reference;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::registry::{Client, Credential, Credentials};

/// What these flags say; nothing by default.
#[derive(Debug, Clone, Default)]
pub struct RegistryArgs {
    /// `--authfile`: the only file logins are read from and written to.
    pub authfile: Option<PathBuf>,
    /// `--cert-dir`.
    pub cert_dir: Option<PathBuf>,
    /// `--creds USER[:PASSWORD]`, for the registry the command names and no other.
    pub creds: Option<Credential>,
    /// `--tls-verify`, if given: over what the settings say of the host.
    pub tls_verify: Option<bool>,
}

/// Declares them all.
pub fn declare(command: Command) -> Command {
    let creds = "Log in to the registry with these for this command only";
    declare_access(command).arg(text("creds", "user[:password]", creds))
}

/// The same without `--creds`: for commands that log in themselves.
pub fn declare_access(command: Command) -> Command {
    let authfile = "File with the logins, instead of ~/.docker/config.json";
    let certificates = "Directory with certificates: authorities *.crt, our own *.cert and *.key";
    let verify = "Require HTTPS and a valid certificate (false: plain HTTP, any certificate)";
    command
        .arg(text("authfile", "path", authfile))
        .arg(text("cert-dir", "path", certificates))
        .arg(switch_on("tls-verify", verify))
}

/// Which end of a copy flags are about: `--src-creds`, `--dest-creds` and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Source,
    Destination,
}

impl End {
    /// The flags for a login file, certificates, a login, and TLS.
    const fn flags(self) -> [&'static str; 4] {
        match self {
            End::Source => [
                "src-authfile",
                "src-cert-dir",
                "src-creds",
                "src-tls-verify",
            ],
            End::Destination => [
                "dest-authfile",
                "dest-cert-dir",
                "dest-creds",
                "dest-tls-verify",
            ],
        }
    }
}

/// Declares the flags of one end of a copy.
pub fn declare_end(command: Command, end: End) -> Command {
    let [authfile, certificates, creds, verify] = end.flags();
    command
        .arg(text(
            authfile,
            "path",
            "As --authfile, for this end of the copy",
        ))
        .arg(text(
            certificates,
            "path",
            "As --cert-dir, for this end of the copy",
        ))
        .arg(text(
            creds,
            "user[:password]",
            "As --creds, for this end of the copy",
        ))
        .arg(switch_on(
            verify,
            "As --tls-verify, for this end of the copy",
        ))
}

impl RegistryArgs {
    /// Reads what the command declared.
    pub fn read(matches: &Matches) -> Result<Self> {
        let creds = matches.declares("creds").then(|| matches.text("creds"));
        let verify = matches.given("tls-verify");
        Ok(RegistryArgs {
            authfile: matches.text("authfile").map(PathBuf::from),
            cert_dir: matches.text("cert-dir").map(PathBuf::from),
            creds: creds.flatten().map(parse_creds).transpose()?,
            tls_verify: verify
                .then(|| matches.value::<bool>("tls-verify"))
                .flatten(),
        })
    }

    /// Reads what [`declare_end`] declared.
    pub fn read_end(matches: &Matches, end: End) -> Result<Self> {
        let [authfile, certificates, creds, verify] = end.flags();
        let given = matches.given(verify);
        Ok(RegistryArgs {
            authfile: matches.text(authfile).map(PathBuf::from),
            cert_dir: matches.text(certificates).map(PathBuf::from),
            creds: matches.text(creds).map(parse_creds).transpose()?,
            tls_verify: given.then(|| matches.value::<bool>(verify)).flatten(),
        })
    }

    /// The settings as these flags change them, with what `registries.conf` says.
    pub fn apply(&self, settings: &Settings) -> Result<Settings> {
        let mut settings = settings.clone();
        settings.registry.rules = settings.registry.files.load()?;
        settings.registry.verify = self.tls_verify.or(settings.registry.verify);
        settings.registry.certificate_dir = self.cert_dir.clone();
        if let Some(authfile) = &self.authfile {
            settings.auth_file = Some(authfile.clone());
        }
        Ok(settings)
    }

    /// A client for a command about `reference`, with the logins it may need.
    ///
    /// Should: before the process becomes root of the user's namespace. Programs that keep logins
    /// run as the user, whom a keyring knows.
    pub fn client(&self, settings: &Settings, reference: &Reference) -> Result<Client> {
        let client = self.client_for(settings, &reference.registry)?;
        client.look_up_logins(reference)?;
        Ok(client)
    }

    /// A client for a command about the registry `host[:port]`.
    pub fn client_for(&self, settings: &Settings, registry: &str) -> Result<Client> {
        let settings = self.apply(settings)?;
        let mut credentials = Credentials::load(&settings);
        if let Some(creds) = &self.creds {
            credentials.insert(registry, creds.clone());
        }
        Ok(Client::new(&settings.registry, credentials))
    }
}

/// `user:password`; a name alone has no password.
fn parse_creds(text: &str) -> Result<Credential> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    if user.is_empty() {
        // Must not: be repeated in an error; there may be a password in it.
        return Err(Error::invalid("--creds: the user name is empty")
            .hint("--creds takes USER or USER:PASSWORD"));
    }
    Ok(Credential {
        user: user.to_owned(),
        password: password.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn creds_are_split_at_the_first_colon() {
        let read = |text| parse_creds(text).map(|found| (found.user, found.password));
        let pair = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        assert_eq!(read("u:p:q").expect("legal"), pair("u", "p:q"));
        assert_eq!(read("u").expect("legal"), pair("u", ""));
        let error = read(":secret").expect_err("no user").to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
