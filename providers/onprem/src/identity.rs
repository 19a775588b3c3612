//! What an object is called: its host, and what it is called there.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The id of an object: `HOST:KEY`, such as `web1:/etc/motd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    pub host: String,
    /// What names it among those of its type on the host.
    pub key: String,
}

impl Id {
    /// Reads an id; `None` for what is none, and names no object.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (host, key) = text.split_once(':')?;
        (!host.is_empty() && !key.is_empty()).then(|| Self { host: host.into(), key: key.into() })
    }

    pub(crate) fn text(&self) -> String {
        format!("{}:{}", self.host, self.key)
    }

    /// The path of its mark of ownership within the ledger.
    pub(crate) fn entry(&self, environment: &str, type_name: &str) -> String {
        format!("{}/{type_name}/{}", file_name(environment), digest(&self.key))
    }
}

/// The name of a lock for changes of what is called this.
pub(crate) fn lock_name(scope: &str) -> String {
    digest(scope)
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A text as one safe name of a folder; different texts stay different.
pub(crate) fn file_name(text: &str) -> String {
    text.bytes().fold(String::new(), |mut name, byte| {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            name.push(char::from(byte));
        } else {
            let _ = write!(name, "%{byte:02x}");
        }
        name
    })
}
