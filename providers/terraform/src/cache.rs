//! What plugins offer, kept between runs by the digest of their binary.
//!
//! ```text
//! CACHE/schemas/v1/SHA256-OF-BINARY       the digest of what follows, and the message with the schema
//! CACHE/digests/v1/SHA256-OF-PATH         size and time of a binary, and its digest
//! ```
//!
//! An entry that cannot be read is as good as none. Scripts are not kept: what they offer may come from
//! other files.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use prost::Message;
use sha2::{Digest, Sha256};

use crate::proto::v6::GetProviderSchemaResponse;

/// What a script begins with.
const SCRIPT: &[u8] = b"#!";
/// A binary that was changed this lately, in seconds, may change again within the same tick of its file system's clock.
const SETTLED: u64 = 2;

/// A folder of schemas. Its methods block.
#[derive(Clone, Debug)]
pub(crate) struct SchemaCache {
    dir: PathBuf,
}

/// Names a binary by what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BinaryDigest(String);

impl SchemaCache {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// The digest of a binary; `None` where it is a script, or cannot be read.
    pub(crate) fn digest(&self, binary: &Path) -> Option<BinaryDigest> {
        let stamp = Stamp::of(binary)?;
        let entry = self.dir.join("digests/v1").join(hex(&Sha256::digest(binary.as_os_str().as_bytes())));
        if let Some(digest) = fs::read_to_string(&entry).ok().and_then(|text| stamp.digest_in(&text)) {
            return Some(digest);
        }
        let digest = digest_of(binary).ok().flatten()?;
        if stamp.is_settled() {
            // Not to be kept is no mistake: it is made again.
            let _ = write(&entry, stamp.with(&digest).as_bytes());
        }
        Some(digest)
    }

    /// The message that was kept for a binary.
    pub(crate) fn load(&self, digest: &BinaryDigest) -> Option<GetProviderSchemaResponse> {
        let bytes = fs::read(self.entry(digest)).ok()?;
        let (sum, message) = bytes.split_at_checked(Sha256::output_size())?;
        (*sum == *Sha256::digest(message)).then(|| GetProviderSchemaResponse::decode(message).ok())?
    }

    /// Keeps a message.
    pub(crate) fn store(&self, digest: &BinaryDigest, response: &GetProviderSchemaResponse) -> io::Result<()> {
        let message = response.encode_to_vec();
        let mut bytes = Sha256::digest(&message).to_vec();
        bytes.extend(message);
        write(&self.entry(digest), &bytes)
    }

    fn entry(&self, digest: &BinaryDigest) -> PathBuf {
        self.dir.join("schemas/v1").join(&digest.0)
    }
}

/// What shows without reading it that a binary is the one from before.
struct Stamp {
    size: u64,
    /// Nanoseconds since the Unix epoch.
    modified: u128,
    age: u64,
}

impl Stamp {
    fn of(binary: &Path) -> Option<Self> {
        let metadata = fs::metadata(binary).ok()?;
        let modified = metadata.modified().ok()?;
        Some(Self {
            size: metadata.len(),
            modified: modified.duration_since(UNIX_EPOCH).ok()?.as_nanos(),
            age: modified.elapsed().map_or(0, |age| age.as_secs()),
        })
    }

    fn is_settled(&self) -> bool {
        self.age >= SETTLED
    }

    fn with(&self, digest: &BinaryDigest) -> String {
        format!("{} {} {}", self.size, self.modified, digest.0)
    }

    fn digest_in(&self, text: &str) -> Option<BinaryDigest> {
        let digest = BinaryDigest(text.rsplit(' ').next()?.to_owned());
        let whole = digest.0.len() == 2 * Sha256::output_size() && digest.0.bytes().all(|b| b.is_ascii_hexdigit());
        (whole && self.with(&digest) == text).then_some(digest)
    }
}

/// The SHA-256 of a program, in hexadecimal, by way of the cache where there is one; `None` where it cannot be read.
pub(crate) fn digest_of_program(program: &Path, cache_dir: Option<PathBuf>) -> Option<String> {
    if let Some(BinaryDigest(digest)) = cache_dir.and_then(|dir| SchemaCache::new(dir).digest(program)) {
        return Some(digest);
    }
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(program).ok()?, &mut hasher).ok()?;
    Some(hex(&hasher.finalize()))
}

