//! Operating system and processor of a package: `linux_amd64`.

use std::fmt;
use std::str::FromStr;

use formwork_contract::Str;

/// Where a package runs, in the words of the Go toolchain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    os: Str,
    arch: Str,
}

/// A text is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: it must be OS_ARCH")]
pub struct ParsePlatformError(String);

impl Platform {
    /// The one that this program was built for.
    pub fn current() -> Self {
        let os = match std::env::consts::OS {
            "macos" => "darwin",
            other => other,
        };
        let arch = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "x86" => "386",
            "aarch64" => "arm64",
            other => other,
        };
        Self { os: os.into(), arch: arch.into() }
    }

    pub fn os(&self) -> &str {
        &self.os
    }

    pub fn arch(&self) -> &str {
        &self.arch
    }
}

impl FromStr for Platform {
    type Err = ParsePlatformError;

    fn from_str(text: &str) -> Result<Self, ParsePlatformError> {
        let part = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        match text.split_once('_') {
            Some((os, arch)) if part(os) && part(arch) => Ok(Self { os: os.into(), arch: arch.into() }),
            _ => Err(ParsePlatformError(text.to_owned())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.os, self.arch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_two_words() {
        assert_eq!("linux_amd64".parse::<Platform>().map(|platform| platform.to_string()), Ok("linux_amd64".into()));
        for text in ["linux", "_amd64", "linux_", "linux_amd64_v3", "Linux_amd64", "../x_y", "linux/amd64"] {
            assert!(text.parse::<Platform>().is_err(), "`{text}` was taken");
        }
    }
}
