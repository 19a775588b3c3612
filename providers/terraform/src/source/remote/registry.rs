//! The provider registry protocol: discovery, versions, and signed checksums of each package.

use std::collections::{BTreeMap, BTreeSet};

use formwork_contract::Str;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::http::{Http, HttpError};
use super::signature::{self, SignatureError};
use crate::source::{PackageHash, Platform, SourceAddress, Version, layout};

const SERVICE: &str = "providers.v1";
/// Major versions of the plugin protocol that are spoken.
const PROTOCOLS: [&str; 2] = ["5", "6"];

/// The registries of all hosts.
#[derive(Debug)]
pub(super) struct Registry {
    /// By host; where the service is.
    found: Mutex<BTreeMap<Str, Url>>,
    configured: BTreeMap<Str, BTreeMap<Str, Str>>,
}

/// What a registry answered that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum RegistryError {
    #[error("{0}")]
    Http(HttpError),
    #[error("there is no provider registry")]
    NoService,
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
    #[error("the package speaks version {0} of the plugin protocol, and only 5 and 6 are known here")]
    Protocol(String),
    #[error("the list of checksums has no `{0}`")]
    Unlisted(String),
    #[error("the registry gives another checksum of `{0}` than the signed list")]
    Contradiction(String),
    #[error("the list of checksums is not signed as it must be: {0}")]
    Signature(#[from] SignatureError),
}

/// An archive that a registry has.
pub(super) struct Listed {
    pub(super) url: Url,
    /// The checksum that the archive must have.
    pub(super) hash: PackageHash,
    /// Of the archives for all platforms.
    pub(super) hashes: BTreeSet<PackageHash>,
    /// Which key has signed them.
    pub(super) key: String,
}

#[derive(Deserialize)]
struct Versions {
    versions: Vec<VersionEntry>,
}

#[derive(Deserialize)]
struct VersionEntry {
    version: String,
}

#[derive(Deserialize)]
struct Download {
    #[serde(default)]
    protocols: Vec<String>,
    filename: String,
    download_url: String,
    shasum: String,
    shasums_url: String,
    shasums_signature_url: String,
    signing_keys: SigningKeys,
}

#[derive(Deserialize)]
struct SigningKeys {
    #[serde(default)]
    gpg_public_keys: Vec<SigningKey>,
}

#[derive(Deserialize)]
struct SigningKey {
    ascii_armor: String,
}

impl Registry {
    pub(super) fn new(configured: BTreeMap<Str, BTreeMap<Str, Str>>) -> Self {
        Self { found: Mutex::default(), configured }
    }

    /// All versions of a provider; none where the registry does not know it.
    pub(super) async fn versions(&self, http: &Http, address: &SourceAddress) -> Result<Vec<Version>, RegistryError> {
        let url = join(&self.service(http, address).await?, &format!("{}/versions", path(address)))?;
        let versions: Option<Versions> = document(http, &url).await?;
        let entries = versions.into_iter().flat_map(|versions| versions.versions);
        Ok(entries.filter_map(|entry| entry.version.parse().ok()).collect())
    }

