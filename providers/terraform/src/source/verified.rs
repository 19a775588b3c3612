//! Remembers what packages were found to hold, so that a run does not hash hundreds of megabytes again.
//!
//! A package is taken as it was as long as none of its files has another size or other times than then.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde_json::{Value as Json, json};

use super::{PackageHash, atomic, hash};

/// Of the file's layout. Any other is ignored.
const VERSION: u64 = 1;
/// Times of files have grains. What changed this recently may change again and keep its time.
const GRAIN: Duration = Duration::from_millis(50);

/// The content hashes of packages, by folder.
#[derive(Debug)]
pub(super) struct Verified {
    /// Where they are kept between runs; `None`: nowhere.
    file: Option<PathBuf>,
    known: Mutex<Option<BTreeMap<String, Entry>>>,
}

/// What was found, and by what it is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hash: PackageHash,
    /// The text of its stamp.
    stamp: String,
}

/// Name, size and times of each file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    text: String,
    /// When the last of the files changed.
    latest: SystemTime,
}

impl Verified {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file, known: Mutex::new(None) }
    }

    /// The content hash of a package's folder.
    ///
    /// # Errors
    /// The package cannot be read.
    pub(super) fn hash(&self, folder: &Path) -> io::Result<PackageHash> {
        self.remembered(folder, || stamp(folder, &hash::files(folder)?), || PackageHash::of_folder(folder))
    }

    /// The content hash of a package that consists of one file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn hash_of_binary(&self, binary: &Path) -> io::Result<PackageHash> {
        let name = binary.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let folder = binary.parent().unwrap_or(Path::new("."));
        self.remembered(
            binary,
            || stamp(folder, &[name.to_owned()]),
            || {
                let mut content = hash::ContentHash::default();
                content.add(name, &mut fs::File::open(binary)?)?;
                content.finish()
            },
        )
    }

    /// The checksum of an archive as it is.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn hash_of_archive(&self, archive: &Path) -> io::Result<PackageHash> {
        let name = archive.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let folder = archive.parent().unwrap_or(Path::new("."));
        self.remembered(archive, || stamp(folder, &[name.to_owned()]), || PackageHash::of_archive_file(archive))
    }

    fn remembered(
        &self,
        package: &Path,
        stamp: impl Fn() -> io::Result<Stamp>,
        compute: impl Fn() -> io::Result<PackageHash>,
    ) -> io::Result<PackageHash> {
        let key = fs::canonicalize(package)?.to_string_lossy().into_owned();
        let now = stamp()?;
        let known = |entries: &BTreeMap<String, Entry>| {
            entries.get(&key).filter(|entry| entry.stamp == now.text).map(|entry| entry.hash.clone())
        };
        if let Some(hash) = known(self.lock().get_or_insert_with(|| self.load())) {
            return Ok(hash);
        }
        let hash = compute()?;
        // What changes while it is read is not remembered.
        let settled = SystemTime::now().duration_since(now.latest).is_ok_and(|age| age > GRAIN);
        if settled && stamp()? == now {
            // Other runs may have added something since.
            let mut entries = self.load();
            entries.insert(key, Entry { hash: hash.clone(), stamp: now.text });
            self.save(&entries);
            *self.lock() = Some(entries);
        }
        Ok(hash)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<BTreeMap<String, Entry>>> {
        self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What cannot be read is hashed again.
    fn load(&self) -> BTreeMap<String, Entry> {
        let text = self.file.as_ref().and_then(|file| fs::read(file).ok()).unwrap_or_default();
        let json: Json = serde_json::from_slice(&text).unwrap_or_default();
        if json["version"] != VERSION {
            return BTreeMap::new();
        }
        let packages = json["packages"].as_object().into_iter().flatten();
        let entry = |entry: &Json| {
            Some(Entry { hash: entry["hash"].as_str()?.parse().ok()?, stamp: entry["stamp"].as_str()?.to_owned() })
        };
        packages.filter_map(|(folder, value)| Some((folder.clone(), entry(value)?))).collect()
    }

    /// Only saves time: where it cannot be written, the next run hashes again. Packages that are gone are left out.
    fn save(&self, entries: &BTreeMap<String, Entry>) {
        let Some(file) = &self.file else { return };
        let packages: serde_json::Map<String, Json> = entries
            .iter()
            .filter(|(package, _)| Path::new(package).exists())
            .map(|(folder, entry)| (folder.clone(), json!({"hash": entry.hash.to_string(), "stamp": entry.stamp})))
            .collect();
        let json = json!({"version": VERSION, "packages": packages});
        if let Some(folder) = file.parent() {
            drop(fs::create_dir_all(folder));
        }
        drop(atomic::write(file, json.to_string().as_bytes()));
    }
}

fn stamp(folder: &Path, files: &[String]) -> io::Result<Stamp> {
    let mut stamp = Stamp { text: String::new(), latest: SystemTime::UNIX_EPOCH };
    for name in files {
        let file = fs::metadata(folder.join(name))?;
        let (changed, identity) = (changed(&file)?, identity(&file));
        let nanos = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let times = (nanos(file.modified()?), nanos(changed));
        stamp.text.push_str(&format!("{name:?} {} {} {} {identity}\n", file.len(), times.0, times.1));
        stamp.latest = stamp.latest.max(changed);
    }
    Ok(stamp)
}

/// When a file's content or anything else of it changed: nobody can set this time back.
#[cfg(unix)]
fn changed(file: &fs::Metadata) -> io::Result<SystemTime> {
    use std::os::unix::fs::MetadataExt as _;
    let seconds = u64::try_from(file.ctime()).unwrap_or_default();
    let nanos = u32::try_from(file.ctime_nsec()).unwrap_or_default();
    Ok(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos))
}

