//! Artifacts that are brought to hosts: files, and sets of Debian packages that `dpkg-deb` makes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Cursor;
use std::process::Command;
use std::sync::{Arc, Mutex};

use formwork_contract::artifact::{
    ArtifactContent, ArtifactError, ArtifactPackage, ArtifactPart, ArtifactSource, PartRole,
};
use sha2::{Digest, Sha256};

/// What artifacts are read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcels(Arc<Mutex<BTreeMap<String, Parcel>>>);

#[derive(Clone, Debug, Default)]
struct Parcel {
    bytes: Vec<u8>,
    parts: Vec<ArtifactPart>,
    /// What a reader gets in its place: a store that is damaged.
    read: Option<Vec<u8>>,
}

impl Parcels {
    /// Takes a file in and gives its id.
    pub(crate) fn file(&self, bytes: &[u8]) -> String {
        self.put(Parcel { bytes: bytes.to_vec(), ..Parcel::default() })
    }

    /// From now on readers get fewer bytes than there were.
    pub(crate) fn damage(&self, id: &str) {
        let mut parcels = self.0.lock().expect("no panic");
        let parcel = parcels.get_mut(id).expect("it is there");
        parcel.read = Some(parcel.bytes[..parcel.bytes.len() / 2].to_vec());
    }

    /// A set of packages: names, versions and what each depends on. Each brings `/opt/NAME` with its version in it.
    pub(crate) fn packages(&self, packages: &[(&str, &str, &str)]) -> String {
        let mut parts = Vec::new();
        for (name, version, depends) in packages {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let at = |path: &str| folder.path().join(path);
            std::fs::create_dir_all(at("it/DEBIAN")).expect("a folder");
            std::fs::create_dir_all(at("it/opt")).expect("a folder");
            let depends = if depends.is_empty() { String::new() } else { format!("Depends: {depends}\n") };
            let control = format!(
                "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: T <t@example.com>\n{depends}Description: t\n"
            );
            std::fs::write(at("it/DEBIAN/control"), control).expect("a file");
            std::fs::write(at(&format!("it/opt/{name}")), version).expect("a file");
            let built = Command::new("dpkg-deb")
                .args(["--build", "--root-owner-group"])
                .args([at("it"), at("it.deb")])
                .output()
                .expect("dpkg-deb starts");
            assert!(built.status.success(), "{built:?}");
            let bytes = std::fs::read(at("it.deb")).expect("a package");
            let (name, version) = ((*name).into(), (*version).into());
            parts.push(ArtifactPart {
                role: PartRole::Layer,
                size: bytes.len() as u64,
                id: self.file(&bytes).into(),
                media_type: "application/vnd.debian.binary-package".into(),
                name: None,
                package: Some(ArtifactPackage { name, version, architecture: "all".into() }),
            });
        }
        self.put(Parcel { bytes: format!("{parts:?}").into_bytes(), parts, read: None })
    }

    fn put(&self, parcel: Parcel) -> String {
        let id = Sha256::digest(&parcel.bytes).iter().fold(String::from("sha256:"), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        });
        self.0.lock().expect("no panic").insert(id.clone(), parcel);
        id
    }

    fn get(&self, id: &str) -> Result<Parcel, ArtifactError> {
        let parcels = self.0.lock().expect("no panic");
        parcels.get(id).cloned().ok_or_else(|| ArtifactError::Missing { id: id.into() })
    }
}

impl ArtifactSource for Parcels {
    fn open(&self, id: &str) -> Result<ArtifactContent, ArtifactError> {
        let parcel = self.get(id)?;
        let length = parcel.bytes.len() as u64;
        Ok(ArtifactContent { length, reader: Box::new(Cursor::new(parcel.read.unwrap_or(parcel.bytes))) })
    }

    fn parts(&self, id: &str) -> Result<Vec<ArtifactPart>, ArtifactError> {
        Ok(self.get(id)?.parts)
    }
}
