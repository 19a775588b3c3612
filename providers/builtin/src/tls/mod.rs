//! The provider `tls`: keys, certificates, and authorities that issue them.
//!
//! - Types of Terraform's provider of that name, version 4, with its attributes: `private_key`, `self_signed_cert`,
//!   `cert_request`, `locally_signed_cert` (`terms` holds what the last two kinds of certificates share), and the data
//!   sources `public_key_data` and `certificate_data`;
//! - types of our own, which renew in place: `ca` and `certificate`; `rotation` is what these share;
//! - `key`, `public` and `signing` are keys, `issue` makes certificates, `inspect` reads them;
//! - `subject`, `names`, `spiffe`, `usages` and `moment` are what certificates say.

mod ca;
mod cert_request;
mod certificate;
mod certificate_data;
mod inspect;
mod issue;
mod key;
mod locally_signed_cert;
mod moment;
mod names;
mod private_key;
mod public;
mod public_key_data;
mod rotation;
mod self_signed_cert;
mod signing;
mod spiffe;
mod subject;
mod terms;
mod usages;

use std::sync::Arc;

use crate::clock::Clock;
use crate::life::{Kind, Recorded, Source};

/// The provider, by the machine's clock.
pub fn provider() -> Recorded {
    provider_at(Clock::system())
}

/// The provider, by another clock.
pub fn provider_at(clock: Clock) -> Recorded {
    let kinds: Vec<Arc<dyn Kind>> = vec![
        Arc::new(ca::Ca),
        Arc::new(cert_request::CertRequest),
        Arc::new(certificate::Certificate),
        Arc::new(locally_signed_cert::LocallySignedCert),
        Arc::new(private_key::PrivateKey),
        Arc::new(self_signed_cert::SelfSignedCert),
    ];
    let sources: Vec<Arc<dyn Source>> =
        vec![Arc::new(certificate_data::CertificateData), Arc::new(public_key_data::PublicKeyData)];
    Recorded::new("tls", kinds, sources, clock)
}
