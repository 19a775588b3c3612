//! What a client needs to reach a cluster. Nothing listens there: the sandbox has no machines.

use sha2::{Digest, Sha256};

/// The name of the cluster's API server.
pub(super) fn endpoint(id: &str, region: &str) -> String {
    format!("https://{id}.{region}.sandbox.invalid:6443")
}

/// A certificate in form only.
pub(super) fn certificate(id: &str) -> String {
    let body = [digest(id, "certificate"), digest(id, "signature")].join("\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

/// A configuration file with a token that names the cluster's administrator.
pub(super) fn kubeconfig(id: &str, name: &str, region: &str, secret: &str) -> String {
    let (server, token) = (endpoint(id, region), digest(secret, "token"));
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters:\n- name: {name}\n  cluster:\n    server: {server}\n\
         contexts:\n- name: {name}\n  context:\n    cluster: {name}\n    user: admin\n\
         users:\n- name: admin\n  user:\n    token: {token}\n"
    )
}

fn digest(id: &str, what: &str) -> String {
    Sha256::digest(format!("{what} {id}")).iter().map(|byte| format!("{byte:02x}")).collect()
}
