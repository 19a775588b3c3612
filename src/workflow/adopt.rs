//! `adopt`: the objects of a Terraform state become the record's, and nothing else changes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use formwork_contract::json::{decode, encode};
use formwork_contract::{Address, Diagnostic, Diagnostics, InstanceKey, Mode, Str, Type, Value};
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use super::Workspace;
use super::approval::Governing;
use super::open::{self, failure, record_failure};
use super::variables;
use crate::approve::Consent;
use crate::blueprint::Failure;
use crate::blueprint::sources::Sources;
use crate::graph::{self, DesiredGraph, ModuleId, NodeKind, ProviderKey, ProviderSource};
use crate::live::{Kinds, Loaded, Reality, ResourceKind};
use crate::plan::Secrets;
use crate::record::model::{Adoption, NewRevision, RecordedResource, RevisionKind};
use crate::record::{LeaseScope, Record, RecordError, private};
use crate::tfstate::{ProviderConfig, State, StateObject, output_value, read, take};

/// How many objects providers are asked to upgrade at once.
const UPGRADES_AT_ONCE: usize = 32;

/// A state that can be taken over, and what that would mean.
pub struct Adoptable {
    pub summary: AdoptSummary,
    pub sources: Arc<Sources>,
    /// Warnings of the blueprint.
    pub warnings: Diagnostics,
    record: Record,
    governing: Governing,
    revision: NewRevision,
    adoption: Adoption,
    resources: Vec<RecordedResource>,
    outputs: serde_json::Value,
    /// The record's serial when it was compared with the state.
    serial: u64,
}

/// What an adoption takes, and what it leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdoptSummary {
    pub environment: Str,
    /// Empty where the state does not say.
    pub terraform_version: Str,
    pub lineage: Str,
    pub serial: u64,
    /// Objects to be taken, by their provider and their type.
    pub taken: BTreeMap<(ProviderSource, Str), usize>,
    /// Of those, the ones that the next apply makes anew.
    pub tainted: usize,
    /// Of those, the ones that the next apply deletes, since they were replaced.
    pub deposed: usize,
    /// Of those, the ones without a block in the blueprint.
    pub undeclared: Vec<Address>,
    pub outputs: usize,
    pub sensitive_outputs: usize,
    /// Objects that the record has already.
    pub recorded: usize,
    pub data_sources: usize,
}

impl AdoptSummary {
    /// How many objects are taken.
    pub fn objects(&self) -> usize {
        self.taken.values().sum()
    }

    /// Whether there is nothing to be taken.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty() && self.outputs == 0
    }
}

/// Reads a state and makes ready what the record would take of it. Nothing is changed yet.
///
/// `name` is what the text is called in messages.
///
/// # Errors
/// The blueprint or the state cannot be read; objects whose provider, type or value is not known; addresses
/// that the record has for other objects: all at once, as far as one does not hide the other.
pub async fn adoptable(workspace: &Workspace, name: &str, text: &str) -> Result<Adoptable, Failure> {
    let (mut blueprint, mut warnings) = open::blueprint(workspace)?;
    let inputs = variables::inputs(workspace, &mut blueprint);
    let sources = Arc::clone(&blueprint.sources);
    let fail = |diagnostics: Diagnostics| failure(&sources, diagnostics);
    let (inputs, found) = inputs.map_err(fail)?;
    warnings.append(found);
    let state = read(text, name).map_err(fail)?;
    let graph = graph::build(blueprint.clone(), workspace.registry.natives()).map_err(fail)?;
    let environment = blueprint.environment.clone();
    let record = open::record(workspace, &environment).map_err(|error| record_failure(&sources, &error))?;
    // Before the files are taken: those that the rules name belong to the revision.
    let governing = Governing::of(workspace, &record, &blueprint)?;
    let git = super::git::state(&workspace.dir);
    let vault = Arc::clone(record.vault());
    let variables = inputs.variables.iter().map(|(name, value)| (name.to_string(), encode(value, &Type::Any, &*vault)));
    let revision = NewRevision {
        kind: RevisionKind::Adopt,
        plan_digest: Str::default(),
        files: blueprint.files.snapshot(),
        variables: variables.collect(),
        pinned: json!({}),
        git_commit: git.as_ref().map(|git| git.commit.clone()),
        git_clean: git.is_some_and(|git| git.clean),
        actor: workspace.actor.clone(),
        steps: Vec::new(),
        undoes: None,
        plan: None,
        approvals: Vec::new(),
        waivers: Vec::new(),
    };
    let adoption = Adoption { lineage: state.lineage.clone(), serial: state.serial };
    let serial = record.serial().map_err(|error| record_failure(&sources, &error))?;
    let mut taking = Taking::of(&state, &record).map_err(|error| record_failure(&sources, &error))?;
    taking.objects(&graph, open::reality(workspace, &environment)).await.map_err(fail)?;
    taking.outputs().map_err(fail)?;
    taking.summary.undeclared = undeclared(&graph, &taking.resources);
    let Taking { summary, resources, outputs, .. } = taking;
    let summary = AdoptSummary { environment, ..summary };
    Ok(Adoptable { summary, sources, warnings, record, governing, revision, adoption, resources, outputs, serial })
}

