//! The one line in which a plugin says how it is to be reached.
//!
//! ```text
//! 1|5|unix|/tmp/plugin123|grpc|MIIB...
//! ^ ^ ^    ^              ^    ^ its certificate as base64, where the connection is secured
//! | | |    address        always gRPC
//! | | network: unix or tcp
//! | version of Terraform's protocol
//! version of this line
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rustls::pki_types::CertificateDer;

use crate::wire::Protocol;

/// The longest line that is looked at, in bytes. A certificate takes about a thousand.
pub(crate) const LONGEST: usize = 32 * 1024;

/// The version of the line itself.
const LINE_VERSION: &str = "1";

/// Plugins differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How a plugin is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handshake {
    pub(crate) protocol: Protocol,
    pub(crate) address: Address,
    /// Where the plugin secures the connection, the certificate that it will show.
    pub(crate) certificate: Option<CertificateDer<'static>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Unix(PathBuf),
    /// On this machine.
    Tcp(SocketAddr),
}

/// Why a line is no handshake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeError {
    #[error("it wrote `{0}`, which is no handshake")]
    Malformed(String),
    #[error("its handshake is of version `{0}`, and only version 1 is known")]
    LineVersion(String),
    #[error("it speaks version {0} of Terraform's protocol, and only 5 and 6 are spoken here")]
    Protocol(u32),
    #[error("it speaks `{0}` instead of gRPC, as plugins for Terraform 0.11 and before did")]
    NotGrpc(String),
    #[error("it listens at `{0}`, which is no address on this machine")]
    Address(String),
    #[error("the certificate in its handshake cannot be read")]
    Certificate,
}

impl Handshake {
    /// # Errors
    /// The line is no handshake, or asks for what is not spoken here.
    pub(crate) fn parse(line: &str) -> Result<Self, HandshakeError> {
        let malformed = || HandshakeError::Malformed(excerpt(line));
        let mut parts = line.trim().split('|');
        let mut next = || parts.next().ok_or_else(malformed);
        let (version, protocol, network, address) = (next()?, next()?, next()?, next()?);
        let transport = next().unwrap_or("netrpc");
        let certificate = next().unwrap_or_default();
        version.parse::<u32>().map_err(|_| malformed())?;
        if version != LINE_VERSION {
            return Err(HandshakeError::LineVersion(version.into()));
        }
        let protocol = protocol_of(protocol.parse().map_err(|_| malformed())?)?;
        if transport != "grpc" {
            return Err(HandshakeError::NotGrpc(excerpt(transport)));
        }
        Ok(Self { protocol, address: address_of(network, address)?, certificate: certificate_of(certificate)? })
    }
}

fn protocol_of(version: u32) -> Result<Protocol, HandshakeError> {
    match version {
        5 => Ok(Protocol::V5),
        6 => Ok(Protocol::V6),
        other => Err(HandshakeError::Protocol(other)),
    }
}

fn address_of(network: &str, address: &str) -> Result<Address, HandshakeError> {
    let unknown = || HandshakeError::Address(excerpt(&format!("{network} {address}")));
    match network {
        "unix" if address.starts_with('/') => Ok(Address::Unix(address.into())),
        "tcp" => {
            let address: SocketAddr = address.parse().map_err(|_| unknown())?;
            if address.ip().is_loopback() { Ok(Address::Tcp(address)) } else { Err(unknown()) }
        }
        _ => Err(unknown()),
    }
}

fn certificate_of(base64: &str) -> Result<Option<CertificateDer<'static>>, HandshakeError> {
    if base64.is_empty() {
        return Ok(None);
    }
    let der = BASE64.decode(base64).map_err(|_| HandshakeError::Certificate)?;
    Ok(Some(der.into()))
}

/// What is shown of something that a plugin wrote.
fn excerpt(text: &str) -> String {
    const SHOWN: usize = 80;
    let clean: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() { format!("{clean}...") } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_plugin_on_a_socket_is_understood() {
        let expected =
            Handshake { protocol: Protocol::V5, address: Address::Unix("/tmp/plugin123".into()), certificate: None };
        assert_eq!(Handshake::parse("1|5|unix|/tmp/plugin123|grpc\n"), Ok(expected.clone()));
        assert_eq!(Handshake::parse("1|5|unix|/tmp/plugin123|grpc|"), Ok(expected.clone()));
        assert_eq!(Handshake::parse("1|5|unix|/tmp/plugin123|grpc||true"), Ok(expected));
    }

    #[test]
    fn a_certificate_is_read_with_and_without_padding() {
        for text in ["1|6|tcp|127.0.0.1:1234|grpc|AQI", "1|6|tcp|127.0.0.1:1234|grpc|AQI="] {
            let handshake = Handshake::parse(text).expect("a handshake");
            assert_eq!(handshake.protocol, Protocol::V6);
            assert_eq!(handshake.certificate.as_deref(), Some(&[1, 2][..]));
        }
    }

    #[test]
    fn what_is_not_spoken_here_is_named() {
        let refused = |line: &str| Handshake::parse(line).expect_err(line);
        assert_eq!(refused("2|5|unix|/x|grpc"), HandshakeError::LineVersion("2".into()));
        assert_eq!(refused("1|4|unix|/x|netrpc"), HandshakeError::Protocol(4));
        assert_eq!(refused("1|5|unix|/x"), HandshakeError::NotGrpc("netrpc".into()));
        assert_eq!(refused("1|5|unix|relative|grpc"), HandshakeError::Address("unix relative".into()));
        assert_eq!(refused("1|5|tcp|192.0.2.1:80|grpc"), HandshakeError::Address("tcp 192.0.2.1:80".into()));
        assert_eq!(refused("1|5|unix|/x|grpc|$$$"), HandshakeError::Certificate);
    }

    #[test]
    fn what_is_no_handshake_is_shown_in_part_and_without_control_characters() {
        let HandshakeError::Malformed(shown) =
            Handshake::parse(&format!("\u{1b}[31m{}", "x".repeat(1000))).expect_err("no handshake")
        else {
            panic!("something else");
        };
        assert!(shown.starts_with("\u{fffd}[31mxxx") && shown.ends_with("...") && shown.len() < 100, "{shown}");
        for line in ["", "|", "1|", "one|5|unix|/x|grpc", "1|five|unix|/x|grpc", "usage: provider"] {
            assert!(matches!(Handshake::parse(line), Err(HandshakeError::Malformed(_))), "{line}");
        }
    }
}
