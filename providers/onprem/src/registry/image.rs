//! `onprem_image`: an image of the artifact store in a registry, by a tag.

use async_trait::async_trait;
use formwork_contract::{Attribute, Block, Diagnostic, Marks, Type, Value};
use hyper::http::uri::Authority;
use serde_json::json;

use super::client::{Client, Registry};
use super::push::{Repository, Tagged};
use super::tls;
use crate::beyond::{Beyond, Looked, Reach};
use crate::resource::{Attributes, Description, Problems, text};
use crate::shell::answer::Answer;
use crate::transport::Broken;

pub(crate) struct Image;

/// A digest that no artifact has: of what cannot be seen.
const PREFIX: &str = "sha256:";

#[async_trait]
impl Beyond for Image {
    fn describe(&self) -> Description {
        let named = |description: &str| Attribute::required(Type::String).forces_replacement().describe(description);
        let block = Block::new([
            ("registry", named("The registry as references of images name it, such as `registry.example:5000`. It is reached from the host, with TLS.")),
            ("repository", named("The repository, such as `factory/web`.")),
            ("tag", named("The tag.")),
            ("artifact", Attribute::required(Type::String).describe("The image: the id of an artifact of the kind `oci`.")),
            ("username", Attribute::optional(Type::String).describe("The name of an account of the registry.")),
            ("password", Attribute::optional(Type::String).sensitive().describe("Its password.")),
            ("ca_certificate", Attribute::optional(Type::String).describe("The authority that the registry's certificate is from, in PEM. Those that this machine trusts by default.")),
            ("digest", Attribute::computed(Type::String).describe("The digest of what the tag stands for.")),
            ("reference", Attribute::computed(Type::String).describe("The image by its digest: `REGISTRY/REPOSITORY@DIGEST`.")),
        ]);
        Description {
            recomputed: &["digest", "reference"],
            ..Description::new(
                "onprem_image",
                "An image of the artifact store in a registry. When it goes, its tag goes; the registry's garbage collection takes what no tag names.",
                block,
            )
        }
    }

    fn check(&self, config: &Value, problems: &mut Problems) {
        if let Some(registry) = config.get_str("registry")
            && (registry.contains('@') || registry.parse::<Authority>().is_err())
        {
            let hint = "write a name or an address, and a port where it is not 443: `registry.example:5000`";
            problems.at("registry", format!("`{registry}` is not the address of a registry"), hint);
        }
        if let Some(repository) = config.get_str("repository")
            && !repository.split('/').all(is_component)
        {
            let hint = "use lower-case letters and digits, parted by one `.`, `_`, `-` or `/`";
            problems.at("repository", format!("`{repository}` is not the name of a repository"), hint);
        }
        if let Some(tag) = config.get_str("tag") {
            let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
            if tag.is_empty() || tag.len() > 128 || tag.starts_with(['.', '-']) || !tag.chars().all(fits) {
                let hint = "use up to 128 letters, digits, `_`, `.` and `-`, starting with none of the last two";
                problems.at("tag", format!("`{tag}` is not a tag"), hint);
            }
        }
        if let Some(artifact) = config.get_str("artifact")
            && !is_digest(artifact)
        {
            problems.at("artifact", format!("`{artifact}` names no artifact"), "give `artifact.NAME.id`");
        }
        if let Some(pem) = config.get_str("ca_certificate")
            && let Err(why) = tls::roots(pem)
        {
            problems.at("ca_certificate", format!("`ca_certificate` is no certificate: {why}"), "give it in PEM");
        }
        let given = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
        if given("username") != given("password") {
            let missing = if given("username") { "password" } else { "username" };
            problems.at(missing, format!("`{missing}` is missing"), "a login has `username` and `password`");
        }
    }

    fn key(&self, planned: &Value) -> Option<String> {
        let part = |name: &str| planned.get_str(name);
        Some(format!("{}/{}:{}", part("registry")?, part("repository")?, part("tag")?))
    }