/// `None` for a script.
fn digest_of(binary: &Path) -> io::Result<Option<BinaryDigest>> {
    let mut file = File::open(binary)?;
    let mut hasher = Sha256::new();
    let mut start = Vec::new();
    (&mut file).take(SCRIPT.len() as u64).read_to_end(&mut start)?;
    if start == SCRIPT {
        return Ok(None);
    }
    hasher.update(&start);
    io::copy(&mut file, &mut hasher)?;
    Ok(Some(BinaryDigest(hex(&hasher.finalize()))))
}

/// Writes a file so that it is there wholly or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let mut file = tempfile::Builder::new().prefix(OsStr::new(".new-")).tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use tempfile::TempDir;

    use super::*;
    use crate::proto::ServerCapabilities;

    struct Case {
        dir: TempDir,
        cache: SchemaCache,
    }

    impl Case {
        fn new() -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let cache = SchemaCache::new(dir.path().join("cache"));
            Self { dir, cache }
        }

        /// A binary that was written an hour ago.
        fn binary(&self, content: &str) -> PathBuf {
            let path = self.dir.path().join("plugin");
            fs::write(&path, content).expect("a file");
            self.age(&path, 3600);
            path
        }

        fn age(&self, path: &Path, seconds: u64) {
            let file = File::options().write(true).open(path).expect("a file");
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).expect("a time");
        }

        fn entries(&self, kind: &str) -> Vec<PathBuf> {
            let files = fs::read_dir(self.dir.path().join("cache").join(kind).join("v1")).into_iter().flatten();
            files.map(|file| file.expect("a file").path()).collect()
        }
    }

    fn schema() -> GetProviderSchemaResponse {
        let server_capabilities = Some(ServerCapabilities { plan_destroy: true, ..ServerCapabilities::default() });
        GetProviderSchemaResponse { server_capabilities, ..GetProviderSchemaResponse::default() }
    }

    #[test]
    fn what_was_stored_is_loaded_for_the_same_content_alone() {
        let case = Case::new();
        let binary = case.binary("one");
        let digest = case.cache.digest(&binary).expect("a digest");
        assert_eq!(case.cache.load(&digest), None);
        case.cache.store(&digest, &schema()).expect("stored");
        assert_eq!(case.cache.load(&digest), Some(schema()));
        case.binary("two, a newer version");
        let other = case.cache.digest(&binary).expect("a digest");
        assert_ne!(other, digest);
        assert_eq!(case.cache.load(&other), None);
    }

    #[test]
    fn a_damaged_entry_is_as_good_as_none() {
        let case = Case::new();
        let digest = case.cache.digest(&case.binary("one")).expect("a digest");
        case.cache.store(&digest, &schema()).expect("stored");
        let [entry] = &case.entries("schemas")[..] else { panic!("one entry") };
        let whole = fs::read(entry).expect("bytes");
        for damaged in [&whole[..whole.len() - 1], &whole[..10], &[], &[&whole[..], b"\0"].concat()] {
            fs::write(entry, damaged).expect("written");
            assert_eq!(case.cache.load(&digest), None);
        }
    }

    #[test]
    fn a_binary_is_not_read_again_until_it_changes() {
        let case = Case::new();
        let binary = case.binary("one");
        let digest = case.cache.digest(&binary).expect("a digest");
        let [entry] = &case.entries("digests")[..] else { panic!("one entry") };
        let kept = fs::read_to_string(entry).expect("text");
        let other = BinaryDigest("f".repeat(64));
        fs::write(entry, kept.replace(&digest.0, &other.0)).expect("written");
        assert_eq!(case.cache.digest(&binary), Some(other), "the entry is believed");
        case.age(&binary, 1800);
        assert_eq!(case.cache.digest(&binary), Some(digest), "the time changed");
    }

    #[test]
    fn what_may_change_unseen_is_read_each_time() {
        let case = Case::new();
        let binary = case.binary("one");
        case.age(&binary, 0);
        assert!(case.cache.digest(&binary).is_some());
        assert!(case.entries("digests").is_empty(), "a binary that was just written");
        assert_eq!(case.cache.digest(&case.binary("#!/bin/sh\n")), None, "a script");
        assert_eq!(case.cache.digest(Path::new("/nowhere/at/all")), None);
    }
}
