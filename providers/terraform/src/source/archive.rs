//! Unpacks archives that nobody has vouched for yet: what is in them stays in their folder and within bounds.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path};

use zip::ZipArchive;
use zip::read::ZipFile;

/// The most bytes that a package may have once unpacked. The largest known ones have less than 1 GiB.
const MAX_UNPACKED: u64 = 4 << 30;
/// The most files that a package may have. Most have three.
const MAX_FILES: usize = 10_000;

/// Unpacks into an empty folder.
///
/// # Errors
/// The archive is damaged, too large, or holds anything else than folders and files of its own.
pub(super) fn unpack(archive: &Path, into: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(io::BufReader::new(File::open(archive)?))?;
    if archive.len() > MAX_FILES {
        return Err(invalid(format!("it holds {} files, more than {MAX_FILES}", archive.len())));
    }
    let mut left = MAX_UNPACKED;
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
        return Err(invalid(format!("it holds more than {MAX_UNPACKED} bytes")));
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

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
