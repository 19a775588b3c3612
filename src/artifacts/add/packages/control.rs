//! What a Debian package says of itself: the `control` file in its first part.
//!
//! Source: deb(5), deb-control(5).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::relation::{self, Alternatives, Provided};
use super::unfit;
use crate::artifacts::error::StoreError;

/// A control archive is not larger than this, unpacked, in bytes.
const LARGEST: u64 = 64 << 20;

/// A Debian package.
#[derive(Clone, Debug)]
pub(super) struct Package {
    pub path: PathBuf,
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// `Pre-Depends` and `Depends`.
    pub depends: Vec<Alternatives>,
    pub provides: Vec<Provided>,
}

/// Reads the first parts of a package, and no more.
pub(super) fn read(path: &Path) -> Result<Package, StoreError> {
    let file = File::open(path).map_err(|error| StoreError::read(path, &error))?;
    let control = control(file).map_err(|error| unfit(path, format!("it is no Debian package: {error}")))?;
    package(path, &control).map_err(|problem| unfit(path, problem))
}

fn control(file: File) -> io::Result<String> {
    let mut archive = ar::Archive::new(file);
    while let Some(member) = archive.next_entry() {
        let member = member?;
        let name = String::from_utf8_lossy(member.header().identifier()).trim_end_matches('/').to_owned();
        let Some(compression) = name.strip_prefix("control.tar") else { continue };
        return match compression {
            "" => from_tar(member),
            ".gz" => from_tar(flate2::read::GzDecoder::new(member)),
            ".xz" => from_tar(lzma_rust2::XzReader::new(member, true)),
            ".zst" => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(member);
                from_tar(decoder.map_err(|error| io::Error::other(error.to_string()))?)
            }
            other => Err(io::Error::other(format!("`control.tar{other}` is packed in a way that is not known"))),
        };
    }
    Err(io::Error::other("it has no `control.tar`"))
}

fn from_tar(reader: impl Read) -> io::Result<String> {
    let mut archive = tar::Archive::new(reader.take(LARGEST));
    for entry in archive.entries()? {
        let mut entry = entry?;
        if matches!(&*entry.path_bytes(), b"./control" | b"control") {
            let mut text = String::new();
            entry.read_to_string(&mut text)?;
            return Ok(text);
        }
    }
    Err(io::Error::other("it has no `control`"))
}

fn package(path: &Path, control: &str) -> Result<Package, String> {
    let fields = fields(control);
    let field = |name: &str| fields.get(name).map(String::as_str);
    let wanted = |name: &str| field(name).map(str::to_owned).ok_or_else(|| format!("its control file has no `{name}`"));
    let depends = ["pre-depends", "depends"].into_iter().filter_map(field);
    Ok(Package {
        path: path.to_owned(),
        name: wanted("package")?,
        version: wanted("version")?,
        architecture: wanted("architecture")?,
        depends: depends.map(relation::parse).collect::<Result<Vec<_>, _>>()?.concat(),
        provides: field("provides").map(relation::provided).transpose()?.unwrap_or_default(),
    })
}

/// By names in lower case; a line that begins with a space goes on with the one before.
fn fields(control: &str) -> HashMap<String, String> {
    let mut fields: HashMap<String, String> = HashMap::new();
    let mut last: Option<String> = None;
    for line in control.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some(text) = last.as_ref().and_then(|name| fields.get_mut(name)) {
                text.push(' ');
                text.push_str(line.trim());
            }
        } else if let Some((name, text)) = line.split_once(':') {
            let name = name.trim().to_lowercase();
            fields.insert(name.clone(), text.trim().to_owned());
            last = Some(name);
        }
    }
    fields
}
