//! Puts an image into a registry, and takes a tag off (OCI Distribution Specification 1.1, "Push" and "Content
//! Management"). What is there already is not sent again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;

use formwork_contract::Diagnostic;
use formwork_contract::artifact::{ArtifactError, ArtifactPart, PartRole};
use hyper::body::Bytes;
use hyper::header::LOCATION;
use hyper::{Method, StatusCode, Uri};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::client::{Client, Payload, Response};
use crate::beyond::Reach;

/// How much is read from the store at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// A manifest is not larger, in bytes.
const LARGEST_MANIFEST: u64 = 4 * 1024 * 1024;

/// The one thing that an image without content is made of.
const EMPTY: &[u8] = b"{}";

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

type Outcome<T> = Result<T, Box<Diagnostic>>;

/// A repository of a registry.
pub(super) struct Repository<'a> {
    pub client: Client<'a>,
    pub reach: &'a Reach<'a>,
    pub name: &'a str,
}

/// What a look at a tag tells.
pub(super) enum Tagged {
    /// It stands for the manifest of this digest.
    Digest(String),
    Nothing,
    /// The login does not suffice to see it: what the registry says.
    Hidden(Box<Diagnostic>),
}

impl Repository<'_> {
    /// What a tag stands for.
    pub(super) async fn look(&mut self, tag: &str) -> Outcome<Tagged> {
        let path = self.manifest(tag);
        let response = self.client.send(Method::HEAD, &path, Payload::Nothing).await?;
        match response.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Tagged::Nothing),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Ok(Tagged::Hidden(self.client.refused("show the image", &response)));
            }
            _ => return Err(self.client.refused("show the image", &response)),
        }
        if let Some(digest) = digest_of(&response) {
            return Ok(Tagged::Digest(digest));
        }
        let response = self.client.send(Method::GET, &path, Payload::Nothing).await?;
        match response.status {
            StatusCode::OK => Ok(Tagged::Digest(sha256(&response.body))),
            _ => Err(self.client.refused("show the image", &response)),
        }
    }

    /// Makes a tag stand for an image of the store.
    pub(super) async fn push(&mut self, tag: &str, artifact: &str) -> Outcome<()> {
        let parts = self.parts(artifact).await?;
        for part in parts.iter().filter(|part| part.role == PartRole::Manifest) {
            let pieces = self.parts(&part.id).await?;
            self.push_pieces(&pieces).await?;
            let bytes = self.read(&part.id).await?;
            self.put_manifest(&part.id, part.media_type.to_string(), bytes).await?;
        }
        self.push_pieces(&parts).await?;
        let bytes = self.read(artifact).await?;
        let media_type = media_type(&bytes).ok_or_else(|| {
            Diagnostic::error(format!("the artifact `{artifact}` is no image"))
                .hint("an image has the kind `oci`: `formwork artifacts add NAME oci:FOLDER` takes one in")
        })?;
        self.put_manifest(tag, media_type, bytes).await
    }

    /// Takes a tag off. Other tags and digests of the same image stay.
    ///
    /// Not all registries take off a tag alone, and a deletion by digest takes all tags of the image. So the tag is
    /// moved to an image of its own, without content, which is deleted. That deletions are allowed is tried first.
    pub(super) async fn remove(&mut self, tag: &str) -> Outcome<()> {
        let path = self.manifest(tag);
        let response = self.client.send(Method::DELETE, &path, Payload::Nothing).await?;
        match response.status {
            StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT => return Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(self.client.refused("delete the image", &response));
            }
            _ => {}
        }
        self.push_blob(&sha256(EMPTY), EMPTY.len() as u64, Source::Bytes(EMPTY)).await?;
        let nothing = placeholder(tag);
        let digest = sha256(&nothing);
        self.put_manifest(&digest, MANIFEST.into(), nothing.clone()).await?;
        self.delete(&digest).await?;
        self.put_manifest(tag, MANIFEST.into(), nothing).await?;
        self.delete(&digest).await
    }

    async fn delete(&mut self, digest: &str) -> Outcome<()> {
        let path = self.manifest(digest);
        let response = self.client.send(Method::DELETE, &path, Payload::Nothing).await?;
        match response.status {
            StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT | StatusCode::NOT_FOUND => Ok(()),
            StatusCode::METHOD_NOT_ALLOWED => {
                let mut problem = *self.client.refused("delete images", &response);
                problem.hint = Some(
                    "let it: `storage.delete.enabled: true` in its configuration, or \
                     `REGISTRY_STORAGE_DELETE_ENABLED=true` in its environment"
                        .into(),
                );
                Err(Box::new(problem))
            }
            _ => Err(self.client.refused("delete the image", &response)),
        }
    }

    async fn push_pieces(&mut self, parts: &[ArtifactPart]) -> Outcome<()> {
        let mut sent = BTreeSet::new();
        for part in parts.iter().filter(|part| part.role != PartRole::Manifest) {
            if sent.insert(&part.id) {
                self.push_blob(&part.id, part.size, Source::Store).await?;
            }
        }
        Ok(())
    }

    /// Sends a blob unless it is there.
    async fn push_blob(&mut self, digest: &str, size: u64, source: Source) -> Outcome<()> {
        let path = format!("/v2/{}/blobs/{digest}", self.name);
        let response = self.client.send(Method::HEAD, &path, Payload::Nothing).await?;
        match response.status {
            StatusCode::OK => return Ok(()),
            StatusCode::NOT_FOUND => {}
            _ => return Err(self.client.refused("show a layer", &response)),
        }
        let path = format!("/v2/{}/blobs/uploads/", self.name);
        let response = self.client.send(Method::POST, &path, Payload::Nothing).await?;
        if response.status != StatusCode::ACCEPTED {
            return Err(self.client.refused("take a layer", &response));
        }
        let path =
            upload_path(&response, digest).ok_or_else(|| self.client.refused("say where a layer goes", &response))?;
        let (payload, reading) = match source {
            Source::Bytes(bytes) => {
                (Payload::Bytes { media_type: "application/octet-stream".into(), bytes: bytes.into() }, None)
            }
            Source::Store => {
                let (chunks, reading) = self.stream(digest);
                (Payload::Chunks { length: size, chunks }, Some(reading))
            }
        };
        let sent = self.client.send(Method::PUT, &path, payload).await;
        // What the store says is the reason where both fail.
        if let Some(reading) = reading {
            reading.await.map_err(|error| Box::new(Diagnostic::error(format!("reading broke off: {error}"))))??;
        }
        let response = sent?;
        match response.status {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            _ => Err(self.client.refused("take a layer", &response)),
        }
    }

    async fn put_manifest(&mut self, reference: &str, media_type: String, bytes: Vec<u8>) -> Outcome<()> {
        let (path, digest) = (self.manifest(reference), sha256(&bytes));
        let response = self.client.send(Method::PUT, &path, Payload::Bytes { media_type, bytes }).await?;
        if response.status != StatusCode::CREATED {
            return Err(self.client.refused("take the manifest", &response));
        }
        match digest_of(&response).filter(|said| *said != digest) {
            Some(other) => Err(Box::new(
                Diagnostic::error(format!("the registry stored another manifest than `{digest}`"))
                    .detail(format!("It says `{other}`: it rewrites what it is given."))
                    .hint("use a registry that stores manifests as they are"),
            )),
            None => Ok(()),
        }
    }

    fn manifest(&self, reference: &str) -> String {
        format!("/v2/{}/manifests/{reference}", self.name)
    }

    async fn parts(&self, id: &str) -> Outcome<Vec<ArtifactPart>> {
        let (artifacts, id) = (self.reach.artifacts.clone(), id.to_owned());
        blocking(move || artifacts.parts(&id)).await
    }

    /// The bytes of a manifest.
    async fn read(&self, id: &str) -> Outcome<Vec<u8>> {
        let (artifacts, id) = (self.reach.artifacts.clone(), id.to_owned());
        blocking(move || {
            let content = artifacts.open(&id)?;
            let mut bytes = Vec::new();
            let read = content.reader.take(LARGEST_MANIFEST).read_to_end(&mut bytes);
            read.map_err(|error| unreadable(&id, &error))?;
            Ok(bytes)
        })
        .await
    }

    /// The bytes of a blob as they are read, and what comes of reading them.
    fn stream(&self, id: &str) -> (mpsc::Receiver<std::io::Result<Bytes>>, tokio::task::JoinHandle<Outcome<()>>) {
        let (sender, chunks) = mpsc::channel(4);
        let (artifacts, id) = (self.reach.artifacts.clone(), id.to_owned());
        let reading = tokio::task::spawn_blocking(move || {
            let fail = |error: ArtifactError, sender: &mpsc::Sender<std::io::Result<Bytes>>| {
                // The request must not look finished.
                let _ = sender.blocking_send(Err(std::io::Error::other("the artifact cannot be read")));
                Err(Box::new(error.diagnostic()))
            };
            let mut content = match artifacts.open(&id) {
                Ok(content) => content,
                Err(error) => return fail(error, &sender),
            };
            loop {
                let mut chunk = vec![0; CHUNK];
                match content.reader.read(&mut chunk) {
                    Ok(0) => return Ok(()),
                    Ok(read) => {
                        chunk.truncate(read);
                        // Nobody takes it any more: why is known there.
                        if sender.blocking_send(Ok(chunk.into())).is_err() {
                            return Ok(());
                        }
                    }
                    Err(error) => return fail(unreadable(&id, &error), &sender),
                }
            }
        });
        (chunks, reading)
    }
}