/// Takes over what was made ready, and gives the number of the revision that did it.
///
/// # Errors
/// The environment's rules do not allow this kind of consent, or the record refuses. Nothing was taken then.
pub fn adopt(workspace: &Workspace, adoptable: Adoptable, consent: Consent) -> Result<u64, Failure> {
    let Adoptable { sources, mut record, governing, revision, adoption, resources, outputs, serial, .. } = adoptable;
    if consent == Consent::Automatic
        && let Some(forbidden) = governing.rules.forbids_automatic()
    {
        return Err(failure(&governing.sources, forbidden));
    }
    open::acquire(workspace, &mut record, LeaseScope::Whole).map_err(|error| record_failure(&sources, &error))?;
    let now = record.serial().map_err(|error| record_failure(&sources, &error))?;
    if now != serial {
        let moved = Diagnostic::error("the record changed while it was compared with the state")
            .detail("Another run wrote to it meanwhile. Nothing was taken over.")
            .hint("run the command again");
        return Err(failure(&sources, moved));
    }
    let write = || {
        let number = record.adopt(revision, &adoption, resources, &outputs)?;
        record.release()?;
        Ok(number)
    };
    write().map_err(|error: RecordError| record_failure(&sources, &error))
}

impl std::fmt::Debug for Adoptable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adoptable").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// A state on its way into a record.
struct Taking<'a> {
    state: &'a State<'a>,
    record: &'a Record,
    recorded: HashMap<(Address, Option<Str>), RecordedResource>,
    summary: AdoptSummary,
    resources: Vec<RecordedResource>,
    /// All outputs that the record is to have.
    outputs: serde_json::Value,
}

/// A provider of the state, ready to say what its objects are.
struct Served {
    key: ProviderKey,
    loaded: Loaded,
}

impl<'a> Taking<'a> {
    fn of(state: &'a State<'a>, record: &'a Record) -> Result<Self, RecordError> {
        let recorded = record.resources()?.into_iter();
        Ok(Self {
            state,
            record,
            recorded: recorded.map(|have| ((have.address.clone(), have.deposed.clone()), have)).collect(),
            summary: AdoptSummary {
                terraform_version: state.terraform_version.clone(),
                lineage: state.lineage.clone(),
                serial: state.serial,
                data_sources: state.data_sources,
                ..AdoptSummary::default()
            },
            resources: Vec::with_capacity(state.objects.len()),
            outputs: record.outputs()?,
        })
    }

