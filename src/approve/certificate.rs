//! Certificates of OpenSSH: whom one names, if its authority and the time allow it.

use formwork_contract::Str;
use ssh_key::public::KeyData;
use ssh_key::{Certificate, HashAlg};

use super::pattern::is_name;

/// The names in a certificate that an authority has signed, at a time in seconds since the Unix epoch.
///
/// # Errors
/// Why it does not hold, as the rest of a sentence about it.
pub(super) fn names(certificate: &Certificate, authority: &KeyData, now_s: i64) -> Result<Vec<Str>, String> {
    if certificate.cert_type().is_host() {
        return Err("is for a host".into());
    }
    let now = u64::try_from(now_s).map_err(|_| "cannot be valid before 1970")?;
    if now < certificate.valid_after() {
        return Err("is not valid yet".into());
    }
    if now >= certificate.valid_before() {
        return Err("has expired".into());
    }
    // What a critical option asks for has to be understood, and none is about signatures.
    if let Some(option) = certificate.critical_options().keys().next() {
        return Err(format!("has the critical option `{option}`"));
    }
    let authority = authority.fingerprint(HashAlg::Sha256);
    certificate.validate_at(now, [&authority]).map_err(|_| "is not signed by its authority")?;
    Ok(certificate.valid_principals().iter().filter(|name| is_name(name)).map(|name| name.as_str().into()).collect())
}
