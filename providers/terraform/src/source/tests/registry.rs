//! Registries and network mirrors, as they should be and as they should not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use formwork_contract::Diagnostics;
use serde_json::json;

use super::keys::KeyRing;
use super::web::{self, Answer, Web};
use super::{Machine, NULL, parse};
use crate::source::{
    LockFile, LockRequest, Method, MirrorRequest, NetworkOptions, PackageHash, Place, Selected, Token, Trust, Wanted,
    layout,
};

const PLATFORMS: [&str; 2] = ["linux_amd64", "windows_amd64"];

/// A registry with one provider, `acme/tool` 1.2.0, for two platforms.
pub(super) struct Registry {
    pub(super) web: Web,
    pub(super) machine: Machine,
    ring: KeyRing,
}

impl Registry {
    /// `None` where no signatures can be made.
    pub(super) async fn start() -> Option<Self> {
        let ring = KeyRing::new()?;
        let machine = Machine::new();
        let registry = Self { web: Web::start(&machine.path("")).await, machine, ring };
        let key = registry.ring.generate("acme", "rsa2048", "sign");
        let web = &registry.web;
        web.body("/.well-known/terraform.json", json!({"providers.v1": "/v1/"}).to_string());
        let versions = ["1.0.0", "1.2.0", "2.0.0-beta1"].map(|version| json!({"version": version}));
        web.body("/v1/acme/tool/versions", json!({"versions": versions}).to_string());
        let mut list = String::new();
        for platform in PLATFORMS {
            let archive = registry.archive(platform, platform);
            let bytes = fs::read(&archive).unwrap();
            let name = archive.file_name().unwrap().to_str().unwrap();
            let sum = PackageHash::of_archive_file(&archive).unwrap().to_string().replace("zh:", "");
            list += &format!("{sum}  {name}\n");
            web.body(&format!("/files/{name}"), bytes);
            web.body(&registry.download_path(platform), registry.download(platform, &sum, &[&key]));
        }
        web.body("/files/SHA256SUMS", &list);
        web.body("/files/SHA256SUMS.sig", registry.ring.sign("acme", list.as_bytes()));
        Some(registry)
    }

    pub(super) fn name(&self) -> String {
        format!("{}/acme/tool", self.web.host())
    }

    fn archive(&self, platform: &str, content: &str) -> std::path::PathBuf {
        self.machine.packed_for(&platform.parse().unwrap(), "published", &self.name(), "1.2.0", content)
    }

    fn download_path(&self, platform: &str) -> String {
        format!("/v1/acme/tool/1.2.0/download/{}", platform.replace('_', "/"))
    }

    fn download(&self, platform: &str, sum: &str, keys: &[&str]) -> String {
        let name = format!("terraform-provider-tool_1.2.0_{platform}.zip");
        let (os, arch) = platform.split_once('_').unwrap();
        let keys: Vec<_> = keys.iter().map(|key| json!({"key_id": "unused", "ascii_armor": key})).collect();
        json!({
            "protocols": ["5.0"], "os": os, "arch": arch, "filename": name, "shasum": sum, "download_url": format!("/files/{name}"),
            "shasums_url": "/files/SHA256SUMS", "shasums_signature_url": "/files/SHA256SUMS.sig",
            "signing_keys": {"gpg_public_keys": keys},
        })
        .to_string()
    }

    fn network(&self) -> NetworkOptions {
        NetworkOptions {
            ca_file: Some(self.web.authority.clone()),
            retry_delay: Duration::from_millis(1),
            ..NetworkOptions::default()
        }
    }

    fn wanted(&self, constraints: &str) -> Vec<Wanted> {
        vec![Wanted { address: parse(&self.name()), constraints: constraints.parse().unwrap() }]
    }

    async fn lock_with(
        &self,
        constraints: &str,
        network: &NetworkOptions,
    ) -> Result<(LockFile, Vec<Selected>), Diagnostics> {
        let platforms = vec!["linux_amd64".parse().unwrap()];
        let request = LockRequest { wanted: self.wanted(constraints), only: Vec::new(), platforms, upgrade: false };
        self.machine.sources().lock(&request, &LockFile::default(), network, &()).await
    }

    pub(super) async fn lock(&self) -> Result<(LockFile, Vec<Selected>), Diagnostics> {
        self.lock_with("~> 1.0", &self.network()).await
    }

    /// What is said when nothing can be locked; nothing may be installed then.
    async fn refusal(&self) -> String {
        let said = self.lock().await.unwrap_err().to_string();
        let own = layout::folder(&self.machine.path("blueprint/.formwork/providers"), &parse(&self.name()));
        assert!(!own.exists(), "something was installed although: {said}");
        said
    }
}

