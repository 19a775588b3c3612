//! A state file's text as objects with addresses, or everything that is wrong with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::path::Step;
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, ModulePath, Str, Type};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::format::{File, Head, IndexKey, Instance, Resource};
use super::path;
use super::provider::ProviderConfig;

/// The version of the format that this reads and writes.
pub(super) const VERSION: u64 = 4;

/// What a state file holds.
#[derive(Debug)]
pub struct State<'a> {
    /// What the file is called in messages.
    pub name: Str,
    lines: Lines<'a>,
    /// Which version wrote it; empty where the file does not say.
    pub terraform_version: Str,
    /// How often the state has changed.
    pub serial: u64,
    /// Names one history of states.
    pub lineage: Str,
    pub outputs: BTreeMap<Str, StateOutput<'a>>,
    /// Managed ones.
    pub objects: Vec<StateObject<'a>>,
    /// How many results of data sources it holds.
    pub data_sources: usize,
}

/// An output of the root module.
#[derive(Debug)]
pub struct StateOutput<'a> {
    pub(super) value: &'a RawValue,
    pub(super) ty: Type,
    pub sensitive: bool,
}

/// A managed object.
#[derive(Debug)]
pub struct StateObject<'a> {
    pub address: Address,
    /// Set for one that was replaced and is still to be deleted.
    pub deposed: Option<Str>,
    pub provider: ProviderConfig,
    pub schema_version: u64,
    pub(super) attributes: Attributes<'a>,
    pub(super) sensitive: Vec<Vec<Step>>,
    pub private: Arc<[u8]>,
    /// Addresses without instance keys.
    pub dependencies: Vec<Str>,
    pub create_before_destroy: bool,
    pub tainted: bool,
}

/// How the values of an object are written.
#[derive(Debug)]
pub(super) enum Attributes<'a> {
    Json(&'a RawValue),
    /// Terraform 0.11's: every value as text, under a flattened name.
    Flat(BTreeMap<String, String>),
}

/// Reads a state. `name` is what its file is called in messages.
///
/// # Errors
/// It is no state, is encrypted, or has another version; it is cut off or has not the shape of a state; or it
/// has objects with addresses that are not, or that it has twice: all of those at once.
pub fn read<'a>(text: &'a str, name: &str) -> Result<State<'a>, Diagnostics> {
    let refused = |error: serde_json::Error| Diagnostics::from(malformed(name, &error));
    let head: Head = serde_json::from_str(text).map_err(refused)?;
    if let Some(refusal) = foreign(&head, name) {
        return Err(refusal.into());
    }
    let file: File<&'a RawValue> = serde_json::from_str(text).map_err(refused)?;
    let mut reading = Reading {
        found: Diagnostics::new(),
        seen: HashMap::new(),
        state: State {
            name: name.into(),
            lines: Lines::of(text),
            terraform_version: file.terraform_version.into(),
            serial: file.serial,
            lineage: file.lineage.into(),
            outputs: BTreeMap::new(),
            objects: Vec::new(),
            data_sources: 0,
        },
    };
    for (output, stated) in file.outputs {
        match Type::from_json(&stated.ty) {
            Some(ty) => {
                let output = output.into();
                let stated = StateOutput { value: stated.value, ty, sensitive: stated.sensitive };
                reading.state.outputs.insert(output, stated);
            }
            None => reading.wrong(format!("the type of the output `{output}` is not one"), Some(stated.value)),
        }
    }
    for resource in file.resources {
        reading.resource(resource);
    }
    if reading.found.has_errors() { Err(reading.found) } else { Ok(reading.state) }
}

impl State<'_> {
    /// The number of the line that a part of the text begins in.
    pub(super) fn line_of(&self, part: &str) -> usize {
        self.lines.line_of(part)
    }
}

/// A text, and where its lines end.
#[derive(Debug)]
struct Lines<'a> {
    text: &'a str,
    ends: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, ends: text.match_indices('\n').map(|(at, _)| at).collect() }
    }

    fn line_of(&self, part: &str) -> usize {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        1 + self.ends.partition_point(|end| *end < offset)
    }
}

/// What to say of a file that is something else than a state to be read here.
fn foreign(head: &Head, name: &str) -> Option<Diagnostic> {
    let refused = |problem: &str| Diagnostic::error(format!("`{name}` {problem}"));
    if head.encrypted_data.is_some() {
        return Some(
            refused("is encrypted")
                .detail("OpenTofu has encrypted it, and only OpenTofu has the key.")
                .hint("give what `tofu state pull` prints: it decrypts the state"),
        );
    }
    match head.version {
        Some(VERSION) => None,
        Some(older) if older < VERSION => Some(
            refused(&format!("is a state of version {older}"))
                .detail(format!("This reads version {VERSION}, which Terraform writes since 0.12."))
                .hint("let Terraform upgrade it: `terraform state pull | formwork adopt -`"),
        ),
        Some(newer) => Some(
            refused(&format!("is a state of version {newer}"))
                .detail(format!("This version of Formwork reads version {VERSION}."))
                .hint("use a later version of Formwork"),
        ),
        None if head.format_version.is_some() => Some(
            refused("is no state, but what `terraform show -json` prints")
                .detail("That is for other tools: it lacks what providers keep about their objects.")
                .hint("give the state itself, or what `terraform state pull` prints"),
        ),
        None => Some(
            refused("is no Terraform state")
                .detail("It is JSON without a `version`.")
                .hint("give a `terraform.tfstate`, or what `terraform state pull` prints"),
        ),
    }
}

