//! The private keys of whoever opens a record: age identities and SSH keys, from files.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::{ExposeSecret, SecretString};

use super::error::RecordError;
use super::recipient::{Recipient, Wrapped};

/// Asks a person for the passphrase of a key file; `None` where nobody answers.
pub type AskPassphrase = Arc<dyn Fn(&Path) -> Option<String> + Send + Sync>;

/// Where private keys are found.
#[derive(Clone)]
pub struct Keys {
    /// The age identity file of the project. It is made, for its owner only, when nothing else is given, it does not
    /// exist and the record is new.
    pub own: PathBuf,
    /// Further files: age identities, or SSH private keys. These must be there.
    pub given: Vec<PathBuf>,
    /// Without it, encrypted SSH keys stay closed.
    pub ask: Option<AskPassphrase>,
}

/// A private key, which may still be closed by a passphrase.
enum Identity {
    Age(Box<age::x25519::Identity>),
    Ssh { key: Box<age::ssh::Identity>, path: PathBuf },
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("own", &self.own).field("given", &self.given).finish_non_exhaustive()
    }
}

impl Keys {
    /// The project's identity file alone.
    pub fn in_file(own: impl Into<PathBuf>) -> Self {
        Self { own: own.into(), given: Vec::new(), ask: None }
    }

    /// The public keys of all that is at hand. No passphrase is needed for that.
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn recipients(&self) -> Result<Vec<Recipient>, RecordError> {
        Ok(self.identities()?.iter().filter_map(Identity::recipient).collect())
    }

    /// The public key for a new record: of the first file that is given, or of the project's, which is made where
    /// there is none.
    pub(super) fn own_or_new(&self) -> Result<Recipient, RecordError> {
        if self.given.is_empty() && !self.own.exists() {
            write_identity(&self.own)?;
        }
        let at_hand = self.recipients()?;
        at_hand.into_iter().next().ok_or_else(|| unusable(&self.own, "it was removed while it was made"))
    }

    /// The data key, opened by whichever identity it is wrapped for.
    pub(super) fn unwrap(&self, wrapped: &[Wrapped]) -> Result<Vec<u8>, RecordError> {
        let identities = self.identities()?;
        let recipient = wrapped.iter().map(|wrapped| &*wrapped.recipient).collect::<Vec<_>>().join("`, `");
        let path = self.given.first().unwrap_or(&self.own).clone();
        if identities.is_empty() {
            return Err(RecordError::MissingIdentity { path, recipient });
        }
        let mut closed = None;
        for identity in &identities {
            let Some(public) = identity.recipient() else { continue };
            let Some(for_it) = wrapped.iter().find(|wrapped| wrapped.recipient == *public.key()) else { continue };
            match identity.decrypt(&for_it.body, self.ask.as_ref()) {
                Ok(data_key) => return Ok(data_key),
                Err(error) => closed = Some(error),
            }
        }
        Err(closed.unwrap_or(RecordError::WrongIdentity { path, recipient }))
    }

    /// What was given first goes before the project's own.
    fn identities(&self) -> Result<Vec<Identity>, RecordError> {
        let mut identities = Vec::new();
        for path in &self.given {
            let found = read_identities(path)?;
            identities.extend(found.ok_or_else(|| unusable(path, "there is no such file"))?);
        }
        identities.extend(read_identities(&self.own)?.into_iter().flatten());
        Ok(identities)
    }
}

impl Identity {
    fn recipient(&self) -> Option<Recipient> {
        match self {
            Self::Age(identity) => Some(Recipient::of_age(identity.to_public())),
            Self::Ssh { key, .. } => age::ssh::Recipient::try_from((**key).clone()).ok().map(Recipient::of_ssh),
        }
    }

    fn decrypt(&self, wrapped: &[u8], ask: Option<&AskPassphrase>) -> Result<Vec<u8>, RecordError> {
        match self {
            Self::Age(identity) => age::decrypt(&**identity, wrapped)
                .map_err(|error| RecordError::corrupt(format!("its data key: {error}"))),
            Self::Ssh { key, path } => {
                let Some(ask) = ask else {
                    return age::decrypt(&**key, wrapped).map_err(|_| locked(path));
                };
                let asking = Asking { ask: Arc::clone(ask), path: path.clone() };
                age::decrypt(&(**key).clone().with_callbacks(asking), wrapped).map_err(|_| locked(path))
            }
        }
    }
}

/// Answers what age asks while it opens a key file.
#[derive(Clone)]
struct Asking {
    ask: AskPassphrase,
    path: PathBuf,
}

impl age::Callbacks for Asking {
    fn display_message(&self, _message: &str) {}

    fn confirm(&self, _message: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _description: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, _description: &str) -> Option<SecretString> {
        (self.ask)(&self.path).map(SecretString::from)
    }
}

fn locked(path: &Path) -> RecordError {
    RecordError::LockedIdentity { path: path.to_owned() }
}

fn unusable(path: &Path, problem: impl ToString) -> RecordError {
    RecordError::UnusableIdentity { path: path.to_owned(), problem: problem.to_string() }
}

/// The identities of a file as `age-keygen` or `ssh-keygen` writes it; `None` where there is no file.
fn read_identities(path: &Path) -> Result<Option<Vec<Identity>>, RecordError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, error)),
    };
    if text.trim_start().starts_with("-----BEGIN") {
        return Ok(Some(vec![ssh_identity(path, &text)?]));
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parsed = lines.map(|line| line.parse::<age::x25519::Identity>().map_err(|problem| unusable(path, problem)));
    let identities: Vec<Identity> =
        parsed.map(|parsed| Ok(Identity::Age(Box::new(parsed?)))).collect::<Result<_, RecordError>>()?;
    if identities.is_empty() {
        return Err(unusable(path, "it holds no identity"));
    }
    Ok(Some(identities))
}

fn ssh_identity(path: &Path, text: &str) -> Result<Identity, RecordError> {
    let key =
        age::ssh::Identity::from_buffer(text.trim_start().as_bytes(), None).map_err(|error| unusable(path, error))?;
    match key {
        age::ssh::Identity::Unsupported(_) => Err(unusable(path, "only Ed25519 and RSA keys of SSH can decrypt")),
        key => Ok(Identity::Ssh { key: Box::new(key), path: path.to_owned() }),
    }
}

/// Writes a new identity that only its owner may read. One that another process wrote meanwhile stays.
fn write_identity(path: &Path) -> Result<(), RecordError> {
    let identity = age::x25519::Identity::generate();
    let text = format!("# public key: {}\n{}\n", identity.to_public(), identity.to_string().expose_secret());
    let write = || -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            opened => opened?,
        };
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| unusable(path, error))
}
