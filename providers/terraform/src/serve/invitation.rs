//! What a host tells the plugin that it starts, in the environment.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use rustls::pki_types::CertificateDer;

use super::ServeError;
use crate::launch::MAGIC_COOKIE;
use crate::tls;
use crate::wire::Protocol;

/// The version of the handshake itself.
pub(super) const CORE_VERSION: u8 = 1;

const PROTOCOL_VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
const SOCKET_DIR: &str = "PLUGIN_UNIX_SOCKET_DIR";
const MIN_PORT: &str = "PLUGIN_MIN_PORT";
const MAX_PORT: &str = "PLUGIN_MAX_PORT";

/// The ports that hosts offer unless they are told otherwise.
const DEFAULT_PORTS: RangeInclusive<u16> = 10_000..=25_000;

/// How a host wants to be served.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub(super) protocol: Protocol,
    /// Where there is one, the connection is secured, and this is the one client that is taken.
    pub(super) client: Option<CertificateDer<'static>>,
    pub(super) socket_dir: Option<PathBuf>,
    pub(super) ports: RangeInclusive<u16>,
}

impl Invitation {
    /// Reads the environment through `variable`, which answers the value of a variable that is set.
    ///
    /// # Errors
    /// The magic cookie is missing, no version of the protocol is shared, or a value is malformed.
    pub fn read<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Result<Self, ServeError> {
        if variable(MAGIC_COOKIE.0) != Some(MAGIC_COOKIE.1) {
            return Err(ServeError::NotInvited);
        }
        let client = variable(CLIENT_CERTIFICATE)
            .map(tls::certificate_of_pem)
            .transpose()
            .map_err(|error| ServeError::Malformed { variable: CLIENT_CERTIFICATE, why: error.to_string() })?;
        let port = |name: &'static str, default: u16| match variable(name) {
            Some(text) => text.trim().parse().map_err(|error: std::num::ParseIntError| ServeError::Malformed {
                variable: name,
                why: error.to_string(),
            }),
            None => Ok(default),
        };
        Ok(Self {
            protocol: choose(variable(PROTOCOL_VERSIONS).unwrap_or_default())?,
            client,
            socket_dir: variable(SOCKET_DIR).map(PathBuf::from),
            ports: port(MIN_PORT, *DEFAULT_PORTS.start())?..=port(MAX_PORT, *DEFAULT_PORTS.end())?,
        })
    }
}

/// The highest version that both sides speak.
fn choose(offered: &str) -> Result<Protocol, ServeError> {
    let speaks =
        |protocol: Protocol| offered.split(',').any(|version| version.trim().parse() == Ok(protocol.version()));
    [Protocol::V6, Protocol::V5]
        .into_iter()
        .find(|protocol| speaks(*protocol))
        .ok_or_else(|| ServeError::NoCommonVersion { offered: offered.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Invitation, ServeError> {
        let given: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Invitation::read(|name| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str()))
    }

    #[test]
    fn the_highest_version_that_is_shared_is_taken() {
        let chosen = |versions| read(&[MAGIC_COOKIE, (PROTOCOL_VERSIONS, versions)]).map(|asked| asked.protocol);
        assert_eq!(chosen("5,6").expect("shared"), Protocol::V6);
        assert_eq!(chosen("4,5").expect("shared"), Protocol::V5);
        assert_eq!(chosen("7, 6").expect("shared"), Protocol::V6);
        let refused = chosen("4").expect_err("nothing is shared");
        assert!(refused.to_string().contains("version 4"), "{refused}");
    }

    #[test]
    fn who_is_not_a_host_is_told_so() {
        assert!(matches!(read(&[(PROTOCOL_VERSIONS, "6")]), Err(ServeError::NotInvited)));
        let wrong = [(MAGIC_COOKIE.0, "something else"), (PROTOCOL_VERSIONS, "6")];
        assert!(matches!(read(&wrong), Err(ServeError::NotInvited)));
    }

    #[test]
    fn what_makes_no_sense_is_told_by_its_name() {
        for (name, value) in [(CLIENT_CERTIFICATE, "no certificate"), (MIN_PORT, "ten")] {
            let refused = read(&[MAGIC_COOKIE, (PROTOCOL_VERSIONS, "6"), (name, value)]).expect_err("malformed");
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }
}