#[cfg(not(unix))]
fn changed(file: &fs::Metadata) -> io::Result<SystemTime> {
    file.modified()
}

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(file)
}

#[cfg(not(unix))]
fn identity(_file: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes until the answer is remembered: files that have just been written are not at first.
    fn remember(package: &Path, file: &Path) -> io::Result<PackageHash> {
        drop(fs::remove_file(file));
        for _ in 0..500 {
            let hash = Verified::new(Some(file.to_owned())).hash(package)?;
            if file.exists() {
                return Ok(hash);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other("it is never remembered"))
    }

    #[test]
    fn a_package_that_changed_is_hashed_again() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (package, file) = (folder.path().join("package"), folder.path().join("verified.json"));
        fs::create_dir(&package)?;
        fs::write(package.join("a"), "one")?;
        let first = remember(&package, &file)?;
        assert_eq!(first, PackageHash::of_folder(&package)?);

        // The same size and the same time, and yet seen.
        let time = fs::metadata(package.join("a"))?.modified()?;
        fs::write(package.join("a"), "two")?;
        fs::File::options().write(true).open(package.join("a"))?.set_modified(time)?;
        let second = Verified::new(Some(file.clone())).hash(&package)?;
        assert_eq!(second, PackageHash::of_folder(&package)?);
        assert_ne!(first, second);

        fs::write(package.join("b"), "")?;
        assert_ne!(Verified::new(Some(file)).hash(&package)?, second);
        Ok(())
    }

    #[test]
    fn what_is_remembered_is_not_read_again() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (package, file) = (folder.path().join("package"), folder.path().join("verified.json"));
        fs::create_dir(&package)?;
        fs::write(package.join("a"), "one")?;
        let first = remember(&package, &file)?;
        let forged: PackageHash = "h1:forged".parse().unwrap();
        fs::write(&file, fs::read_to_string(&file)?.replace(&first.to_string(), &forged.to_string()))?;
        assert_eq!(Verified::new(Some(file.clone())).hash(&package)?, forged);
        fs::write(&file, "not JSON")?;
        assert_eq!(Verified::new(Some(file)).hash(&package)?, first);
        Ok(())
    }
}
