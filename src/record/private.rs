//! A provider's own data about an object at rest: it may hold secrets, so it is sealed.

use std::sync::Arc;

use formwork_contract::json::{OpenError, Seal};

/// Before what is sealed. What was written before this stands in clear, and begins otherwise.
pub(super) const MARK: &[u8] = b"\0sealed\0";

/// As the record and plan files keep it. Nothing stays nothing.
pub fn sealed(private: &[u8], seal: &dyn Seal) -> Arc<[u8]> {
    if private.is_empty() {
        return Arc::from([]);
    }
    [MARK, seal.seal(private).as_bytes()].concat().into()
}

/// As the provider gave it.
///
/// # Errors
/// It was sealed with another key.
pub fn opened(stored: &[u8], seal: &dyn Seal) -> Result<Arc<[u8]>, OpenError> {
    match stored.strip_prefix(MARK) {
        Some(sealed) => Ok(seal.open(std::str::from_utf8(sealed).map_err(|_| OpenError)?)?.into()),
        None => Ok(stored.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Vault;

    #[test]
    fn what_is_sealed_opens_and_what_stands_in_clear_is_read_as_it_is() {
        let vault = Vault::ephemeral();
        let kept = sealed(b"token=abc", &vault);
        assert!(!kept.windows(3).any(|window| window == b"abc"));
        assert_eq!(*opened(&kept, &vault).expect("it opens"), *b"token=abc");
        assert_eq!(*opened(b"token=abc", &vault).expect("in clear"), *b"token=abc");
        assert!(sealed(b"", &vault).is_empty());
        assert_eq!(opened(&kept, &Vault::ephemeral()), Err(OpenError));
    }
}
