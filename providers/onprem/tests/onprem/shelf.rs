//! Artifacts for tests, in memory: images, and files that are damaged or slow.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Read};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use formwork_contract::artifact::{ArtifactContent, ArtifactError, ArtifactPart, ArtifactSource, PartRole};
use serde_json::json;
use sha2::{Digest, Sha256};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What artifacts are read from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf(Arc<Mutex<BTreeMap<String, Piece>>>, Option<Arc<dyn ArtifactSource>>);

#[derive(Clone, Debug)]
struct Piece {
    bytes: Arc<Vec<u8>>,
    parts: Vec<ArtifactPart>,
    /// Between two chunks.
    pause: Duration,
}

impl Shelf {
    /// Takes bytes in and gives their id.
    pub(crate) fn file(&self, bytes: &[u8]) -> String {
        self.put(bytes.to_vec(), Vec::new())
    }

    /// The same, and where to look for what is not there.
    pub(crate) fn beside(self, other: Arc<dyn ArtifactSource>) -> Self {
        Self(self.0, Some(other))
    }

    /// An image of these layers.
    pub(crate) fn image(&self, name: &str, layers: &[&[u8]]) -> String {
        let diffs: Vec<String> = layers.iter().map(|layer| digest(layer)).collect();
        let config = json!({
            "architecture": "amd64", "os": "linux", "config": { "Cmd": [format!("/{name}")] },
            "rootfs": { "type": "layers", "diff_ids": diffs },
        });
        let config = config.to_string().into_bytes();
        let part = |role, media_type: &str, bytes: &[u8]| ArtifactPart {
            role,
            id: digest(bytes).into(),
            media_type: media_type.into(),
            size: bytes.len() as u64,
            name: None,
            package: None,
        };
        let mut parts = vec![part(PartRole::Config, "application/vnd.oci.image.config.v1+json", &config)];
        parts.extend(layers.iter().map(|layer| part(PartRole::Layer, "application/vnd.oci.image.layer.v1.tar", layer)));
        let described: Vec<_> = parts
            .iter()
            .map(|part| json!({ "mediaType": &*part.media_type, "digest": &*part.id, "size": part.size }))
            .collect();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1..],
        });
        self.file(&config);
        for layer in layers {
            self.file(layer);
        }
        self.put(manifest.to_string().into_bytes(), parts)
    }

    /// An index of images.
    pub(crate) fn index(&self, images: &[(&str, &str)]) -> String {
        let parts: Vec<_> = images
            .iter()
            .map(|(id, _)| ArtifactPart {
                role: PartRole::Manifest,
                id: (*id).into(),
                media_type: MANIFEST.into(),
                size: self.0.lock().expect("no panic")[*id].bytes.len() as u64,
                name: None,
                package: None,
            })
            .collect();
        let described: Vec<_> = parts
            .iter()
            .zip(images)
            .map(|(part, (_, architecture))| {
                json!({
                    "mediaType": MANIFEST, "digest": &*part.id, "size": part.size,
                    "platform": { "architecture": architecture, "os": "linux" },
                })
            })
            .collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": described });
        self.put(index.to_string().into_bytes(), parts)
    }

    /// Exchanges a byte behind the store's back.
    pub(crate) fn damage(&self, bytes: &[u8]) {
        let mut pieces = self.0.lock().expect("no panic");
        let piece = pieces.get_mut(&digest(bytes)).expect("it is there");
        let mut changed = bytes.to_vec();
        *changed.last_mut().expect("it has bytes") ^= 1;
        piece.bytes = Arc::new(changed);
    }

    /// Lets the bytes come slowly.
    pub(crate) fn slow_down(&self, bytes: &[u8], pause: Duration) {
        self.0.lock().expect("no panic").get_mut(&digest(bytes)).expect("it is there").pause = pause;
    }

    pub(crate) fn bytes(&self, id: &str) -> Vec<u8> {
        self.0.lock().expect("no panic")[id].bytes.to_vec()
    }

    pub(crate) fn pieces(&self, id: &str) -> Vec<ArtifactPart> {
        self.0.lock().expect("no panic")[id].parts.clone()
    }

    fn put(&self, bytes: Vec<u8>, parts: Vec<ArtifactPart>) -> String {
        let id = digest(&bytes);
        let piece = Piece { bytes: Arc::new(bytes), parts, pause: Duration::ZERO };
        self.0.lock().expect("no panic").insert(id.clone(), piece);
        id
    }

    fn piece(&self, id: &str) -> Result<Piece, ArtifactError> {
        let pieces = self.0.lock().expect("no panic");
        pieces.get(id).cloned().ok_or_else(|| ArtifactError::Missing { id: id.into() })
    }
}

impl ArtifactSource for Shelf {
    fn open(&self, id: &str) -> Result<ArtifactContent, ArtifactError> {
        let piece = match (self.piece(id), &self.1) {
            (Err(_), Some(other)) => return other.open(id),
            (piece, _) => piece?,
        };
        let length = piece.bytes.len() as u64;
        let intact = digest(&piece.bytes) == id;
        Ok(ArtifactContent { length, reader: Box::new(Reader { piece, at: 0, intact }) })
    }

    fn parts(&self, id: &str) -> Result<Vec<ArtifactPart>, ArtifactError> {
        match (self.piece(id), &self.1) {
            (Err(_), Some(other)) => other.parts(id),
            (piece, _) => Ok(piece?.parts),
        }
    }
}

struct Reader {
    piece: Piece,
    at: usize,
    intact: bool,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Error> {
        std::thread::sleep(self.piece.pause);
        let rest = &self.piece.bytes[self.at..];
        if rest.is_empty() && !self.intact {
            return Err(Error::new(ErrorKind::InvalidData, "its digest is another one"));
        }
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::from("sha256:"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
