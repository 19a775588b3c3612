//! Signatures of exceptions: who signed, by the keys in OpenSSH's `allowed_signers`.

use formwork_contract::Str;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

/// Somebody who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The first principal that the key is allowed for.
    pub name: Str,
    /// `SHA256:...`
    pub fingerprint: Str,
}

/// Why something cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("the key has a passphrase")]
    Encrypted,
    #[error(transparent)]
    Key(#[from] ssh_key::Error),
}

/// Makes a detached signature, armored.
///
/// # Errors
/// The key cannot sign.
pub fn sign(key: &PrivateKey, namespace: &str, bytes: &[u8]) -> Result<String, SignError> {
    if key.is_encrypted() {
        return Err(SignError::Encrypted);
    }
    Ok(key.sign(namespace, HashAlg::Sha512, bytes)?.to_pem(LineEnding::LF)?)
}

/// Says who signed these bytes, at a time in milliseconds since the Unix epoch.
///
/// # Errors
/// Why the signature does not count, as the rest of a sentence.
pub fn verify(
    allowed_signers: &str,
    namespace: &str,
    bytes: &[u8],
    armored: &[u8],
    now_ms: i64,
) -> Result<Signer, String> {
    let signature = SshSig::from_pem(armored).map_err(|_| "it is not an SSH signature".to_owned())?;
    if signature.namespace() != namespace {
        return Err(format!("it is for `{}`, and `{namespace}` is needed", signature.namespace()));
    }
    let key = PublicKey::from(signature.public_key().clone());
    let fingerprint: Str = key.fingerprint(HashAlg::Sha256).to_string().into();
    key.verify(namespace, bytes, &signature).map_err(|_| "it is not of this text, or was altered".to_owned())?;
    let lines = allowed_signers.lines().filter_map(Line::read);
    let mut why = format!("the key {fingerprint} is not among the allowed signers");
    for line in lines.filter(|line| line.key.key_data() == key.key_data()) {
        match line.refuses(namespace, now_ms.div_euclid(1000)) {
            None => return Ok(Signer { name: line.name, fingerprint }),
            Some(refusal) => why = refusal,
        }
    }
    Err(why)
}

/// A line of `allowed_signers`.
struct Line {
    name: Str,
    namespaces: Option<String>,
    /// Seconds since the Unix epoch.
    after: Option<i64>,
    before: Option<i64>,
    key: PublicKey,
}

impl Line {
    /// `None` for comments, for authorities of certificates, and for what cannot be read.
    fn read(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        let words = words(line);
        let (principals, rest) = words.split_first()?;
        let key_at = rest.iter().position(|word| is_key_type(word))?;
        let (options, key) = rest.split_at(key_at);
        let mut read = Self {
            name: principals.split([',', '\u{1f}']).next()?.into(),
            namespaces: None,
            after: None,
            before: None,
            key: PublicKey::from_openssh(&key.get(..2)?.join(" ")).ok()?,
        };
        for option in options.iter().flat_map(|options| separated(options)) {
            let (name, value) = option.split_once('=').unwrap_or((&option, ""));
            match name.to_ascii_lowercase().as_str() {
                "namespaces" => read.namespaces = Some(value.to_owned()),
                "valid-after" => read.after = Some(seconds(value)?),
                "valid-before" => read.before = Some(seconds(value)?),
                _ => return None,
            }
        }
        Some(read)
    }

    fn refuses(&self, namespace: &str, now_s: i64) -> Option<String> {
        let allowed = |listed: &String| listed.split(',').any(|listed| listed == namespace || listed == "*");
        if self.namespaces.as_ref().is_some_and(|listed| !allowed(listed)) {
            return Some(format!("{} may not sign for `{namespace}`", self.name));
        }
        if self.after.is_some_and(|after| now_s < after) {
            return Some(format!("the key of {} is not valid yet", self.name));
        }
        if self.before.is_some_and(|before| now_s > before) {
            return Some(format!("the key of {} is no longer valid", self.name));
        }
        None
    }
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start))
}

/// Words apart by spaces, without the quotes around parts of them; spaces within quotes do not count.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for char in line.chars() {
        match char {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => words.push(String::new()),
            // A comma in quotes does not end an option.
            ',' if quoted => words.last_mut().into_iter().for_each(|word| word.push('\u{1f}')),
            char => words.last_mut().into_iter().for_each(|word| word.push(char)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn separated(options: &str) -> impl Iterator<Item = String> + '_ {
    options.split(',').map(|option| option.replace('\u{1f}', ","))
}

/// `YYYYMMDD[HHMM[SS]][Z]`, in UTC.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z').unwrap_or(text);
    if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<i8>().ok());
    let year = digits.get(..4)?.parse().ok()?;
    let time = DateTime::new(year, number(4, 6)?, number(6, 8)?, number(8, 10)?, number(10, 12)?, number(12, 14)?, 0);
    Some(time.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}