#[tokio::test]
async fn a_signed_package_is_locked_and_works_offline() {
    let Some(registry) = Registry::start().await else { return };
    let (lock, selected) = registry.lock().await.unwrap();
    let address = parse(&registry.name());
    assert_eq!(selected[0].version.to_string(), "1.2.0");
    assert!(matches!(&selected[0].packages[0].trust, Trust::Signed(key) if key.len() == 16), "{selected:?}");
    // The content of the one that was fetched, and the archives for both platforms.
    assert_eq!(lock.get(&address).unwrap().hashes.len(), 3);
    let machine = registry.machine;
    drop(registry.web);
    let installed = machine.sources().find(&address, &"~> 1.0".parse().unwrap(), &lock).unwrap();
    assert!(installed.locked);
    assert_eq!(fs::read_to_string(installed.binary).unwrap(), "linux_amd64");
}

#[tokio::test]
async fn a_list_that_is_not_signed_by_a_named_key_is_refused() {
    let Some(registry) = Registry::start().await else { return };
    let stranger = registry.ring.generate("stranger", "ed25519", "sign");
    let sum = |platform: &str| {
        let archive = registry.archive(platform, platform);
        PackageHash::of_archive_file(&archive).unwrap().to_string().replace("zh:", "")
    };
    let path = registry.download_path("linux_amd64");
    registry.web.body(&path, registry.download("linux_amd64", &sum("linux_amd64"), &[&stranger]));
    assert!(registry.refusal().await.contains("none of the keys that the registry names"));
    registry.web.body(&path, registry.download("linux_amd64", &sum("linux_amd64"), &[]));
    assert!(registry.refusal().await.contains("names no key"));
}

#[tokio::test]
async fn whatever_was_altered_is_refused() {
    let Some(registry) = Registry::start().await else { return };
    let evil = fs::read(registry.archive("linux_amd64", "evil")).unwrap();
    let path = "/files/terraform-provider-tool_1.2.0_linux_amd64.zip";
    registry.web.body(path, evil);
    assert!(registry.refusal().await.contains("is not what the registry at"));

    let key = registry.ring.export("acme");
    registry
        .web
        .body(&registry.download_path("linux_amd64"), registry.download("linux_amd64", &"0".repeat(64), &[&key]));
    assert!(registry.refusal().await.contains("another checksum"));

    registry
        .web
        .body("/files/SHA256SUMS", format!("{}  terraform-provider-tool_1.2.0_linux_amd64.zip\n", "0".repeat(64)));
    assert!(registry.refusal().await.contains("not signed as it must be"));
}

#[tokio::test]
async fn what_is_not_there_or_not_spoken_is_told() {
    let Some(registry) = Registry::start().await else { return };
    let key = registry.ring.export("acme");
    let old = registry.download("linux_amd64", &"0".repeat(64), &[&key]).replace("5.0", "4.0");
    registry.web.body(&registry.download_path("linux_amd64"), old);
    assert!(registry.refusal().await.contains("version 4.0 of the plugin protocol"));
    registry.web.answer(&registry.download_path("linux_amd64"), [Answer::Status(404)]);
    assert!(registry.refusal().await.contains("1.2.0 for linux_amd64"));
    registry.web.body("/v1/acme/tool/versions", "<html>");
    assert!(registry.refusal().await.contains("cannot be read"));
    registry.web.answer("/v1/acme/tool/versions", [Answer::Status(404)]);
    assert!(registry.refusal().await.contains("there is no provider"));
    registry.web.answer("/v1/acme/tool/versions", [Answer::Status(401)]);
    assert!(registry.refusal().await.contains("refuses access"));
    registry.web.body("/.well-known/terraform.json", "{}");
    assert!(registry.refusal().await.contains("has no provider registry"));
    let said = registry.lock_with("~> 3.0", &registry.network()).await.unwrap_err().to_string();
    assert!(said.contains("has no provider registry"), "{said}");
}

#[tokio::test]
async fn what_no_version_allows_names_those_that_there_are() {
    let Some(registry) = Registry::start().await else { return };
    let said = registry.lock_with(">= 2.0", &registry.network()).await.unwrap_err().to_string();
    assert!(said.contains("`>= 2.0.0`") && said.contains("`2.0.0-beta1`, `1.2.0`, `1.0.0`"), "{said}");
}

#[tokio::test]
async fn a_failure_that_passes_is_waited_for() {
    let Some(registry) = Registry::start().await else { return };
    let versions = json!({"versions": [{"version": "1.2.0"}]}).to_string().into_bytes();
    let path = "/v1/acme/tool/versions";
    registry.web.answer(path, [Answer::Status(503), Answer::Status(429), Answer::Body(versions)]);
    assert!(registry.lock().await.is_ok());
    registry.web.answer(path, [Answer::Status(503)]);
    let said = registry.lock().await.unwrap_err().to_string();
    assert!(said.contains("503"), "{said}");
    let asked = registry.web.requests().iter().filter(|(asked, _)| asked == path).count();
    assert_eq!(asked, 3 + 4);
}

