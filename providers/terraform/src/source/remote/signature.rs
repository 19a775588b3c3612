//! OpenPGP signatures of checksum lists (RFC 9580).

use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::packet::SignatureType;
use pgp::types::KeyDetails as _;

/// Why a signature does not count.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::source) enum SignatureError {
    #[error("the registry names no key that it could be signed with")]
    NoKeys,
    #[error("a key that the registry names cannot be read: {0}")]
    Key(String),
    #[error("the signature cannot be read: {0}")]
    Unreadable(String),
    #[error("it is not a signature of a document")]
    Kind,
    #[error("none of the keys that the registry names has made the signature")]
    Unknown,
}

/// Checks a detached signature; answers the id of the key that made it, in upper-case hexadecimal digits.
///
/// Any of the armored keys may have made it, or a subkey that one of them has bound for signing. A key that was
/// revoked may not; one that has expired since may, as old releases stay signed.
pub(in crate::source) fn verify(document: &[u8], signature: &[u8], keys: &[String]) -> Result<String, SignatureError> {
    if keys.is_empty() {
        return Err(SignatureError::NoKeys);
    }
    let signature = if signature.starts_with(b"-----BEGIN") {
        DetachedSignature::from_armor_single(signature).map(|(signature, _)| signature)
    } else {
        DetachedSignature::from_bytes(signature)
    };
    let signature = signature.map_err(|error| SignatureError::Unreadable(error.to_string()))?;
    if signature.signature.typ() != Some(SignatureType::Binary) {
        return Err(SignatureError::Kind);
    }
    for armored in keys {
        let (keys, _) =
            SignedPublicKey::from_string_many(armored).map_err(|error| SignatureError::Key(error.to_string()))?;
        for key in keys {
            let key = key.map_err(|error| SignatureError::Key(error.to_string()))?;
            if let Some(id) = maker(&key, &signature, document) {
                return Ok(id);
            }
        }
    }
    Err(SignatureError::Unknown)
}

/// The id of the key, or of its subkey, that made the signature.
fn maker(key: &SignedPublicKey, signature: &DetachedSignature, document: &[u8]) -> Option<String> {
    if !key.details.revocation_signatures.is_empty() {
        return None;
    }
    if signature.verify(&key.primary_key, document).is_ok() {
        return Some(key.primary_key.legacy_key_id().to_string().to_uppercase());
    }
    let mut subkeys = key.public_subkeys.iter().filter(|subkey| signs(subkey, key));
    let subkey = subkeys.find(|subkey| signature.verify(&subkey.key, document).is_ok())?;
    Some(subkey.key.legacy_key_id().to_string().to_uppercase())
}

/// Whether a subkey is bound for signing, and not revoked: a revocation is no binding.
fn signs(subkey: &SignedPublicSubKey, key: &SignedPublicKey) -> bool {
    let binding = |signature: &pgp::packet::Signature| signature.typ() == Some(SignatureType::SubkeyBinding);
    subkey.signatures.iter().all(binding)
        && subkey.signatures.iter().any(|signature| signature.key_flags().sign())
        && subkey.verify_bindings(&key.primary_key).is_ok()
}
