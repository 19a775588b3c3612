//! Lets a private key sign certificates and requests.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use p256::pkcs8::EncodePublicKey;
use rsa::pkcs1v15;
use rsa::sha2::Sha256;
use rsa::signature::{Error, Keypair, RandomizedSigner, SignatureEncoding, Signer};
use x509_cert::der;
use x509_cert::der::Document;
use x509_cert::der::asn1::BitString;
use x509_cert::spki::{self, AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, SignatureBitStringEncoding};
use zeroize::Zeroizing;

use super::key::Key;
use super::public::PublicKey;

/// A signature, in the form that certificates have it.
pub(super) struct Signed(Vec<u8>);

impl SignatureBitStringEncoding for Signed {
    fn to_bitstring(&self) -> der::Result<BitString> {
        BitString::from_bytes(&self.0)
    }
}

impl EncodePublicKey for PublicKey {
    fn to_public_key_der(&self) -> spki::Result<Document> {
        Ok(self.document())
    }
}

impl Keypair for Key {
    type VerifyingKey = PublicKey;

    fn verifying_key(&self) -> PublicKey {
        self.public()
    }
}

impl DynSignatureAlgorithmIdentifier for Key {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        match self {
            Self::Rsa(key) => pkcs1v15::SigningKey::<Sha256>::new((**key).clone()).signature_algorithm_identifier(),
            Self::P256(key) => p256::ecdsa::SigningKey::from(key).signature_algorithm_identifier(),
            Self::P384(key) => p384::ecdsa::SigningKey::from(key).signature_algorithm_identifier(),
            Self::P521(key) => p521::ecdsa::SigningKey::from(key).signature_algorithm_identifier(),
            Self::Ed25519(key) => key.signature_algorithm_identifier(),
        }
    }
}

/// The hash goes by the key: SHA-256 for RSA and P-256, SHA-384 for P-384, SHA-512 for P-521. Every one of these
/// signs the same bytes with the same signature, which a repeated attempt relies on.
impl Signer<Signed> for Key {
    fn try_sign(&self, message: &[u8]) -> Result<Signed, Error> {
        Ok(Signed(match self {
            Self::Rsa(key) => {
                // Blinded, so that how long it takes tells nothing of the key; the signature is the same.
                let mut seed = Zeroizing::new([0; 32]);
                getrandom::fill(&mut *seed).map_err(|_| Error::new())?;
                let key = pkcs1v15::SigningKey::<Sha256>::new((**key).clone());
                key.try_sign_with_rng(&mut ChaCha20Rng::from_seed(*seed), message)?.to_vec()
            }
            Self::P256(key) => {
                let signature: p256::ecdsa::DerSignature = p256::ecdsa::SigningKey::from(key).try_sign(message)?;
                signature.to_vec()
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::DerSignature = p384::ecdsa::SigningKey::from(key).try_sign(message)?;
                signature.to_vec()
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::DerSignature = p521::ecdsa::SigningKey::from(key).try_sign(message)?;
                signature.to_vec()
            }
            Self::Ed25519(key) => key.try_sign(message)?.to_vec(),
        }))
    }
}
