//! Checksums of packages: `h1:` over what is in one, `zh:` over its archive.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use formwork_contract::Str;
use sha2::{Digest, Sha256};

/// How many bytes are hashed at once.
const BUFFER: usize = 1 << 16;

/// A checksum with its scheme in front, as lock files hold it. Schemes that are not known are kept, and match nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageHash(Str);

/// A text is no checksum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a checksum: it must be SCHEME:DIGEST, such as `h1:...`")]
pub struct ParseHashError(String);

impl PackageHash {
    /// Of the content of a package that is unpacked: the SHA-256 of a list of the SHA-256 of each file
    /// (golang.org/x/mod/sumdb/dirhash, Hash1).
    ///
    /// # Errors
    /// A file cannot be read, or its name cannot be listed.
    pub fn of_folder(folder: &Path) -> io::Result<Self> {
        let mut list = ContentHash::default();
        for name in files(folder)? {
            list.add(&name, &mut File::open(folder.join(&name))?)?;
        }
        list.finish()
    }

    /// Of an archive as it is, from its SHA-256.
    pub fn of_archive(sha256: &[u8; 32]) -> Self {
        let digits: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("zh:{digits}").into())
    }

    /// Of an archive file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of_archive_file(archive: &Path) -> io::Result<Self> {
        Ok(Self::of_archive(&sha256(&mut File::open(archive)?)?))
    }
}

impl FromStr for PackageHash {
    type Err = ParseHashError;

    fn from_str(text: &str) -> Result<Self, ParseHashError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte);
        match text.split_once(':') {
            Some((scheme, digest)) if !scheme.is_empty() && !digest.is_empty() => {
                let sound = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) && digest.bytes().all(known);
                sound.then(|| Self(text.into())).ok_or_else(|| ParseHashError(text.to_owned()))
            }
            _ => Err(ParseHashError(text.to_owned())),
        }
    }
}

impl fmt::Display for PackageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes an `h1:` of files that are given one after another.
#[derive(Debug, Default)]
pub(super) struct ContentHash(Vec<(String, [u8; 32])>);

impl ContentHash {
    /// `name` has slashes between its parts.
    pub(super) fn add(&mut self, name: &str, content: &mut impl Read) -> io::Result<()> {
        if name.contains('\n') {
            return Err(io::Error::other("the name of a file in a package holds a line break"));
        }
        let digest = sha256(content)?;
        self.0.push((name.to_owned(), digest));
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<PackageHash> {
        self.0.sort();
        let mut whole = Sha256::new();
        for (name, digest) in &self.0 {
            let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            whole.update(format!("{digits}  {name}\n"));
        }
        Ok(PackageHash(format!("h1:{}", BASE64.encode(whole.finalize())).into()))
    }
}

/// The SHA-256 of all that is left to read.
pub(super) fn sha256(content: &mut impl Read) -> io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(hasher.finalize().into()),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// All files below a folder, relative to it, with slashes, sorted.
pub(super) fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let name = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(name);
                continue;
            }
            let parts: Option<Vec<&str>> = name.iter().map(|part| part.to_str()).collect();
            found.push(parts.ok_or_else(|| io::Error::other("the name of a file is not UTF-8"))?.join("/"));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_hash_is_over_a_sorted_list() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("b"))?;
        fs::write(folder.path().join("b/c"), "two")?;
        fs::write(folder.path().join("a"), "one")?;
        let digits = |text: &str| -> String { Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect() };
        let list = format!("{}  a\n{}  b/c\n", digits("one"), digits("two"));
        let expected = format!("h1:{}", BASE64.encode(Sha256::digest(list)));
        assert_eq!(PackageHash::of_folder(folder.path())?.to_string(), expected);
        Ok(())
    }

    #[test]
    fn a_checksum_has_a_scheme() {
        assert!("h1:aGk=".parse::<PackageHash>().is_ok());
        for text in ["h1", "h1:", ":aGk=", "h1:a\"b", "h 1:a"] {
            assert!(text.parse::<PackageHash>().is_err(), "`{text}` was taken");
        }
    }
}
