//! Hashes again what is in the store.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};

use formwork_contract::Str;
use sha2::{Digest as _, Sha256};

use super::Meter;
use super::digest::Digest;
use super::error::StoreError;
use super::store::{Entry, Store};

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Blobs that are what their names say, and how many bytes they have.
    pub sound: usize,
    pub bytes: u64,
    pub damaged: Vec<Damage>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The blob's digest, or the name of a file that is none.
    pub blob: Str,
    pub problem: String,
    /// The artifacts that it is a part of, as people know them.
    pub artifacts: Vec<Str>,
}

/// Hashes every blob of the store, and looks whether any is missing.
///
/// # Errors
/// The store is not there, or its index cannot be read.
pub fn verify(store: &Store, meter: &dyn Meter) -> Result<Verified, StoreError> {
    if !store.exists() {
        return Err(StoreError::NoStore { path: store.root().to_owned() });
    }
    let mut parts = Parts::default();
    for entry in store.entries()? {
        parts.of(store, &entry);
    }
    let mut verified = Verified { damaged: parts.unreadable, ..Verified::default() };
    let mut present = BTreeSet::new();
    let folder = store.blobs();
    let listed = fs::read_dir(&folder).map_err(|error| StoreError::read(&folder, &error))?;
    let mut names: Vec<String> =
        listed.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in names {
        match name.parse::<Digest>() {
            Ok(digest) if digest.hex() == name => {
                let artifacts = parts.users.get(&digest).cloned().unwrap_or_default();
                hash(store, &digest, artifacts, meter, &mut verified);
                present.insert(digest);
            }
            _ => verified.damaged.push(Damage {
                blob: name.as_str().into(),
                problem: "its name is no digest".into(),
                artifacts: Vec::new(),
            }),
        }
    }
    for (digest, artifacts) in parts.users.into_iter().filter(|(digest, _)| !present.contains(digest)) {
        verified.damaged.push(Damage { blob: digest.id(), problem: "it is missing".into(), artifacts });
    }
    verified.damaged.dedup();
    Ok(verified)
}

/// Hashes the parts of some artifacts; `called` is what a person calls each.
///
/// # Errors
/// The index cannot be read.
pub fn verify_only(store: &Store, digests: &[(Str, Digest)], meter: &dyn Meter) -> Result<Verified, StoreError> {
    let mut parts = Parts::default();
    let mut verified = Verified::default();
    for (called, digest) in digests {
        match store.locate(digest)? {
            Some(entry) => parts.called(store, &entry, called),
            None => verified.damaged.push(Damage {
                blob: digest.id(),
                problem: "it is missing".into(),
                artifacts: vec![called.clone()],
            }),
        }
    }
    verified.damaged.append(&mut parts.unreadable);
    for (digest, artifacts) in parts.users {
        hash(store, &digest, artifacts, meter, &mut verified);
    }
    Ok(verified)
}

/// The blobs of artifacts, and what uses each.
#[derive(Default)]
struct Parts {
    users: BTreeMap<Digest, Vec<Str>>,
    unreadable: Vec<Damage>,
}

impl Parts {
    fn of(&mut self, store: &Store, entry: &Entry) {
        let called = entry.name.clone().or_else(|| entry.origin.clone()).unwrap_or_else(|| entry.facts.digest.id());
        self.called(store, entry, &called);
    }

    fn called(&mut self, store: &Store, entry: &Entry, called: &Str) {
        let users = &mut self.users;
        let walked = store.walk(entry, &mut |_, digest| {
            let all = users.entry(digest.clone()).or_default();
            if !all.contains(called) {
                all.push(called.clone());
            }
            Ok(())
        });
        // A manifest that is damaged or missing shows when it is hashed; one that is wrong in itself does not.
        if let Err(StoreError::BadLayout { problem, .. }) = walked {
            self.unreadable.push(Damage {
                blob: entry.manifest.id(),
                problem: format!("it cannot be understood: {problem}"),
                artifacts: vec![called.clone()],
            });
        }
    }
}

fn hash(store: &Store, digest: &Digest, artifacts: Vec<Str>, meter: &dyn Meter, verified: &mut Verified) {
    let problem = match hashed(store, digest, meter) {
        Ok((found, bytes)) if found == *digest => {
            verified.sound += 1;
            verified.bytes += bytes;
            return;
        }
        Ok((found, _)) => format!("its bytes have the digest {found}"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "it is missing".into(),
        Err(error) => format!("it cannot be read: {error}"),
    };
    verified.damaged.push(Damage { blob: digest.id(), problem, artifacts });
}

fn hashed(store: &Store, digest: &Digest, meter: &dyn Meter) -> io::Result<(Digest, u64)> {
    let mut file = File::open(store.blob(digest))?;
    let total = file.metadata()?.len();
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((Digest::of(&hasher.finalize()), done)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                done += count as u64;
                meter.moved(digest.short(), done, Some(total));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
