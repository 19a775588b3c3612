//! Which keys a host may show: those that are pinned, and those of a `known_hosts` file (sshd(8), SSH_KNOWN_HOSTS).

use formwork_contract::Diagnostic;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use ssh_key::PublicKey;
use ssh_key::known_hosts::{Entry, HostPatterns, KnownHosts, Marker};

use crate::settings::Connection;

/// The keys that a host is known by.
#[derive(Debug, Default)]
pub(crate) struct Known {
    keys: Vec<PublicKey>,
    revoked: Vec<PublicKey>,
    /// Where they come from, in words.
    source: String,
}

impl Known {
    /// Reads what is known of a host.
    ///
    /// # Errors
    /// The file cannot be read, or a pinned key is none.
    pub(crate) fn read(connection: &Connection) -> Result<Self, Box<Diagnostic>> {
        let mut known = Self { source: "`host_keys`".into(), ..Self::default() };
        for text in &connection.host_keys {
            let key = text.trim().parse().map_err(|error| {
                Diagnostic::error(format!("`host_keys` of host `{}` has something that is no key", connection.name))
                    .detail(format!("It is `{text}`: {error}."))
                    .hint("write it as in `/etc/ssh/ssh_host_ed25519_key.pub` of the host: `ssh-ed25519 AAAA...`")
            })?;
            known.keys.push(key);
        }
        let Some(file) = &connection.known_hosts_file else { return Ok(known) };
        known.source = format!("`{file}`");
        let text = std::fs::read_to_string(&**file).map_err(|error| {
            Diagnostic::error(format!("`{file}` cannot be read"))
                .detail(format!("It is the `known_hosts_file` of host `{}`: {error}.", connection.name))
                .hint("give the path of a `known_hosts` file, or pin the host's key with `host_keys`")
        })?;
        let name = match connection.port {
            22 => connection.address.to_lowercase(),
            port => format!("[{}]:{port}", connection.address.to_lowercase()),
        };
        // A line that is not understood vouches for nobody; OpenSSH passes it over too.
        for entry in KnownHosts::new(&text).flatten().filter(|entry| names(entry, &name)) {
            match entry.marker() {
                None => known.keys.push(entry.public_key().clone()),
                Some(Marker::Revoked) => known.revoked.push(entry.public_key().clone()),
                Some(Marker::CertAuthority) => {}
            }
        }
        Ok(known)
    }

    /// The algorithms of the known keys: what the host is asked to show first.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = ssh_key::Algorithm> + '_ {
        self.keys.iter().map(PublicKey::algorithm)
    }

    /// Accepts the key that a host shows, or says what is wrong with it.
    ///
    /// # Errors
    /// The host is not known, shows another key than it is known by, or one that is revoked.
    pub(crate) fn accept(&self, connection: &Connection, shown: &PublicKey) -> Result<(), Box<Diagnostic>> {
        let same = |key: &PublicKey| key.key_data() == shown.key_data();
        let (host, address, port) = (&connection.name, &connection.address, connection.port);
        let fingerprint = shown.fingerprint(ssh_key::HashAlg::Sha256);
        let of_type = shown.algorithm();
        if self.revoked.iter().any(same) {
            let problem = Diagnostic::error(format!("the key that host `{host}` shows is revoked"));
            return Err(Box::new(problem.detail(format!("It is `{fingerprint}` ({of_type}).")).hint(format!(
                "somebody may stand between: do not go on before the host has a new key, which {} then names",
                self.source
            ))));
        }
        if self.keys.iter().any(same) {
            return Ok(());
        }
        if self.keys.is_empty() {
            let problem = Diagnostic::error(format!("the host `{host}` at `{address}:{port}` is not known"));
            return Err(Box::new(problem.detail(format!("It shows the key `{fingerprint}` ({of_type}).")).hint(
                format!(
                    "compare it with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host's own console, then add \
                     the key to `host_keys`, or to the `known_hosts_file` with `ssh-keyscan -p {port} {address}`"
                ),
            )));
        }
        let known: Vec<String> = self
            .keys
            .iter()
            .map(|key| format!("`{}` ({})", key.fingerprint(ssh_key::HashAlg::Sha256), key.algorithm()))
            .collect();
        let problem =
            Diagnostic::error(format!("the host `{host}` at `{address}:{port}` shows another key than it is known by"));
        let detail = format!("It shows `{fingerprint}` ({of_type}); {} has {}.", self.source, known.join(", "));
        Err(Box::new(problem.detail(detail).hint(
            "somebody may stand between, or the host was set up anew: compare the fingerprint on the host's own console, \
             and exchange the known key only if it is the host's",
        )))
    }
}

/// Whether a line is about the host.
fn names(entry: &Entry, name: &str) -> bool {
    match entry.host_patterns() {
        HostPatterns::Patterns(patterns) => {
            let (not, yes): (Vec<&String>, Vec<&String>) =
                patterns.iter().partition(|pattern| pattern.starts_with('!'));
            yes.iter().any(|pattern| matches(&pattern.to_lowercase(), name))
                && !not.iter().any(|pattern| matches(&pattern[1..].to_lowercase(), name))
        }
        HostPatterns::HashedName { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
            .is_ok_and(|mac| mac.chain_update(name.as_bytes()).verify_slice(hash).is_ok()),
    }
}

/// A pattern with `*` for any text and `?` for one character, in time linear in both for one `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == name[n]) {
            (p, n) = (p + 1, n + 1);
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            (p, n) = (at + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}
