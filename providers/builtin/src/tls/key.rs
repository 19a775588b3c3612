//! Private keys of every algorithm that the types of `tls` know, and their texts.

use ed25519_dalek::SigningKey as Ed25519;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::RsaPrivateKey;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use ssh_key::private::{EcdsaKeypair, Ed25519Keypair, KeypairData, RsaKeypair};
use x509_cert::der::Decode;
use x509_cert::der::pem::LineEnding;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use zeroize::Zeroizing;

use super::public::PublicKey;
use crate::draw::Draw;
use crate::fault::{Fault, fault};

/// Which kind of key is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// Of so many bits.
    Rsa(usize),
    P256,
    P384,
    P521,
    Ed25519,
}

/// A private key. Each kind is zeroed when it is dropped.
pub(super) enum Key {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed25519(Ed25519),
}

/// Why writing a key cannot fail.
pub(super) const WRITTEN: &str = "a key that was made or read can be written";

impl Key {
    /// # Errors
    /// No RSA key of so many bits can be made.
    pub(super) fn generate(algorithm: Algorithm, draw: &mut Draw) -> Result<Self, Fault> {
        use p256::elliptic_curve::Generate;
        Ok(match algorithm {
            Algorithm::Rsa(bits) => Self::Rsa(Box::new(RsaPrivateKey::new(draw, bits).map_err(|_| {
                fault(format!("an RSA key of {bits} bits cannot be made")).hint("use 2048, 3072 or 4096")
            })?)),
            Algorithm::P256 => Self::P256(p256::SecretKey::generate_from_rng(draw)),
            Algorithm::P384 => Self::P384(p384::SecretKey::generate_from_rng(draw)),
            Algorithm::P521 => Self::P521(p521::SecretKey::generate_from_rng(draw)),
            Algorithm::Ed25519 => Self::Ed25519(Ed25519::generate(draw)),
        })
    }

