//! Detached signatures by SSH keys, in the armored form of `ssh-keygen -Y sign`: made and verified.
//!
//! What is signed are the exact bytes of a file, under a namespace that says what for.

use std::path::PathBuf;

use formwork_contract::Str;
use ssh_key::public::KeyData;
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use super::agent;
use super::signers::fingerprint;

/// The namespace of approvals of plans.
pub const PLAN: &str = "formwork.plan";

/// The only version of the format that there is.
const VERSION: u32 = 1;

/// A signature that holds: its key has signed. Who that is, and whether it may, is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The key, or the certificate that was signed with.
    pub key: KeyData,
    /// As ssh-keygen shows it: `SHA256:...`
    pub fingerprint: Str,
}

/// Why a signature does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("it is not an SSH signature, or was altered: {0}")]
    Unreadable(String),
    #[error("it has version {0} of the format, and only {VERSION} is known")]
    Version(u32),
    #[error("it was made for the namespace `{found}`, and `{wanted}` is needed")]
    Namespace { found: Str, wanted: Str },
    #[error("it was made for other bytes than these: for another file, or one of the two was altered since")]
    Mismatch { fingerprint: Str },
}

/// Checks that a signature was made over these bytes, for this purpose.
///
/// # Errors
/// What is wrong with it.
pub fn verify(armored: &str, namespace: &str, message: &[u8]) -> Result<Signed, Flaw> {
    let signature = read(armored)?;
    if signature.namespace() != namespace {
        return Err(Flaw::Namespace { found: signature.namespace().into(), wanted: namespace.into() });
    }
    let key = signature.public_key().clone();
    let fingerprint = fingerprint(&key);
    let mismatch = |_| Flaw::Mismatch { fingerprint: fingerprint.clone() };
    match &key {
        // The library verifies by plain keys: a certificate signs with the key in it.
        KeyData::Certificate(certificate) => {
            let inner = certificate.public_key().clone();
            let bytes = signature.signature().clone();
            let plain = SshSig::new(inner.clone(), namespace, signature.hash_alg(), bytes).map_err(mismatch)?;
            PublicKey::from(inner).verify(namespace, message, &plain).map_err(mismatch)?;
        }
        plain => PublicKey::from(plain.clone()).verify(namespace, message, &signature).map_err(mismatch)?,
    }
    Ok(Signed { key, fingerprint })
}

/// Reads the armored form. Exactly one text stands for a signature, so that no byte of it goes unseen.
fn read(armored: &str) -> Result<SshSig, Flaw> {
    let text = armored.replace("\r\n", "\n");
    let text = text.trim_end_matches('\n');
    let unreadable = |error: ssh_key::Error| Flaw::Unreadable(error.to_string());
    let signature = SshSig::from_pem(text).map_err(unreadable)?;
    if signature.version() != VERSION {
        return Err(Flaw::Version(signature.version()));
    }
    let canonical = signature.to_pem(LineEnding::LF).map_err(unreadable)?;
    if canonical.trim_end_matches('\n') != text {
        return Err(Flaw::Unreadable("its text is not the one that ssh-keygen writes".into()));
    }
    Ok(signature)
}

/// What a file that was named as a key holds.
#[derive(Clone, Debug)]
pub enum KeyFile {
    /// Ready to sign with.
    Private(Box<PrivateKey>),
    /// Encrypted: see [`unlock`].
    Locked(Box<PrivateKey>),
    /// The private half is with an agent, if anywhere.
    Public(Box<KeyData>),
}

/// Why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is a private key in another form than OpenSSH's own")]
    OtherForm,
    #[error("it is no SSH key: {0}")]
    NoKey(String),
    #[error("the passphrase does not open it")]
    Passphrase,
}

/// Reads a private or public key as OpenSSH keeps it.
///
/// # Errors
/// It is neither.
pub fn read_key(text: &str) -> Result<KeyFile, KeyError> {
    if text.contains("PRIVATE KEY-----") && !text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(KeyError::OtherForm);
    }
    if text.trim_start().starts_with("-----BEGIN") {
        let key = PrivateKey::from_openssh(text).map_err(|error| KeyError::NoKey(error.to_string()))?;
        let key = Box::new(key);
        return Ok(if key.is_encrypted() { KeyFile::Locked(key) } else { KeyFile::Private(key) });
    }
    let key = super::signers::public_key(text.trim()).map_err(KeyError::NoKey)?;
    Ok(KeyFile::Public(Box::new(key)))
}

/// Opens an encrypted private key.
///
/// # Errors
/// The passphrase is another.
pub fn unlock(key: &PrivateKey, passphrase: &str) -> Result<PrivateKey, KeyError> {
    key.decrypt(passphrase).map_err(|_| KeyError::Passphrase)
}

/// What makes signatures.
#[derive(Clone, Debug)]
pub enum Signer {
    Key(Box<PrivateKey>),
    /// An agent that holds the private half.
    Agent {
        socket: PathBuf,
        key: Box<KeyData>,
    },
}

/// Why no signature was made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the key cannot sign: {0}")]
    Key(#[from] ssh_key::Error),
    #[error(transparent)]
    Agent(#[from] agent::AgentError),
}

impl Signer {
    /// The key, or the certificate, that signatures are made with.
    pub fn public_key(&self) -> KeyData {
        match self {
            Self::Key(key) => key.public_key().key_data().clone(),
            Self::Agent { key, .. } => (**key).clone(),
        }
    }

    /// Signs bytes for a purpose; gives the armored signature, which ends with a line break.
    ///
    /// # Errors
    /// The key is of a kind that cannot sign here, or the agent refuses.
    pub fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, SignError> {
        let signature = match self {
            Self::Key(key) => key.sign(namespace, HashAlg::Sha512, message)?,
            Self::Agent { socket, key } => {
                let data = SshSig::signed_data(namespace, HashAlg::Sha512, message)?;
                let signature = agent::sign(socket, key, &data)?;
                SshSig::new((**key).clone(), namespace, HashAlg::Sha512, signature)?
            }
        };
        let armored = signature.to_pem(LineEnding::LF)?;
        Ok(if armored.ends_with('\n') { armored } else { armored + "\n" })
    }
}