    async fn objects(&mut self, graph: &DesiredGraph, reality: Reality) -> Result<(), Diagnostics> {
        let served = serve(self.state, graph, reality).await?;
        let vault = Arc::clone(self.record.vault());
        let (state, served, seal) = (self.state, &served, &*vault);
        let taken = state.objects.iter().map(|object| async move {
            let Some((served, kind)) = kind_of(served, object) else { return Ok(None) };
            let value = take(state, object, kind, &*served.loaded.provider, seal).await?;
            Ok::<_, Diagnostics>(Some((object, served, kind, value)))
        });
        let mut found = Diagnostics::new();
        let mut taken = stream::iter(taken).buffered(UPGRADES_AT_ONCE);
        while let Some(taken) = taken.next().await {
            match taken {
                Ok(Some((object, served, kind, value))) => match self.object(object, &served.key, kind, &value) {
                    Ok(()) => {}
                    Err(diagnostic) => found.push(*diagnostic),
                },
                Ok(None) => {}
                Err(diagnostics) => found.append(diagnostics),
            }
        }
        if found.has_errors() { Err(found) } else { Ok(()) }
    }

    fn object(
        &mut self,
        object: &StateObject<'_>,
        provider: &ProviderKey,
        kind: &ResourceKind,
        value: &Value,
    ) -> Result<(), Box<Diagnostic>> {
        if let Some(recorded) = self.recorded.get(&(object.address.clone(), object.deposed.clone())) {
            let have = decode(&recorded.value, &kind.ty, &**self.record.vault());
            return if have.is_ok_and(|have| is_same_object(&have, value)) {
                self.summary.recorded += 1;
                Ok(())
            } else {
                Err(Box::new(taken_address(&object.address)))
            };
        }
        let of_kind = (kind.origin.source.clone(), kind.name.clone());
        *self.summary.taken.entry(of_kind).or_default() += 1;
        self.summary.tainted += usize::from(object.tainted);
        self.summary.deposed += usize::from(object.deposed.is_some());
        let value = Secrets::of([value]).seal_copies(value);
        self.resources.push(RecordedResource {
            address: object.address.clone(),
            deposed: object.deposed.clone(),
            provider: provider.to_string().into(),
            source: kind.origin.source.to_str(),
            provider_version: kind.origin.version.clone().unwrap_or_default(),
            schema_version: kind.version,
            value: encode(&value, &kind.ty, &**self.record.vault()),
            private: private::sealed(&object.private, &**self.record.vault()),
            dependencies: object.dependencies.clone(),
            create_before_destroy: object.create_before_destroy,
            tainted: object.tainted,
            protected: false,
        });
        Ok(())
    }

    /// Outputs that the record has not yet.
    fn outputs(&mut self) -> Result<(), Diagnostics> {
        let mut found = Diagnostics::new();
        for (name, output) in &self.state.outputs {
            if self.outputs.get(&**name).is_some() {
                continue;
            }
            match output_value(self.state, name, output) {
                Ok(value) => {
                    let value = encode(&value, &Type::Any, &**self.record.vault());
                    self.outputs[&**name] = json!({"value": value, "sensitive": output.sensitive});
                    self.summary.outputs += 1;
                    self.summary.sensitive_outputs += usize::from(output.sensitive);
                }
                Err(diagnostics) => found.append(diagnostics),
            }
        }
        if found.has_errors() { Err(found) } else { Ok(()) }
    }
}

/// Asks each provider of the state for its schema. What is missing is told for all objects at once.
async fn serve(
    state: &State<'_>,
    graph: &DesiredGraph,
    mut reality: Reality,
) -> Result<HashMap<ProviderConfig, Served>, Diagnostics> {
    let mut users: BTreeMap<&ProviderConfig, BTreeMap<&Str, Vec<&Address>>> = BTreeMap::new();
    for object in &state.objects {
        let types = users.entry(&object.provider).or_default();
        types.entry(&object.address.type_name).or_default().push(&object.address);
    }
    let known: Vec<ProviderSource> = graph.all_wanted().into_iter().map(|wanted| wanted.source).collect();
    let mut found = Diagnostics::new();
    let mut refused: HashSet<ProviderSource> = HashSet::new();
    let mut served = HashMap::new();
    for (named, types) in users {
        let config = named.resolved(&known, |name| graph.source_of_name(name));
        match reality.load(&graph.wanted(&config.source)).await {
            Ok(loaded) => {
                for (type_name, addresses) in types {
                    if loaded.kinds.get(Mode::Managed, type_name).is_none() {
                        found.push(unknown_type(&config, type_name, &loaded.kinds, &addresses));
                    }
                }
                served.insert(named.clone(), Served { key: key_of(graph, &config), loaded });
            }
            Err(diagnostics) if refused.insert(config.source.clone()) => {
                let addresses: Vec<&Address> = types.into_values().flatten().collect();
                found.append(diagnostics.into_iter().map(|told| needed_by(told, &config, &addresses)).collect());
            }
            Err(_) => {}
        }
    }
    if found.has_errors() { Err(found) } else { Ok(served) }
}

