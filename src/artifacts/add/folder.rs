//! A folder, as the tar that always comes out the same.
//!
//! Its digest is that of a tar which holds names, contents, links and whether a file can be executed, and nothing
//! else: no times, no owners. GNU tar makes the same, byte for byte:
//!
//! ```sh
//! tar --format=gnu --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
//!     --hard-dereference --blocking-factor=1 -C DIR -cf - . | sha256sum
//! ```

use std::fs::{self, File, Metadata};
use std::io::{self, Cursor, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::Call;
use super::file::{hashed, listed};
use crate::artifacts::Meter;
use crate::artifacts::digest::Digest;
use crate::artifacts::error::StoreError;
use crate::artifacts::kind::{ArtifactKind, Facts};
use crate::artifacts::layout::{Descriptor, TAR, TITLE};
use crate::artifacts::store::Entry;
use crate::artifacts::write::Wanted;

const TYPE: &str = "application/vnd.formwork.folder.v1";

const BLOCK: u64 = 512;

/// A name that is longer stands in an entry of its own, in bytes.
const LONGEST_NAME: usize = 100;

pub(super) fn add(call: &Call<'_>, path: &Path) -> Result<Entry, StoreError> {
    let mut tar = FolderTar::of(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wanted = Wanted { digest: None, size: Some(tar.length) };
    let (digest, size) = call.adding.blob(&name, path, &mut tar, wanted)?;
    let layer = Descriptor::new(TAR, &digest, size).annotated(TITLE, &format!("{name}.tar"));
    let facts = Facts { digest, kind: ArtifactKind::Folder, size, media_type: TAR.into() };
    listed(call, facts, TYPE, vec![layer])
}

pub(super) fn digest(path: &Path, meter: &dyn Meter) -> Result<Digest, StoreError> {
    let mut tar = FolderTar::of(path)?;
    let total = Some(tar.length);
    hashed(&mut tar, path, total, meter)
}

/// The tar of a folder, made as it is read.
struct FolderTar {
    /// Of all of it, in bytes.
    length: u64,
    /// In reverse: the next one is the last.
    members: Vec<Member>,
    now: Box<dyn Read>,
    ended: bool,
}

struct Member {
    path: PathBuf,
    headers: Vec<u8>,
    /// Of the file, in bytes; 0 for what has no content.
    size: u64,
}

impl FolderTar {
    fn of(folder: &Path) -> Result<Self, StoreError> {
        let mut members = Vec::new();
        walk(folder, b"./".to_vec(), &mut members)?;
        let length = members.iter().map(|member| member.headers.len() as u64 + padded(member.size)).sum::<u64>();
        members.reverse();
        Ok(Self { length: length + 2 * BLOCK, members, now: Box::new(io::empty()), ended: false })
    }
}

impl Read for FolderTar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.now.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.now = match self.members.pop() {
                Some(member) => member.bytes()?,
                None if self.ended => return Ok(0),
                None => {
                    self.ended = true;
                    Box::new(io::repeat(0).take(2 * BLOCK))
                }
            };
        }
    }
}

impl Member {
    fn bytes(self) -> io::Result<Box<dyn Read>> {
        let headers = Cursor::new(self.headers);
        if self.size == 0 {
            return Ok(Box::new(headers));
        }
        let content = Exactly { file: File::open(&self.path)?, left: self.size };
        Ok(Box::new(headers.chain(content).chain(io::repeat(0).take(padded(self.size) - self.size))))
    }
}

/// A file that has to have just so many bytes.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.file.read(buffer)? as u64;
        if count > self.left || (count == 0 && self.left > 0) {
            return Err(io::Error::other("a file in it changed while it was read"));
        }
        self.left -= count;
        Ok(count as usize)
    }
}

fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK) * BLOCK
}

/// A folder, then what is in it, by name.
fn walk(path: &Path, name: Vec<u8>, members: &mut Vec<Member>) -> Result<(), StoreError> {
    let unreadable = |error| StoreError::read(path, &error);
    members.push(Member {
        headers: headers(&name, EntryType::Directory, 0o755, 0, b""),
        path: path.to_owned(),
        size: 0,
    });
    let mut entries = fs::read_dir(path).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let metadata = fs::symlink_metadata(&path).map_err(|error| StoreError::read(&path, &error))?;
        let mut name = name.clone();
        name.extend(entry.file_name().as_bytes());
        if metadata.is_dir() {
            name.push(b'/');
            walk(&path, name, members)?;
        } else {
            members.push(leaf(path, &name, &metadata)?);
        }
    }
    Ok(())
}

fn leaf(path: PathBuf, name: &[u8], metadata: &Metadata) -> Result<Member, StoreError> {
    if metadata.is_symlink() {
        let to = fs::read_link(&path).map_err(|error| StoreError::read(&path, &error))?;
        let headers = headers(name, EntryType::Symlink, 0o755, 0, to.as_os_str().as_bytes());
        return Ok(Member { headers, path, size: 0 });
    }
    if !metadata.is_file() {
        let problem = "it is no file, no folder and no symbolic link".into();
        return Err(StoreError::Unfit { path, problem });
    }
    let mode = if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
    let size = metadata.len();
    Ok(Member { headers: headers(name, EntryType::Regular, mode, size, b""), path, size })
}

/// The header of a member, after those for a name and a link's target that are too long for it.
fn headers(name: &[u8], entry_type: EntryType, mode: u32, size: u64, link: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (text, long) in [(link, EntryType::GNULongLink), (name, EntryType::GNULongName)] {
        if text.len() > LONGEST_NAME {
            let mut ended = text.to_vec();
            ended.push(0);
            bytes.extend(header(b"././@LongLink", long, 0o644, ended.len() as u64, b""));
            ended.resize(padded(ended.len() as u64) as usize, 0);
            bytes.extend(ended);
        }
    }
    bytes.extend(header(name, entry_type, mode, size, link));
    bytes
}

fn header(name: &[u8], entry_type: EntryType, mode: u32, size: u64, link: &[u8]) -> [u8; 512] {
    let mut header = Header::new_gnu();
    header.set_entry_type(entry_type);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size);
    let gnu = header.as_old_mut();
    put(&mut gnu.name, name);
    put(&mut gnu.linkname, link);
    header.set_cksum();
    // GNU tar ends the sum otherwise: six digits, a zero and a space.
    let sum = header.cksum().unwrap_or_default();
    let mut bytes = *header.as_bytes();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

fn put(field: &mut [u8], text: &[u8]) {
    let length = text.len().min(field.len());
    field[..length].copy_from_slice(&text[..length]);
}
