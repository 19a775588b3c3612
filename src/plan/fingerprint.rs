//! A short name for a live object's exact value.

use formwork_contract::json::{Seal, encode};
use formwork_contract::{Str, Type, Value};
use sha2::{Digest, Sha256};

/// The SHA-256 of the value in its exact form, in hexadecimal. Sensitive parts go in sealed, so that the
/// fingerprint tells nothing about them to whom the key is not known.
pub fn fingerprint(value: &Value, ty: &Type, seal: &dyn Seal) -> Str {
    hex(&Sha256::digest(encode(value, ty, seal).to_string())).into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
