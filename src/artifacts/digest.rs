//! SHA-256 digests, by which everything in the store is known.

use std::fmt;
use std::str::FromStr;

use formwork_contract::Str;

/// A SHA-256 digest; shown with the name of the algorithm: `sha256:5f70...`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Str);

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no SHA-256 digest: 64 hexadecimal digits in lower case")]
pub struct NotADigest(pub Str);

const PREFIX: &str = "sha256:";

impl Digest {
    pub(super) fn of(hash: &[u8]) -> Self {
        Self(hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into())
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.0
    }

    /// As many digits as people compare.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }

    /// As `artifact.NAME.id` gives it.
    pub fn id(&self) -> Str {
        self.to_string().into()
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    /// With or without the name of the algorithm.
    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let hex = text.strip_prefix(PREFIX).unwrap_or(text);
        let valid = hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(hex.into())) } else { Err(NotADigest(text.into())) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
