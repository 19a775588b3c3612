//! Finds the policies of a blueprint: Rego files, their data, and exceptions with their signatures.

use std::collections::BTreeMap;
use std::sync::Arc;

use formwork_contract::{FileId, Span};
use serde_json::{Map, Value as Json};

use super::exceptions::EXCEPTIONS;
use super::fault::{Fault, Place};
use crate::blueprint::files::Files;
use crate::blueprint::sources::Sources;

/// The folder of a blueprint that holds its policies.
pub const FOLDER: &str = "policy";

/// Folders deeper than this are not looked into: a link may lead around in a circle.
const DEPTH: usize = 16;

/// The name of files whose content is under `data`, below the names of their folders.
const DATA: &str = "data.json";

/// What judges plans, as a blueprint or a revision has it.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// `*.rego`, by name.
    rego: BTreeMap<String, PolicyFile>,
    /// `data.json`, by name.
    data: BTreeMap<String, PolicyFile>,
    /// What is in the folder of exceptions, by name.
    exceptions: BTreeMap<String, Arc<[u8]>>,
    /// Files that are there and cannot be read, and why.
    unreadable: BTreeMap<String, String>,
    folder: String,
}

#[derive(Clone, Debug)]
struct PolicyFile {
    bytes: Arc<[u8]>,
    /// Its text among the sources, where it was added to them.
    id: Option<FileId>,
}

/// A policy's text, as the engine takes it.
#[cfg_attr(not(feature = "policy"), expect(dead_code, reason = "only the engine looks at it"))]
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

impl Policies {
    /// Reads what stands in the folder and below. What cannot be read keeps all from judging.
    pub fn read(files: &Files, folder: &str) -> Self {
        let mut policies = Self { folder: folder.to_owned(), ..Self::default() };
        policies.enter(files, folder, DEPTH);
        policies
    }

    /// Puts the texts among the sources, so that messages can point into them. `shown` is how a person calls a file.
    pub fn show_in(&mut self, sources: &mut Sources, shown: impl Fn(&str) -> String) {
        for (name, file) in self.rego.iter_mut().chain(&mut self.data) {
            file.id = Some(sources.add(&shown(name), &String::from_utf8_lossy(&file.bytes)));
        }
    }

    /// Whether there is no rule at all.
    pub fn is_empty(&self) -> bool {
        self.rego.is_empty() && self.unreadable.is_empty()
    }

    /// The files that judge, by name: Rego without its tests, and data.
    pub(super) fn judging(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let rego = self.rego.iter().filter(|(name, _)| !is_test(name));
        rego.chain(&self.data).map(|(name, file)| (name.as_str(), &*file.bytes))
    }

    /// The texts of the Rego files.
    pub(super) fn texts(&self, tests: bool) -> Result<Vec<Text>, Vec<Fault>> {
        let unreadable = |(name, why): (&String, &String)| {
            Fault::new(format!("The file `{name}` cannot be read: {why}."), "make it readable")
        };
        let mut faults: Vec<Fault> = self.unreadable.iter().map(unreadable).collect();
        let mut texts = Vec::new();
        for (name, file) in self.rego.iter().filter(|(name, _)| tests || !is_test(name)) {
            match std::str::from_utf8(&file.bytes) {
                Ok(text) => texts.push(Text { name: name.clone(), text: text.to_owned() }),
                Err(_) => faults.push(Fault::new(format!("The file `{name}` is not UTF-8."), "save it as UTF-8")),
            }
        }
        if faults.is_empty() { Ok(texts) } else { Err(faults) }
    }

    /// What policies find under `data`.
    pub(super) fn data(&self) -> Result<Json, Fault> {
        let mut root = Map::new();
        for (name, file) in &self.data {
            let content: Json = serde_json::from_slice(&file.bytes).map_err(|error| {
                Fault::new(format!("The data is not JSON: {error}."), "correct the file").at(name, error.line())
            })?;
            let Json::Object(content) = content else {
                return Err(Fault::new("The data is not an object.", "put it between braces").at(name, 1));
            };
            let below = name.strip_prefix(&self.folder).unwrap_or(name).trim_start_matches('/');
            let folders = below.split('/').filter(|part| *part != DATA);
            let mut at = &mut root;
            for folder in folders {
                let entry = at.entry(folder).or_insert_with(|| Json::Object(Map::new()));
                let Json::Object(object) = entry else {
                    let problem = format!("The folder `{folder}` and an entry of that name in a file above collide.");
                    return Err(Fault::new(problem, "rename one of them").at(name, 1));
                };
                at = object;
            }
            for (key, value) in content {
                merge(at, key, value);
            }
        }
        Ok(root.into())
    }

    /// Exceptions and their signatures, by name.
    pub(super) fn exceptions(&self) -> &BTreeMap<String, Arc<[u8]>> {
        &self.exceptions
    }

    /// A place as messages underline it: what stands in its line.
    pub(super) fn span(&self, place: &Place) -> Option<Span> {
        let file = self.rego.get(&place.file).or_else(|| self.data.get(&place.file))?;
        let text = std::str::from_utf8(&file.bytes).ok()?;
        let before: usize = text.split_inclusive('\n').take(place.line.checked_sub(1)?).map(str::len).sum();
        let line = text.get(before..)?.lines().next().unwrap_or_default();
        let (start, end) = (before + line.len() - line.trim_start().len(), before + line.trim_end().len());
        let offset = |bytes: usize| u32::try_from(bytes).ok();
        Some(Span { file: file.id?, start: offset(start)?, end: offset(end.max(start))? })
    }

    fn enter(&mut self, files: &Files, folder: &str, depth: usize) {
        let below = |name: &str| if folder == "." { name.to_owned() } else { format!("{folder}/{name}") };
        for name in files.list(folder).unwrap_or_default() {
            let path = below(&name);
            let is_exception = folder == format!("{}/{EXCEPTIONS}", self.folder);
            let is_rego = name.ends_with(".rego");
            if !(is_exception || is_rego || name == DATA) {
                continue;
            }
            match files.read(&path) {
                Ok(bytes) if is_exception => drop(self.exceptions.insert(path, bytes)),
                Ok(bytes) => {
                    let kind = if is_rego { &mut self.rego } else { &mut self.data };
                    kind.insert(path, PolicyFile { bytes, id: None });
                }
                Err(error) => drop(self.unreadable.insert(path, error.to_string())),
            }
        }
        if depth > 0 {
            for name in files.folders(folder).unwrap_or_default() {
                self.enter(files, &below(&name), depth - 1);
            }
        }
    }
}

/// Tests judge nothing.
fn is_test(name: &str) -> bool {
    name.ends_with("_test.rego")
}

fn merge(into: &mut Map<String, Json>, key: String, value: Json) {
    match (into.get_mut(&key), value) {
        (Some(Json::Object(old)), Json::Object(new)) => {
            for (key, value) in new {
                merge(old, key, value);
            }
        }
        (_, value) => {
            into.insert(key, value);
        }
    }
}
