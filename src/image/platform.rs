//! `os/architecture[/variant]`: parsing, normal form and choice, as containerd does them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a manifest's content runs on. Always in normal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// Go's GOOS.
    pub os: String,
    /// Go's GOARCH.
    pub architecture: String,
    /// Needed only for 32-bit ARM and for levels of amd64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

impl Platform {
    /// Normalises names people and uname(1) use.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant
            .filter(|v| !v.is_empty())
            .map(str::to_ascii_lowercase);
        let variant = variant.as_deref();
        let (architecture, variant) = match (architecture.as_str(), variant) {
            ("x86_64" | "x86-64" | "amd64", Some("v1") | None) => ("amd64", None),
            ("x86_64" | "x86-64", v) => ("amd64", v),
            ("i386" | "i486" | "i586" | "i686", _) => ("386", None),
            ("aarch64" | "arm64", Some("8" | "v8") | None) => ("arm64", None),
            ("aarch64", v) => ("arm64", v),
            ("armhf", _) => ("arm", Some("v7")),
            ("armel", _) => ("arm", Some("v6")),
            ("arm", Some("" | "7") | None) => ("arm", Some("v7")),
            ("arm", Some("5")) => ("arm", Some("v5")),
            ("arm", Some("6")) => ("arm", Some("v6")),
            ("arm", Some("8")) => ("arm", Some("v8")),
            (other, v) => (other, v),
        };
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        Platform {
            os,
            architecture: architecture.to_owned(),
            variant: variant.map(str::to_owned),
        }
    }

    /// This machine.
    pub fn host() -> Self {
        Platform::new("linux", std::env::consts::ARCH, None)
    }

    /// How well content for `offered` runs where this is wanted: lower is better, `None` is not
    /// at all.
    pub fn rank(&self, offered: &Platform) -> Option<usize> {
        if self.os != offered.os {
            return None;
        }
        let runnable = self.runnable();
        let variant = offered.variant.as_deref();
        runnable
            .iter()
            .position(|(architecture, v)| *architecture == offered.architecture && *v == variant)
    }

    /// Architectures this one runs, best first.
    fn runnable(&self) -> Vec<(&str, Option<&str>)> {
        let level = |text: &str| text.strip_prefix('v').and_then(|n| n.parse::<u8>().ok());
        let own = self.variant.as_deref();
        let arm = [("v8", 8), ("v7", 7), ("v6", 6), ("v5", 5)];
        let arm = arm
            .into_iter()
            .map(|(name, number)| (("arm", Some(name)), number));
        match (self.architecture.as_str(), own.and_then(level)) {
            ("arm", Some(top)) => {
                let fitting = arm.filter(|(_, number)| *number <= top);
                fitting.map(|(entry, _)| entry).collect()
            }
            ("arm64", None) => [("arm64", None), ("arm64", Some("v8"))]
                .into_iter()
                .chain(arm.map(|(entry, _)| entry))
                .collect(),
            ("amd64", None) => vec![("amd64", None), ("386", None)],
            ("amd64", Some(top)) => {
                let levels = [("v4", 4), ("v3", 3), ("v2", 2)].into_iter();
                let fitting = levels.filter(|(_, number)| *number <= top);
                let fitting = fitting.map(|(name, _)| ("amd64", Some(name)));
                fitting.chain([("amd64", None), ("386", None)]).collect()
            }
            (architecture, _) => vec![(architecture, own)],
        }
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || {
            Error::invalid(format!("{text:?} is an invalid platform specifier"))
                .hint("os/architecture[/variant], e.g. linux/arm64")
        };
        let is_word = |part: &&str| {
            let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
            !part.is_empty() && part.len() <= 64 && part.bytes().all(allowed)
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(is_word) {
            return Err(refuse());
        }
        match parts[..] {
            ["linux"] => Ok(Platform::host()),
            ["windows" | "darwin" | "freebsd"] => {
                Ok(Platform::new(parts[0], std::env::consts::ARCH, None))
            }
            [architecture] => Ok(Platform::new("linux", architecture, None)),
            [os, architecture] => Ok(Platform::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Platform::new(os, architecture, Some(variant))),
            _ => Err(refuse()),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        text.parse().expect(text)
    }

    /// After containerd/platforms' table (Apache-2.0), written anew.
    #[test]
    fn names_are_normalised() {
        let table = [
            ("linux/x86_64", "linux/amd64"),
            ("x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("linux/arm64/v8", "linux/arm64"),
            ("aarch64", "linux/arm64"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/armel", "linux/arm/v6"),
            ("arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("i386", "linux/386"),
            ("macOS/arm64", "darwin/arm64"),
            ("linux/s390x", "linux/s390x"),
        ];
        for (text, normal) in table {
            assert_eq!(platform(text).to_string(), normal, "{text}");
        }
        for bad in [
            "",
            "/",
            "linux/",
            "a/b/c/d",
            "linux/*",
            "li nux/amd64",
            "linux/amd64\n",
        ] {
            assert!(bad.parse::<Platform>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_closest_runnable_platform_ranks_first() {
        let table = [
            ("linux/amd64", "linux/amd64", Some(0)),
            ("linux/amd64", "linux/386", Some(1)),
            ("linux/amd64", "linux/amd64/v2", None),
            ("linux/amd64/v3", "linux/amd64/v2", Some(1)),
            ("linux/amd64", "linux/arm64", None),
            ("linux/arm64", "linux/arm/v7", Some(3)),
            ("linux/arm/v6", "linux/arm/v7", None),
            ("linux/arm/v7", "linux/arm/v5", Some(2)),
            ("linux/amd64", "windows/amd64", None),
            ("linux/riscv64", "linux/riscv64", Some(0)),
        ];
        for (wanted, offered, rank) in table {
            assert_eq!(
                platform(wanted).rank(&platform(offered)),
                rank,
                "{wanted} {offered}"
            );
        }
    }
}
