//! Who may open a record: public keys of age and of SSH, for which the data key is wrapped.

use std::fmt;
use std::str::FromStr;

use formwork_contract::Str;
use rusqlite::{Connection, params};

use super::Record;
use super::error::RecordError;

/// A public key that the data key can be wrapped for: X25519 of age, `ssh-ed25519` or `ssh-rsa`.
#[derive(Clone)]
pub struct Recipient {
    /// The key alone, in the one form that each kind has.
    key: Str,
    /// What stands behind an SSH key: whose it is.
    name: Str,
    public: Public,
}

#[derive(Clone)]
enum Public {
    Age(age::x25519::Recipient),
    Ssh(age::ssh::Recipient),
}

/// Why a text is not a recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotARecipient(String);

/// The data key, encrypted by age for one recipient.
pub(super) struct Wrapped {
    pub recipient: Str,
    pub body: Vec<u8>,
}

impl Recipient {
    /// The public key: `age1...`, `ssh-ed25519 AAAA...`, `ssh-rsa AAAA...`.
    pub fn key(&self) -> &Str {
        &self.key
    }

    /// What it is called; empty where nothing was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn of_age(public: age::x25519::Recipient) -> Self {
        Self { key: public.to_string().into(), name: Str::default(), public: Public::Age(public) }
    }

    pub(super) fn of_ssh(public: age::ssh::Recipient) -> Self {
        Self { key: public.to_string().into(), name: Str::default(), public: Public::Ssh(public) }
    }

    fn wrap(&self, data_key: &[u8]) -> Result<Vec<u8>, RecordError> {
        let wrapped = match &self.public {
            Public::Age(public) => age::encrypt(public, data_key),
            Public::Ssh(public) => age::encrypt(public, data_key),
        };
        wrapped.map_err(|error| RecordError::Unwrappable { recipient: self.to_string(), problem: error.to_string() })
    }
}

impl FromStr for Recipient {
    type Err = NotARecipient;

    /// A line as `age-keygen` and `ssh-keygen` print public keys, with a comment behind an SSH key or without.
    fn from_str(text: &str) -> Result<Self, NotARecipient> {
        let text = text.trim();
        if text.starts_with("age1") {
            let public: age::x25519::Recipient =
                text.parse().map_err(|_| NotARecipient("it is not a public key of age that is known here".into()))?;
            return Ok(Self::of_age(public));
        }
        if text.starts_with("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY") {
            return Err(NotARecipient("it is a private key, and only the public one belongs here".into()));
        }
        let mut words = text.split_whitespace();
        let (Some(kind), Some(body)) = (words.next(), words.next()) else {
            return Err(NotARecipient("it begins neither with `age1` nor with the type of an SSH key".into()));
        };
        if !matches!(kind, "ssh-ed25519" | "ssh-rsa") {
            return Err(NotARecipient(format!("keys of the type `{kind}` cannot encrypt")));
        }
        let public: age::ssh::Recipient =
            format!("{kind} {body}").parse().map_err(|error| NotARecipient(problem(&error).into()))?;
        let name = words.collect::<Vec<_>>().join(" ").into();
        Ok(Self { name, ..Self::of_ssh(public) })
    }
}

fn problem(error: &age::ssh::ParseRecipientKeyError) -> &'static str {
    use age::ssh::ParseRecipientKeyError as Error;
    match error {
        Error::RsaModulusTooLarge => "its modulus is longer than 4096 bits",
        Error::RsaModulusTooSmall => "its modulus is shorter than 2048 bits",
        _ => "it is not a whole public key of SSH",
    }
}

impl PartialEq for Recipient {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Recipient {}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if self.name.is_empty() { Ok(()) } else { write!(f, " {}", self.name) }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Record {
    /// Whom the data key is wrapped for, in the order of their keys.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn recipients(&self) -> Result<Vec<Recipient>, RecordError> {
        self.read(recipients)
    }
}

pub(super) fn recipients(connection: &Connection) -> Result<Vec<Recipient>, RecordError> {
    let mut statement = connection.prepare_cached("SELECT recipient, name FROM keys ORDER BY recipient")?;
    let mut rows = statement.query([])?;
    let mut recipients = Vec::new();
    while let Some(row) = rows.next()? {
        let recipient: Recipient = row.get_ref(0)?.as_str()?.parse().map_err(RecordError::corrupt)?;
        recipients.push(Recipient { name: row.get_ref(1)?.as_str()?.into(), ..recipient });
    }
    Ok(recipients)
}

/// The wrapped data key of each recipient.
pub(super) fn wrapped(connection: &Connection) -> Result<Vec<Wrapped>, RecordError> {
    let mut statement = connection.prepare_cached("SELECT recipient, wrapped FROM keys ORDER BY recipient")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| row.map(|(recipient, body)| Wrapped { recipient: recipient.into(), body }))
        .collect::<Result<_, _>>()
        .map_err(RecordError::from)
}

/// Wraps the data key for these recipients, and unmakes what it was wrapped for before.
pub(super) fn replace(connection: &Connection, recipients: &[Recipient], data_key: &[u8]) -> Result<(), RecordError> {
    connection.execute("DELETE FROM keys", [])?;
    let mut insert = connection.prepare_cached("INSERT INTO keys (recipient, wrapped, name) VALUES (?1, ?2, ?3)")?;
    for recipient in recipients {
        insert.execute(params![&*recipient.key, recipient.wrap(data_key)?, &*recipient.name])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOv/MWV1d0LxPTEQG+tsWhlkSriD4NJAyBu3eH5i/BYM";

    #[test]
    fn a_recipient_is_known_by_its_key_whatever_it_is_called() {
        let named: Recipient = format!("  {ED25519}   ada@desk \n").parse().expect("a recipient");
        assert_eq!((named.key().as_ref(), named.name()), (ED25519, "ada@desk"));
        assert_eq!(named, ED25519.parse().expect("a recipient"));
        assert_eq!(named.to_string(), format!("{ED25519} ada@desk"));
    }

    #[test]
    fn what_is_no_recipient_is_told_apart() {
        for (text, why) in [
            ("age1zzz", "not a public key of age"),
            ("AGE-SECRET-KEY-1QQQ", "private key"),
            ("-----BEGIN OPENSSH PRIVATE KEY-----", "private key"),
            ("ecdsa-sha2-nistp256 AAAA", "cannot encrypt"),
            ("ssh-ed25519 AAAA", "not a whole public key"),
            ("nonsense", "begins neither"),
        ] {
            let told = text.parse::<Recipient>().expect_err(text).to_string();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
