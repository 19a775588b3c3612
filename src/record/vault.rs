//! Secrets at rest: a data key wrapped by age, and values sealed with it.
//!
//! The record keeps one random key of 32 bytes, encrypted by age for the recipient whose identity file
//! lies beside the project. Values are sealed with XChaCha20-Poly1305 under a key derived from it, and
//! the nonce is the HMAC-SHA-256 of the plain text under another: equal plain texts give equal sealed
//! texts. That is the price of telling "changed" from "unchanged" without opening anything: who reads
//! the file learns which values are equal and how long they are, and nothing else. Across records the
//! keys differ, so nothing can be compared there.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use age::secrecy::ExposeSecret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, OsRng};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use formwork_contract::json::{OpenError, Seal};
use hmac::{Hmac, Mac};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::Sha256;

use super::error::RecordError;
use super::open::Entropy;

const NONCE_BYTES: usize = 24;
const DATA_KEY_BYTES: usize = 32;

/// Seals and opens the sensitive values of one record.
pub struct Vault {
    cipher: XChaCha20Poly1305,
    nonces: Hmac<Sha256>,
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
            cipher: XChaCha20Poly1305::new(&derive(b"formwork record: seal")),
            nonces: keyed(&derive(b"formwork record: nonce")),
        }
    }

    /// Makes the data key of a new record, and the identity file where there is none.
    pub(super) fn create(connection: &Connection, identity: &Path, entropy: &Entropy) -> Result<Self, RecordError> {
        let identities = match read_identities(identity)? {
            Some(identities) => identities,
            None => {
                write_identity(identity)?;
                read_identities(identity)?.ok_or_else(|| unusable(identity, "it was removed while it was made"))?
            }
        };
        let recipient = identities[0].to_public();
        let mut data_key = [0; DATA_KEY_BYTES];
        entropy(&mut data_key);
        let wrapped = age::encrypt(&recipient, &data_key).map_err(|error| unusable(identity, error))?;
        let insert = "INSERT INTO keys (recipient, wrapped) VALUES (?1, ?2)";
        connection.execute(insert, params![recipient.to_string(), wrapped])?;
        Ok(Self::with_key(&data_key))
    }

    /// The vault of an existing record. Never makes a key: that would leave what is sealed closed for ever.
    pub(super) fn open(connection: &Connection, identity: &Path) -> Result<Self, RecordError> {
        let select = "SELECT recipient, wrapped FROM keys ORDER BY recipient LIMIT 1";
        let key: Option<(String, Vec<u8>)> =
            connection.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (recipient, wrapped) = key.ok_or_else(|| RecordError::corrupt("its data key is missing"))?;
        let Some(identities) = read_identities(identity)? else {
            return Err(RecordError::MissingIdentity { path: identity.to_owned(), recipient });
        };
        let data_key = identities.iter().find_map(|identity| age::decrypt(identity, &wrapped).ok());
        match data_key {
            Some(data_key) => Ok(Self::with_key(&data_key)),
            None => Err(RecordError::WrongIdentity { path: identity.to_owned(), recipient }),
        }
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
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Mac::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn unusable(path: &Path, problem: impl ToString) -> RecordError {
    RecordError::UnusableIdentity { path: path.to_owned(), problem: problem.to_string() }
}

/// The identities of a file as `age-keygen` writes it; `None` where there is no file.
fn read_identities(path: &Path) -> Result<Option<Vec<age::x25519::Identity>>, RecordError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, error)),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<age::x25519::Identity> =
        lines.map(|line| line.parse().map_err(|problem: &str| unusable(path, problem))).collect::<Result<_, _>>()?;
    if identities.is_empty() {
        return Err(unusable(path, "it holds no identity"));
    }
    Ok(Some(identities))
}

/// Writes a new identity that only its owner may read. One that another process wrote meanwhile stays.
fn write_identity(path: &Path) -> Result<(), RecordError> {
    let identity = age::x25519::Identity::generate();
    let text = format!("# public key: {}\n{}\n", identity.to_public(), identity.to_string().expose_secret());
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            opened => opened?,
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| unusable(path, error))
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
    fn debug_output_shows_no_key() {
        assert_eq!(format!("{:?}", Vault::ephemeral()), "Vault(..)");
    }
}
