//! Following a redirect: where to, and with what.

use ureq::http::Uri;

use crate::error::{Error, Kind, Result};

/// Redirects followed for one request.
pub const MAX_HOPS: usize = 5;

/// Scheme, host and port, the unit credentials belong to.
pub fn origin(uri: &Uri) -> (String, String, u16) {
    let scheme = uri.scheme_str().unwrap_or("https").to_ascii_lowercase();
    let port = uri
        .port_u16()
        .unwrap_or(if scheme == "http" { 80 } else { 443 });
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    (scheme, host, port)
}

/// The address a `Location` header leads to from `from`.
pub fn next_hop(from: &Uri, location: &str) -> Result<Uri> {
    let refuse = |why: &str| {
        let shown = super::escaped(location);
        Error::new(
            Kind::Registry,
            format!("redirect to {shown:?} refused: {why}"),
        )
    };
    let scheme = from.scheme_str().unwrap_or("https");
    let authority = from.authority().map(|a| a.as_str()).unwrap_or_default();
    let target = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.contains("://") {
        location.to_owned()
    } else {
        let parent = from
            .path()
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent);
        format!("{scheme}://{authority}{parent}/{location}")
    };
    let target: Uri = target.parse().map_err(|_| refuse("not an address"))?;
    let user_info = target.authority().is_some_and(|a| a.as_str().contains('@'));
    match (scheme, target.scheme_str()) {
        _ if user_info || target.host().is_none_or(str::is_empty) => {
            Err(refuse("not a plain host"))
        }
        (_, Some("https")) | ("http", Some("http")) => Ok(target),
        ("https", Some("http")) => Err(refuse("it leaves HTTPS")),
        _ => Err(refuse("only http and https are followed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a31_redirects_never_leave_https_or_http() {
        let from: Uri = "https://reg.example/v2/x/blobs/y".parse().expect("address");
        let table = [
            ("/z", Some("https://reg.example/z")),
            ("z", Some("https://reg.example/v2/x/blobs/z")),
            ("//cdn.example/z", Some("https://cdn.example/z")),
            (
                "https://cdn.example:444/z?q=1",
                Some("https://cdn.example:444/z?q=1"),
            ),
            ("http://reg.example/z", None),
            ("file:///etc/passwd", None),
            ("ftp://reg.example/z", None),
            ("https://user@cdn.example/z", None),
            ("https:///z", None),
        ];
        for (location, expected) in table {
            let found = next_hop(&from, location).ok().map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
        let plain: Uri = "http://127.0.0.1/x".parse().expect("address");
        assert!(next_hop(&plain, "http://127.0.0.1/y").is_ok());
    }
}