    fn foresee(&self, planned: Value) -> Value {
        let artifact = planned.get("artifact").cloned().unwrap_or(Value::Null(Type::String));
        let (Some(digest), Some(registry), Some(repository)) =
            (artifact.as_str(), planned.get_str("registry"), planned.get_str("repository"))
        else {
            return planned;
        };
        let marks: Marks = artifact.marks();
        let reference = Value::string(format!("{registry}/{repository}@{digest}")).mark(marks);
        let digest = Value::string(digest).mark(marks);
        planned.with("digest", digest).with("reference", reference)
    }

    fn kept(&self, planned: &Value) -> serde_json::Value {
        json!({ "username": planned.get_str("username"), "ca_certificate": planned.get_str("ca_certificate") })
    }

    async fn look(&self, reach: &Reach<'_>, key: &str, mark: &Answer, known: &Value) -> Looked {
        let Some(place) = Place::parse(key) else { return Ok(None) };
        let kept = mark.kept();
        let said = |name: &str| match known.is_null() {
            true => kept[name].as_str().map(str::to_owned),
            false => known.get_str(name).map(str::to_owned),
        };
        let (username, ca_certificate) = (said("username"), said("ca_certificate"));
        let password = said("password");
        let registry = registry(place.registry, username.clone(), password.clone(), ca_certificate.clone());
        let mut repository = Repository { client: Client::new(reach, &registry), reach, name: place.repository };
        let string = |text: Option<String>| text.map_or(Value::Null(Type::String), Value::string);
        let digest = match repository.look(place.tag).await? {
            Tagged::Nothing => return Ok(None),
            Tagged::Digest(digest) => Some(digest),
            // A password that was exchanged must not be in the way of the plan that brings the new one: what cannot be
            // seen is null, and so is the login that shows nothing.
            Tagged::Hidden(problem) if reach.changing => return Err(problem),
            Tagged::Hidden(_) => None,
        };
        let password = password.filter(|_| digest.is_some());
        let reference = digest.as_ref().map(|digest| format!("{}/{}@{digest}", place.registry, place.repository));
        let attributes: Attributes = vec![
            ("registry", Value::string(place.registry)),
            ("repository", Value::string(place.repository)),
            ("tag", Value::string(place.tag)),
            ("artifact", string(digest.clone())),
            ("username", string(username)),
            ("password", string(password)),
            ("ca_certificate", string(ca_certificate)),
            ("digest", string(digest)),
            ("reference", string(reference)),
        ];
        Ok(Some(attributes))
    }

    async fn change(&self, reach: &Reach<'_>, key: &str, prior: &Value, planned: &Value) -> Result<(), Broken> {
        let known = if planned.is_null() { prior } else { planned };
        let place = Place::parse(key);
        let place = place.ok_or_else(|| Box::new(Diagnostic::error(format!("`{key}` names no image"))));
        let place = place.map_err(Broken::NotBegun)?;
        let said = |name: &str| known.get_str(name).map(str::to_owned);
        let registry = registry(place.registry, said("username"), said("password"), said("ca_certificate"));
        let mut repository = Repository { client: Client::new(reach, &registry), reach, name: place.repository };
        let done = match planned.is_null() {
            true => repository.remove(place.tag).await,
            false => repository.push(place.tag, text(planned, "artifact")).await,
        };
        // What was sent before it failed is not seen by anyone: the tag comes last.
        done.map_err(Broken::NotBegun)
    }
}

/// What a key is made of.
struct Place<'k> {
    registry: &'k str,
    repository: &'k str,
    tag: &'k str,
}

impl<'k> Place<'k> {
    fn parse(key: &'k str) -> Option<Self> {
        let (name, tag) = key.rsplit_once(':')?;
        let (registry, repository) = name.split_once('/')?;
        Some(Self { registry, repository, tag })
    }
}

fn registry(authority: &str, username: Option<String>, password: Option<String>, ca: Option<String>) -> Registry {
    let login = username.zip(password);
    Registry { authority: authority.into(), ca_certificate: ca, login }
}

fn is_component(part: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let apart = |c: char| "._-".contains(c);
    part.starts_with(fits) && part.ends_with(fits) && part.chars().all(|c| fits(c) || apart(c))
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .is_some_and(|hex| hex.len() == 64 && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c)))
}
