//! What a certificate's key may be used for: names as Terraform's provider has them.

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::flagset::FlagSet;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

use crate::fault::{Fault, wrong};

/// RFC 5280, section 4.2.1.3.
const BASIC: [(&str, KeyUsages); 9] = [
    ("digital_signature", KeyUsages::DigitalSignature),
    ("content_commitment", KeyUsages::NonRepudiation),
    ("key_encipherment", KeyUsages::KeyEncipherment),
    ("data_encipherment", KeyUsages::DataEncipherment),
    ("key_agreement", KeyUsages::KeyAgreement),
    ("cert_signing", KeyUsages::KeyCertSign),
    ("crl_signing", KeyUsages::CRLSign),
    ("encipher_only", KeyUsages::EncipherOnly),
    ("decipher_only", KeyUsages::DecipherOnly),
];

/// RFC 5280, section 4.2.1.12, and what vendors added.
const EXTENDED: [(&str, &str); 14] = [
    ("any_extended", "2.5.29.37.0"),
    ("server_auth", "1.3.6.1.5.5.7.3.1"),
    ("client_auth", "1.3.6.1.5.5.7.3.2"),
    ("code_signing", "1.3.6.1.5.5.7.3.3"),
    ("email_protection", "1.3.6.1.5.5.7.3.4"),
    ("ipsec_end_system", "1.3.6.1.5.5.7.3.5"),
    ("ipsec_tunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsec_user", "1.3.6.1.5.5.7.3.7"),
    ("timestamping", "1.3.6.1.5.5.7.3.8"),
    ("ocsp_signing", "1.3.6.1.5.5.7.3.9"),
    ("microsoft_server_gated_crypto", "1.3.6.1.4.1.311.10.3.3"),
    ("netscape_server_gated_crypto", "2.16.840.1.113730.4.1"),
    ("microsoft_commercial_code_signing", "1.3.6.1.4.1.311.2.1.22"),
    ("microsoft_kernel_code_signing", "1.3.6.1.4.1.311.61.1.1"),
];

/// Both extensions, each where it has something to say.
#[derive(Clone, Debug, Default)]
pub(super) struct Usages {
    pub(super) basic: Option<KeyUsage>,
    pub(super) extended: Option<ExtendedKeyUsage>,
}

/// # Errors
/// There is no usage of that name; `attribute` holds them.
pub(super) fn read(names: &[&str], attribute: &str) -> Result<Usages, Fault> {
    let mut basic = FlagSet::default();
    let mut extended = Vec::new();
    for name in names {
        if let Some((_, usage)) = BASIC.iter().find(|(known, _)| known == name) {
            basic |= *usage;
        } else if let Some((_, oid)) = EXTENDED.iter().find(|(known, _)| known == name) {
            let oid = ObjectIdentifier::new(oid).expect("the table holds object identifiers");
            if !extended.contains(&oid) {
                extended.push(oid);
            }
        } else {
            return Err(unknown(name, attribute));
        }
    }
    Ok(Usages {
        basic: (!basic.is_empty()).then_some(KeyUsage(basic)),
        extended: (!extended.is_empty()).then_some(ExtendedKeyUsage(extended)),
    })
}

fn unknown(name: &str, attribute: &str) -> Fault {
    let names = || BASIC.iter().map(|(name, _)| *name).chain(EXTENDED.iter().map(|(name, _)| *name));
    let error = wrong(attribute, format!("there is no usage `{name}`"));
    match formwork_contract::suggest::nearest(name, names()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => {
            error.hint(format!("there are {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")))
        }
    }
}