    /// The archive of a version for a platform, with what is signed of it; `None` where there is none.
    pub(super) async fn archive(
        &self,
        http: &Http,
        address: &SourceAddress,
        version: &Version,
        platform: &Platform,
    ) -> Result<Option<Listed>, RegistryError> {
        let service = self.service(http, address).await?;
        let path = format!("{}/{version}/download/{}/{}", path(address), platform.os(), platform.arch());
        let url = join(&service, &path)?;
        let Some(download) = document::<Download>(http, &url).await? else { return Ok(None) };
        let major = |protocol: &String| protocol.split('.').next().map(str::to_owned).unwrap_or_default();
        let spoken = |protocol: &String| PROTOCOLS.contains(&major(protocol).as_str());
        if !download.protocols.is_empty() && !download.protocols.iter().any(spoken) {
            return Err(RegistryError::Protocol(download.protocols.join(", ")));
        }
        let list = needed(http, &join(&url, &download.shasums_url)?).await?;
        let signature = needed(http, &join(&url, &download.shasums_signature_url)?).await?;
        let keys: Vec<String> = download.signing_keys.gpg_public_keys.into_iter().map(|key| key.ascii_armor).collect();
        let key = signature::verify(&list, &signature, &keys)?;
        let sums = checksums(&list)?;
        let expected = layout::archive_name(address, version, platform);
        if download.filename != expected {
            return Err(RegistryError::Unlisted(expected));
        }
        let hash = sums.get(&download.filename).ok_or(RegistryError::Unlisted(expected))?;
        if *hash != archive_hash(&download.shasum)? {
            return Err(RegistryError::Contradiction(download.filename));
        }
        let start = format!("terraform-provider-{}_{version}_", address.type_name());
        let of_version = |name: &str| name.starts_with(&start) && name.ends_with(".zip");
        let hashes = sums.iter().filter(|(name, _)| of_version(name)).map(|(_, hash)| hash.clone()).collect();
        Ok(Some(Listed { url: join(&url, &download.download_url)?, hash: hash.clone(), hashes, key }))
    }

    /// Where a host has its registry: as configured, or as the host says (remote service discovery).
    async fn service(&self, http: &Http, address: &SourceAddress) -> Result<Url, RegistryError> {
        let mut found = self.found.lock().await;
        if let Some(url) = found.get(address.host()) {
            return Ok(url.clone());
        }
        let base = format!("https://{}/.well-known/terraform.json", address.host());
        let base = Url::parse(&base).map_err(|error| RegistryError::Unreadable(error.to_string()))?;
        let place = match self.configured.get(address.host()) {
            Some(services) => services.get(SERVICE).map(ToString::to_string),
            None => {
                let services: Option<serde_json::Value> = document(http, &base).await?;
                services.and_then(|services| Some(services.get(SERVICE)?.as_str()?.to_owned()))
            }
        };
        let url = join(&base, &place.ok_or(RegistryError::NoService)?)?;
        found.insert(address.host().clone(), url.clone());
        Ok(url)
    }
}

fn path(address: &SourceAddress) -> String {
    format!("{}/{}", address.namespace(), address.type_name())
}

fn join(base: &Url, relative: &str) -> Result<Url, RegistryError> {
    base.join(relative).map_err(|error| RegistryError::Unreadable(format!("`{relative}`: {error}")))
}

async fn document<T: for<'de> Deserialize<'de>>(http: &Http, url: &Url) -> Result<Option<T>, RegistryError> {
    match http.document(url).await {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map(Some).map_err(|error| RegistryError::Unreadable(error.to_string()))
        }
        Err(HttpError::Missing) => Ok(None),
        Err(error) => Err(RegistryError::Http(error)),
    }
}

async fn needed(http: &Http, url: &Url) -> Result<Vec<u8>, RegistryError> {
    http.document(url).await.map_err(RegistryError::Http)
}

/// A list as `sha256sum` writes it: digest, two characters, name.
fn checksums(list: &[u8]) -> Result<BTreeMap<String, PackageHash>, RegistryError> {
    let text = std::str::from_utf8(list).map_err(|error| RegistryError::Unreadable(error.to_string()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines
        .map(|line| {
            let (digest, name) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            Ok((name.trim_start_matches([' ', '*']).to_owned(), archive_hash(digest)?))
        })
        .collect()
}

fn archive_hash(digest: &str) -> Result<PackageHash, RegistryError> {
    let digits = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unreadable = || RegistryError::Unreadable(format!("`{digest}` is not a SHA-256"));
    if !digits {
        return Err(unreadable());
    }
    format!("zh:{}", digest.to_ascii_lowercase()).parse().map_err(|_| unreadable())
}
