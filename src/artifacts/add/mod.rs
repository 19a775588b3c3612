//! What can become an artifact, and how it is told on a command line or in a blueprint.

mod docker;
mod file;
mod folder;
mod image;
mod layout_source;
mod packages;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use formwork_contract::Str;

use super::Meter;
use super::digest::Digest;
use super::error::StoreError;
use super::kind::{ArtifactKind, Facts};
use super::store::{Entry, Store};
use super::write::{Adding, is_name};

pub(super) use packages::{ARCHITECTURE, PACKAGE, VERSION};
pub use packages::{Closure, Host};

/// Where an artifact is before it is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file or a folder.
    Path(PathBuf),
    /// An image, in what holds images; a name where there are several.
    Image { holder: Holding, path: PathBuf, name: Option<Str> },
}

/// What holds images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// `oci:`: an OCI layout in a folder.
    Layout,
    /// `oci-archive:`: the same in a tar.
    Archive,
    /// `docker-archive:`: what `docker save` and `podman save` write.
    Docker,
}

/// Something like `oci:` without a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no path")]
pub struct OriginError(pub String);

impl Holding {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Layout, "oci"), (Self::Archive, "oci-archive"), (Self::Docker, "docker-archive")];
}

impl FromStr for Origin {
    type Err = OriginError;

    /// As skopeo writes them: `oci:PATH[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`; or a path.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        for (holder, scheme) in Holding::ALL {
            let Some(rest) = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(':')) else { continue };
            let (path, name) = match rest.split_once(':') {
                Some((path, name)) => (path, Some(name.into())),
                None => (rest, None),
            };
            if path.is_empty() {
                return Err(OriginError(text.into()));
            }
            return Ok(Self::Image { holder, path: path.into(), name });
        }
        if text.is_empty() { Err(OriginError(text.into())) } else { Ok(Self::Path(text.into())) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Image { holder, path, name } => {
                let scheme = Holding::ALL.iter().find(|(known, _)| known == holder).map_or("", |(_, scheme)| scheme);
                write!(f, "{scheme}:{}", path.display())?;
                name.as_ref().map_or(Ok(()), |name| write!(f, ":{name}"))
            }
        }
    }
}

impl Origin {
    pub fn path(&self) -> &Path {
        match self {
            Self::Path(path) | Self::Image { path, .. } => path,
        }
    }

    /// The same at another path.
    #[must_use]
    pub fn at(self, path: impl Into<PathBuf>) -> Self {
        match self {
            Self::Path(_) => Self::Path(path.into()),
            Self::Image { holder, name, .. } => Self::Image { holder, path: path.into(), name },
        }
    }

    /// The same below a folder, where it is relative.
    #[must_use]
    pub fn below(self, folder: &Path) -> Self {
        let path = folder.join(self.path());
        self.at(path)
    }

    /// The digest that it would have in the store; of packages only once they are in it.
    ///
    /// # Errors
    /// It cannot be read, or holds no image that is meant.
    pub fn digest(&self, meter: &dyn Meter) -> Result<Digest, StoreError> {
        match self {
            Self::Path(path) if path.is_dir() => folder::digest(path, meter),
            Self::Path(path) => file::digest(path, meter),
            Self::Image { holder: Holding::Docker, path, name } => docker::digest(path, name.as_deref()),
            Self::Image { holder, path, name } => image::digest(*holder, path, name.as_deref()),
        }
    }
}

/// What is to be added, and how it is to be called.
#[derive(Clone, Copy, Debug, Default)]
pub struct Addition<'a> {
    pub origins: &'a [Origin],
    /// Given where it cannot be seen: for packages.
    pub kind: Option<ArtifactKind>,
    /// What it is called from then on.
    pub name: Option<&'a str>,
    /// Where in the repository a plan took it from.
    pub taken_from: Option<&'a str>,
    /// What its digest has to be.
    pub digest: Option<&'a Digest>,
}

/// What was added.
#[derive(Clone, Debug)]
pub struct Added {
    pub entry: Entry,
    /// Of packages: what was found of their dependencies.
    pub closure: Option<Closure>,
}

/// Adds to the store what stands at one origin, or the packages of several.
///
/// # Errors
/// It cannot be read, is not whole or not what was wanted, or the store cannot be written. Nothing of it can be seen
/// in the store then.
pub fn add(adding: &Adding<'_>, wanted: &Addition<'_>, host: &Host) -> Result<Added, StoreError> {
    if let Some(name) = wanted.name.filter(|name| !is_name(name)) {
        return Err(StoreError::BadName { name: name.into() });
    }
    let call = Call { adding, wanted };
    match (wanted.kind, wanted.origins) {
        (Some(kind @ (ArtifactKind::Deb | ArtifactKind::Rpm)), _) => {
            let paths: Vec<PathBuf> = wanted.origins.iter().map(|origin| origin.path().to_owned()).collect();
            packages::add(&call, kind, &paths, host)
        }
        (_, [origin]) => {
            let entry = match origin {
                Origin::Path(path) if path.is_dir() => folder::add(&call, path)?,
                Origin::Path(path) => file::add(&call, path)?,
                Origin::Image { holder: Holding::Docker, path, name } => docker::add(&call, path, name.as_deref())?,
                Origin::Image { holder, path, name } => image::add(&call, *holder, path, name.as_deref())?,
            };
            Ok(Added { entry, closure: None })
        }
        (_, origins) => Err(StoreError::Unfit {
            path: origins.get(1).map(|origin| origin.path().to_owned()).unwrap_or_default(),
            problem: "only packages are added several at once: give `--kind deb` or `--kind rpm`".into(),
        }),
    }
}

/// One addition under way.
struct Call<'a> {
    adding: &'a Adding<'a>,
    wanted: &'a Addition<'a>,
}

impl Call<'_> {
    /// Lists what is in the store by now, wholly.
    fn list(&self, facts: Facts, manifest: Digest, media_type: &str, size: u64) -> Result<Entry, StoreError> {
        if let Some(wanted) = self.wanted.digest.filter(|wanted| **wanted != facts.digest) {
            let what = self.wanted.origins.first().map(|origin| format!("`{origin}`")).unwrap_or_default();
            return Err(StoreError::OtherDigest { what, wanted: wanted.clone(), found: facts.digest });
        }
        let (name, origin) = (self.wanted.name.map(Str::from), self.wanted.taken_from.map(Str::from));
        let (manifest_type, manifest_size) = (media_type.into(), size);
        self.adding.list(Entry { name, facts, manifest, origin, manifest_type, manifest_size })
    }
}

impl Store {
    /// Takes a file, a folder or an image of the repository in, if it is not there yet.
    ///
    /// # Errors
    /// As for [`add`].
    pub fn take(&self, origin: &Origin, taken_from: &str, meter: &dyn Meter) -> Result<Facts, StoreError> {
        let digest = origin.digest(meter)?;
        if self.is_whole(&digest).unwrap_or(false)
            && let Some(facts) = self.find(&digest)?
        {
            return Ok(facts);
        }
        let adding = self.adding(meter, TAKING)?;
        let wanted = Addition {
            origins: std::slice::from_ref(origin),
            taken_from: Some(taken_from),
            // What was checked is what is taken, should it change meanwhile.
            digest: Some(&digest),
            ..Addition::default()
        };
        Ok(add(&adding, &wanted, &Host::default())?.entry.facts)
    }
}

/// How long a plan waits for somebody who collects.
const TAKING: std::time::Duration = std::time::Duration::from_secs(60);
