//! Mutual TLS with one-off certificates: each side is told the other's certificate before they meet, and takes no other.
//!
//! No authority stands behind such a certificate, so none of its fields is looked at: it has to be, byte for byte, the
//! one that was told, and the handshake's signature has to be made with its key. Plugins written in Go have keys on the
//! curve P-521, which `ring` does not know; for these the signature is checked by the crate `p521`. Those written with
//! the Python framework `tf` have RSA keys of 1,024 bits, for which `ring` checks signatures of TLS 1.2 alone; that will
//! do between two processes of one machine.

use std::sync::Arc;

use p521::ecdsa::signature::Verifier as _;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose};
use ring::signature::{RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
    SignatureVerificationAlgorithm, UnixTime, alg_id,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS12;
use rustls::{
    CertificateError, ClientConfig, DEFAULT_VERSIONS, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};

/// The name that one-off certificates are made for.
pub(crate) const SERVER_NAME: &str = "localhost";

/// What gRPC is called when the two sides agree on a protocol.
const HTTP_2: &[u8] = b"h2";

/// Why there is no secured connection to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("no certificate can be made: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the certificate cannot be read: {0}")]
    Read(#[from] rustls::pki_types::pem::Error),
    #[error(transparent)]
    Config(#[from] Error),
}

/// A certificate of one's own, made for one run, and its key.
#[derive(Debug)]
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Makes a new key, and a certificate that it signs itself. It is its own authority, as that of a plugin
    /// written in Go.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn one_off() -> Result<Self, TlsError> {
        let usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        Self::make(IsCa::Ca(BasicConstraints::Unconstrained), usages)
    }

    /// The same for a host. It is no authority: plugins written in Rust take none for a client.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn one_off_client() -> Result<Self, TlsError> {
        Self::make(IsCa::ExplicitNoCa, vec![KeyUsagePurpose::DigitalSignature])
    }

    fn make(is_ca: IsCa, key_usages: Vec<KeyUsagePurpose>) -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new([SERVER_NAME.to_owned()])?;
        params.is_ca = is_ca;
        params.key_usages = key_usages;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.self_signed(&key)?;
        Ok(Self { certificate, key: PrivatePkcs8KeyDer::from(key.serialize_der()).into() })
    }

    /// As a client tells it: in the environment of the plugin.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// As a server tells it: in its handshake line.
    pub(crate) fn der(&self) -> &CertificateDer<'static> {
        self.certificate.der()
    }
}

/// The certificate that a client told.
///
/// # Errors
/// The text holds no certificate.
pub(crate) fn certificate_of_pem(pem: &str) -> Result<CertificateDer<'static>, TlsError> {
    Ok(CertificateDer::from_pem_slice(pem.as_bytes())?)
}

/// How to connect to the server with this certificate.
///
/// # Errors
/// Our own identity is malformed.
pub(crate) fn client_config(own: &Identity, server: CertificateDer<'static>) -> Result<ClientConfig, TlsError> {
    let versions = if has_short_key(&server) { &[&TLS12][..] } else { DEFAULT_VERSIONS };
    let (provider, pinned) = pinned(server);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(pinned)
        .with_client_auth_cert(vec![own.der().clone()], own.key.clone_key())?;
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    Ok(config)
}

/// How to take connections of the client with this certificate.
///
/// # Errors
/// Our own identity is malformed.
pub(crate) fn server_config(own: &Identity, client: CertificateDer<'static>) -> Result<ServerConfig, TlsError> {
    let (provider, pinned) = pinned(client);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(pinned)
        .with_single_cert(vec![own.der().clone()], own.key.clone_key())?;
    config.alpn_protocols = vec![HTTP_2.to_vec()];
    Ok(config)
}

fn pinned(peer: CertificateDer<'static>) -> (Arc<CryptoProvider>, Arc<Pinned>) {
    let provider = rustls::crypto::ring::default_provider();
    let known = if has_short_key(&peer) { SHORT_RSA } else { provider.signature_verification_algorithms };
    (Arc::new(provider), Arc::new(Pinned { peer, known }))
}

/// Whether the certificate is one of an RSA key with less than 2,048 bits.
fn has_short_key(certificate: &CertificateDer<'_>) -> bool {
    /// What stands around the modulus takes less.
    const SHORTEST_OF_2048_BITS: usize = 256 + 30;
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return false };
    let key = certificate.subject_public_key_info();
    let rsa = key.windows(alg_id::RSA_ENCRYPTION.len()).any(|part| *part == *alg_id::RSA_ENCRYPTION);
    rsa && key.len() < SHORTEST_OF_2048_BITS
}

/// Takes one certificate and no other.
#[derive(Debug)]
struct Pinned {
    peer: CertificateDer<'static>,
    known: WebPkiSupportedAlgorithms,
}

/// The signature that `ring` cannot check.
const ON_P521: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[&EcdsaP521Sha512],
    mapping: &[(SignatureScheme::ECDSA_NISTP521_SHA512, &[&EcdsaP521Sha512])],
};

/// The signatures of TLS 1.2 that `ring` checks with a short RSA key.
const SHORT_RSA: WebPkiSupportedAlgorithms =
    WebPkiSupportedAlgorithms { all: &[&ShortRsa], mapping: &[(SignatureScheme::RSA_PKCS1_SHA256, &[&ShortRsa])] };

impl Pinned {
    fn check(&self, shown: &CertificateDer<'_>) -> Result<(), Error> {
        if shown == &self.peer { Ok(()) } else { Err(CertificateError::ApplicationVerificationFailure.into()) }
    }

