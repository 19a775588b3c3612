//! Writes a file so that readers see the old one or the new one, never a part.

use std::io;
use std::path::Path;

/// # Errors
/// The folder does not exist or cannot be written.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut file, content)?;
    file.as_file().sync_all()?;
    keep(file, path)
}

/// Gives a temporary file in the same folder its name.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn keep(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    share(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Temporary files are private; what is kept is as readable as any file.
#[cfg(unix)]
fn share(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_file: &std::fs::File) -> io::Result<()> {
    Ok(())
}
