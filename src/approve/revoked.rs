//! Keys that no longer count: a file of plain public keys, as ssh-keygen takes it with `-r`.

use formwork_contract::Str;
use ssh_key::public::KeyData;

use super::signers::{Misread, fingerprint, public_key};

/// How a key revocation list of OpenSSH begins, which is another format.
const LIST_MAGIC: &[u8] = b"SSHKRL\n\0";

/// Keys that count no more, whatever else is said of them.
#[derive(Clone, Debug, Default)]
pub struct Revoked {
    keys: Vec<KeyData>,
}

impl Revoked {
    /// Reads the bytes of such a file: a key a line, `#` for comments.
    ///
    /// # Errors
    /// Every line that cannot be read; a revocation list of OpenSSH in its binary form.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Misread>> {
        let whole = |problem: &str| vec![Misread { line: 1, problem: problem.into() }];
        if bytes.starts_with(LIST_MAGIC) {
            return Err(whole("it is a binary revocation list; a file with a public key on each line is needed"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| whole("it is not UTF-8"))?;
        let mut keys = Vec::new();
        let mut misread = Vec::new();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            match public_key(text) {
                Ok(key) => keys.push(key),
                Err(problem) => misread.push(Misread { line, problem }),
            }
        }
        if misread.is_empty() { Ok(Self { keys }) } else { Err(misread) }
    }

    /// Whether a key is revoked: itself, or, for a certificate, the key in it or that of its authority.
    pub fn has(&self, key: &KeyData) -> bool {
        let within = key.certificate().map(|certificate| [certificate.public_key(), certificate.signature_key()]);
        self.keys.contains(key) || within.is_some_and(|keys| keys.iter().any(|key| self.keys.contains(key)))
    }

    pub(super) fn told(&self) -> impl Iterator<Item = Str> {
        self.keys.iter().map(fingerprint)
    }
}