    /// P-521 first: under TLS 1.2 a plugin signs by the first scheme for ECDSA, whichever curve its key is on.
    fn schemes(&self) -> Vec<SignatureScheme> {
        let known = self.known.supported_schemes();
        std::iter::once(SignatureScheme::ECDSA_NISTP521_SHA512).chain(known).collect()
    }

    fn algorithms(&self, signed: &DigitallySignedStruct) -> &WebPkiSupportedAlgorithms {
        if signed.scheme == SignatureScheme::ECDSA_NISTP521_SHA512 { &ON_P521 } else { &self.known }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(shown).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, self.algorithms(signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, self.algorithms(signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(shown).map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, self.algorithms(signed))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, self.algorithms(signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

/// ECDSA on P-521 with SHA-512 (FIPS 186-5).
#[derive(Debug)]
struct EcdsaP521Sha512;

impl SignatureVerificationAlgorithm for EcdsaP521Sha512 {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P521
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA512
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| InvalidSignature)?;
        let signature = p521::ecdsa::Signature::from_der(signature).map_err(|_| InvalidSignature)?;
        key.verify(message, &signature).map_err(|_| InvalidSignature)
    }
}

/// RSA with SHA-256 by PKCS #1, version 1.5 (RFC 8017), with keys of 1,024 bits and more.
#[derive(Debug)]
struct ShortRsa;

impl SignatureVerificationAlgorithm for ShortRsa {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_ENCRYPTION
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::RSA_PKCS1_SHA256
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }
}

#[cfg(test)]
mod tests {
    use rustls::{ClientConnection, ServerConnection};

    use super::*;

    /// A key, and what it signed, made by OpenSSL.
    const KEY: &str = "0400faa54febc0c47f4e11763c1af49e99ed8a32f8809be3c9819a449fb13b2040a032c4f4c2d548e1e437872f\
        81377f94602b31c7a03e87c6ed2eabf7ea172c8e4ab301e7a35fe8d61f6fa7cd9cf053c7c1ebf8da729d90098e\
        81096f43eb00e54d7b46e326ff5a244c60ce3c5858414dc635aa3de66ae0c5bf3d80c43eef455889c1647d";
    const SIGNATURE: &str = "308188024200a893a11ed34bd5d4b632306ac24f35823d484453653dd824ae030bc1259e063072bb8689a23ad9\
        a2031fae61319238646dc15e918b6eb25656670a442bd88aa6e70242014b4aa75bfb24f121438ea58e52224045\
        582ae6a313d1136a4589d53dd6f658e83bcf9788162ebb5f425dfd3101d3944d648d309e8ae63c8e6c708dcc0e\
        9ee5e61c";
    const MESSAGE: &[u8] = b"a plugin signs this";

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("two digits");
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    /// Lets the two sides talk until both are content, or one refuses.
    fn meet(client: ClientConfig, server: ServerConfig) -> Result<(ClientConnection, ServerConnection), Error> {
        let name = ServerName::try_from(SERVER_NAME).expect("a name");
        let mut client = ClientConnection::new(Arc::new(client), name)?;
        let mut server = ServerConnection::new(Arc::new(server))?;
        for _ in 0..10 {
            let mut flight = Vec::new();
            client.write_tls(&mut flight).expect("memory");
            server.read_tls(&mut &flight[..]).expect("memory");
            server.process_new_packets()?;
            let mut flight = Vec::new();
            server.write_tls(&mut flight).expect("memory");
            client.read_tls(&mut &flight[..]).expect("memory");
            client.process_new_packets()?;
        }
        Ok((client, server))
    }

    #[test]
    fn two_that_were_told_of_each_other_speak_http_2() {
        let (client, server) = (Identity::one_off().expect("made"), Identity::one_off().expect("made"));
        let told = certificate_of_pem(&client.pem()).expect("a certificate");
        let client = client_config(&client, server.der().clone()).expect("a configuration");
        let server = server_config(&server, told).expect("a configuration");
        let (client, server) = meet(client, server).expect("they meet");
        assert!(!client.is_handshaking() && !server.is_handshaking());
        assert_eq!(client.alpn_protocol(), Some(HTTP_2));
    }

    #[test]
    fn a_stranger_is_refused_by_either_side() {
        let made = || Identity::one_off().expect("made");
        let (client, server, stranger) = (made(), made(), made());
        let clients = client_config(&client, server.der().clone()).expect("a configuration");
        let servers = server_config(&server, stranger.der().clone()).expect("a configuration");
        assert!(meet(clients, servers).is_err(), "the server takes a client that it was not told of");
        let clients = client_config(&client, stranger.der().clone()).expect("a configuration");
        let servers = server_config(&server, client.der().clone()).expect("a configuration");
        assert!(meet(clients, servers).is_err(), "the client takes a server that it was not told of");
    }

    #[test]
    fn signatures_on_p521_are_checked() {
        let (key, mut signature) = (bytes(KEY), bytes(SIGNATURE));
        assert!(EcdsaP521Sha512.verify_signature(&key, MESSAGE, &signature).is_ok());
        assert!(EcdsaP521Sha512.verify_signature(&key, b"another message", &signature).is_err());
        assert!(EcdsaP521Sha512.verify_signature(&key[1..], MESSAGE, &signature).is_err());
        *signature.last_mut().expect("bytes") ^= 1;
        assert!(EcdsaP521Sha512.verify_signature(&key, MESSAGE, &signature).is_err());
    }

    #[test]
    fn what_is_no_certificate_is_told() {
        assert!(matches!(certificate_of_pem("no certificate"), Err(TlsError::Read(_))));
    }
}
