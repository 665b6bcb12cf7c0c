//! Whether a registry takes a login: one request to `/v2/`, answering its challenge.

use super::client::Client;
use super::endpoint::{Endpoint, endpoints_of};
use super::failure::{Direction, Failure};
use crate::base::Reference;
use crate::error::{Error, Kind, Result};

impl Client {
    /// Asks the registry behind `host[:port][/path]` with this client's login for it. A registry
    /// that asks nobody who they are takes every login.
    pub fn check_login(&self, place: &str) -> Result<()> {
        let at = self.registry_of(place)?;
        let host = place.split('/').next().unwrap_or_default();
        match self.get(&at, "", "", &[]) {
            Ok(_) => Ok(()),
            Err(Failure::Status {
                code: 401 | 403,
                message,
                ..
            }) => {
                let why = format!("login to {host}: unauthorized: incorrect username or password");
                let told = match message.trim() {
                    "" => why,
                    message => format!("{why} ({message})"),
                };
                Err(Error::new(Kind::Registry, told))
            }
            Err(Failure::Status { code: 404, .. }) => {
                let why = format!("login to {host}: it has no /v2/ and is no registry");
                Err(Error::new(Kind::Registry, why).hint("check the host and the port"))
            }
            Err(Failure::Refused(error)) => Err(error.wrap(format!("login to {host}"))),
            Err(failure) => Err(failure.into_error(Direction::Pull, "/v2/", host)),
        }
    }

    /// Finds the logins for everywhere `reference` will be asked for, so that no program has to run
    /// later.
    pub fn look_up_logins(&self, reference: &Reference) -> Result<()> {
        for at in endpoints_of(reference, self.settings())? {
            self.credentials().find(&at.login)?;
        }
        Ok(())
    }

    /// The registry itself, not its mirrors.
    pub(super) fn registry_of(&self, place: &str) -> Result<Endpoint> {
        let (registry, repository) = place.split_once('/').unwrap_or((place, ""));
        let reference = Reference {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag: None,
            digest: None,
        };
        let mut places = endpoints_of(&reference, self.settings())?;
        Ok(places.pop().expect("the registry itself is the last"))
    }
}
