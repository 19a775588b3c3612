//! An SSH agent, over its socket: which keys it holds, and a signature by one of them.
//!
//! The agent protocol has a length of four bytes, a type of one, and fields; two requests of it are spoken here.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use ssh_key::Signature;
use ssh_key::encoding::{Decode as _, Encode as _};
use ssh_key::public::KeyData;

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Asks an RSA key for SHA-512; other keys take no notice.
const RSA_SHA2_512: u32 = 4;

/// The longest answer that is read, in bytes: what OpenSSH's agent takes for a message.
const LONGEST: usize = 256 * 1024;

/// How long to wait for an answer: the agent may ask a person first.
const PATIENCE: Duration = Duration::from_secs(120);

/// Why an agent gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    #[error("the agent at `{socket}` cannot be reached: {source}")]
    Unreachable { socket: String, source: io::Error },
    #[error("the agent refuses to sign: the key is gone from it, or somebody said no")]
    Refused,
    #[error("the agent's answer cannot be understood")]
    Garbled,
}

/// The keys and certificates that an agent holds, each with its comment. Those of unknown kinds are left out.
///
/// # Errors
/// The agent cannot be reached or understood.
pub fn keys(socket: &Path) -> Result<Vec<(KeyData, String)>, AgentError> {
    let answer = ask(socket, &[REQUEST_IDENTITIES])?;
    let mut fields = Fields::of(&answer, IDENTITIES)?;
    let mut keys = Vec::new();
    for _ in 0..fields.number()? {
        let blob = fields.bytes()?;
        let comment = String::from_utf8_lossy(fields.bytes()?).into_owned();
        if let Ok(key) = KeyData::decode(&mut &*blob) {
            keys.push((key, comment));
        }
    }
    Ok(keys)
}

/// A signature by a key that an agent holds.
///
/// # Errors
/// The agent cannot be reached or understood, or refuses.
pub(super) fn sign(socket: &Path, key: &KeyData, data: &[u8]) -> Result<Signature, AgentError> {
    let blob = key.encode_vec().map_err(|_| AgentError::Garbled)?;
    let mut request = vec![SIGN_REQUEST];
    for field in [&*blob, data] {
        request.extend(length(field)?.to_be_bytes());
        request.extend(field);
    }
    request.extend(RSA_SHA2_512.to_be_bytes());
    let answer = ask(socket, &request)?;
    let mut fields = Fields::of(&answer, SIGN_RESPONSE)?;
    Signature::decode(&mut fields.bytes()?).map_err(|_| AgentError::Garbled)
}

/// One request and its answer, both without their lengths.
fn ask(socket: &Path, request: &[u8]) -> Result<Vec<u8>, AgentError> {
    let length = length(request)?;
    let speak = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(request)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > LONGEST {
            return Ok(Vec::new());
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    };
    speak().map_err(|source: io::Error| AgentError::Unreachable { socket: socket.display().to_string(), source })
}

fn length(bytes: &[u8]) -> Result<u32, AgentError> {
    u32::try_from(bytes.len()).map_err(|_| AgentError::Garbled)
}

/// What is left to read of an answer.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn of(answer: &'a [u8], wanted: u8) -> Result<Self, AgentError> {
        match answer.split_first() {
            Some((kind, fields)) if *kind == wanted => Ok(Self(fields)),
            Some((&FAILURE, _)) => Err(AgentError::Refused),
            _ => Err(AgentError::Garbled),
        }
    }

    fn number(&mut self) -> Result<u32, AgentError> {
        let (number, rest) = self.0.split_first_chunk().ok_or(AgentError::Garbled)?;
        self.0 = rest;
        Ok(u32::from_be_bytes(*number))
    }

    fn bytes(&mut self) -> Result<&'a [u8], AgentError> {
        let length = self.number()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(AgentError::Garbled)?;
        self.0 = rest;
        Ok(bytes)
    }
}
