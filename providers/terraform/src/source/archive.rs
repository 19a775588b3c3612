//! Packs and unpacks archives. Nobody has vouched for one that is unpacked: what is in it stays in its folder and
//! within bounds.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path};

use zip::read::ZipFile;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipArchive, ZipWriter};

use super::PackageHash;

/// How much an archive may hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Once unpacked.
    pub(super) bytes: u64,
    pub(super) files: usize,
}

/// The largest packages that are known have less than 1 GiB; most have three files.
pub(super) const LIMITS: Limits = Limits { bytes: 4 << 30, files: 10_000 };

/// Unpacks into an empty folder.
///
/// # Errors
/// The archive is damaged, too large, or holds anything else than folders and files of its own.
pub(super) fn unpack(archive: &Path, into: &Path, limits: Limits) -> io::Result<()> {
    let mut archive = ZipArchive::new(io::BufReader::new(File::open(archive)?))?;
    if archive.len() > limits.files {
        return Err(invalid(format!("it holds {} files, more than {}", archive.len(), limits.files)));
    }
    let mut left = limits.bytes;
    for position in 0..archive.len() {
        left -= entry(archive.by_index(position)?, into, left)?;
    }
    Ok(())
}

/// Unpacks one entry of at most `left` bytes; answers how many it had.
fn entry<R: io::Read>(mut entry: ZipFile<'_, R>, into: &Path, left: u64) -> io::Result<u64> {
    let name = entry.name()?.into_owned();
    let path = Path::new(&name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if !plain || name.contains(['\\', '\0', ':']) || path.as_os_str().is_empty() {
        return Err(invalid(format!("the name `{}` leads out of its folder", name.escape_debug())));
    }
    if entry.is_symlink() {
        return Err(invalid(format!("`{name}` is a link")));
    }
    let target = into.join(path);
    if entry.is_dir() {
        fs::create_dir_all(&target)?;
        return Ok(0);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    // A name that stands twice is refused here.
    let mut file = File::create_new(&target)?;
    let written = io::copy(&mut entry.by_ref().take(left + 1), &mut file)?;
    if written > left {
        return Err(invalid("it holds more bytes than any package should".into()));
    }
    file.flush()?;
    executable(&file, entry.unix_mode())?;
    Ok(written)
}

/// Whoever may read a file that was packed as a program may run it. Nothing else of the mode is taken over.
#[cfg(unix)]
fn executable(file: &File, mode: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if mode.is_some_and(|mode| mode & 0o100 != 0) { 0o755 } else { 0o644 };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn executable(_file: &File, _mode: Option<u32>) -> io::Result<()> {
    Ok(())
}

/// The content hash of the package in an archive.
///
/// # Errors
/// The archive cannot be unpacked.
pub(super) fn content_hash(archive: &Path) -> io::Result<PackageHash> {
    let folder = tempfile::tempdir()?;
    unpack(archive, folder.path(), LIMITS)?;
    PackageHash::of_folder(folder.path())
}

/// Packs files of a folder; the same files always make the same archive.
///
/// # Errors
/// The files cannot be read, or the archive not be written.
pub(super) fn pack(folder: &Path, names: &[String], archive: File) -> io::Result<()> {
    let mut writer = ZipWriter::new(io::BufWriter::new(archive));
    for name in names {
        let mut file = File::open(folder.join(name))?;
        let options = SimpleFileOptions::default()
            .last_modified_time(DateTime::default())
            .large_file(true)
            .unix_permissions(mode(&file.metadata()?));
        writer.start_file(name.as_str(), options)?;
        io::copy(&mut file, &mut writer)?;
    }
    writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

#[cfg(unix)]
fn mode(file: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if file.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 }
}

#[cfg(not(unix))]
fn mode(_file: &fs::Metadata) -> u32 {
    0o755
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::super::PackageHash;
    use super::super::hash;
    use super::*;

    /// Unpacks an archive with these entries; answers the names of the files that came out.
    fn unpacked(entries: &[(&str, &str)], limits: Limits) -> io::Result<Vec<String>> {
        let folder = tempfile::tempdir()?;
        let (archive, into) = (folder.path().join("a.zip"), folder.path().join("into"));
        let mut writer = ZipWriter::new(File::create(&archive)?);
        for (name, content) in entries {
            match content.strip_prefix("-> ") {
                Some(target) => writer.add_symlink(*name, target, SimpleFileOptions::default())?,
                None => {
                    writer.start_file(*name, SimpleFileOptions::default())?;
                    writer.write_all(content.as_bytes())?;
                }
            }
        }
        writer.finish()?;
        fs::create_dir(&into)?;
        let outcome = unpack(&archive, &into, limits);
        let mut beside: Vec<_> =
            fs::read_dir(folder.path())?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
        beside.sort();
        assert_eq!(beside, ["a.zip", "into"], "something got out");
        outcome.and_then(|()| hash::files(&into))
    }

    #[test]
    fn files_and_folders_come_out() {
        assert_eq!(unpacked(&[("b/c", "1"), ("a", "2")], LIMITS).unwrap(), ["a", "b/c"]);
    }

    #[test]
    fn nothing_gets_out_of_its_folder() {
        for name in ["../out", "/tmp/out", "a/../../out", "a\\..\\out", "C:out", "./a", ""] {
            assert!(unpacked(&[(name, "x")], LIMITS).is_err(), "`{name}` was taken");
        }
        assert!(unpacked(&[("a", "-> ../out"), ("a/b", "x")], LIMITS).is_err());
        assert!(unpacked(&[("a", "x"), ("a/b", "x")], LIMITS).is_err());
    }

    #[test]
    fn what_is_too_large_is_given_up() {
        let zeros = "0".repeat(10_000);
        assert!(unpacked(&[("a", &zeros)], Limits { bytes: 10_000, files: 1 }).is_ok());
        assert!(unpacked(&[("a", &zeros)], Limits { bytes: 9_999, files: 1 }).is_err());
        assert!(unpacked(&[("a", &zeros), ("b", "1")], Limits { bytes: 10_000, files: 2 }).is_err());
        assert!(unpacked(&[("a", "1"), ("b", "1")], Limits { bytes: 10, files: 1 }).is_err());
    }

    #[test]
    fn what_was_packed_is_unpacked_the_same() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [from, into] = ["from", "into"].map(|name| folder.path().join(name));
        fs::create_dir_all(from.join("b"))?;
        fs::create_dir(&into)?;
        fs::write(from.join("a"), "one")?;
        fs::write(from.join("b/c"), "two")?;
        let [first, second] = ["1.zip", "2.zip"].map(|name| folder.path().join(name));
        let names = hash::files(&from)?;
        pack(&from, &names, File::create(&first)?)?;
        pack(&from, &names, File::create(&second)?)?;
        assert_eq!(fs::read(&first)?, fs::read(&second)?);
        unpack(&first, &into, LIMITS)?;
        assert_eq!(PackageHash::of_folder(&from)?, PackageHash::of_folder(&into)?);
        Ok(())
    }
}
