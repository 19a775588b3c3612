//! How content gets into the store: whole or not at all.
//!
//! Bytes go into a file of their own and are hashed on the way. The file is made durable and then takes the name of
//! its digest, which is one step for the file system. The index is exchanged the same way, last of all, so that
//! whoever is killed in between leaves nothing that could be seen.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::Meter;
use super::digest::Digest;
use super::error::StoreError;
use super::layout::{Descriptor, INDEX_FILE, Index, LAYOUT, LAYOUT_FILE, REF_NAME};
use super::lock::{self, InUse, LOCK_FILE};
use super::store::{Entry, Store};

/// Files on their way in.
pub(super) const INCOMING: &str = "incoming";

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// The store, while something is added: nobody collects meanwhile.
pub struct Adding<'a> {
    pub(super) store: &'a Store,
    pub(super) meter: &'a dyn Meter,
    _in_use: InUse,
}

impl std::fmt::Debug for Adding<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adding").field("store", &self.store).finish_non_exhaustive()
    }
}

/// What a blob has to be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'d> {
    pub digest: Option<&'d Digest>,
    pub size: Option<u64>,
}

impl Store {
    /// Makes the store where there is none, and begins to add to it.
    ///
    /// # Errors
    /// It cannot be written, or is being collected.
    pub fn adding<'a>(&'a self, meter: &'a dyn Meter, patience: Duration) -> Result<Adding<'a>, StoreError> {
        self.prepare()?;
        Ok(Adding { store: self, meter, _in_use: self.in_use(patience)? })
    }

    fn prepare(&self) -> Result<(), StoreError> {
        for folder in [self.blobs(), self.own().join(INCOMING)] {
            fs::create_dir_all(&folder).map_err(|error| StoreError::write(&folder, &error))?;
        }
        let lock = self.own().join(LOCK_FILE);
        let made = File::options().create(true).append(true).open(&lock);
        made.map_err(|error| StoreError::write(&lock, &error))?;
        if self.exists() {
            return Ok(());
        }
        let _writing = self.writing_index()?;
        if !self.exists() {
            self.replace(LAYOUT_FILE, LAYOUT.as_bytes())?;
            self.write_index(&Index::default())?;
        }
        Ok(())
    }

    /// Only one process exchanges the index at a time.
    pub(super) fn writing_index(&self) -> Result<File, StoreError> {
        lock::writing(&self.own().join("index.lock"))
    }

    pub(super) fn write_index(&self, index: &Index) -> Result<(), StoreError> {
        let text = serde_json::to_vec(index).expect("an index is JSON");
        self.replace(INDEX_FILE, &text)
    }

    /// Exchanges a small file of the store at once.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.root().join(name);
        let write = || {
            let mut file = self.incoming()?;
            file.write_all(bytes)?;
            settle(file, &path)
        };
        write().map_err(|error: io::Error| StoreError::write(&path, &error))
    }

    fn incoming(&self) -> io::Result<NamedTempFile> {
        // A store may be shared: who can read it is what the process's mask says, as for other files.
        tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o666)).tempfile_in(self.own().join(INCOMING))
    }
}

impl Adding<'_> {
    /// Takes bytes in as they are read, and gives their digest and how many there were. What is there already is
    /// exchanged for what was just checked: adding again repairs.
    ///
    /// # Errors
    /// They cannot be read or written, or are not what was wanted: nothing is kept then.
    pub(super) fn blob(
        &self,
        what: &str,
        from: &Path,
        reader: &mut dyn Read,
        wanted: Wanted<'_>,
    ) -> Result<(Digest, u64), StoreError> {
        let incoming = self.store.own();
        let mut file = self.store.incoming().map_err(|error| StoreError::write(&incoming, &error))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        let mut size = 0;
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(StoreError::read(from, &error)),
            };
            hasher.update(&buffer[..count]);
            file.write_all(&buffer[..count]).map_err(|error| StoreError::write(&incoming, &error))?;
            size += count as u64;
            self.meter.moved(what, size, wanted.size);
        }
        let digest = Digest::of(&hasher.finalize());
        check(what, wanted, &digest, size)?;
        let path = self.store.blob(&digest);
        settle(file, &path).map_err(|error| StoreError::write(&path, &error))?;
        Ok((digest, size))
    }

    /// Whether bytes are what is wanted, before anything is made of them.
    ///
    /// # Errors
    /// They are something else.
    pub(super) fn is_wanted(&self, what: &str, bytes: &[u8], wanted: Wanted<'_>) -> Result<(), StoreError> {
        check(what, wanted, &Digest::of(&Sha256::digest(bytes)), bytes.len() as u64)
    }

    /// Takes a small document in.
    pub(super) fn document(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let wanted = Wanted { digest: None, size: Some(bytes.len() as u64) };
        Ok(self.blob("manifest", self.store.root(), &mut &*bytes, wanted)?.0)
    }

    /// Puts an artifact into the index, once all of it is there. A name that it takes from another one, that one
    /// loses; it stays until it is collected.
    pub(super) fn list(&self, entry: Entry) -> Result<Entry, StoreError> {
        let _writing = self.store.writing_index()?;
        let mut index = self.store.index()?;
        let digest = entry.manifest.to_string();
        let name = entry.name.as_deref();
        for descriptor in &mut index.manifests {
            if name.is_some() && descriptor.annotation(REF_NAME) == name && descriptor.digest != digest {
                descriptor.annotations.remove(REF_NAME);
            }
        }
        let is_same = |known: &Descriptor| known.digest == digest && known.annotation(REF_NAME) == name;
        // With a name it is held as well as without.
        let is_held = |known: &Descriptor| known.digest == digest && name.is_none();
        let nameless = |known: &Descriptor| known.digest == digest && known.annotation(REF_NAME).is_none();
        if !index.manifests.iter().any(|known| is_same(known) || is_held(known)) {
            index.manifests.retain(|known| !nameless(known));
            index.manifests.push(entry.descriptor());
        }
        self.store.write_index(&index)?;
        Ok(entry)
    }
}

impl Store {
    /// Takes a name off what it stands for; that stays until it is collected.
    ///
    /// # Errors
    /// There is no such name, or the store cannot be written.
    pub fn forget(&self, name: &str) -> Result<(), StoreError> {
        let no_such = || StoreError::NoSuchName { name: name.into() };
        if !self.exists() {
            return Err(no_such());
        }
        let _writing = self.writing_index()?;
        let mut index = self.index()?;
        let place = index.manifests.iter().position(|descriptor| descriptor.annotation(REF_NAME) == Some(name));
        let mut taken = index.manifests.remove(place.ok_or_else(no_such)?);
        if index.manifests.iter().all(|other| other.digest != taken.digest) {
            taken.annotations.remove(REF_NAME);
            index.manifests.push(taken);
        }
        self.write_index(&index)
    }
}

fn check(what: &str, wanted: Wanted<'_>, digest: &Digest, size: u64) -> Result<(), StoreError> {
    if let Some(length) = wanted.size.filter(|length| *length != size) {
        return Err(StoreError::OtherSize { what: format!("`{what}`"), wanted: length, found: size });
    }
    match wanted.digest.filter(|wanted| *wanted != digest) {
        Some(wanted) => {
            Err(StoreError::OtherDigest { what: format!("`{what}`"), wanted: wanted.clone(), found: digest.clone() })
        }
        None => Ok(()),
    }
}

/// Makes a file durable under its name.
fn settle(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Whether other tools take it as the name in an OCI layout, too.
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"._-/:+".contains(&byte))
        && text.len() <= 200
}
