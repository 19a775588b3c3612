//! The network mirror protocol: static files that list versions, and the archives of each.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use serde::Deserialize;

use super::http::{Http, HttpError};
use crate::source::{PackageHash, Platform, SourceAddress, Version};

/// `index.json`
#[derive(Deserialize)]
struct Index {
    versions: BTreeMap<String, serde::de::IgnoredAny>,
}

/// `VERSION.json`
#[derive(Deserialize)]
struct Archives {
    archives: BTreeMap<String, Archive>,
}

#[derive(Deserialize)]
struct Archive {
    url: String,
    #[serde(default)]
    hashes: Vec<String>,
}

/// An archive that a mirror has.
pub(super) struct Mirrored {
    pub(super) url: Url,
    /// One of these must be the package's; without any, all are accepted.
    pub(super) hashes: BTreeSet<PackageHash>,
}

/// What a mirror answered that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum MirrorError {
    #[error("{0}")]
    Http(HttpError),
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
}

/// All versions of a provider; none where the mirror does not know it.
pub(super) async fn versions(http: &Http, base: &str, address: &SourceAddress) -> Result<Vec<Version>, MirrorError> {
    let index: Option<Index> = document(http, &folder(base, address)?, "index.json").await?;
    let names = index.into_iter().flat_map(|index| index.versions.into_keys());
    // Versions that cannot be read cannot be asked for either.
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// The archive of a version for a platform; `None` where the mirror has none.
pub(super) async fn archive(
    http: &Http,
    base: &str,
    address: &SourceAddress,
    version: &Version,
    platform: &Platform,
) -> Result<Option<Mirrored>, MirrorError> {
    let folder = folder(base, address)?;
    let Some(archives) = document::<Archives>(http, &folder, &format!("{version}.json")).await? else {
        return Ok(None);
    };
    let Some(archive) = archives.archives.get(&platform.to_string()) else { return Ok(None) };
    let url = folder.join(&archive.url).map_err(|error| MirrorError::Unreadable(error.to_string()))?;
    let hashes = archive.hashes.iter().map(|hash| hash.parse()).collect::<Result<_, _>>();
    let hashes = hashes.map_err(|error: crate::source::ParseHashError| MirrorError::Unreadable(error.to_string()))?;
    Ok(Some(Mirrored { url, hashes }))
}

fn folder(base: &str, address: &SourceAddress) -> Result<Url, MirrorError> {
    let below = format!("{}/{}/{}/", address.host(), address.namespace(), address.type_name());
    // A host with a port would be taken for a URL of its own.
    let url = Url::parse(base).and_then(|base| base.join(&format!("./{below}")));
    url.map_err(|error| MirrorError::Unreadable(error.to_string()))
}

async fn document<T: for<'de> Deserialize<'de>>(
    http: &Http,
    folder: &Url,
    name: &str,
) -> Result<Option<T>, MirrorError> {
    let url = folder.join(&format!("./{name}")).map_err(|error| MirrorError::Unreadable(error.to_string()))?;
    match http.document(&url).await {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| MirrorError::Unreadable(error.to_string()))
        }
        Err(HttpError::Missing) => Ok(None),
        Err(error) => Err(MirrorError::Http(error)),
    }
}
