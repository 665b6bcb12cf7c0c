//! A file from an address that the user typed: `import https://…`.

use std::io::Read;

use super::endpoint::Trust;
use super::failure::message_of;
use super::redirect::{MAX_HOPS, next_hop};
use super::retry::Pace;
use super::transport::{Transport, parse_uri};
use crate::config::RegistrySettings;
use crate::error::{Error, Kind, Result};

/// Opens what is at `address`. It is read as it comes; one that ends early is an error.
pub fn download(settings: &RegistrySettings, address: &str) -> Result<Box<dyn Read + Send>> {
    let shown = super::escaped(address);
    let subject = || format!("download {shown}");
    let refuse = |why: String| Error::new(Kind::Registry, why).wrap(subject());
    let transport = Transport::new(settings.clone(), Pace::default());
    let mut uri = parse_uri(address)?;
    for _ in 0..=MAX_HOPS {
        let answer = transport.get(&uri, Trust::System, &[])?;
        let answer = answer.map_err(|error| refuse(error.to_string()))?;
        let status = answer.status();
        if status.is_redirection()
            && let Some(location) = answer.headers().get("location")
        {
            let location = location.to_str().unwrap_or_default();
            uri = next_hop(&uri, location).map_err(|error| error.wrap(subject()))?;
            continue;
        }
        if status.as_u16() != 200 {
            let said = message_of(answer.into_body());
            return Err(refuse(format!("the server answers {status}: {said}")));
        }
        return Ok(Box::new(answer.into_body().into_reader()));
    }
    Err(refuse(format!("more than {MAX_HOPS} redirects")))
}