fn kind_of<'s>(
    served: &'s HashMap<ProviderConfig, Served>,
    object: &StateObject<'_>,
) -> Option<(&'s Served, &'s ResourceKind)> {
    let served = served.get(&object.provider)?;
    Some((served, served.loaded.kinds.get(Mode::Managed, &object.address.type_name)?))
}

/// The provider configuration of the blueprint that a state's is, or what it would be called there.
fn key_of(graph: &DesiredGraph, config: &ProviderConfig) -> ProviderKey {
    let nodes = graph.provider_nodes().filter(|node| graph.provider_source(*node) == config.source);
    let mut keys = nodes.map(|node| graph.provider_key(node));
    if let Some(key) = keys.find(|key| key.module == config.module && key.alias == config.alias) {
        return key;
    }
    let mut modules = (0..graph.modules.len() as u32).map(ModuleId);
    let name = modules.find(|module| graph.module(*module).path == config.module).and_then(|module| {
        let required = graph.module(module).module.required_providers.keys();
        let implied: Str = config.source.type_name().into();
        required.cloned().chain([implied]).find(|name| graph.source_of(module, name) == config.source)
    });
    let name = name.unwrap_or_else(|| config.source.type_name().into());
    ProviderKey { module: config.module.clone(), name, alias: config.alias.clone() }
}

fn is_same_object(a: &Value, b: &Value) -> bool {
    match (a.get_str("id"), b.get_str("id")) {
        (Some(a), Some(b)) => a == b,
        _ => a.deep_unmarked() == b.deep_unmarked(),
    }
}

/// Objects whose block is not in the blueprint.
fn undeclared(graph: &DesiredGraph, resources: &[RecordedResource]) -> Vec<Address> {
    let declared: HashSet<Address> = graph
        .nodes
        .iter()
        .filter_map(|node| {
            let NodeKind::Resource(position) = node.kind else { return None };
            let module = graph.module(node.module);
            let resource = &module.module.resources[position];
            let (type_name, name) = (resource.type_name.clone(), resource.name.clone());
            let module = module.path.clone();
            Some(Address { module, mode: resource.mode, type_name, name, key: InstanceKey::None })
        })
        .collect();
    let current = resources.iter().filter(|resource| resource.deposed.is_none());
    current.map(|resource| &resource.address).filter(|address| !declared.contains(&address.config())).cloned().collect()
}

fn listed(addresses: &[&Address]) -> String {
    addresses.iter().map(|address| format!("`{address}`")).collect::<Vec<_>>().join(", ")
}

fn needed_by(mut told: Diagnostic, config: &ProviderConfig, addresses: &[&Address]) -> Diagnostic {
    let needs = format!("The state needs `{}` for {}.", config.source, listed(addresses));
    told.detail = if told.detail.is_empty() { needs } else { format!("{} {needs}", told.detail) };
    told
}

fn unknown_type(config: &ProviderConfig, type_name: &str, kinds: &Kinds, addresses: &[&Address]) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("provider `{}` has no resource type `{type_name}`", config.source))
        .detail(format!("The state has {}.", listed(addresses)));
    match formwork_contract::suggest::nearest(type_name, kinds.names(Mode::Managed)) {
        Some(near) => diagnostic.hint(format!("use the provider version that wrote the state; it has `{near}`")),
        None => diagnostic.hint("use the provider version that wrote the state"),
    }
}

fn taken_address(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("the record has another object at `{address}`"))
        .detail("An address has one object, and the state's has another `id`.")
        .address(address)
        .hint("give one of them another address with `formwork state mv` or `terraform state mv`, or forget it with `state rm`")
}