enum Source {
    Store,
    Bytes(&'static [u8]),
}

async fn blocking<T: Send + 'static>(read: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static) -> Outcome<T> {
    match tokio::task::spawn_blocking(read).await {
        Ok(outcome) => outcome.map_err(|error| Box::new(error.diagnostic())),
        Err(error) => Err(Box::new(Diagnostic::error(format!("reading the store broke off: {error}")))),
    }
}

fn unreadable(id: &str, error: &std::io::Error) -> ArtifactError {
    let (id, problem) = (id.into(), error.to_string().into());
    match error.kind() {
        std::io::ErrorKind::InvalidData => ArtifactError::Damaged { id, problem },
        _ => ArtifactError::Unreadable { id, problem },
    }
}

/// The media type of a manifest or an index; `None` for what is neither.
fn media_type(bytes: &[u8]) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let said = manifest["mediaType"].as_str().map(str::to_owned);
    match (manifest["config"].is_object(), manifest["manifests"].is_array()) {
        (true, _) => said.or_else(|| Some(MANIFEST.into())),
        (_, true) => said.or_else(|| Some(INDEX.into())),
        _ => None,
    }
}

/// A manifest of nothing, of one tag alone.
fn placeholder(tag: &str) -> Vec<u8> {
    let nothing = json!({
        "mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(EMPTY), "size": EMPTY.len(),
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": nothing,
        "layers": [nothing],
        "annotations": { "formwork.tag-to-be-deleted": tag },
    });
    manifest.to_string().into_bytes()
}

/// Where the bytes of an upload go: a path of the same registry.
fn upload_path(response: &Response, digest: &str) -> Option<String> {
    let location: Uri = response.headers.get(LOCATION)?.to_str().ok()?.parse().ok()?;
    let path = location.path_and_query()?.as_str();
    let sign = if path.contains('?') { '&' } else { '?' };
    Some(format!("{path}{sign}digest={digest}"))
}

fn digest_of(response: &Response) -> Option<String> {
    response.headers.get("docker-content-digest")?.to_str().ok().map(str::to_owned)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::from("sha256:"), |mut digest, byte| {
        let _ = write!(digest, "{byte:02x}");
        digest
    })
}