    /// Reads PEM: PKCS #8, PKCS #1 for RSA, SEC 1 for elliptic curves, and OpenSSH's own. `None`: none of these. The
    /// text is secret, so why it is none is not told.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            return Self::read_openssh(text);
        }
        RsaPrivateKey::from_pkcs8_pem(text)
            .ok()
            .or_else(|| RsaPrivateKey::from_pkcs1_pem(text).ok())
            .map(|key| Self::Rsa(Box::new(key)))
            .or_else(|| read_curve(text, p256::SecretKey::from_pkcs8_pem, p256::SecretKey::from_sec1_pem, Self::P256))
            .or_else(|| read_curve(text, p384::SecretKey::from_pkcs8_pem, p384::SecretKey::from_sec1_pem, Self::P384))
            .or_else(|| read_curve(text, p521::SecretKey::from_pkcs8_pem, p521::SecretKey::from_sec1_pem, Self::P521))
            .or_else(|| Ed25519::from_pkcs8_pem(text).ok().map(Self::Ed25519))
    }

    fn read_openssh(text: &str) -> Option<Self> {
        let key = ssh_key::PrivateKey::from_openssh(text).ok()?;
        Some(match key.key_data() {
            KeypairData::Rsa(pair) => Self::Rsa(Box::new(RsaPrivateKey::try_from(pair).ok()?)),
            KeypairData::Ed25519(pair) => Self::Ed25519(Ed25519::try_from(pair).ok()?),
            KeypairData::Ecdsa(pair) => match pair {
                EcdsaKeypair::NistP256 { private, .. } => {
                    Self::P256(p256::SecretKey::from_slice(private.as_slice()).ok()?)
                }
                EcdsaKeypair::NistP384 { private, .. } => {
                    Self::P384(p384::SecretKey::from_slice(private.as_slice()).ok()?)
                }
                EcdsaKeypair::NistP521 { private, .. } => {
                    Self::P521(p521::SecretKey::from_slice(private.as_slice()).ok()?)
                }
            },
            _ => return None,
        })
    }

    /// In the form that is usual for its kind: PKCS #1, SEC 1, or PKCS #8 for Ed25519.
    pub(super) fn pem(&self) -> Zeroizing<String> {
        match self {
            Self::Rsa(key) => key.to_pkcs1_pem(LineEnding::LF).expect(WRITTEN),
            Self::P256(key) => key.to_sec1_pem(LineEnding::LF).expect(WRITTEN),
            Self::P384(key) => key.to_sec1_pem(LineEnding::LF).expect(WRITTEN),
            Self::P521(key) => key.to_sec1_pem(LineEnding::LF).expect(WRITTEN),
            Self::Ed25519(_) => self.pkcs8_pem(),
        }
    }

    pub(super) fn pkcs8_pem(&self) -> Zeroizing<String> {
        match self {
            Self::Rsa(key) => key.to_pkcs8_pem(LineEnding::LF).expect(WRITTEN),
            Self::P256(key) => key.to_pkcs8_pem(LineEnding::LF).expect(WRITTEN),
            Self::P384(key) => key.to_pkcs8_pem(LineEnding::LF).expect(WRITTEN),
            Self::P521(key) => key.to_pkcs8_pem(LineEnding::LF).expect(WRITTEN),
            // Without the public key beside it: many readers know the first version of the form only.
            Self::Ed25519(key) => ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None }
                .to_pkcs8_pem(LineEnding::LF)
                .expect(WRITTEN),
        }
    }

    pub(super) fn openssh(&self) -> Zeroizing<String> {
        let pair = match self {
            Self::Rsa(key) => KeypairData::from(RsaKeypair::try_from(&**key).expect(WRITTEN)),
            Self::P256(key) => {
                EcdsaKeypair::NistP256 { public: key.public_key().into(), private: key.clone().into() }.into()
            }
            Self::P384(key) => {
                EcdsaKeypair::NistP384 { public: key.public_key().into(), private: key.clone().into() }.into()
            }
            Self::P521(key) => {
                EcdsaKeypair::NistP521 { public: key.public_key().into(), private: key.clone().into() }.into()
            }
            Self::Ed25519(key) => Ed25519Keypair::from(key).into(),
        };
        let key = ssh_key::PrivateKey::new(pair, "").expect(WRITTEN);
        key.to_openssh(LineEnding::LF).expect(WRITTEN)
    }

    pub(super) fn public(&self) -> PublicKey {
        let written = match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der(),
            Self::P256(key) => key.public_key().to_public_key_der(),
            Self::P384(key) => key.public_key().to_public_key_der(),
            Self::P521(key) => key.public_key().to_public_key_der(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der(),
        };
        let document = written.expect(WRITTEN);
        PublicKey(SubjectPublicKeyInfoOwned::from_der(document.as_bytes()).expect("what was written can be read"))
    }

    /// `RSA`, `ECDSA` or `ED25519`.
    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::Rsa(_) => "RSA",
            Self::P256(_) | Self::P384(_) | Self::P521(_) => "ECDSA",
            Self::Ed25519(_) => "ED25519",
        }
    }

    /// Which kind of key this is.
    pub(super) fn kind(&self) -> Algorithm {
        use rsa::traits::PublicKeyParts;
        match self {
            Self::Rsa(key) => Algorithm::Rsa(key.size() * 8),
            Self::P256(_) => Algorithm::P256,
            Self::P384(_) => Algorithm::P384,
            Self::P521(_) => Algorithm::P521,
            Self::Ed25519(_) => Algorithm::Ed25519,
        }
    }
}

fn read_curve<K, E, F>(
    text: &str,
    pkcs8: impl Fn(&str) -> Result<K, E>,
    sec1: impl Fn(&str) -> Result<K, F>,
    key: impl Fn(K) -> Key,
) -> Option<Key> {
    pkcs8(text).ok().or_else(|| sec1(text).ok()).map(key)
}
