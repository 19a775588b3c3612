//! Where the store is, and what is in it.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use formwork_contract::Str;
use serde::de::DeserializeOwned;

use super::digest::Digest;
use super::error::StoreError;
use super::kind::{ArtifactKind, Facts};
use super::layout::{self, Descriptor, INDEX_FILE, Index, LARGEST_DOCUMENT, REF_NAME, children};
use super::lock::{self, InUse, StoreLock};

/// Our own folder in the store, which no other tool looks at.
pub(super) const OWN_FOLDER: &str = "formwork";

const KIND: &str = "formwork.kind";
const DIGEST: &str = "formwork.digest";
const SIZE: &str = "formwork.size";
const ORIGIN: &str = "formwork.origin";

/// A store on this machine. Nothing is made before something is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

/// An artifact in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `None` for one that a newer one took the name of, and for one that a plan took from the repository.
    pub name: Option<Str>,
    pub facts: Facts,
    /// Of what `index.json` points to: the manifest that names its parts.
    pub manifest: Digest,
    /// Where in the repository a plan took it from.
    pub origin: Option<Str>,
    pub(super) manifest_type: Str,
    /// In bytes.
    pub(super) manifest_size: u64,
}

impl Entry {
    /// Whether one of these digests means it: of its content, or of its manifest.
    pub fn is_among(&self, digests: &BTreeSet<Digest>) -> bool {
        digests.contains(&self.facts.digest) || digests.contains(&self.manifest)
    }

    /// As `index.json` has it.
    pub(super) fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::new(&self.manifest_type, &self.manifest, self.manifest_size)
            .annotated(KIND, self.facts.kind.as_str())
            .annotated(DIGEST, &self.facts.digest.to_string())
            .annotated(SIZE, &self.facts.size.to_string());
        if let Some(name) = &self.name {
            descriptor = descriptor.annotated(REF_NAME, name);
        }
        match &self.origin {
            Some(origin) => descriptor.annotated(ORIGIN, origin),
            None => descriptor,
        }
    }
}

impl Store {
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn exists(&self) -> bool {
        self.root.join(INDEX_FILE).is_file()
    }

    pub(super) fn own(&self) -> PathBuf {
        self.root.join(OWN_FOLDER)
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.root.join("blobs/sha256")
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs().join(digest.hex())
    }

    /// Keeps the store as it is, apart from what is added.
    ///
    /// # Errors
    /// It is being collected.
    pub fn in_use(&self, patience: Duration) -> Result<InUse, StoreError> {
        lock::share(&self.own(), patience)
    }

    /// Keeps everybody else out.
    ///
    /// # Errors
    /// Somebody uses it, or it cannot be written.
    pub fn alone(&self, patience: Duration) -> Result<StoreLock, StoreError> {
        // Another tool may have made the store.
        fs::create_dir_all(self.own()).map_err(|error| StoreError::write(&self.own(), &error))?;
        lock::alone(&self.own(), patience)
    }