#[tokio::test]
async fn a_token_goes_to_its_host_alone() {
    let Some(mut registry) = Registry::start().await else { return };
    let elsewhere = Web::start(&registry.machine.path("")).await;
    let name = "terraform-provider-tool_1.2.0_linux_amd64.zip";
    elsewhere.body("/there", fs::read(registry.archive("linux_amd64", "linux_amd64")).unwrap());
    let there = format!("https://{}/there", elsewhere.host());
    registry.web.answer(&format!("/files/{name}"), [Answer::Redirect(there)]);
    let mut both = fs::read_to_string(&registry.web.authority).unwrap();
    both += &fs::read_to_string(&elsewhere.authority).unwrap();
    fs::write(&registry.web.authority, both).unwrap();
    let host = registry.web.host();
    registry.machine.options.settings.credentials.insert(host.as_str().into(), Token::new("secret"));
    registry.lock().await.unwrap();
    assert!(registry.web.requests().iter().all(|(_, token)| token.as_deref() == Some("Bearer secret")));
    assert_eq!(elsewhere.requests(), [("/there".to_owned(), None)]);
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_is_refused() {
    let Some(registry) = Registry::start().await else { return };
    let network = NetworkOptions { ca_file: None, ..registry.network() };
    let said = registry.lock_with("", &network).await.unwrap_err().to_string();
    assert!(said.contains("gives no answer") && said.to_lowercase().contains("certificate"), "{said}");
    let network = NetworkOptions { ca_file: Some(registry.machine.path("missing.pem")), ..registry.network() };
    assert!(registry.lock_with("", &network).await.unwrap_err().to_string().contains("missing.pem"));
}

#[tokio::test]
async fn a_proxy_is_used_unless_the_host_is_excepted() {
    let Some(registry) = Registry::start().await else { return };
    let (url, asked) = web::proxy().await;
    let mut network = NetworkOptions { https_proxy: Some(url.as_str().into()), ..registry.network() };
    registry.lock_with("", &network).await.unwrap();
    let first = asked.lock().unwrap().clone();
    assert!(!first.is_empty() && first.iter().all(|target| *target == registry.web.host()), "{first:?}");
    fs::remove_dir_all(registry.machine.path("blueprint/.formwork")).unwrap();
    network.no_proxy = Some("localhost".into());
    registry.lock_with("", &network).await.unwrap();
    assert_eq!(*asked.lock().unwrap(), first);
}

/// Fills a folder, and serves it with a plain web server.
pub(super) async fn served(machine: &mut Machine) -> Web {
    machine.packed("origin", NULL, "1.0.0", "from afar");
    machine.packed("origin", NULL, "1.1.0-rc1", "too early");
    let origin = Place::FilesystemMirror(machine.path("origin"));
    machine.options.settings.methods = Some(vec![Method { place: origin, include: Vec::new(), exclude: Vec::new() }]);
    let into = machine.path("served");
    let wanted = vec![Wanted { address: parse(NULL), constraints: Default::default() }];
    let request = MirrorRequest { wanted, platforms: vec!["linux_amd64".parse().unwrap()], into: into.clone() };
    machine.sources().mirror(&request, &LockFile::default(), &NetworkOptions::default(), &()).await.unwrap();
    let web = Web::start(&machine.path("")).await;
    web.folder(&into);
    let place = Place::NetworkMirror(format!("https://{}/", web.host()).into());
    machine.options.settings.methods = Some(vec![Method { place, include: Vec::new(), exclude: Vec::new() }]);
    web
}

async fn lock_from(machine: &Machine, web: &Web) -> Result<(LockFile, Vec<Selected>), Diagnostics> {
    let network = NetworkOptions { ca_file: Some(web.authority.clone()), ..NetworkOptions::default() };
    let wanted = vec![Wanted { address: parse(NULL), constraints: Default::default() }];
    let platforms = vec!["linux_amd64".parse().unwrap()];
    let request = LockRequest { wanted, only: Vec::new(), platforms, upgrade: false };
    machine.sources().lock(&request, &LockFile::default(), &network, &()).await
}

#[tokio::test]
async fn a_filled_folder_is_served_by_any_web_server() {
    let mut machine = Machine::new();
    let web = served(&mut machine).await;
    let (lock, selected) = lock_from(&machine, &web).await.unwrap();
    assert_eq!((selected[0].version.to_string(), &selected[0].packages[0].trust), ("1.0.0".into(), &Trust::Mirror));
    let installed = machine.sources().find(&parse(NULL), &Default::default(), &lock).unwrap();
    assert_eq!(fs::read_to_string(installed.binary).unwrap(), "from afar");
}

#[tokio::test]
async fn a_mirror_that_serves_another_archive_is_refused() {
    let mut machine = Machine::new();
    let web = served(&mut machine).await;
    let other = machine.packed("other", NULL, "1.0.0", "evil");
    let name = other.file_name().unwrap();
    let folder = Path::new("/registry.terraform.io/hashicorp/null");
    web.body(&folder.join(name).display().to_string(), fs::read(&other).unwrap());
    let said = lock_from(&machine, &web).await.unwrap_err().to_string();
    assert!(said.contains("is not what the mirror at"), "{said}");
}
