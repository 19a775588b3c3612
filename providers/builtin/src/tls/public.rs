//! Public keys, in the form that certificates have them, and what they verify.

use p256::pkcs8::DecodePublicKey;
use rsa::pkcs1v15;
use sha1::{Digest, Sha1};
use ssh_key::public::KeyData;
use x509_cert::der::asn1::BitString;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Document, Encode};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::key::WRITTEN;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublicKey(pub(super) SubjectPublicKeyInfoOwned);

impl PublicKey {
    pub(super) fn pem(&self) -> String {
        self.document().to_pem("PUBLIC KEY", LineEnding::LF).expect(WRITTEN)
    }

    pub(super) fn document(&self) -> Document {
        Document::try_from(self.0.to_der().expect(WRITTEN)).expect(WRITTEN)
    }

    /// What certificates know a key by: the SHA-1 of its bits (RFC 5280, section 4.2.1.2, method 1).
    pub(super) fn key_id(&self) -> [u8; 20] {
        Sha1::digest(self.0.subject_public_key.raw_bytes()).into()
    }

    /// As OpenSSH has it; `None` for a key that OpenSSH does not know.
    pub(super) fn openssh(&self) -> Option<ssh_key::PublicKey> {
        let document = self.document();
        let der = document.as_bytes();
        let data = if let Ok(key) = rsa::RsaPublicKey::from_public_key_der(der) {
            KeyData::Rsa(key.try_into().ok()?)
        } else if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(der) {
            KeyData::Ecdsa(key.into())
        } else if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(der) {
            KeyData::Ecdsa(key.into())
        } else if let Ok(key) = p521::ecdsa::VerifyingKey::from_public_key_der(der) {
            KeyData::Ecdsa(key.into())
        } else {
            KeyData::Ed25519(ed25519_dalek::VerifyingKey::from_public_key_der(der).ok()?.into())
        };
        Some(ssh_key::PublicKey::new(data, ""))
    }

    /// Whether this key made the signature.
    ///
    /// # Errors
    /// Its algorithm is not known here; this is its object identifier.
    pub(super) fn verifies(
        &self,
        message: &[u8],
        signature: &BitString,
        algorithm: &AlgorithmIdentifierOwned,
    ) -> Result<bool, String> {
        let document = self.document();
        let (der, bytes) = (document.as_bytes(), signature.raw_bytes());
        // RFC 8017, appendix A.2.4; RFC 5758, section 3.2; RFC 8410, section 3.
        Ok(match algorithm.oid.to_string().as_str() {
            "1.2.840.113549.1.1.11" => verifies_rsa::<rsa::sha2::Sha256>(der, message, bytes),
            "1.2.840.113549.1.1.12" => verifies_rsa::<rsa::sha2::Sha384>(der, message, bytes),
            "1.2.840.113549.1.1.13" => verifies_rsa::<rsa::sha2::Sha512>(der, message, bytes),
            "1.2.840.10045.4.3.2" => {
                let signature = p256::ecdsa::DerSignature::try_from(bytes);
                verifies(p256::ecdsa::VerifyingKey::from_public_key_der(der), message, signature)
            }
            "1.2.840.10045.4.3.3" => {
                let signature = p384::ecdsa::DerSignature::try_from(bytes);
                verifies(p384::ecdsa::VerifyingKey::from_public_key_der(der), message, signature)
            }
            "1.2.840.10045.4.3.4" => {
                let signature = p521::ecdsa::DerSignature::try_from(bytes);
                verifies(p521::ecdsa::VerifyingKey::from_public_key_der(der), message, signature)
            }
            "1.3.101.112" => {
                let signature = ed25519_dalek::Signature::from_slice(bytes);
                verifies(ed25519_dalek::VerifyingKey::from_public_key_der(der), message, signature)
            }
            other => return Err(other.to_owned()),
        })
    }
}

fn verifies_rsa<D>(der: &[u8], message: &[u8], signature: &[u8]) -> bool
where
    D: rsa::sha2::Digest + rsa::pkcs8::AssociatedOid,
{
    let key = rsa::RsaPublicKey::from_public_key_der(der).map(pkcs1v15::VerifyingKey::<D>::new);
    verifies(key, message, pkcs1v15::Signature::try_from(signature))
}

fn verifies<K: rsa::signature::Verifier<S>, S, E, F>(
    key: Result<K, E>,
    message: &[u8],
    signature: Result<S, F>,
) -> bool {
    matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(message, &signature).is_ok())
}