    /// Everything in it, by name; what has no name comes last.
    ///
    /// # Errors
    /// Its index cannot be read. A store that does not exist is empty.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        let mut entries: Vec<Entry> =
            self.index()?.manifests.iter().map(|descriptor| self.entry(descriptor)).collect::<Result<_, _>>()?;
        let key = |entry: &Entry| (entry.name.is_none(), entry.name.clone(), entry.facts.digest.clone());
        entries.sort_by_key(key);
        Ok(entries)
    }

    /// What is known of the artifact that a digest names: of its content, or of its manifest.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find(&self, digest: &Digest) -> Result<Option<Facts>, StoreError> {
        Ok(self.locate(digest)?.map(|entry| entry.facts))
    }

    /// What a name stands for.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn named(&self, name: &str) -> Result<Option<Facts>, StoreError> {
        let index = self.index()?;
        let found = index.manifests.iter().find(|descriptor| descriptor.annotation(REF_NAME) == Some(name));
        found.map(|descriptor| Ok(self.entry(descriptor)?.facts)).transpose()
    }

    /// Whether an artifact is there, with all its parts, as long as they should be; nothing is hashed.
    ///
    /// # Errors
    /// The first part that is not, or an index that cannot be read.
    pub fn is_whole(&self, digest: &Digest) -> Result<bool, StoreError> {
        match self.locate(digest)? {
            Some(entry) => self.has_parts_of(&entry).map(|()| true),
            None => Ok(false),
        }
    }

    /// The same of an artifact that is listed.
    ///
    /// # Errors
    /// The first part that is not there or has another length.
    pub fn has_parts_of(&self, entry: &Entry) -> Result<(), StoreError> {
        self.walk(entry, &mut |descriptor, digest| {
            let found = fs::metadata(self.blob(digest)).map(|metadata| metadata.len());
            match found {
                Ok(found) if found == descriptor.size => Ok(()),
                Ok(found) => Err(StoreError::OtherSize {
                    what: format!("the blob `{digest}` of the store"),
                    wanted: descriptor.size,
                    found,
                }),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(StoreError::Absent { what: format!("the blob `{digest}`"), path: self.root.clone() })
                }
                Err(error) => Err(StoreError::read(&self.blob(digest), &error)),
            }
        })
    }

    pub(super) fn locate(&self, digest: &Digest) -> Result<Option<Entry>, StoreError> {
        let (text, index) = (digest.to_string(), self.index()?);
        let found = index
            .manifests
            .iter()
            .find(|descriptor| descriptor.annotation(DIGEST) == Some(&*text) || descriptor.digest == text);
        found.map(|descriptor| self.entry(descriptor)).transpose()
    }

    pub(super) fn index(&self) -> Result<Index, StoreError> {
        match document(&self.root.join(INDEX_FILE)) {
            Ok(bytes) => self.parsed(INDEX_FILE, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Index::default()),
            Err(error) => Err(StoreError::read(&self.root.join(INDEX_FILE), &error)),
        }
    }

    fn parsed<T: DeserializeOwned>(&self, name: &str, bytes: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(bytes)
            .map_err(|error| StoreError::BadLayout { path: self.root.join(name), problem: error.to_string() })
    }

    /// Visits the descriptor of an artifact's manifest, and those of all that it names, once each.
    pub(super) fn walk(
        &self,
        entry: &Entry,
        visit: &mut dyn FnMut(&Descriptor, &Digest) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        let mut queue = vec![entry.descriptor()];
        while let Some(descriptor) = queue.pop() {
            let digest = self.digest_of(&descriptor)?;
            if !seen.insert(digest.clone()) {
                continue;
            }
            visit(&descriptor, &digest)?;
            queue.extend(self.children(&descriptor, &digest)?);
        }
        Ok(())
    }

    pub(super) fn digest_of(&self, descriptor: &Descriptor) -> Result<Digest, StoreError> {
        let parsed = descriptor.digest.parse();
        parsed.map_err(|error: super::NotADigest| StoreError::BadLayout {
            path: self.root.clone(),
            problem: error.to_string(),
        })
    }

    pub(super) fn children(&self, descriptor: &Descriptor, digest: &Digest) -> Result<Vec<Descriptor>, StoreError> {
        if !descriptor.is_index() && !descriptor.is_manifest() {
            return Ok(Vec::new());
        }
        let path = self.blob(digest);
        let bytes = document(&path).map_err(|error| StoreError::read(&path, &error))?;
        children(descriptor, &bytes).map_err(|error| StoreError::BadLayout { path, problem: error.to_string() })
    }

    /// An entry of the index as we wrote it, or as another tool did.
    pub(super) fn entry(&self, descriptor: &Descriptor) -> Result<Entry, StoreError> {
        let manifest = self.digest_of(descriptor)?;
        let parsed = |name: &str| descriptor.annotation(name);
        let stated = || Some((parsed(KIND)?.parse().ok()?, parsed(DIGEST)?.parse().ok()?, parsed(SIZE)?.parse().ok()?));
        let (kind, digest, size) = match stated() {
            Some(stated) => stated,
            None => (ArtifactKind::Oci, manifest.clone(), self.size_of(descriptor)),
        };
        let media_type = match kind {
            ArtifactKind::File => "application/octet-stream",
            ArtifactKind::Folder => layout::TAR,
            ArtifactKind::Oci | ArtifactKind::Deb | ArtifactKind::Rpm => &descriptor.media_type,
        };
        Ok(Entry {
            name: parsed(REF_NAME).map(Str::from),
            facts: Facts { digest, kind, size, media_type: media_type.into() },
            manifest,
            origin: parsed(ORIGIN).map(Str::from),
            manifest_type: descriptor.media_type.as_str().into(),
            manifest_size: descriptor.size,
        })
    }

    /// Of what another tool put in: the sum of its parts, as far as they can be read.
    fn size_of(&self, descriptor: &Descriptor) -> u64 {
        let Ok(digest) = self.digest_of(descriptor) else { return descriptor.size };
        let parts = self.children(descriptor, &digest).unwrap_or_default();
        descriptor.size + parts.iter().map(|part| self.size_of(part)).sum::<u64>()
    }
}

/// A small file, whole.
pub(super) fn document(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_DOCUMENT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too large for a manifest"));
    }
    Ok(bytes)
}
