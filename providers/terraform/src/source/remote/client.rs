//! Fetches packages, and sees that each is what its mirror or registry says.

use std::collections::BTreeSet;

use formwork_contract::Diagnostic;
use reqwest::Url;

use super::http::{Http, HttpError};
use super::mirror::{self, MirrorError};
use super::registry::{Registry, RegistryError};
use super::{Fetched, NetworkOptions, Progress, Trust};
use crate::source::{PackageHash, Place, Platform, Settings, SourceAddress, Version, archive, layout};

/// Asks network mirrors and registries.
#[derive(Debug)]
pub(in crate::source) struct Remote {
    http: Http,
    registry: Registry,
}

/// An archive that is offered, before it is fetched.
struct Offer {
    url: Url,
    /// One of these must be the package's; without any, all are accepted.
    accepted: BTreeSet<PackageHash>,
    /// What is known of the version besides.
    hashes: BTreeSet<PackageHash>,
    trust: Trust,
}

impl Remote {
    /// # Errors
    /// The options cannot be used.
    pub(in crate::source) fn new(options: &NetworkOptions, settings: &Settings) -> Result<Self, Box<Diagnostic>> {
        let http = Http::new(options, settings.credentials.clone())?;
        Ok(Self { http, registry: Registry::new(settings.services.clone()) })
    }

    /// All versions of a provider that a mirror or a registry has.
    pub(in crate::source) async fn versions(
        &self,
        place: &Place,
        address: &SourceAddress,
    ) -> Result<Vec<Version>, Box<Diagnostic>> {
        let failed = |why: Failure| Box::new(why.diagnostic(place, address));
        match place {
            Place::NetworkMirror(base) => {
                mirror::versions(&self.http, base, address).await.map_err(|error| failed(error.into()))
            }
            Place::Direct => self.registry.versions(&self.http, address).await.map_err(|error| failed(error.into())),
            Place::FilesystemMirror(_) => Ok(Vec::new()),
        }
    }

    /// Fetches a package and checks it; `None` where it is not offered.
    pub(in crate::source) async fn fetch(
        &self,
        place: &Place,
        address: &SourceAddress,
        version: &Version,
        platform: &Platform,
        progress: &dyn Progress,
    ) -> Result<Option<Fetched>, Box<Diagnostic>> {
        let failed = |why: Failure| Box::new(why.diagnostic(place, address));
        let Some(offer) = self.offer(place, address, version, platform).await.map_err(failed)? else {
            return Ok(None);
        };
        let name = layout::archive_name(address, version, platform);
        self.download(offer, &name, progress).await.map(Some).map_err(failed)
    }

    async fn offer(
        &self,
        place: &Place,
        address: &SourceAddress,
        version: &Version,
        platform: &Platform,
    ) -> Result<Option<Offer>, Failure> {
        match place {
            Place::NetworkMirror(base) => {
                let mirrored = mirror::archive(&self.http, base, address, version, platform).await?;
                Ok(mirrored.map(|mirrored| Offer {
                    url: mirrored.url,
                    trust: if mirrored.hashes.is_empty() { Trust::FirstUse } else { Trust::Mirror },
                    accepted: mirrored.hashes.clone(),
                    hashes: mirrored.hashes,
                }))
            }
            Place::Direct => {
                let listed = self.registry.archive(&self.http, address, version, platform).await?;
                Ok(listed.map(|listed| Offer {
                    url: listed.url,
                    accepted: BTreeSet::from([listed.hash]),
                    hashes: listed.hashes,
                    trust: Trust::Signed(listed.key),
                }))
            }
            Place::FilesystemMirror(_) => Ok(None),
        }
    }

    async fn download(&self, offer: Offer, name: &str, progress: &dyn Progress) -> Result<Fetched, Failure> {
        let mut file = tempfile::NamedTempFile::new().map_err(|error| Failure::Http(HttpError::File(error)))?;
        let digest = self.http.archive(&offer.url, file.as_file_mut(), name, progress).await?;
        let mut own = BTreeSet::from([PackageHash::of_archive(&digest)]);
        if !offer.accepted.is_empty() && offer.accepted.is_disjoint(&own) {
            own.insert(archive::content_hash(file.path()).map_err(|error| Failure::Archive(name.into(), error))?);
            if offer.accepted.is_disjoint(&own) {
                return Err(Failure::Checksum(name.into(), own));
            }
        }
        Ok(Fetched { archive: file, hashes: offer.hashes.into_iter().chain(own).collect(), trust: offer.trust })
    }
}

/// Why nothing was fetched.
#[derive(Debug)]
enum Failure {
    Http(HttpError),
    NoService,
    Unusable(String),
    Archive(String, std::io::Error),
    Checksum(String, BTreeSet<PackageHash>),
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        Self::Http(error)
    }
}

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        match error {
            MirrorError::Http(error) => Self::Http(error),
            other => Self::Unusable(other.to_string()),
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Http(error) => Self::Http(error),
            RegistryError::NoService => Self::NoService,
            other => Self::Unusable(other.to_string()),
        }
    }
}

impl Failure {
    fn diagnostic(self, place: &Place, address: &SourceAddress) -> Diagnostic {
        let host = address.host();
        let place = match place {
            Place::NetworkMirror(url) => format!("the mirror at `{url}`"),
            _ => format!("the registry at `{host}`"),
        };
        let name = address.short();
        match self {
            Self::NoService => Diagnostic::error(format!("`{host}` has no provider registry"))
                .hint(format!("look at the `source` of `{name}` in `required_providers`")),
            Self::Http(HttpError::Denied) => Diagnostic::error(format!("{place} refuses access to provider `{name}`"))
                .hint("give a token for that host in a `credentials` block of the CLI configuration or in `TF_TOKEN_HOST`"),
            Self::Http(error) => Diagnostic::error(format!("{place} gives no answer about provider `{name}`: {error}"))
                .hint(
                    "check the network and its proxies (`HTTPS_PROXY`, `NO_PROXY`); without a network, use a folder \
                     that `providers mirror` has filled on another machine",
                ),
            Self::Unusable(why) => Diagnostic::error(format!("{place} cannot be believed about provider `{name}`: {why}"))
                .hint("ask those who run it; nothing was installed"),
            Self::Archive(archive, error) => {
                Diagnostic::error(format!("`{archive}` from {place} cannot be unpacked: {error}"))
            }
            Self::Checksum(archive, hashes) => {
                let hashes: Vec<String> = hashes.iter().map(|hash| format!("`{hash}`")).collect();
                Diagnostic::error(format!("`{archive}` is not what {place} says that it is"))
                    .detail(format!("Its checksum is {}; another one is announced.", hashes.join(" and ")))
                    .hint("ask those who run it; nothing was installed")
            }
        }
    }
}
