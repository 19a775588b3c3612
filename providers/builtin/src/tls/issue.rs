//! Makes certificates.

use x509_cert::Certificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder, Result as BuildResult};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::OctetString;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, NameConstraints, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use x509_cert::time::Validity;

use super::key::Key;
use super::moment;
use super::public::PublicKey;
use super::signing::Signed;
use super::usages::Usages;
use crate::draw::{self, Draw};
use crate::fault::{Fault, fault};

/// What a certificate is to say.
pub(super) struct Wish {
    pub(super) subject: Name,
    pub(super) names: Vec<GeneralName>,
    pub(super) usages: Usages,
    pub(super) authority: Option<Authority>,
    /// Seconds since the Unix epoch.
    pub(super) from: u64,
    pub(super) until: u64,
    /// Says which key it is for; an authority's always does.
    pub(super) key_id: bool,
}

/// What an authority may do.
#[derive(Default)]
pub(super) struct Authority {
    /// How many authorities may stand between it and a certificate.
    pub(super) path_length: Option<u8>,
    pub(super) constraints: Option<NameConstraints>,
}

/// Who signs.
pub(super) enum Issuer<'a> {
    /// The key that the certificate is for. Whether it says that it is its own authority.
    Itself {
        key: &'a Key,
        key_id: bool,
    },
    Authority {
        key: &'a Key,
        certificate: &'a Certificate,
    },
}

/// Makes a certificate for a key.
///
/// # Errors
/// It would end after the year 9999, or what it is to say cannot be written.
pub(super) fn issue(
    wish: &Wish,
    public: &PublicKey,
    issuer: &Issuer<'_>,
    draw: &mut Draw,
) -> Result<Certificate, Fault> {
    let unwritten = |_| fault("the certificate cannot be written").hint("look for very long names");
    let validity = Validity::new(moment::in_certificate(wish.from)?, moment::in_certificate(wish.until)?);
    let (key, issuer_name) = match issuer {
        Issuer::Itself { key, .. } => (key, &wish.subject),
        Issuer::Authority { key, certificate } => (key, certificate.tbs_certificate().subject()),
    };
    let extensions = extensions(wish, public, issuer).map_err(unwritten)?;
    let profile = Profile { subject: wish.subject.clone(), issuer: issuer_name.clone(), extensions };
    let builder = CertificateBuilder::new(profile, serial(draw), validity, public.0.clone());
    let built = builder.and_then(|builder| builder.build::<Key, Signed>(key));
    built.map_err(|_| fault("the certificate cannot be made"))
}

/// 127 random bits: nobody can tell the next one, and no two are alike.
fn serial(draw: &mut Draw) -> SerialNumber {
    let mut bytes = draw::bytes(draw, 16);
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::new(&bytes).expect("16 bytes are no more than 20")
}

fn extensions(wish: &Wish, public: &PublicKey, issuer: &Issuer<'_>) -> x509_cert::der::Result<Vec<Extension>> {
    let mut all = Vec::new();
    let mut add = |extension: x509_cert::der::Result<Extension>| extension.map(|extension| all.push(extension));
    let subject = &wish.subject;
    if let Some(usage) = &wish.usages.basic {
        add(usage.to_extension(subject, &[]))?;
    }
    if let Some(usage) = &wish.usages.extended {
        add(usage.to_extension(subject, &[]))?;
    }
    let path_len_constraint = wish.authority.as_ref().and_then(|authority| authority.path_length);
    add((&BasicConstraints { ca: wish.authority.is_some(), path_len_constraint }).to_extension(subject, &[]))?;
    if wish.key_id || wish.authority.is_some() {
        add((&SubjectKeyIdentifier(OctetString::new(public.key_id())?)).to_extension(subject, &[]))?;
    }
    if let Some(id) = authority_key_id(issuer)? {
        let id = AuthorityKeyIdentifier { key_identifier: Some(id), ..AuthorityKeyIdentifier::default() };
        add((&id).to_extension(subject, &[]))?;
    }
    if !wish.names.is_empty() {
        add((&SubjectAltName(wish.names.clone())).to_extension(subject, &[]))?;
    }
    if let Some(constraints) = wish.authority.as_ref().and_then(|authority| authority.constraints.as_ref()) {
        add(constraints.to_extension(subject, &[]))?;
    }
    Ok(all)
}

/// As the issuer's own certificate has it.
fn authority_key_id(issuer: &Issuer<'_>) -> x509_cert::der::Result<Option<OctetString>> {
    Ok(match issuer {
        Issuer::Itself { key, key_id } => key_id.then(|| OctetString::new(key.public().key_id())).transpose()?,
        Issuer::Authority { certificate, .. } => {
            certificate.tbs_certificate().get_extension::<SubjectKeyIdentifier>()?.map(|(_, id)| id.0)
        }
    })
}

struct Profile {
    subject: Name,
    issuer: Name,
    extensions: Vec<Extension>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _subject: &Name) -> Name {
        self.issuer.clone()
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        _key: SubjectPublicKeyInfoRef<'_>,
        _issuer_key: SubjectPublicKeyInfoRef<'_>,
        _certificate: &TbsCertificate,
    ) -> BuildResult<Vec<Extension>> {
        Ok(self.extensions.clone())
    }
}
