//! Reads certificates: from PEM, and what they say.

use x509_cert::Certificate;
use x509_cert::der::EncodePem;
use x509_cert::der::pem::LineEnding;
use x509_cert::ext::pkix::BasicConstraints;

use super::key::Key;
use super::moment;
use super::public::PublicKey;
use crate::digits::decimal;
use crate::fault::{Fault, wrong};

/// All certificates of a text, in their order.
///
/// # Errors
/// It holds something else, or none; `attribute` holds it.
pub(super) fn certificates(text: &str, attribute: &str) -> Result<Vec<Certificate>, Fault> {
    match Certificate::load_pem_chain(text.trim().as_bytes()) {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(wrong(attribute, format!("`{attribute}` holds no certificate in PEM"))
            .hint("it starts with `-----BEGIN CERTIFICATE-----`")),
    }
}

/// The one certificate of a text.
///
/// # Errors
/// It holds something else, or more than one; `attribute` holds it.
pub(super) fn certificate(text: &str, attribute: &str) -> Result<Certificate, Fault> {
    let mut all = certificates(text, attribute)?;
    match all.len() {
        1 => Ok(all.remove(0)),
        count => Err(wrong(attribute, format!("`{attribute}` holds {count} certificates, and one is wanted"))),
    }
}

/// The private key of a text.
///
/// # Errors
/// It is none that can be read. What it holds is not told: it is secret.
pub(super) fn key(text: &str, attribute: &str) -> Result<Key, Fault> {
    Key::read(text).ok_or_else(|| {
        wrong(attribute, format!("`{attribute}` holds no private key that can be read"))
            .detail("RSA, ECDSA on P-256, P-384 and P-521, and Ed25519 are known, in PEM and not encrypted.")
    })
}

pub(super) fn pem(certificate: &Certificate) -> String {
    certificate.to_pem(LineEnding::LF).expect("a certificate that was made or read can be written")
}

/// Two texts in PEM, one after the other, each on lines of its own.
pub(super) fn joined(first: &str, second: &str) -> String {
    let end = if first.ends_with('\n') || second.is_empty() { "" } else { "\n" };
    format!("{first}{end}{second}")
}

pub(super) fn public_key(certificate: &Certificate) -> PublicKey {
    PublicKey(certificate.tbs_certificate().subject_public_key_info().clone())
}

/// In decimal, as `openssl x509 -serial` does not write it but Terraform's provider does.
pub(super) fn serial(certificate: &Certificate) -> String {
    decimal(certificate.tbs_certificate().serial_number().as_bytes())
}

/// Seconds since the Unix epoch: from when and until when.
pub(super) fn validity(certificate: &Certificate) -> (u64, u64) {
    let validity = certificate.tbs_certificate().validity();
    (moment::seconds(validity.not_before), moment::seconds(validity.not_after))
}

/// Whether it is an authority's, and how many authorities may stand below it.
pub(super) fn authority(certificate: &Certificate) -> (bool, Option<u8>) {
    match certificate.tbs_certificate().get_extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) => (constraints.ca, constraints.path_len_constraint),
        _ => (false, None),
    }
}

/// An authority that may issue, read from two attributes.
///
/// # Errors
/// It is none, or the key is another one's.
pub(super) fn issuer(
    (certificate_text, certificate_attribute): (&str, &str),
    (key_text, key_attribute): (&str, &str),
) -> Result<(Certificate, Key), Fault> {
    let authority_certificate = certificate(certificate_text, certificate_attribute)?;
    let key = key(key_text, key_attribute)?;
    if key.public() != public_key(&authority_certificate) {
        let summary = format!("`{key_attribute}` is not the key of the certificate in `{certificate_attribute}`");
        return Err(wrong(key_attribute, summary).hint("give both of the same authority"));
    }
    if !authority(&authority_certificate).0 {
        let summary = format!("the certificate in `{certificate_attribute}` is not an authority's");
        return Err(
            wrong(certificate_attribute, summary).hint("make it with `is_ca_certificate = true`, or by `tls_ca`")
        );
    }
    Ok((authority_certificate, key))
}
