//! Objects and outputs as the text of a state file that `terraform plan` takes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use formwork_contract::address::ModuleStep;
use formwork_contract::{Address, Block, InstanceKey, Mode, ModulePath, Path, Step, Str, Type, Value};

use super::format::{File, IndexKey, Instance, Output, Resource};
use super::path;
use super::provider::ProviderConfig;
use super::read::VERSION;
use super::value::Stated;

/// Whom the file says to be from. Terraform takes files of any version 1.
const TERRAFORM_VERSION: &str = "1.11.4";

/// What a state file is to hold.
#[derive(Debug)]
pub struct Snapshot<'a> {
    pub lineage: Str,
    pub serial: u64,
    pub outputs: Vec<SnapshotOutput<'a>>,
    /// In the order of their addresses, a current object before the deposed ones.
    pub objects: Vec<SnapshotObject<'a>>,
}

#[derive(Debug)]
pub struct SnapshotOutput<'a> {
    pub name: &'a str,
    pub value: &'a Value,
    pub sensitive: bool,
}

#[derive(Debug)]
pub struct SnapshotObject<'a> {
    pub address: &'a Address,
    pub deposed: Option<&'a str>,
    pub provider: ProviderConfig,
    pub schema_version: u64,
    pub block: &'a Block,
    pub ty: &'a Type,
    pub value: &'a Value,
    pub private: Arc<[u8]>,
    /// As the record has them: with or without instance keys, and whole modules.
    pub dependencies: &'a [Str],
    pub create_before_destroy: bool,
    pub tainted: bool,
}

impl Snapshot<'_> {
    /// How many sensitive values there are in objects, each counted where it stands outermost.
    pub fn sensitive_parts(&self) -> usize {
        self.objects.iter().map(|object| path::sensitive(object.value).len()).sum()
    }
}

/// The text of a state file. What is sensitive stands in it in clear, as in any.
///
/// # Errors
/// Two objects have one address in Terraform's words, where a component is a module.
pub fn write(snapshot: &Snapshot<'_>) -> Result<String, WriteError> {
    let known = Known::of(&snapshot.objects);
    let mut resources: Vec<Resource<Stated<'_>>> = Vec::new();
    let mut seen = BTreeSet::new();
    for object in &snapshot.objects {
        let base = spoken(&Address { key: InstanceKey::None, ..object.address.clone() });
        let module = if base.module.is_root() { String::new() } else { base.module.to_string() };
        let follows = resources
            .last()
            .is_some_and(|last| last.module == module && last.type_name == *base.type_name && last.name == *base.name);
        if !follows {
            if !seen.insert(base.clone()) {
                return Err(WriteError::SameAddress { address: base });
            }
            resources.push(Resource {
                module,
                mode: "managed".into(),
                type_name: base.type_name.to_string(),
                name: base.name.to_string(),
                provider: object.provider.to_string(),
                instances: Vec::new(),
            });
        }
        if let Some(last) = resources.last_mut() {
            last.instances.push(instance(object, &known));
        }
    }
    let file = File {
        version: VERSION,
        terraform_version: TERRAFORM_VERSION.into(),
        serial: snapshot.serial,
        lineage: snapshot.lineage.to_string(),
        outputs: outputs(&snapshot.outputs),
        resources,
    };
    let mut text = serde_json::to_string_pretty(&file).map_err(|error| WriteError::Unwritable(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// Why there is no state file of this.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("two objects would have the address `{address}` in Terraform")]
    SameAddress { address: Address },
    #[error("{0}")]
    Unwritable(String),
}

fn outputs<'a>(outputs: &[SnapshotOutput<'a>]) -> BTreeMap<String, Output<Stated<'a>>> {
    // Terraform's states hold no outputs that are null.
    let there = outputs.iter().filter(|output| !output.value.is_null());
    there
        .map(|output| {
            let ty = output.value.ty();
            let value = Stated { value: output.value, ty: None };
            (output.name.to_owned(), Output { value, ty: ty.to_json(), sensitive: output.sensitive })
        })
        .collect()
}

fn instance<'a>(object: &SnapshotObject<'a>, known: &Known) -> Instance<Stated<'a>> {
    let dependencies = known.dependencies(object.dependencies);
    Instance {
        index_key: match &object.address.key {
            InstanceKey::None => None,
            InstanceKey::Index(index) => Some(IndexKey::Index(*index)),
            InstanceKey::Key(key) => Some(IndexKey::Key(key.to_string())),
        },
        status: object.tainted.then(|| "tainted".into()),
        deposed: object.deposed.map(Into::into),
        schema_version: object.schema_version,
        attributes: Some(Stated { value: object.value, ty: Some(object.ty) }),
        attributes_flat: None,
        sensitive_attributes: Some(sensitive(object).iter().map(path::write).collect()),
        private: (!object.private.is_empty()).then(|| STANDARD.encode(&object.private)),
        dependencies: (!dependencies.is_empty()).then_some(dependencies),
        create_before_destroy: object.create_before_destroy,
    }
}

/// Sensitive parts as Terraform has them: it forgets that what a provider computed came from something sensitive,
/// and would plan to take the mark away.
fn sensitive(object: &SnapshotObject<'_>) -> Vec<Path> {
    let by_schema = object.block.sensitive_paths(object.value);
    let mut paths = path::sensitive(object.value);
    paths.retain(|path| !is_computed(object.block, path) || by_schema.contains(path));
    paths
}

fn is_computed(block: &Block, path: &Path) -> bool {
    let Some(Step::Attribute(name)) = path.steps().first().copied() else { return false };
    block.attributes.get(name).is_some_and(|attribute| attribute.computed && !attribute.optional)
}

/// An address in Terraform's words: a component is the module that it stands for.
fn spoken(address: &Address) -> Address {
    Address { module: spoken_module(&address.module), ..address.clone() }
}

fn spoken_module(module: &ModulePath) -> ModulePath {
    module.steps().iter().map(|step| ModuleStep { component: None, ..step.clone() }).collect()
}

/// Which resources there are, to say what an object depends on.
struct Known {
    /// Addresses without instance keys.
    resources: BTreeSet<String>,
    /// Those within a module, by its path without instance keys.
    within: HashMap<ModulePath, BTreeSet<String>>,
}

impl Known {
    fn of(objects: &[SnapshotObject<'_>]) -> Self {
        let mut known = Self { resources: BTreeSet::new(), within: HashMap::new() };
        for object in objects {
            let config = object.address.config();
            let told = spoken(&config).to_string();
            let mut module = config.module;
            while !module.is_root() {
                let outer = module.parent().unwrap_or_default();
                known.within.entry(module).or_default().insert(told.clone());
                module = outer;
            }
            known.resources.insert(told);
        }
        known
    }

    /// Resources alone, without instance keys: Terraform knows no others.
    fn dependencies(&self, recorded: &[Str]) -> Vec<String> {
        let mut found = BTreeSet::new();
        for text in recorded {
            if let Ok(address) = text.parse::<Address>() {
                let told = spoken(&address.config()).to_string();
                if address.mode == Mode::Managed && self.resources.contains(&told) {
                    found.insert(told);
                }
            } else if let Ok(module) = text.parse::<ModulePath>() {
                let keyless = module.steps().iter().map(|step| ModuleStep { key: InstanceKey::None, ..step.clone() });
                found.extend(self.within.get(&keyless.collect()).into_iter().flatten().cloned());
            }
        }
        found.into_iter().collect()
    }
}
