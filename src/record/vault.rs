//! Secrets at rest: values sealed with the record's data key.
//!
//! The record keeps one random key of 32 bytes, wrapped for each recipient ([`super::recipient`]). Values are
//! sealed with XChaCha20-Poly1305 under a key derived from it, and the nonce is the HMAC-SHA-256 of the plain text
//! under another: equal plain texts give equal sealed texts. That is the price of telling "changed" from
//! "unchanged" without opening anything: who reads the file learns which values are equal and how long they
//! are, and nothing else. Across records the keys differ, so nothing can be compared there.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, OsRng};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use formwork_contract::Str;
use formwork_contract::json::{OpenError, Seal};
use hmac::{Hmac, Mac};
use rusqlite::Connection;
use sha2::Sha256;

use super::error::RecordError;
use super::identity::Keys;
use super::open::Entropy;
use super::recipient::{self, Recipient};

const NONCE_BYTES: usize = 24;
const DATA_KEY_BYTES: usize = 32;

/// How many hexadecimal digits name a key: enough to tell the keys of one record apart.
const NAME_DIGITS: usize = 16;

/// Seals and opens the sensitive values of one record.
pub struct Vault {
    data_key: Vec<u8>,
    cipher: XChaCha20Poly1305,
    nonces: Hmac<Sha256>,
    digests: Hmac<Sha256>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// A vault with a key of its own that is kept nowhere: for what never outlives the process.
    pub fn ephemeral() -> Self {
        Self::with_key(&XChaCha20Poly1305::generate_key(&mut OsRng))
    }

    fn with_key(data_key: &[u8]) -> Self {
        let derive = |purpose: &[u8]| keyed(data_key).chain_update(purpose).finalize().into_bytes();
        Self {
            data_key: data_key.to_vec(),
            cipher: XChaCha20Poly1305::new(&derive(b"formwork record: seal")),
            nonces: keyed(&derive(b"formwork record: nonce")),
            digests: keyed(&derive(b"formwork record: digest")),
        }
    }

    /// Makes the data key of a new record, and the identity file where there is none.
    pub(super) fn create(connection: &Connection, keys: &Keys, entropy: &Entropy) -> Result<Self, RecordError> {
        let mut data_key = [0; DATA_KEY_BYTES];
        entropy(&mut data_key);
        let vault = Self::with_key(&data_key);
        recipient::replace(connection, &[keys.own_or_new()?], &vault.data_key)?;
        Ok(vault)
    }

    /// The vault of an existing record. Never makes a key: that would leave what is sealed closed for ever.
    pub(super) fn open(connection: &Connection, keys: &Keys) -> Result<Self, RecordError> {
        let wrapped = recipient::wrapped(connection)?;
        if wrapped.is_empty() {
            return Err(RecordError::corrupt("its data key is missing"));
        }
        keys.unwrap(&wrapped).map(|data_key| Self::with_key(&data_key))
    }

    /// Wraps the data key for these recipients and for no others.
    pub(super) fn wrap(&self, connection: &Connection, recipients: &[Recipient]) -> Result<(), RecordError> {
        recipient::replace(connection, recipients, &self.data_key)
    }

    /// A digest by which equal contents are known, to whoever has the key.
    pub(super) fn digest(&self, plain: &[u8]) -> [u8; 32] {
        self.digests.clone().chain_update(plain).finalize().into_bytes().into()
    }
}

impl Seal for Vault {
    fn seal(&self, plain: &[u8]) -> String {
        let digest = self.nonces.clone().chain_update(plain).finalize().into_bytes();
        let nonce = &digest[..NONCE_BYTES];
        let sealed =
            self.cipher.encrypt(XNonce::from_slice(nonce), plain).expect("a value in memory is shorter than 256 GiB");
        STANDARD.encode([nonce, &sealed].concat())
    }

    fn open(&self, sealed: &str) -> Result<Vec<u8>, OpenError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| OpenError)?;
        let (nonce, body) = bytes.split_at_checked(NONCE_BYTES).ok_or(OpenError)?;
        self.cipher.decrypt(XNonce::from_slice(nonce), body).map_err(|_| OpenError)
    }

    fn key_name(&self) -> Str {
        let name = keyed(&self.data_key).chain_update(b"formwork record: name").finalize().into_bytes();
        let digits: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        digits[..NAME_DIGITS].into()
    }
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Mac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_and_equal_values_compare_equal() {
        let vault = Vault::ephemeral();
        for plain in [&b""[..], b"x", b"hunter2", &[0; 10_000]] {
            let sealed = vault.seal(plain);
            assert_eq!(vault.open(&sealed).expect("it opens"), plain);
            assert_eq!(sealed, vault.seal(plain));
        }
        assert_ne!(vault.seal(b"a"), vault.seal(b"b"));
        assert_ne!(vault.seal(b"a"), Vault::ephemeral().seal(b"a"));
    }

    #[test]
    fn what_was_changed_or_sealed_elsewhere_does_not_open() {
        let vault = Vault::ephemeral();
        let sealed = vault.seal(b"hunter2");
        assert_eq!(Vault::ephemeral().open(&sealed), Err(OpenError));
        let mut bytes = STANDARD.decode(&sealed).expect("base64");
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(vault.open(&STANDARD.encode(&bytes)), Err(OpenError));
            bytes[at] ^= 1;
        }
        for text in ["", "no base64!", "AAAA"] {
            assert_eq!(vault.open(text), Err(OpenError));
        }
    }

    #[test]
    fn digests_and_names_depend_on_the_key() {
        let (one, other) = (Vault::ephemeral(), Vault::ephemeral());
        assert_eq!(one.digest(b"a"), one.digest(b"a"));
        assert_ne!(one.digest(b"a"), other.digest(b"a"));
        assert_ne!(one.key_name(), other.key_name());
    }

    #[test]
    fn debug_output_shows_no_key() {
        assert_eq!(format!("{:?}", Vault::ephemeral()), "Vault(..)");
    }
}
