//! Shows the host who comes: a certificate, a key, or what an agent holds.

use std::path::Path;
use std::sync::Arc;

use formwork_contract::Diagnostic;
use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg};
use ssh_key::Certificate;

use super::ssh::Guard;
use crate::settings::Connection;

/// What was shown so far, for the message when nothing was accepted.
#[derive(Default)]
struct Tried(Vec<String>);

/// Logs in.
///
/// # Errors
/// A key cannot be read, or nothing that was shown is accepted.
pub(super) async fn log_in(handle: &mut Handle<Guard>, connection: &Connection) -> Result<(), Box<Diagnostic>> {
    let mut tried = Tried::default();
    if let Some(key) = private_key(connection)? {
        let key = Arc::new(key);
        if let Some(certificate) = certificate(connection)? {
            tried.0.push(format!("the certificate `{}`", certificate.key_id()));
            let answer = handle.authenticate_openssh_cert(&*connection.user, Arc::clone(&key), certificate).await;
            if accepted(connection, answer)? {
                return Ok(());
            }
        }
        tried.0.push(format!("the key `{}`", key.public_key().fingerprint(ssh_key::HashAlg::Sha256)));
        let hash = handle.best_supported_rsa_hash().await.map_err(|error| broken(connection, &error))?.flatten();
        let key = PrivateKeyWithHashAlg::new(key, hash);
        if accepted(connection, handle.authenticate_publickey(&*connection.user, key).await)? {
            return Ok(());
        }
    }
    if let Some(socket) = &connection.agent_socket
        && by_agent(handle, connection, socket, &mut tried).await?
    {
        return Ok(());
    }
    Err(Box::new(refused(connection, &tried)))
}

fn private_key(connection: &Connection) -> Result<Option<PrivateKey>, Box<Diagnostic>> {
    let Some((text, name)) =
        text_of(connection.private_key.as_deref(), connection.private_key_file.as_deref(), connection)?
    else {
        return Ok(None);
    };
    let key = russh::keys::decode_secret_key(&text, None).map_err(|error| {
        Diagnostic::error(format!("{name} of host `{}` is no private key that can be used", connection.name))
            .detail(format!("{error}."))
            .hint("it must be an OpenSSH or PEM key without a passphrase; keys that have one belong into an agent: `agent_socket`")
    })?;
    Ok(Some(key))
}

fn certificate(connection: &Connection) -> Result<Option<Certificate>, Box<Diagnostic>> {
    let Some((text, name)) =
        text_of(connection.certificate.as_deref(), connection.certificate_file.as_deref(), connection)?
    else {
        return Ok(None);
    };
    let certificate = Certificate::from_openssh(text.trim()).map_err(|error| {
        Diagnostic::error(format!("{name} of host `{}` is no OpenSSH certificate", connection.name))
            .detail(format!("{error}."))
            .hint("it is the `-cert.pub` file that `ssh-keygen -s` made")
    })?;
    Ok(Some(certificate))
}

/// A text that is given, or the text of a file that is, and what to call it.
fn text_of(
    text: Option<&str>,
    file: Option<&str>,
    connection: &Connection,
) -> Result<Option<(String, String)>, Box<Diagnostic>> {
    match (text, file) {
        (Some(text), _) => Ok(Some((text.to_owned(), "what is given as a key or certificate".into()))),
        (None, Some(file)) => match std::fs::read_to_string(Path::new(file)) {
            Ok(text) => Ok(Some((text, format!("`{file}`")))),
            Err(error) => Err(Box::new(
                Diagnostic::error(format!("`{file}` cannot be read"))
                    .detail(format!("It is to log in to host `{}`: {error}.", connection.name))
                    .hint("give the path of a file that this user can read; `pathexpand(\"~/...\")` finds the home folder"),
            )),
        },
        (None, None) => Ok(None),
    }
}

async fn by_agent(
    handle: &mut Handle<Guard>,
    connection: &Connection,
    socket: &str,
    tried: &mut Tried,
) -> Result<bool, Box<Diagnostic>> {
    let unreachable = |error: &dyn std::fmt::Display| {
        Diagnostic::error(format!("there is no agent at `{socket}`"))
            .detail(format!("It is the `agent_socket` of host `{}`: {error}.", connection.name))
            .hint("start one (`eval \"$(ssh-agent)\"`, `ssh-add`) and give the path that `SSH_AUTH_SOCK` has")
    };
    let mut agent = AgentClient::connect_uds(socket).await.map_err(|error| unreachable(&error))?;
    let identities = agent.request_identities().await.map_err(|error| unreachable(&error))?;
    if identities.is_empty() {
        tried.0.push("an agent that holds no key".into());
    }
    for identity in identities {
        let hash = handle.best_supported_rsa_hash().await.map_err(|error| broken(connection, &error))?.flatten();
        let answer = match identity {
            AgentIdentity::PublicKey { key, .. } => {
                tried.0.push(format!("the agent's key `{}`", key.fingerprint(ssh_key::HashAlg::Sha256)));
                let hash = hash.filter(|_| key.algorithm().is_rsa());
                handle.authenticate_publickey_with(&*connection.user, key, hash, &mut agent).await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                tried.0.push(format!("the agent's certificate `{}`", certificate.key_id()));
                let hash = hash.filter(|_| certificate.algorithm().is_rsa());
                handle.authenticate_certificate_with(&*connection.user, certificate, hash, &mut agent).await
            }
        };
        // An agent may refuse one key (it asks its owner) and give the next.
        if let Ok(AuthResult::Success) = answer {
            return Ok(true);
        }
    }
    Ok(false)
}

fn accepted(connection: &Connection, answer: Result<AuthResult, russh::Error>) -> Result<bool, Box<Diagnostic>> {
    answer.map(|answer| answer.success()).map_err(|error| broken(connection, &error))
}

fn broken(connection: &Connection, error: &russh::Error) -> Box<Diagnostic> {
    let problem = Diagnostic::error(format!("the connection to host `{}` broke off while logging in", connection.name));
    Box::new(problem.detail(format!("{error}.")).hint("look at the log of sshd on the host: `journalctl -u ssh`"))
}

fn refused(connection: &Connection, tried: &Tried) -> Diagnostic {
    let Connection { name, user, address, port, .. } = connection;
    let problem = Diagnostic::error(format!("the host `{name}` at `{address}:{port}` does not let `{user}` in"));
    if tried.0.is_empty() {
        return problem
            .detail("There is nothing to log in with.")
            .hint("set `private_key_file` or `agent_socket` of the host, or of the provider");
    }
    problem.detail(format!("Shown were {}.", tried.0.join(", "))).hint(format!(
        "a line of `~{user}/.ssh/authorized_keys` on the host must name the key, or `TrustedUserCAKeys` the certificate's \
         authority"
    ))
}