/// What is wrong with the text as such. Values are never told: they may be secrets.
fn malformed(name: &str, error: &serde_json::Error) -> Diagnostic {
    let place = format!("line {}, column {}", error.line(), error.column());
    let told = error.to_string();
    let told = told.rsplit_once(" at line ").map_or(&*told, |(told, _)| told);
    match error.classify() {
        Category::Eof => Diagnostic::error(format!("`{name}` ends too early"))
            .detail(format!("It ends in {place}, in the middle of something."))
            .hint("copy it once more, or take the state from its backup"),
        Category::Data => {
            let told = told.rsplit_once(", expected ").map_or(told.to_owned(), |(_, expected)| {
                format!("{} was expected", expected.replace("u64", "a number").replace("a string", "a text"))
            });
            Diagnostic::error(format!("`{name}` is no Terraform state"))
                .detail(format!("In {place}: {told}."))
                .hint("give a `terraform.tfstate` as Terraform or OpenTofu wrote it")
        }
        Category::Syntax | Category::Io => Diagnostic::error(format!("`{name}` is not JSON"))
            .detail(format!("In {place}: {told}."))
            .hint("give a `terraform.tfstate`, or what `terraform state pull` prints"),
    }
}

/// What was read so far.
struct Reading<'a> {
    state: State<'a>,
    /// Addresses with their deposed keys, and the attributes of each.
    seen: HashMap<(Address, Option<Str>), Option<&'a RawValue>>,
    found: Diagnostics,
}

impl<'a> Reading<'a> {
    fn wrong(&mut self, problem: String, place: Option<&RawValue>) {
        let name = &self.state.name;
        let diagnostic = Diagnostic::error(format!("`{name}`: {problem}"));
        self.found.push(match place {
            Some(place) => diagnostic.detail(format!("It stands in line {}.", self.state.line_of(place.get()))),
            None => diagnostic,
        });
    }

    fn resource(&mut self, resource: Resource<&'a RawValue>) {
        if resource.mode == "data" {
            self.state.data_sources += resource.instances.len();
            return;
        }
        let told = format!("{}.{}", resource.type_name, resource.name);
        let Some(base) = base_address(&resource) else {
            return self.wrong(format!("`{}` and `{told}` make no address", resource.module), None);
        };
        let Ok(provider) = resource.provider.parse::<ProviderConfig>() else {
            return self.wrong(format!("`{}`, which `{told}` names, is no provider", resource.provider), None);
        };
        for instance in resource.instances {
            self.instance(&base, &provider, instance);
        }
    }

    fn instance(&mut self, base: &Address, provider: &ProviderConfig, instance: Instance<&'a RawValue>) {
        let key = match instance.index_key {
            None => InstanceKey::None,
            Some(IndexKey::Index(index)) => InstanceKey::Index(index),
            Some(IndexKey::Key(key)) => InstanceKey::Key(key.into()),
        };
        let address = Address { key, ..base.clone() };
        let deposed = instance.deposed.filter(|key| !key.is_empty()).map(Str::from);
        if let Some(before) = self.seen.insert((address.clone(), deposed.clone()), instance.attributes) {
            let both = [before, instance.attributes].into_iter().flatten();
            let lines: Vec<String> = both.map(|raw| self.state.line_of(raw.get()).to_string()).collect();
            self.found.push(
                Diagnostic::error(format!("`{}` has `{address}` twice", self.state.name))
                    .detail(format!("The attributes begin in the lines {}.", lines.join(" and ")))
                    .hint("take one of them out: an object has one address"),
            );
            return;
        }
        let attributes = match (instance.attributes, instance.attributes_flat) {
            (Some(json), _) => Attributes::Json(json),
            (None, Some(flat)) => Attributes::Flat(flat),
            (None, None) => return self.wrong(format!("`{address}` has no attributes"), None),
        };
        let Ok(private) = STANDARD.decode(instance.private.unwrap_or_default()) else {
            return self.wrong(format!("the private data of `{address}` is not base64"), None);
        };
        self.state.objects.push(StateObject {
            address,
            deposed,
            provider: provider.clone(),
            schema_version: instance.schema_version,
            attributes,
            sensitive: instance.sensitive_attributes.iter().flatten().map(|steps| path::read(steps)).collect(),
            private: private.into(),
            dependencies: instance.dependencies.into_iter().flatten().map(Str::from).collect(),
            create_before_destroy: instance.create_before_destroy,
            tainted: instance.status.as_deref() == Some("tainted"),
        });
    }
}

fn base_address(resource: &Resource<&RawValue>) -> Option<Address> {
    let module = if resource.module.is_empty() { ModulePath::root() } else { resource.module.parse().ok()? };
    let local: Address = format!("{}.{}", resource.type_name, resource.name).parse().ok()?;
    (resource.mode == "managed" && local.mode == Mode::Managed).then_some(Address { module, ..local })
}
