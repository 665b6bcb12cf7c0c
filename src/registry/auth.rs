//! Challenges (`WWW-Authenticate`) and bearer tokens (distribution's token specification).

use serde_json::Value;
use ureq::http::Uri;

use super::credentials::Credential;
use super::endpoint::{Endpoint, Scheme, Trust, host_of, is_loopback, trust_of};
use crate::config::RegistrySettings;
use crate::error::{Error, Kind, Result};

/// A token answer is not read further.
pub const TOKEN_LIMIT: u64 = 1 << 20;

/// What a registry wants to see.
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// User name and password.
    Basic,
    /// A token from `realm`.
    Bearer {
        /// Address of the token service.
        realm: String,
        /// Name of the registry there.
        service: Option<String>,
    },
}

/// The best challenge in a `WWW-Authenticate` header; the scope it names is not ours to follow.
pub fn parse_challenge(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let parameters = parse_parameters(rest);
    let find = |name: &str| {
        let found = parameters
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    Some(Challenge::Bearer {
        realm: find("realm")?,
        service: find("service"),
    })
}

/// `key="value", key=value`, quoted values with backslash escapes.
fn parse_parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((key, after)) = rest.split_once('=') {
        let mut value = String::new();
        let mut end = after.len();
        let quoted = after.starts_with('"');
        let mut escape = false;
        for (at, c) in after.char_indices().skip(usize::from(quoted)) {
            match c {
                _ if escape => {
                    value.push(c);
                    escape = false;
                }
                '\\' if quoted => escape = true,
                '"' if quoted => {
                    end = at + 1;
                    break;
                }
                ',' if !quoted => {
                    end = at;
                    break;
                }
                c => value.push(c),
            }
        }
        found.push((key.trim_matches([',', ' ']).to_owned(), value));
        rest = &after[end..];
    }
    found
}

/// A token that is wanted.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The registry's name at the token service.
    pub service: Option<&'a str>,
    /// What it has to allow; empty: only to say who the user is.
    pub scope: &'a str,
    /// Who asks.
    pub login: Option<&'a Credential>,
}

impl Wanted<'_> {
    fn parameters(&self) -> Vec<String> {
        let service = self
            .service
            .map(|name| format!("service={}", percent(name)));
        // A mount needs two repositories; each is a parameter of its own.
        let scopes = self.scope.split(' ').filter(|scope| !scope.is_empty());
        let scopes = scopes.map(|scope| format!("scope={}", percent(scope)));
        service.into_iter().chain(scopes).collect()
    }
}

/// The token service's address, if this registry may send us (and credentials) there.
pub fn token_url(
    endpoint: &Endpoint,
    realm: &str,
    wanted: &Wanted<'_>,
    settings: &RegistrySettings,
) -> Result<Uri> {
    let refuse = |why: &str| {
        let shown = super::escaped(realm);
        Error::new(
            Kind::Registry,
            format!("token service {shown:?} refused: {why}"),
        )
    };
    let separator = if realm.contains('?') { '&' } else { '?' };
    let mut url = realm.to_owned();
    let mut parameters = wanted.parameters();
    match wanted.login {
        // The form has them.
        Some(login) if login.identity_token().is_some() => parameters.clear(),
        Some(login) => parameters.push(format!("account={}", percent(&login.user))),
        None => {}
    }
    if !parameters.is_empty() {
        url = format!("{url}{separator}{}", parameters.join("&"));
    }
    let uri: Uri = url.parse().map_err(|_| refuse("not an address"))?;
    let authority = uri.authority().map(|a| a.as_str()).unwrap_or_default();
    if authority.is_empty() || authority.contains('@') {
        return Err(refuse("not a plain host"));
    }
    let named = authority == endpoint.authority
        || is_loopback(host_of(authority))
        || trust_of(authority, settings) == Trust::Anything;
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if endpoint.scheme == Scheme::Http && named => Ok(uri),
        _ => Err(refuse("it is not HTTPS")),
    }
}

/// What is posted to a token service to exchange an identity token.
pub fn refresh_form(wanted: &Wanted<'_>, identity: &str) -> String {
    let mut fields = wanted.parameters();
    fields.push("grant_type=refresh_token".to_owned());
    fields.push("client_id=hull".to_owned());
    fields.push(format!("refresh_token={}", percent(identity)));
    fields.join("&")
}

pub(super) fn percent(text: &str) -> String {
    let coded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            (byte as char).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    coded.collect()
}

/// The `Authorization` value in a token service's answer.
pub fn parse_token(bytes: &[u8]) -> Result<String> {
    let refuse = |why: &str| Error::new(Kind::Registry, format!("token service: {why}"));
    if bytes.len() as u64 > TOKEN_LIMIT {
        return Err(refuse("the answer is longer than 1 MiB"));
    }
    let document: Value = serde_json::from_slice(bytes).map_err(|_| refuse("not JSON"))?;
    let field = |name: &str| document.get(name).and_then(Value::as_str);
    let token = field("token").or_else(|| field("access_token"));
    let token = token.filter(|token| !token.is_empty() && token.len() <= 32 << 10);
    let token = token.ok_or_else(|| refuse("no usable token in the answer"))?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refuse("the token has characters no header may have"));
    }
    Ok(format!("Bearer {token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example/token",service="reg,x",scope="a:b:c""#;
        let expected = Challenge::Bearer {
            realm: "https://auth.example/token".into(),
            service: Some("reg,x".into()),
        };
        assert_eq!(parse_challenge(header), Some(expected));
        assert_eq!(parse_challenge("basic realm=x"), Some(Challenge::Basic));
        for none in ["", "Bearer", "Bearer service=\"x\"", "Digest realm=\"x\""] {
            assert_eq!(parse_challenge(none), None, "{none}");
        }
    }

    #[test]
    fn a32_tokens_come_only_from_https_or_the_insecure_registry_itself() {
        let endpoint = |scheme, authority: &str| Endpoint {
            scheme,
            authority: authority.into(),
            repository: "x".into(),
            api: super::super::endpoint::Api::V2,
            prefix: String::new(),
            trust: Trust::System,
            login: authority.into(),
            plain_fallback: true,
        };
        let settings = RegistrySettings::default();
        let wanted = Wanted {
            service: None,
            scope: "s",
            login: None,
        };
        let check = |at: &Endpoint, realm: &str| token_url(at, realm, &wanted, &settings).is_ok();
        let secure = endpoint(Scheme::Https, "reg.example");
        assert!(check(&secure, "https://auth.example/token"));
        assert!(!check(&secure, "http://auth.example/token"));
        assert!(!check(&secure, "http://reg.example/token"));
        assert!(!check(&secure, "http://127.0.0.1/token"));
        assert!(!check(&secure, "file:///etc/passwd"));
        assert!(!check(&secure, "https://u@auth.example/"));
        let plain = endpoint(Scheme::Http, "10.0.0.1:5000");
        assert!(check(&plain, "http://10.0.0.1:5000/token"));
        assert!(!check(&plain, "http://auth.example/token"));
    }

    #[test]
    fn a32_a_token_may_not_smuggle_headers() {
        assert_eq!(
            parse_token(br#"{"token":"abc"}"#).expect("token"),
            "Bearer abc"
        );
        assert!(parse_token(br#"{"token":"a\r\nHost: x"}"#).is_err());
        assert!(parse_token(br#"{"token":""}"#).is_err());
        assert!(parse_token(&vec![b' '; TOKEN_LIMIT as usize + 1]).is_err());
    }
}
